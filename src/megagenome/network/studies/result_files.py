# SPDX-License-Identifier: Apache-2.0
"""Tables of a result as files: CSV, and Parquet where pyarrow is installed."""

import importlib.util
import io
from collections.abc import Sequence

from megagenome.kernel.errors import NotFound, Unavailable
from megagenome.standards.csv_rows import to_csv
from megagenome.standards.study_shown import ResultShown

PARQUET_TYPE = "application/vnd.apache.parquet"
INSTALL_PARQUET = "pip install 'megagenome[parquet]'"
Value = float | int | str | None


def columns_of(result: ResultShown, table: str) -> dict[str, list[Value]]:
    """A table's columns. Raises `NotFound`, saying which there are."""
    if table not in result.tables:
        known = ", ".join(sorted(result.tables)) or "none"
        raise NotFound(f"the study has no table {table[:40]!r}; there are: {known}")
    return result.tables[table]


def csv_of(columns: dict[str, list[Value]]) -> str:
    """RFC 4180 with a heading; an empty cell has no value. Numbers are as exact as they were released."""
    return to_csv(tuple(columns), zip(*columns.values(), strict=True))


def parquet_of(columns: dict[str, list[Value]]) -> bytes:
    """Parquet, compressed by zstd: int64, double or string by column, null where there is no value.

    Raises `Unavailable` where pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # a hundred megabytes, for those who ask for it
        import pyarrow.parquet as pq
    except ImportError:
        raise Unavailable(f"Parquet needs pyarrow: {INSTALL_PARQUET}; CSV needs nothing") from None
    kinds = {int: pa.int64(), float: pa.float64(), str: pa.string()}
    arrays = {name: pa.array(values, kinds[_kind(values)]) for name, values in columns.items()}
    written = io.BytesIO()
    pq.write_table(pa.table(arrays), written, compression="zstd")
    return written.getvalue()


def has_parquet() -> bool:
    """Whether `parquet_of` can be done here."""
    return importlib.util.find_spec("pyarrow") is not None


def _kind(values: Sequence[Value]) -> type:
    """int where all values are whole numbers, str where any is a text, else float."""
    if any(isinstance(value, str) for value in values):
        return str
    known = [value for value in values if value is not None]
    return int if known and all(isinstance(value, int) for value in known) else float
