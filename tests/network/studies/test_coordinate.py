# SPDX-License-Identifier: Apache-2.0
"""Runs of studies over nodes in memory: results equal the pooled computation, and whoever withdraws, whichever permit
ends and whenever the hub is killed on the way, there is a clear end. `test_bad_nodes.py` has the nodes at fault."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from megagenome.kernel.errors import Invalid
from megagenome.network.studies import tables as t
from megagenome.network.studies.coordinate import NO_SECOND_SUM
from megagenome.network.studies.model import Ask, Quantity
from megagenome.network.studies.run import MOST_RESTARTS
from megagenome.standards.permit import PermitState
from megagenome.standards.study import Frequencies
from megagenome.standards.study_exchange import Agreed, Forgot, Place, Refused, Reply, Sent, Stage, Task, Terms
from megagenome.standards.study_shown import RunState, SiteState
from tests.network.studies.nodes import ADA, Later, adding, finished, rows, stopped, world


@pytest.mark.parametrize("names", [("node.a",), ("node.a", "node.b"), ("node.a", "node.b", "node.c", "node.d")])
def test_a_run_finds_what_the_pooled_computation_finds(tmp_path: Path, names: tuple[str, ...]) -> None:
    with world(tmp_path, names) as at:
        run = at.begin(least_sites=1)
        assert at.show(run).state is RunState.CHECKING
        at.go()
        finished(at, run)
        shown = at.show(run)
        assert (shown.people, shown.rounds, shown.epoch) == (sum(len(n.values) for n in at.nodes.values()), 4, 0)
        assert [(s.node, s.state) for s in shown.sites] == [(name, SiteState.ANSWERED) for name in sorted(names)]
        assert all(site.up_bytes > 80 and site.down_bytes > 300 for site in shown.sites)
        result = at.studies.result(ADA, run)
        assert (result.summary["people"], result.summary["sites"], result.summary["nan"]) == (
            shown.people,
            len(names),
            None,
        )
        assert result.tables["y"]["name"] == ["a", "b", "c"]
        assert result.notes[0] == "a note"
        assert result.notes[1].endswith(f"is not recorded: {len(names)}.")
        at.go()
        assert all(not node.held for node in at.nodes.values()), "nodes are not told that it is over"


def test_no_vector_of_a_node_is_written_or_shown(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.until(run, "second", Stage.SUMS)
        at.go(2)
        sent = [payload for node in at.nodes.values() for payload in node.sent]
        assert [len(payload) for payload in sent].count(24) == 2
        files = b"".join(path.read_bytes() for path in at.hub.folder.glob("records.db*"))
        assert not any(payload in files for payload in sent)
        opened = [row.round for row in rows(at.hub.engine, t.study_sum)]
        assert opened == [0, 1, 2]
        assert "vectors" not in repr(at.coordinator._runs[run].turn)
        at.go()
        assert rows(at.hub.engine, t.study_sum) == [], "what was opened is kept no longer than it is needed"


@pytest.mark.parametrize("step", ["check", "people", "alleles", "first", "second"])
def test_a_node_that_was_restarted_goes_on(tmp_path: Path, step: str) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.until(run, step)
        node = at.nodes["node.c"]
        node.restart()
        at.go()
        finished(at, run)


@pytest.mark.parametrize("step", ["people", "first", "second"])
def test_a_node_that_lost_its_key_gets_the_round_under_new_ones(tmp_path: Path, step: str) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.until(run, step, Stage.SUMS)
        node = at.nodes["node.c"]
        at.nodes["node.a"].turn(at.coordinator)
        node.restart()

        def forgot(task: Task, payload: bytes) -> Any:
            at_place = (task.place.run, task.place.epoch, task.place.round)
            if task.place.stage is Stage.SUMS and task.sums and at_place not in node.secrets:
                return Forgot()
            node.instead.clear()
            return node.answer(task, payload)

        node.instead[step] = forgot
        at.go()
        assert at.show(run).epoch == 1
        finished(at, run)
        rounds = [each.place.round for each in at.nodes["node.a"].tasks if each.place.stage is Stage.SUMS]
        assert rounds.count({"people": 0, "first": 2, "second": 3}[step]) == 2, "the other rounds were not asked again"


@pytest.mark.parametrize("step", ["check", "people", "alleles", "first"])
def test_who_withdraws_is_not_in_the_result(tmp_path: Path, step: str) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.until(run, step)
        at.go(1)
        before = at.pooled()
        at.withdraw("node.b", run)
        assert at.show(run).epoch == 1
        at.go()
        finished(at, run)
        assert not np.allclose(before, at.pooled())


def test_after_a_sum_was_opened_a_withdrawal_stops_the_run(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.until(run, "second")
        at.withdraw("node.b", run)
        stopped(at, run, "withdrew at node.b", NO_SECOND_SUM)
        again = at.begin()
        at.go()
        finished(at, again)


def test_people_who_change_again_and_again_end_it(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        for _ in range(MOST_RESTARTS):
            at.withdraw("node.b", run)
            assert at.show(run).state is RunState.CHECKING
        at.withdraw("node.b", run)
        stopped(at, run, "again and again")


def test_a_reply_of_the_past_changes_nothing(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.until(run, "people", Stage.SUMS)
        at.withdraw("node.b", run)
        at.coordinator.take("node.a", Reply(Place(run, 0, 0, Stage.SUMS), Sent(16, 0)), bytes(16))
        at.coordinator.take("node.a", Reply(Place(run, 0, 0, Stage.CHECK), Refused("old")), b"")
        at.coordinator.take("node.a", Reply(Place("S0", 0, 0, Stage.CHECK), Refused("no run")), b"")
        at.coordinator.take("node.x", Reply(Place(run, 1, 0, Stage.CHECK), Refused("no site")), b"")
        at.coordinator.take("node.a", Reply(Place(run, 1, 0, Stage.CHECK), Agreed(Terms(0, 0, 0))), b"")
        at.coordinator.take("node.a", Reply(Place(run, 1, 0, Stage.CHECK), Refused("too late")), b"")
        stopped(at, run, "too late")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"state": PermitState.REVOKED}, "the permit is revoked"),
        ({"state": PermitState.SUSPENDED}, "the permit is suspended"),
        ({"people": frozenset()}, "the permit is no more"),
    ],
)
@pytest.mark.parametrize("step", ["check", "second"])
def test_a_permit_that_ends_stops_the_run(tmp_path: Path, change: Any, why: str, step: str) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.until(run, step)
        at.permits.change(**change)
        at.wait(1)
        stopped(at, run, why)
        at.go()
        assert all(not node.held for node in at.nodes.values())


def test_a_node_whose_country_took_the_permit_back_says_so_at_any_time(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.until(run, "second")
        at.coordinator.take("node.b", Reply(Place(run, 0, 0, Stage.CHECK), Refused("the permit is revoked here")), b"")
        stopped(at, run, "node.b refuses: the permit is revoked here")


@pytest.mark.parametrize("step", ["check", "people", "alleles", "first", "second"])
@pytest.mark.parametrize("stage", [Stage.KEYS, Stage.SUMS])
def test_a_hub_that_was_killed_goes_on_where_it_was(tmp_path: Path, step: str, stage: Stage) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        has_keys = step not in ("check", "alleles")
        at.until(run, step, stage if has_keys else None)
        at.go(2)
        at.start()
        shown = at.show(run)
        assert (shown.epoch, shown.state) == (1, RunState.CHECKING)
        seen = [len(node.tasks) for node in at.nodes.values()]
        at.go()
        finished(at, run)
        asked = {task.step for node, k in zip(at.nodes.values(), seen, strict=True) for task in node.tasks[k:]}
        order = ["people", "alleles", "first", "second"]
        done = 0 if step == "check" else order.index(step)
        assert asked - {""} == set(order[done:]), "only what was not opened is asked again"


def test_after_a_restart_the_hub_still_knows_that_a_sum_was_opened(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.until(run, "second")
        at.start()
        at.withdraw("node.b", run)
        stopped(at, run, NO_SECOND_SUM)


def test_after_a_restart_the_hub_knows_of_a_sum_before_somebody_withdrew(tmp_path: Path) -> None:
    with world(tmp_path, ("node.a", "node.b", "node.c", "node.d")) as at:
        at.nodes["node.b"].terms = Terms(1, 5, 1)  # it holds others back
        run = at.begin(when_one_fails="go on")
        at.until(run, "second")
        at.withdraw("node.b", run)
        assert at.show(run).state is RunState.CHECKING
        at.start()
        at.nodes["node.d"].instead["check"] = lambda _task, _payload: Refused("no more")
        at.go()
        stopped(at, run, "node.d refuses: no more", NO_SECOND_SUM)


def test_a_hub_that_computes_otherwise_than_before_stops(tmp_path: Path) -> None:
    def otherwise(method: Frequencies, sites: int, least: int) -> Any:
        generator = adding(method, sites, least)
        ask = next(generator)
        yield ask._replace(opened=("start", "more"))

    with world(tmp_path) as at:
        run = at.begin()
        at.until(run, "first")
        at.methods = {Frequencies: otherwise}
        at.start()
        at.go()
        stopped(at, run, "computes otherwise")


def test_what_no_message_can_carry_is_not_asked(tmp_path: Path) -> None:
    def large(_method: Frequencies, _sites: int, _least: int) -> Any:
        yield Ask("count", {}, (Quantity("counts", (20_000_000, 6), 0),))

    with world(tmp_path, methods={Frequencies: large}) as at:
        run = at.begin()
        at.go()
        stopped(at, run, "too many for one message", "name fewer regions")


def test_what_goes_wrong_in_the_method_is_told(tmp_path: Path) -> None:
    def singular(_method: Frequencies, _sites: int, _least: int) -> Any:
        raise Invalid("covariate age follows from the others: leave it out")
        yield

    def broken(_method: Frequencies, _sites: int, _least: int) -> Any:
        raise ZeroDivisionError("secret 1234")
        yield

    for method, why in ((singular, "age follows from the others"), (broken, "a fault of its own")):
        with world(tmp_path / why[:5].strip(), methods={Frequencies: method}) as at:
            run = at.begin()
            at.go()
            stopped(at, run, why)
            assert "1234" not in at.show(run).reason


def test_fewer_people_than_somebody_demands(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin(least_people=34)
        at.go()
        stopped(at, run, "fewer than 34 people")
        at.nodes["node.c"].terms = Terms(1000, 0, 0)
        run = at.begin()
        at.go()
        stopped(at, run, "fewer than 1000 people")


def test_who_is_left_out_is_not_counted_exactly_where_a_node_forbids_it(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        at.nodes["node.c"].terms = Terms(1, 10, 0)
        run = at.begin()
        at.go()
        assert at.studies.result(ADA, run).notes[1].endswith("is not recorded: fewer than 10.")


def test_what_is_cancelled_while_it_computes_stays_cancelled(tmp_path: Path) -> None:
    later = Later()
    with world(tmp_path, executor=later) as at:
        run = at.begin()
        at.go()
        at.studies.cancel(ADA, run)
        later.work()
        stopped(at, run, "cancelled")


def test_somebody_who_withdraws_while_the_sum_is_opened_is_not_in_it(tmp_path: Path) -> None:
    later = Later()
    with world(tmp_path, executor=later) as at:
        run = at.begin()
        for _ in range(3):
            at.go()
            later.work()
        at.go()
        assert at.show(run).step == "first"
        at.withdraw("node.b", run)
        later.work()
        for _ in range(6):
            at.go()
            later.work()
        finished(at, run)
