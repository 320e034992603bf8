# SPDX-License-Identifier: Apache-2.0
"""CSV read back by the standard library: exact numbers, and nothing that a spreadsheet would run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.standards.csv_rows import to_csv


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "  =1"])
def test_a_text_like_a_formula_is_marked_as_text(cell: str) -> None:
    assert next(csv.reader(io.StringIO(to_csv(["a"], [[cell]]).splitlines(keepends=True)[1], newline="")))[0][0] == "'"


def test_numbers_stay_exact_and_unmarked() -> None:
    assert to_csv(["a", "b", "c"], [[-1.5, 1e-17, None]]) == "a,b,c\r\n-1.5,1e-17,\r\n"


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12), min_size=1, max_size=3
    )
)
def test_every_text_comes_back(cells: list[str]) -> None:
    text = to_csv([str(i) for i in range(len(cells))], [cells])
    back = list(csv.reader(io.StringIO(text, newline="")))[1]
    assert [cell.removeprefix("'") for cell in back] == [cell.removeprefix("'") for cell in cells]


def test_a_heading_like_a_formula_is_marked_too() -> None:
    assert to_csv(["=x"], []) == "'=x\r\n"
