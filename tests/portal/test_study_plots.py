# SPDX-License-Identifier: Apache-2.0
"""Which drawings a result has, and that each says in words what it shows."""

import msgspec
import pytest

from megagenome.portal.study_plots import figures
from tests.portal import study_results
from tests.portal.document import parse_svg

DRAWN = {
    "linear": {"associations": ["manhattan", "quantiles"]},
    "frequencies": {},
    "components": {"map": ["map"]},
    "survival": {"curves": ["survival"]},
    "score": {"distribution": ["scores"]},
}


@pytest.mark.parametrize("method", study_results.ALL)
def test_each_result_has_its_drawings_with_a_title_and_words(method: str) -> None:
    found = figures(study_results.ALL[method]())
    assert {name: [each.ident for each in drawn] for name, drawn in found.items()} == DRAWN[method]
    for figure in (each for drawn in found.values() for each in drawn):
        root = parse_svg(figure.drawing)
        title, words = root.findtext("title") or "", root.findtext("desc") or ""
        assert len(title) > 5
        assert len(words) > 10
        assert root.get("aria-labelledby") == f"{figure.ident}-title {figure.ident}-desc"


def test_withheld_cells_are_noticed_by_the_people_that_are_missing() -> None:
    [some] = figures(study_results.components())["map"]
    assert "too few to tell" in some.notes[0]
    assert some.keys[-1].shape == "hatch"
    whole = study_results.components()
    people = sum(int(each or 0) for each in whole.tables["map"]["people"])
    [all_] = figures(msgspec.structs.replace(whole, summary={"people": people}))["map"]
    assert (all_.keys[-1].shape, all_.keys[-1].text) == ("box", "nobody")


def test_the_smallest_p_is_named_though_another_has_none() -> None:
    result = study_results.linear()
    table = result.tables["associations"]
    p = [2.0 if each is None else float(each) for each in table["p"]]
    best = min(range(len(p)), key=p.__getitem__)
    [manhattan, _] = figures(result)["associations"]
    assert f"{table['contig'][best]}-{table['pos1'][best]}-A-G" in manhattan.notes[0]
    assert manhattan.notes[0].startswith("5,999\u00a0alleles")


def test_a_table_without_rows_or_values_has_no_drawing() -> None:
    result = study_results.linear(30)
    empty = {name: {column: [] for column in table} for name, table in result.tables.items()}
    assert figures(msgspec.structs.replace(result, tables=empty)) == {}
    unknown = {"associations": {**result.tables["associations"], "p": [None] * 30}}
    assert figures(msgspec.structs.replace(result, tables=unknown)) == {}


def test_people_at_risk_stand_below_the_curves() -> None:
    [figure] = figures(study_results.survival())["curves"]
    assert figure.below is not None
    assert figure.below.head == ("Group", "0", "20", "40", "60")
    assert [row[:2] for row in figure.below.rows] == [("wild type", "200"), ("FLT3-ITD", "200"), ("NPM1", "200")]
    assert {row[-1] for row in figure.below.rows} == {"–"}
