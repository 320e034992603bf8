# SPDX-License-Identifier: Apache-2.0
"""Runs of studies over nodes in memory: results equal the pooled computation, and every way in which a node, a person,
a permit or the hub itself can fail on the way has its clear end."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, NotFound, RateLimited, Unauthenticated
from megagenome.kernel.keys import SigningKeys
from megagenome.network.studies import tables as t
from megagenome.network.studies.coordinate import NO_SECOND_SUM
from megagenome.network.studies.model import Ask, Quantity
from megagenome.network.studies.run import MOST_RESTARTS
from megagenome.network.studies.settle import Settled
from megagenome.standards.permit import PermitState
from megagenome.standards.study import Frequencies, encode
from megagenome.standards.study_arrays import pack
from megagenome.standards.study_exchange import (
    Agreed,
    Failed,
    Forgot,
    Keyed,
    Place,
    Refused,
    Reply,
    Sent,
    Stage,
    Task,
    Terms,
)
from megagenome.standards.study_masks import Round, sign_key
from megagenome.standards.study_receipt import read_receipt, sign_receipt
from megagenome.standards.study_shown import RunState, SiteState
from tests.network.studies.nodes import ADA, PERMIT, Later, World, adding, rows, world

BOB = Caller("bob@https://idp.example", "Bob")
CHECKER = Caller("olga@https://idp.example", "Olga", frozenset({Role.DATA_STEWARD}))
AUDITOR = Caller("una@https://idp.example", "Una", frozenset({Role.AUDITOR}))


def found(at: World, run: str) -> np.ndarray[Any, Any]:
    column = at.studies.result(ADA, run).tables["y"]["y"]
    return np.array(column, np.float64)


def finished(at: World, run: str, *names: str) -> None:
    """The run ended with what the pooled computation finds."""
    shown = at.show(run)
    assert (shown.state, shown.reason) == (RunState.FINISHED, "")
    assert found(at, run) == pytest.approx(at.pooled(*names), abs=1e-7)


def stopped(at: World, run: str, *says: str) -> None:
    shown = at.show(run)
    assert shown.state is RunState.STOPPED
    assert all(word in shown.reason for word in says), shown.reason
    assert shown.ended
    with pytest.raises(Conflict, match="has no result"):
        at.studies.result(ADA, run)
    assert rows(at.hub.engine, t.study_sum) == []


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
        assert result.notes[1].startswith(f"{len(names)} people were left out")
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


def test_each_step_is_in_the_ledger_without_content(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.go()
        assert {(act.subject, act.permit) for act in at.acts} == {(ADA.subject, PERMIT)}
        details = [act.detail.removesuffix(f":{run}") for act in at.acts]
        of_rounds = ["begun", "opened:0:0", "opened:1:0", "opened:2:0", "opened:3:0", "finished"]
        receipt = at.studies.receipt(ADA, run)
        assert receipt.release is not None
        study, result = receipt.document.removeprefix("sha256:")[:32], receipt.release.result_sha256[:32]
        assert details == [*of_rounds, f"study:{study}", f"result:{result}", "rules:0:0:1:17", "told"]
        assert [act.count for act in at.acts] == [3, 7, 6, 5, 3, 4, 1, 1, 1, 1]


def test_a_receipt_says_what_was_computed_with_whom_and_what_was_told(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        with pytest.raises(Conflict, match="when it is over"):
            at.studies.receipt(ADA, run)
        at.until(run, "first")
        at.withdraw("node.b", run)
        at.go()
        receipt, shown = at.studies.receipt(ADA, run), at.show(run)
        again = [(each.epoch, each.round, each.step) for each in receipt.rounds]
        assert again[:2] == [(0, 0, "people"), (0, 1, "alleles")]
        assert again[2:] == [(1, 0, "people"), (1, 1, "alleles"), (1, 2, "first"), (1, 3, "second")]
        bits = {each.name: (each.bits, each.largest_error) for each in receipt.rounds[4].sums}
        assert bits == {"x": (30, 3 * 2.0**-31), "n": (0, 0.0)}
        assert receipt.rounds[3].opened == ("start",)
        assert {each.up_bytes for each in receipt.sites} == {each.up_bytes for each in shown.sites}
        assert (receipt.document, receipt.people, receipt.epochs) == (shown.document, shown.people, 2)
        told = msgspec.json.encode(at.studies.result(ADA, run))
        assert receipt.release is not None
        assert (receipt.release.result_sha256, receipt.release.by) == (hashlib.sha256(told).hexdigest(), "rules")
        with pytest.raises(NotFound):
            at.studies.receipt(BOB, run)
        keys = SigningKeys.open(tmp_path / "hub-keys")
        token = sign_receipt(keys, receipt)
        assert read_receipt(token.encode(), keys.key_set()) == receipt
        with pytest.raises(Corrupt):
            read_receipt(token.encode(), SigningKeys.open(tmp_path / "others").key_set())


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
        assert at.studies.result(ADA, run).notes[1].startswith("Fewer than 10 people were left out")


def test_only_its_owner_and_an_auditor_see_a_run(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        for look in (at.studies.show, at.studies.result, at.studies.cancel):
            with pytest.raises(NotFound, match="no study"):
                look(BOB, run)
            with pytest.raises(Unauthenticated):
                look(Caller(), run)
        assert at.studies.listed(BOB).studies == ()
        assert [each.id for each in at.studies.listed(AUDITOR).studies] == [run]
        assert at.studies.show(AUDITOR, run).id == run
        with pytest.raises(NotFound):
            at.studies.cancel(AUDITOR, run)
        at.studies.cancel(ADA, run)
        at.studies.cancel(ADA, run)
        stopped(at, run, "cancelled by its owner")
        [listed] = at.studies.listed(ADA).studies
        assert (listed.title, listed.method, listed.state) == ("A study", "frequencies", RunState.STOPPED)


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


def test_what_is_against_a_study_is_said_before_it_begins(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        good = at.document()
        for document, why in (
            (at.document(permit="permit-2"), "no permit with this id"),
            (at.document(sites=good.sites[::-1]), "in the order of their names"),
            (at.document(least_sites=4, when_one_fails="go on"), "there are 3 sites"),
        ):
            shown = at.studies.check(ADA, encode(document))
            assert any(why in each for each in shown.findings), shown.findings
            with pytest.raises(Invalid, match=why):
                at.studies.begin(ADA, encode(document))
        assert at.studies.check(ADA, encode(good)).findings == ()
        assert (
            at.studies.check(BOB, encode(good)).findings
            == at.studies.check(ADA, encode(at.document(permit="permit-2"))).findings
        )
        with pytest.raises(Invalid, match="not a study document"):
            at.studies.check(ADA, b"{}")
        with pytest.raises(Unauthenticated):
            at.studies.check(Caller(), encode(good))
        for _ in range(5):
            at.begin()
        with pytest.raises(RateLimited):
            at.begin()


def test_a_result_may_wait_for_a_person(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        at.settle = lambda result, terms: Settled(result, f"a checker ({terms.least_cell})")
        at.start()
        at.nodes["node.a"].terms = Terms(1, 7, 1)
        run = at.begin()
        at.go()
        shown = at.show(run)
        assert (shown.state, shown.reason) == (RunState.WAITING, "a checker (7)")
        with pytest.raises(Conflict, match="waiting"):
            at.studies.result(ADA, run)
        assert [each.id for each in at.studies.listed(CHECKER).studies] == [run]
        assert at.studies.result(CHECKER, run).tables.keys() == {"y"}
