# SPDX-License-Identifier: Apache-2.0
"""Tables as CSV and Parquet, read back by others."""

import csv
import io
import sys

import pytest

from megagenome.kernel.errors import NotFound, Unavailable
from megagenome.network.studies.result_files import Value, columns_of, csv_of, parquet_of
from megagenome.standards.study_shown import ResultShown

COLUMNS: dict[str, list[Value]] = {
    "name": ["=cmd()", None, "c"],
    "n": [1, 2, None],
    "p": [5e-324, None, 0.1],
    "mixed": [1, 0.5, 2],
    "nothing": [None, None, None],
}


def test_csv_is_exact_and_runs_nowhere() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_of(COLUMNS), newline="")))
    assert [row["name"] for row in rows] == ["'=cmd()", "", "c"]
    assert [row["p"] and float(row["p"]) for row in rows] == [5e-324, "", 0.1]
    assert csv_of(COLUMNS).count("\r\n") == 4


def test_parquet_has_types_and_nulls() -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    table = pq.read_table(io.BytesIO(parquet_of(COLUMNS)))
    assert table.to_pydict() == {**COLUMNS, "mixed": [1.0, 0.5, 2.0]}
    assert [str(field.type) for field in table.schema] == ["string", "int64", "double", "double", "double"]


def test_an_empty_table_is_a_file_too() -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    assert pq.read_table(io.BytesIO(parquet_of({"p": []}))).num_rows == 0
    assert csv_of({"p": []}) == "p\r\n"


def test_without_pyarrow_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Unavailable, match=r"pip install 'megagenome\[parquet\]'"):
        parquet_of(COLUMNS)


def test_a_table_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(NotFound, match="no table 'x'; there are: a, b"):
        columns_of(ResultShown("S1", "d", {"b": {}, "a": {}}, {}, ()), "x")
