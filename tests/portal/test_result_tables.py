# SPDX-License-Identifier: Apache-2.0
"""Tables of results in words: the rows that matter first, numbers as the portal writes them, no value as no value."""

import pytest

from megagenome.portal.result_tables import MOST_ROWS, summary_cells, table_part
from tests.portal import study_results


def test_the_smallest_p_values_come_first_and_rows_without_one_last() -> None:
    result = study_results.linear(200)
    part = table_part(result, "associations")
    known = sorted(float(each) for each in result.tables["associations"]["p"] if each is not None)
    assert (len(part.rows), part.total, part.order, part.is_whole) == (MOST_ROWS, 200, "smallest p first", False)
    assert part.columns[0].name == "Allele"
    assert part.columns[-1].name == "p"
    whole = table_part(result, "associations", most=199)
    assert all(row[-1] is not None for row in whole.rows)
    assert len(known) == 199


def test_ties_and_many_without_p_keep_their_order() -> None:
    shown = study_results.linear(1000)
    p = shown.tables["associations"]["p"] = [0.5, None, 0.25, *[0.75] * 10, *[None] * 987]
    part = table_part(shown, "associations", 12)
    expected = sorted(range(13), key=lambda k: (p[k] is None, p[k], k))[:12]
    assert [row[-1] for row in part.rows] == [f"{p[k]:.2f}" for k in expected]
    assert len({row[0] for row in part.rows}) == 12


@pytest.mark.parametrize("method", study_results.ALL)
def test_every_table_has_as_many_cells_as_columns(method: str) -> None:
    result = study_results.ALL[method]()
    for name in result.tables:
        part = table_part(result, name)
        assert {len(row) for row in part.rows} == {len(part.columns)}


def test_a_short_table_is_whole_in_its_own_order() -> None:
    part = table_part(study_results.survival(), "groups")
    assert (part.is_whole, part.order) == (True, "")
    assert part.rows[0] == ("wild type", "200", "70", None)
    assert part.rows[1] == ("FLT3-ITD", "200", "140", "23")


def test_frequencies_percentages_and_counts_are_written_as_everywhere() -> None:
    part = table_part(study_results.survival(), "curves")
    assert [column.name for column in part.columns][-2:] == ["95 %, from", "95 %, to"]
    assert part.rows[0] == ("wild type", "1", "200", "4", "98.0\u202f%", "92.0\u202f%", "100\u202f%")
    first = table_part(study_results.frequencies(), "frequencies").rows[0]
    assert first[-4:] == (None,) * 4


def test_times_are_written_as_they_are() -> None:
    shown = study_results.survival()
    shown.tables["curves"]["time"][:3] = [0.5, 2.0, 7.25]
    assert [row[1] for row in table_part(shown, "curves").rows[:3]] == ["0.5", "2", "7.25"]


def test_the_summary_is_named_for_people() -> None:
    assert ("p, log-rank", "1.2\u00a0×\u00a010⁻⁴") in summary_cells(study_results.survival())
    assert ("People", "12,500") in summary_cells(study_results.score())
