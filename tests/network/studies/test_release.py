# SPDX-License-Identifier: Apache-2.0
"""What leaves has enough people behind every number, and looks as it should."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.network.studies.model import StudyResult, Table
from megagenome.network.studies.release import OPEN, ReleaseRules, check_release, rounded

RULES = ReleaseRules()


Told = tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]


def _told(name: str, columns: dict[str, Any], **summary: Any) -> Told:
    """The table's columns, the notes and the concerns."""
    arrays = {each: column if isinstance(column[0], str) else np.asarray(column) for each, column in columns.items()}
    checked = check_release(StudyResult({name: Table(arrays)}, {"people": 5000, **summary}), RULES)
    return dict(checked.result.tables[name].columns), checked.result.notes, checked.concerns


def test_open_data_leave_as_they_are() -> None:
    result = StudyResult({"map": Table({"people": np.array([1, 2])})}, {"people": 3, "mean": 1 / 3}, ("x",))
    assert check_release(result, OPEN).result is result


def test_rare_alleles_are_left_out_and_statistics_are_rounded() -> None:
    columns = {"alt": ["A", "C", "G"], "ac": [9, 10, 191], "an": [200, 200, 200], "p": [0.5, 0.0123456, 0.1]}
    told, notes, concerns = _told("associations", {**columns, "missing": [0, 0, 0]})
    assert told["alt"] == ["C"]
    assert told["p"].tolist() == [0.01235]
    assert notes[0] == "Alleles with fewer than 10 copies of the rarer one are withheld: 2."
    assert concerns == ()


def test_that_a_few_have_no_call_is_not_told_by_what_was_called() -> None:
    """Each number of a linear study that is the people or alleles called: of 0, 1 and 12 who were not."""
    an = np.array([1000, 998, 976])
    counts = {"ac": [101, 101, 101], "an": an, "n": an // 2, "missing": [0, 1, 12]}
    told, notes, _ = _told("associations", {**counts, "frequency": 101 / an})
    for name in ("an", "n", "missing"):
        assert np.isnan(told[name]).tolist() == [False, True, False]
    assert told["an"][[0, 2]].tolist() == [1000, 976]
    assert told["frequency"].tolist() == [0.101, 0.1, 0.1035]
    assert any(note.startswith("Where fewer than 10 people have no call") for note in notes)


@given(
    st.lists(st.tuples(*[st.integers(0, 40)] * 4, st.integers(0, 12)), min_size=1, max_size=20),
)
def test_no_genotype_of_a_few_people_can_be_computed(rows: list[tuple[int, int, int, int, int]]) -> None:
    """Of autosomes: from all that is told, the people with none, one and two copies are either all known and many, or
    not known."""
    het, hom, without, missing, _ = (np.array(each) for each in zip(*rows, strict=True))
    ac, an = het + 2 * hom, 2 * (het + hom + without)
    columns = {
        "ac": ac,
        "an": an,
        "het": het,
        "hom": hom,
        "hemi": np.zeros_like(het),
        "missing": missing,
        "hardy_weinberg_p": np.full(len(het), 0.5),
    }
    told, _, _ = _told("frequencies", columns)
    for k in range(len(told["ac"])):
        is_few = math.isnan(told["missing"][k])
        assert math.isnan(told["an"][k]) == is_few
        assert told["ac"][k] >= 10
        assert is_few or told["ac"][k] <= told["an"][k] - 10
        if not math.isnan(told["het"][k]):
            rest = told["an"][k] / 2 - told["het"][k] - told["hom"][k]
            assert min(told["het"][k], told["hom"][k]) >= 10
            assert is_few or rest >= 10
        else:
            assert math.isnan(told["hom"][k])
            assert math.isnan(told["hardy_weinberg_p"][k])
        assert is_few or told["missing"][k] == 0 or told["missing"][k] >= 10


def test_a_map_has_no_cell_of_a_few_people() -> None:
    told, _, _ = _told("map", {"pc1": [0.0, 1.0], "people": [9, 10]})
    assert told["people"].tolist() == [10]


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), min_size=1, max_size=60))
def test_bins_are_joined_until_they_are_many(rows: list[tuple[int, int]]) -> None:
    controls, cases = (np.array(each) for each in zip(*rows, strict=True))
    low = np.arange(len(rows), dtype=np.float64)
    told, _, _ = _told("distribution", {"low": low, "high": low + 1, "controls": controls, "cases": cases})
    assert (told["controls"].sum(), told["cases"].sum()) == (controls.sum(), cases.sum())
    assert (told["low"][0], told["high"][-1]) == (0, len(rows))
    assert (told["low"][1:] == told["high"][:-1]).all()
    if min(controls.sum(), cases.sum()) >= 10:
        assert min(told["controls"].min(), told["cases"].min()) >= 10
    else:
        assert len(told["low"]) == 1


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), min_size=1, max_size=30), st.booleans())
def test_a_curve_steps_where_many_had_the_event(rows: list[tuple[int, int]], two: bool) -> None:
    events = np.array([each[0] for each in rows] * (1 + two))
    censored = np.array([each[1] for each in rows] * (1 + two))
    group = ["a"] * len(rows) + ["b"] * len(rows) * two
    at_risk = np.concatenate([(events + censored)[: len(rows)][::-1].cumsum()[::-1] for _ in range(1 + two)])
    told, _, _ = _told("curves", {"group": group, "at_risk": at_risk, "events": events, "survival": events / 13})
    assert (told["events"] >= 10).all()
    for name in set(told["group"]):
        mine = np.array([each == name for each in told["group"]])
        left = told["at_risk"][mine]
        assert (left >= 10).all()
        assert (left % 10 == 0).all()
        assert told["events"][mine].sum() <= sum(each[0] for each in rows)


def test_groups_of_a_few_are_not_told() -> None:
    columns = {
        "group": ["a", "b", "c", "d"],
        "people": [50, 50, 50, 50],
        "events": [9, 25, 45, 50],
        "median": [1.0] * 4,
    }
    told, _, _ = _told("groups", columns)
    assert told["group"] == ["b", "d"]


@pytest.mark.parametrize(
    ("summary", "says"),
    [
        ({"people": 99}, "99 people are fewer than the 100"),
        ({"cases": 9}, "fewer than 10 cases, whom"),
        ({"events": 3}, "fewer than 10 events, whom"),
        ({"people": 100, "parameters": 21}, "21 parameters are too many for 100 people"),
    ],
)
def test_somebody_must_look(summary: dict[str, int], says: str) -> None:
    _, _, concerns = _told("map", {"pc1": [1.0], "people": [50]}, **summary)
    assert len(concerns) == 1
    assert says in concerns[0]


def test_a_table_without_a_rule_cannot_be_released() -> None:
    with pytest.raises(KeyError):
        _told("scores", {"score": [1.0]})


def test_rounding() -> None:
    values = np.array([0.0, 123456.0, -0.000123456, np.nan, np.inf, 1e-310, 9.99996])
    found = rounded(values, 4)
    assert found[:3].tolist() == [0.0, 123500.0, -0.0001235]
    assert np.isnan(found[3])
    assert found[4] == np.inf
    assert found[6] == 10.0
    assert 0 <= found[5] < 1e-300
