# SPDX-License-Identifier: Apache-2.0
"""Runs with a node that is gone, late, or says what it must not: it is named, and the study goes on without it or
stops, as its document says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from megagenome.network.studies.coordinate import NO_SECOND_SUM
from megagenome.network.studies.model import Ask, NodeFault
from megagenome.standards.study import Frequencies
from megagenome.standards.study_arrays import pack
from megagenome.standards.study_exchange import Agreed, Failed, Forgot, Keyed, Refused, Sent, Stage, Task, Terms
from megagenome.standards.study_masks import Round, sign_key
from megagenome.standards.study_shown import RunState, SiteState
from tests.network.studies.nodes import adding, finished, stopped, world


def wrong_vector(task: Task, _payload: bytes) -> tuple[Sent, bytes]:
    return Sent(16, 0), bytes(16)


def torn(_task: Task, _payload: bytes) -> tuple[Sent, bytes]:
    return Sent(16, 9), bytes(16)


def opens_more(_task: Task, _payload: bytes) -> tuple[Sent, bytes]:
    opened = pack({"start": np.zeros(2, np.int64), "secret": np.zeros(2)})
    return Sent(0, len(opened)), opened


def opens_nan(_task: Task, _payload: bytes) -> tuple[Sent, bytes]:
    opened = pack({"start": np.array([1.0, np.nan])})
    return Sent(0, len(opened)), opened


def opens_rubbish(_task: Task, _payload: bytes) -> tuple[Sent, bytes]:
    return Sent(0, 5), b"\xff\x00abc"


def says(said: Any) -> Callable[[Task, bytes], Any]:
    return lambda _task, _payload: said


BAD = [
    ("check", says(Refused("this node does not compute frequencies")), SiteState.REFUSED, "does not compute"),
    ("check", says(Failed("out of memory")), SiteState.FAILED, "out of memory"),
    ("check", says(Forgot()), SiteState.FAILED, "not asked"),
    ("keys", says(Agreed(Terms(1, 1, 1))), SiteState.FAILED, "not asked"),
    ("people", says(Failed("people is not finite")), SiteState.FAILED, "not finite"),
    ("people", torn, SiteState.FAILED, "parts of 25"),
    ("alleles", opens_more, SiteState.FAILED, "secret"),
    ("alleles", opens_nan, SiteState.FAILED, "no numbers"),
    ("alleles", opens_rubbish, SiteState.FAILED, "not arrays"),
    ("alleles", wrong_vector, SiteState.FAILED, "another shape"),
    ("first", wrong_vector, SiteState.FAILED, "another shape: 16 bytes, and 40 were asked"),
]


@pytest.mark.parametrize(("at_step", "answer", "state", "why"), BAD)
@pytest.mark.parametrize("rule", ["stop", "go on"])
def test_a_node_that_says_what_it_must_not_is_named(
    tmp_path: Path, at_step: str, answer: Any, state: SiteState, why: str, rule: str
) -> None:
    with world(tmp_path, ("node.a", "node.b", "node.c", "node.d")) as at:
        at.nodes["node.b"].instead[at_step] = answer
        run = at.begin(when_one_fails=rule, least_sites=3)
        at.go()
        part = next(site for site in at.show(run).sites if site.node == "node.b")
        assert part.state is state
        assert why in part.reason
        if rule == "stop":
            stopped(at, run, "node.b", why)
        else:
            assert at.show(run).epoch == 1
            finished(at, run, "node.a", "node.c", "node.d")


@pytest.mark.parametrize("rule", ["stop", "go on"])
def test_a_node_that_opens_what_cannot_be_is_named(tmp_path: Path, rule: str) -> None:
    """Which the hub finds out only when it computes with it."""

    def picky(method: Frequencies, sites: int, least: int) -> Any:
        listed = yield Ask("alleles", {}, opened=("start",))
        if "start/node.b" in listed:
            raise NodeFault("node.b", "it sends alleles that are nowhere")
        return (yield from adding(method, sites, least))

    with world(tmp_path, ("node.a", "node.b", "node.c", "node.d"), methods={Frequencies: picky}) as at:
        run = at.begin(when_one_fails=rule, least_sites=3)
        at.go()
        part = next(site for site in at.show(run).sites if site.node == "node.b")
        assert (part.state, part.reason) == (SiteState.FAILED, "it sends alleles that are nowhere")
        if rule == "stop":
            stopped(at, run, "node.b failed: it sends alleles that are nowhere")
        else:
            finished(at, run, "node.a", "node.c", "node.d")


def test_a_key_of_another_round_or_by_another_node_is_its_senders_fault(tmp_path: Path) -> None:
    with world(tmp_path) as at:

        def another(task: Task, _payload: bytes) -> Keyed:
            turn = Round(task.digest, task.place.epoch, task.place.round + 1, task.sites)
            return Keyed(sign_key(at.nodes["node.b"].keys, turn, "node.b", bytes(range(32))))

        def of_c(task: Task, _payload: bytes) -> Keyed:
            turn = Round(task.digest, task.place.epoch, task.place.round, task.sites)
            return Keyed(sign_key(at.nodes["node.c"].keys, turn, "node.b", bytes(range(32))))

        for answer, why in ((another, "another round"), (of_c, "not signed by the key")):
            at.nodes["node.b"].instead["keys"] = answer
            run = at.begin()
            at.go()
            stopped(at, run, "node.b", why)


def test_a_sum_beyond_all_bounds_stops_the_run(tmp_path: Path) -> None:
    """A node that adds what is out of all bounds spoils the sum; under masks nobody can see which one it was."""
    with world(tmp_path) as at:
        node = at.nodes["node.b"]

        def spoils(task: Task, payload: bytes) -> Any:
            sent, content = node.right(task, {}, payload[task.document_bytes + task.parameters_bytes :])
            vector = np.frombuffer(content, "<u8").copy()
            vector[:1] += np.uint64(1 << 62)
            return sent, vector.tobytes()

        node.instead["people"] = spoils
        run = at.begin()
        at.go()
        stopped(at, run, "the sum of people is out of all bounds")


def test_too_few_are_left(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        at.nodes["node.b"].instead["check"] = says(Refused("no"))
        run = at.begin(when_one_fails="go on")
        at.go()
        stopped(at, run, "node.b refuses: no", "2 nodes are left, and the study needs 3")


def test_after_a_sum_was_opened_nobody_is_left_out_any_more(tmp_path: Path) -> None:
    with world(tmp_path, ("node.a", "node.b", "node.c", "node.d")) as at:
        run = at.begin(when_one_fails="go on")
        at.until(run, "second")
        at.nodes["node.d"].is_dead = True
        at.go()
        at.wait(11)
        stopped(at, run, "node.d is gone", NO_SECOND_SUM)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says(Failed("y is not finite")), "node.d failed: y is not finite"),
        (says(Failed("y is out of bounds")), "node.d failed: y is out of bounds"),
        (wrong_vector, "node.d failed: it sends a vector of another shape"),
        (torn, "node.d failed: a payload of 16 bytes, of parts of 25"),
    ],
)
def test_in_the_middle_a_node_at_fault_is_named_and_no_second_sum_is_opened(
    tmp_path: Path, answer: Any, why: str
) -> None:
    with world(tmp_path, ("node.a", "node.b", "node.c", "node.d")) as at:
        run = at.begin(when_one_fails="go on")
        at.until(run, "second")
        at.nodes["node.d"].instead["second"] = answer
        at.go()
        stopped(at, run, why, NO_SECOND_SUM)


@pytest.mark.parametrize("step", ["check", "people", "alleles", "first"])
def test_a_node_that_is_gone_is_left_out_before_a_sum_was_opened(tmp_path: Path, step: str) -> None:
    with world(tmp_path, ("node.a", "node.b", "node.c", "node.d")) as at:
        run = at.begin(when_one_fails="go on")
        at.until(run, step)
        at.nodes["node.d"].is_dead = True
        at.go()
        at.wait(9)
        assert at.show(run).state in (RunState.CHECKING, RunState.RUNNING)
        at.wait(2)
        at.go()
        finished(at, run, "node.a", "node.b", "node.c")
        gone = next(site for site in at.show(run).sites if site.node == "node.d")
        assert (gone.state, gone.reason) == (SiteState.SILENT, "it was not heard for 11 s")


def test_a_node_that_works_too_long_is_late(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.until(run, "first", Stage.SUMS)
        place = at.coordinator._runs[run].place()
        assert place is not None
        assert at.coordinator.offer("node.b", (run,), (place,)).task is None, "it has the task"
        assert [site.state for site in at.show(run).sites] == [SiteState.ASKED, SiteState.WORKING, SiteState.ASKED]
        for _ in range(6):
            at.wait(9)
        assert at.show(run).state is RunState.RUNNING
        at.wait(9)
        stopped(at, run, "is late", "60 s")
