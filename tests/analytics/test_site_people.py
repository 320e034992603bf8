# SPDX-License-Identifier: Apache-2.0
"""Sites with real collections: who withdraws on the way is not counted, and no two studies differ by a few people."""

from pathlib import Path

import msgspec
import pytest

from megagenome.network.studies.coordinate import NO_SECOND_SUM
from megagenome.standards.study import Age, Linear, Score, Sex, Variants, Weight
from megagenome.standards.study_exchange import (
    Stage,
)
from megagenome.standards.study_shown import RunState
from tests.analytics.counting import LARGER, cases_but, counted, counts_of, everybody_but, expected
from tests.analytics.sites import MODEST, real_world
from tests.network.studies.nodes import ADA


@pytest.mark.parametrize(("step", "people"), [("people", 122), ("alleles", 112), ("count", 112)])
def test_who_withdraws_on_the_way_is_not_counted(tmp_path: Path, step: str, people: int) -> None:
    """Once a sum left others are held back with them, so that two sums do not show who it was."""
    with real_world(tmp_path, LARGER) as at:
        run = at.begin()
        at.until(run, step)
        at.go(1)
        node = at.nodes["node.c"]
        gone = min(node.numbers)
        node.withdraw(gone)
        node.site.watch()
        node.speak(at.coordinator)
        assert at.show(run).epoch == 1
        at.go()
        assert at.show(run).reason == ""
        studied = node.recorded()[-1]
        assert gone not in studied
        node.numbers = studied
        assert counted(at, run) == expected(at)
        assert at.show(run).people == people


def test_a_withdrawal_that_is_noticed_by_computing_begins_it_again(tmp_path: Path) -> None:
    with real_world(tmp_path, LARGER) as at:
        run = at.begin()
        at.until(run, "count", Stage.SUMS)
        node = at.nodes["node.c"]
        node.withdraw(min(node.numbers))
        at.go()
        assert at.show(run).epoch == 1
        node.numbers = node.recorded()[-1]
        assert counted(at, run) == expected(at)
        held_back = "People held back, so that no two studies at a node differ by a few: about 10."
        assert held_back in at.studies.result(ADA, run).notes


AGES = Linear(Variants("GRCh38", ("22",), least_count=1), Age(), (Sex(),))
"""A study in which sums are opened long before its end."""


@pytest.mark.parametrize("step", ["means", "spread", "products"])
def test_who_withdraws_after_a_sum_was_opened_is_not_alone_in_the_difference(tmp_path: Path, step: str) -> None:
    with real_world(tmp_path, {"node.a": 40, "node.b": 40, "node.c": 40}) as at:
        run = at.begin(method=AGES)
        at.until(run, step, Stage.SUMS)
        assert at.coordinator._runs[run].has_opened
        node = at.nodes["node.c"]
        gone = min(node.numbers)
        node.withdraw(gone)
        node.site.watch()
        node.speak(at.coordinator)
        at.go()
        shown = at.show(run)
        assert (shown.state, shown.reason, shown.epoch) == (RunState.FINISHED, "", 1)
        before, after = node.recorded()
        assert (len(before ^ after), gone in after) == (1 + MODEST.least_cell, False)
        assert shown.people == 80 + len(after)


def test_of_open_data_nobody_is_held_back_so_a_withdrawal_stops_the_run(tmp_path: Path) -> None:
    with real_world(tmp_path, {"node.a": 40, "node.b": 40, "node.c": 40}, is_open=True) as at:
        run = at.begin(method=AGES)
        at.until(run, "products", Stage.SUMS)
        node = at.nodes["node.c"]
        node.withdraw(min(node.numbers))
        node.site.watch()
        node.speak(at.coordinator)
        shown = at.show(run)
        assert (shown.state, shown.reason) == (RunState.STOPPED, f"somebody withdrew at node.c; {NO_SECOND_SUM}")


def test_studies_whose_cohorts_differ_by_a_person_show_nobody(tmp_path: Path) -> None:
    """An attacker asks for everybody, then for everybody but one, again and again, and subtracts what is opened."""
    with real_world(tmp_path, {"node.a": 40, "node.b": 41, "node.c": 42}) as at:
        opened: list[tuple[frozenset[int], tuple[int, ...]]] = []
        for out in [(), (), *[(number,) for number in (0, 1, 45, 46, 90)], (0, 1), ()]:
            run = at.begin(cohort=everybody_but(out))
            at.go()
            if "others are held back, so that no two" in at.show(run).reason:
                continue  # who is held back is drawn: now and then too few are left, and nothing is opened
            assert at.show(run).state is RunState.FINISHED, at.show(run).reason
            people = frozenset[int]().union(*(node.parts[run] for node in at.nodes.values()))
            assert not people & set(out)
            counts = counted(at, run)
            assert counts == counts_of(people)
            opened.append((people, tuple(counts.values())))
        for one, these in opened:
            for other, those in opened:
                assert one == other or len(one ^ other) >= MODEST.least_cell
                assert one != other or these == those
        assert len({people for people, _ in opened}) > 3
        assert any(len(node.recorded()) > 1 for node in at.nodes.values())


def test_studies_of_the_same_people_whose_cases_differ_by_one_show_nobody(tmp_path: Path) -> None:
    """Scores and effects of the two would differ by this one's genotypes."""
    with real_world(tmp_path, {"node.a": 60, "node.b": 61, "node.c": 62}) as at:
        told = []
        for out in ((), (), (0,), ()):
            method = Score("GRCh38", "S", (Weight("22", 100, "C", "A", 1.0),), trait=cases_but(out))
            run = at.begin(method=method)
            at.go()
            assert at.show(run).state is RunState.FINISHED, at.show(run).reason
            people = at.nodes["node.a"].parts[run]
            told.append((people, frozenset(k for k in people if k < 30 and k not in out)))
        assert told[0] == told[1] == told[3]
        assert all(len(told[0][k] ^ told[2][k]) >= MODEST.least_cell for k in (0, 1))


def test_a_node_lends_no_more_sets_than_its_settings_say(tmp_path: Path) -> None:
    with real_world(tmp_path, LARGER, msgspec.structs.replace(MODEST, most_cohorts=1)) as at:
        for out, why in ((), ""), ((), ""), ((0,), "1 different sets of people"):
            run = at.begin(cohort=everybody_but(out))
            at.go()
            assert why in at.show(run).reason
            assert at.show(run).state is (RunState.STOPPED if why else RunState.FINISHED)


def test_a_node_that_is_killed_goes_on_with_the_people_it_began_with(tmp_path: Path) -> None:
    with real_world(tmp_path, LARGER) as at:
        first, second = at.begin(), at.begin(cohort=everybody_but((0,)))
        at.until(second, "count", Stage.SUMS)
        people = at.nodes["node.a"].parts.pop(second)
        at.nodes["node.a"].start()
        at.go()
        assert len(people) == 40 - 1 - MODEST.least_cell
        assert [at.show(run).state for run in (first, second)] == [RunState.FINISHED] * 2
        assert at.nodes["node.a"].parts[second] == people
