# SPDX-License-Identifier: Apache-2.0
"""A country's desk: who decides, on what, until when, and what follows, all of it or nothing."""

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.kernel.errors import Conflict, Invalid, MegagenomeError, NotEntitled, NotFound, Unauthenticated
from megagenome.standards.exchange import Receipt
from megagenome.standards.permit import DatasetDecision, PermitState, Verdict, digest
from tests.access.desks import ADA, FINN, FRED, NOW, STEW, SVEA, Node, desk_at, proposal


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with desk_at(tmp_path) as opened:
        opened.propose()
        yield opened


def receipt_of(node: Node, refusal: str = "") -> Receipt:
    [token] = node.desk.undelivered(50)
    return Receipt(hashlib.sha256(token.encode()).hexdigest(), refusal)


def test_a_decision_has_all_its_effects(node: Node) -> None:
    assert node.decide(FI_1="approved", FI_2="refused") == ["approved", "refused"]
    assert node.readable() == ["FI-1"]
    [decision] = node.sent()
    document = proposal().document
    assert (decision.permit, decision.permit_digest) == (document.id, digest(document))
    assert (decision.node, decision.country, decision.decided_by) == ("node.fi", "FI", FINN.subject)
    assert [(each.dataset, each.verdict) for each in decision.decisions] == [("FI-1", "approved"), ("FI-2", "refused")]
    assert node.entries() == [("grant", "FI-1", "approved"), ("decision", "FI-2", "refused")]
    assert node.woken == 1
    node.receive(receipt_of(node))
    assert node.sent() == []
    assert node.readable() == ["FI-1"]


def test_part_now_part_later(node: Node) -> None:
    assert node.decide(FI_2="approved") == ["requested", "approved"]
    assert node.decide(FRED, FI_1="approved") == ["approved", "approved"]
    assert node.readable() == ["FI-1", "FI-2"]
    assert len(node.sent()) == 2


def test_an_approval_is_taken_back_at_once_and_for_ever(node: Node) -> None:
    node.decide(FI_1="approved", FI_2="approved")
    node.now += timedelta(days=300)  # long after the window
    assert node.decide(FRED, FI_1="revoked") == ["revoked", "approved"]
    assert node.readable() == ["FI-2"]
    for verdict in ("approved", "refused"):
        with pytest.raises(Conflict):
            node.decide(FI_1=verdict)
    assert node.entries()[-1] == ("revocation", "FI-1", "revoked")


@pytest.mark.parametrize(
    ("caller", "refused"),
    [
        (PUBLIC, Unauthenticated),
        (STEW, NotEntitled),
        (SVEA, NotEntitled),
        (Caller(FINN.subject, "Finn"), NotEntitled),
        (Caller("stranger@https://idp.example", "S", frozenset({Role.COUNTRY_DECIDER})), NotEntitled),
        (Caller("node:node.fi", node="node.fi"), NotEntitled),
    ],
)
def test_only_who_decides_for_the_country_sees_the_desk(
    node: Node, caller: Caller, refused: type[MegagenomeError]
) -> None:
    for permit in ("permit-1", "none"):
        with pytest.raises(refused):
            node.desk.permit(caller, permit)
        with pytest.raises(refused):
            node.desk.decide(caller, permit, [DatasetDecision("FI-1", Verdict.APPROVED)])
    with pytest.raises(refused):
        node.desk.page(caller, 0, 10)
    assert node.sent() == []


def test_whom_the_permit_names_decides_nothing_on_it(node: Node) -> None:
    for verdict in ("approved", "refused"):
        with pytest.raises(NotEntitled, match="names you"):
            node.decide(ADA, FI_1=verdict)
    node.decide(FINN, FI_1="approved")
    with pytest.raises(NotEntitled, match="names you"):
        node.decide(ADA, FI_1="revoked")


@pytest.mark.parametrize(
    ("decisions", "refused"),
    [
        ([], Invalid),
        ([("FI-1", "approved", ""), ("FI-1", "refused", "x")], Invalid),
        ([("FI-1", "refused", " ")], Invalid),
        ([("FI-3", "approved", "")], Invalid),  # named in the permit, not asked for
        ([("EE-1", "approved", "")], Invalid),
        ([("FI-1", "revoked", "x")], Conflict),
        ([("FI-1", "approved", "x" * 10_001)], Invalid),
        ([("FI-1", "approved", "a\0b")], Invalid),
        ([("FI-1", "approved", ""), ("FI-2", "revoked", "x")], Conflict),
    ],
)
def test_what_is_no_decision_changes_nothing(node: Node, decisions: Any, refused: type[MegagenomeError]) -> None:
    made = [DatasetDecision(dataset, Verdict(verdict), reasons) for dataset, verdict, reasons in decisions]
    with pytest.raises(refused):
        node.desk.decide(FINN, "permit-1", made)
    assert (node.sent(), node.entries(), node.states()) == ([], [], ["requested", "requested"])
    with pytest.raises(NotFound):
        node.decide(permit="none", FI_1="approved")


def test_silence_never_grants(node: Node) -> None:
    node.now = NOW + timedelta(days=14) - timedelta(seconds=1)
    node.decide(FI_1="approved")
    node.now += timedelta(seconds=1)
    with pytest.raises(Conflict, match="time to decide"):
        node.decide(FI_2="approved")
    assert node.states() == ["approved", "lapsed"]
    [item] = node.desk.page(FINN, 0, 10).items
    assert not item.waits


def test_a_clock_that_was_set_back_before_the_request_signs_no_answer(node: Node) -> None:
    node.decide(FI_1="approved")
    node.now = NOW - timedelta(days=1)
    with pytest.raises(Conflict, match="sets the clock"):
        node.decide(FI_2="approved")
    assert node.decide(FI_1="revoked") == ["revoked", "requested"]  # stopping is never barred
    assert node.readable() == []


def test_a_later_request_opens_what_lapsed_and_nothing_else(node: Node) -> None:
    node.decide(FI_1="refused")
    node.now = NOW + timedelta(days=15)
    asked = {"asked": ("FI-2",), "requested_at": node.now, "decide_by": node.now + timedelta(days=14)}
    node.propose(proposal(**asked))
    node.propose(proposal())  # the old one comes again
    assert node.states() == ["refused", "requested"]
    assert node.decide(FI_2="approved") == ["refused", "approved"]


def test_the_same_again_says_the_same_and_does_nothing(node: Node) -> None:
    for _ in range(3):
        assert node.decide(FI_1="approved") == ["approved", "requested"]
    with pytest.raises(Conflict):
        node.decide(FRED, FI_1="approved")
    assert (len(node.sent()), len(node.entries())) == (1, 1)


@pytest.mark.parametrize("round_", range(3))
def test_of_two_deciders_at_once_one_decides(node: Node, round_: int) -> None:
    came: list[Any] = []

    def decide(caller: Caller, verdict: str) -> None:
        try:
            came.append(node.decide(caller, FI_1=verdict)[0])
        except Conflict as lost:
            came.append(lost)

    pairs = ((FINN, "approved"), (FRED, "refused"))
    threads = [threading.Thread(target=decide, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [won] = [each for each in came if isinstance(each, str)]
    assert node.states()[0] == won
    assert node.readable() == (["FI-1"] if won == "approved" else [])
    assert len(node.sent()) == len(node.entries()) == 1


def test_what_the_hub_did_not_record_does_not_hold(node: Node) -> None:
    node.decide(FI_1="approved", FI_2="refused")
    node.receive(receipt_of(node, "too late"))
    node.receive(Receipt("0" * 64, "unknown"))
    assert node.readable() == []
    assert node.states() == ["lapsed", "lapsed"]
    assert node.desk.permit(FINN, "permit-1").item.refusal == "too late"
    assert node.entries()[-1] == ("revocation", "FI-2", "hub:not-recorded")


def test_a_decision_on_what_was_asked_anew_meanwhile_is_asked_for_again(node: Node) -> None:
    node.decide(FI_2="refused")
    late = receipt_of(node, "older than the request")
    node.now += timedelta(days=1)
    node.propose(proposal(asked=("FI-2",), requested_at=node.now, decide_by=node.now + timedelta(days=14)))
    assert node.states()[1] == "refused"
    node.receive(late)
    assert node.states()[1] == "requested"


def test_what_was_not_recorded_can_be_granted_when_it_is_asked_again(node: Node) -> None:
    node.decide(FI_1="approved")
    node.receive(receipt_of(node, "the time was over"))
    node.now = NOW + timedelta(days=15)
    node.propose(proposal(asked=("FI-1",), requested_at=node.now, decide_by=node.now + timedelta(days=14)))
    assert node.decide(FI_1="approved")[0] == "approved"
    assert node.readable() == ["FI-1"]


def test_what_was_taken_back_before_the_hub_heard_of_it_stays_so(node: Node) -> None:
    node.decide(FI_1="approved")
    granted = receipt_of(node, "too late")
    node.decide(FI_1="revoked")
    node.receive(granted)
    assert (node.states()[0], node.readable()) == ("revoked", [])


def test_the_hub_suspends_resumes_and_ends(node: Node) -> None:
    node.decide(FI_1="approved")
    node.tell("permit-1", PermitState.ACTIVE, 1)
    node.tell("permit-1", PermitState.SUSPENDED, 5)
    assert node.readable() == []
    node.tell("permit-1", PermitState.ACTIVE, 4)  # older than what was heard
    assert node.readable() == []
    node.tell("permit-1", PermitState.ACTIVE, 6)
    assert node.readable() == ["FI-1"]
    node.tell("permit-1", PermitState.REVOKED, 7)
    node.tell("permit-1", PermitState.ACTIVE, 8)
    assert node.readable() == []
    with pytest.raises(Conflict, match="ended"):
        node.decide(FI_2="approved")
    assert [each[2] for each in node.entries()[1:]] == ["hub:suspended", "hub:active", "hub:revoked"]


def test_what_was_ended_before_it_was_proposed_stays_so(node: Node) -> None:
    node.tell("permit-2", PermitState.REVOKED, 3)
    node.propose(proposal("permit-2"))
    with pytest.raises(Conflict):
        node.decide(permit="permit-2", FI_1="approved")
    assert not node.desk.permit(FINN, "permit-2").item.waits


@pytest.mark.parametrize(
    "other", [{"country": "EE"}, {"asked": ("EE-1",)}, {"asked": ("FI-1", "FI-9")}, {"asked": ("FI-1",)}]
)
def test_what_is_not_this_nodes_to_decide_is_left_out(node: Node, other: dict[str, Any]) -> None:
    node.propose(proposal("permit-3", **other))
    is_ours = other == {"asked": ("FI-1",)}
    assert node.desk.page(FINN, 0, 10).total == 1 + is_ours


def test_another_document_under_a_known_id_is_left_out(node: Node) -> None:
    later = {"requested_at": NOW + timedelta(days=1), "decide_by": NOW + timedelta(days=30)}
    node.propose(proposal(uses=("policy",), **later))
    assert node.desk.permit(FINN, "permit-1").document.uses == ("research",)


@pytest.mark.parametrize(("day", "left"), [(2, 11), (6, 7), (7, 7), (8, 7), (16, 1), (17, 0)])
def test_days_are_counted_as_the_hub_counts_them(node: Node, day: int, left: int) -> None:
    ends = datetime(2026, 11, 17, 22, tzinfo=UTC)  # 11 Finnish working days after 2 November are over: midnight there
    node.propose(proposal("permit-2", decide_by=ends))
    node.now = NOW.replace(day=day)
    assert node.desk.permit(FINN, "permit-2").item.left == left


def test_the_desk_is_in_order_of_urgency(node: Node) -> None:
    for number, days in enumerate((9, 3, 20, 5), start=2):
        node.propose(proposal(f"permit-{number}", decide_by=NOW + timedelta(days=days)))
        node.now += timedelta(seconds=1)
    node.decide(permit="permit-3", FI_1="refused", FI_2="refused")
    node.tell("permit-5", PermitState.REVOKED, 1)
    page = node.desk.page(FRED, 0, 10)
    assert [item.permit for item in page.items] == ["permit-2", "permit-1", "permit-4", "permit-5", "permit-3"]
    assert [item.waits for item in page.items] == [True, True, True, False, False]
    assert [item.permit for item in node.desk.page(FRED, 1, 2).items] == ["permit-1", "permit-4"]
    assert page.total == 5
