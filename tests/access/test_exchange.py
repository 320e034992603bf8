# SPDX-License-Identifier: Apache-2.0
"""What the hub believes of nodes, and what it tells each of them: that which concerns it, once, and in order."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws

from megagenome.access import command_types as c
from megagenome.access import news
from megagenome.kernel.errors import Conflict, Invalid, MegagenomeError, Unauthenticated
from megagenome.kernel.keys import SigningKeys
from megagenome.standards.application import PartState
from megagenome.standards.exchange import MESSAGE_TYPE, read_proposal, sign_message
from megagenome.standards.permit import DECISION_TYPE, PermitState, Verdict
from tests.access.exchanging import Exchanging, exchanging
from tests.access.hub import ADA, CHAIR, EEVA, FINN


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Exchanging]:
    with exchanging(tmp_path) as opened:
        yield opened


def states(way: Exchanging, application: Any) -> list[PartState]:
    return [part.state for part in way.hub.view(application).parts]


def told(answer: Any) -> list[PermitState]:
    return [each.state for each in answer.revocations]


def test_a_node_is_told_what_its_country_is_asked_and_no_more(way: Exchanging) -> None:
    before = way.tell()
    assert (before.proposals, before.revocations, before.sequence, before.complete) == ((), (), 0, True)
    application = way.hub.requested()
    assert way.knocked == [{"node-ee", "node-fi"}]
    answer = way.tell()
    [token] = answer.proposals
    proposal = read_proposal(token, way.keys.key_set())
    assert (proposal.country, proposal.datasets) == ("EE", ("GDI-EE-1", "GDI-EE-2"))
    assert proposal.document.application == application
    assert told(answer) == [PermitState.ACTIVE]
    [finnish] = way.tell("node-fi").proposals
    assert read_proposal(finnish, way.keys.key_set()).datasets == ("GDI-FI-1",)
    # from where it was, there is nothing more
    later = way.tell(since=answer.sequence)
    assert (later.proposals, later.revocations, later.sequence) == ((), (), answer.sequence)
    # who took nothing is told all again
    assert way.tell().sequence == answer.sequence


def test_a_node_without_part_in_an_application_hears_nothing_of_it(way: Exchanging, tmp_path: Path) -> None:
    way.hub.requested()
    way.node_keys["node-se"] = SigningKeys.open(tmp_path / "se")
    way.nodes.joined["node-se"] = way.nodes.joined["node-ee"]._replace(
        id="node-se", country="SE", keys=way.node_keys["node-se"].key_set()
    )
    answer = way.tell("node-se")
    assert (answer.proposals, answer.revocations) == ((), ())


def test_suspending_resuming_and_revoking_are_told_in_order(way: Exchanging) -> None:
    application = way.hub.requested()
    token = way.decided(application, {"GDI-EE-1": Verdict.APPROVED})
    first = way.tell(decisions=(token,))
    way.knocked.clear()
    for command in (c.Suspend("?"), c.Resume("!"), c.Suspend("?"), c.Revoke("!")):
        way.hub.do(CHAIR, application, command)
    assert way.knocked == [{"node-ee", "node-fi"}] * 4
    answer = way.tell("node-fi", since=first.sequence)
    S, A, R = PermitState.SUSPENDED, PermitState.ACTIVE, PermitState.REVOKED  # noqa: N806 - a table of letters follows
    assert told(answer) == [S, A, S, R]
    sequences = [each.sequence for each in answer.revocations]
    assert sequences == sorted(set(sequences))
    assert first.sequence < sequences[0]
    assert sequences[-1] == answer.sequence
    assert told(way.tell("node-fi", since=sequences[2])) == [R]
    assert way.tell("node-fi", since=first.sequence).proposals == ()  # what is over is not asked


def test_a_withdrawn_application_ends_the_permit_everywhere(way: Exchanging) -> None:
    application = way.hub.requested()
    sequence = way.tell().sequence
    way.hub.do(ADA, application, c.Withdraw())
    assert told(way.tell(since=sequence)) == [PermitState.REVOKED]
    late = way.decided(application, {"GDI-EE-1": Verdict.APPROVED})
    [receipt] = way.tell(decisions=(late,)).receipts
    assert "withdrawn" in receipt.refusal


def test_who_let_its_time_lapse_is_asked_again(way: Exchanging) -> None:
    application = way.hub.requested()
    sequence = way.tell("node-fi").sequence
    way.hub.pass_time(days=14, hours=14)
    assert PartState.LAPSED in states(way, application)
    way.hub.do(ADA, application, c.Resubmit("FI"))
    answer = way.tell("node-fi", since=sequence)
    [token] = answer.proposals
    assert read_proposal(token, way.keys.key_set()).requested_at > way.hub.now - timedelta(minutes=1)
    assert way.tell("node-ee", since=sequence).proposals == ()


def test_decisions_are_recorded_once_however_often_they_come(way: Exchanging) -> None:
    application = way.hub.requested()
    token = way.decided(application, {"GDI-EE-1": Verdict.APPROVED, "GDI-EE-2": Verdict.REFUSED})
    for _ in range(3):
        [receipt] = way.tell(decisions=(token,)).receipts
        assert (receipt.decision, receipt.refusal) == (hashlib.sha256(token.encode()).hexdigest(), "")
    assert states(way, application)[:2] == [PartState.APPROVED, PartState.REFUSED]
    assert len(way.hub.view(application).decisions) == 2
    back = way.decided(application, {"GDI-EE-1": Verdict.REVOKED})
    assert way.tell(decisions=(token, back)).receipts[1].refusal == ""
    assert states(way, application)[0] is PartState.REVOKED


def test_a_refused_decision_holds_up_no_other(way: Exchanging) -> None:
    application = way.hub.requested()
    bad = way.decided(application, {"GDI-EE-1": Verdict.APPROVED}, permit="another")
    worse = way.node_keys["node-ee"].sign({"node": "node-ee"}, DECISION_TYPE)
    good = way.decided(application, {"GDI-EE-1": Verdict.APPROVED})
    receipts = way.tell(decisions=(bad, worse, "nonsense", good)).receipts
    assert [bool(each.refusal) for each in receipts] == [True, True, True, False]


def test_half_a_character_holds_up_nobody(way: Exchanging) -> None:
    """JSON can write it (`\\ud800`), and no database takes it."""
    application, keys = way.hub.requested(), way.node_keys["node-ee"]
    good = way.decided(application, {"GDI-EE-1": Verdict.APPROVED})
    half = [{"dataset": "GDI-EE-2", "verdict": "refused", "reasons": "\ud800"}]
    for changed in ({"decisions": half}, {"node": "\ud800"}, {"decided_by": "\ud800@x"}):
        content = json.dumps({**claims(good), **changed}).encode()
        header = {"alg": "ES256", "kid": keys.kid, "typ": DECISION_TYPE}
        bad = jws.serialize_compact(header, content, keys._private, ["ES256"])
        assert "half a character" in way.tell(decisions=(bad,)).receipts[0].refusal
    parts = (b'{"alg":"ES256"}', b'{"node":"\\ud800","descriptor":""}', b"s")
    stranger = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    with pytest.raises(Unauthenticated):
        way.exchange.answer(stranger.encode())
    assert not way.tell(decisions=(good,)).receipts[0].refusal


def test_a_decision_is_its_own_nodes_only(way: Exchanging) -> None:
    application = way.hub.requested()
    finnish = way.decided(application, {"GDI-FI-1": Verdict.APPROVED}, FINN)
    [receipt] = way.tell("node-ee", decisions=(finnish,)).receipts
    assert "not those of node-fi" in receipt.refusal
    # nor can one node sign for another, or for another country
    as_finland = way.decided(application, {"GDI-FI-1": Verdict.APPROVED}, EEVA, node="node-fi", country="FI")
    forged = way.node_keys["node-ee"].sign({**claims(finnish)}, DECISION_TYPE)
    abroad = way.node_keys["node-ee"].sign({**claims(finnish), "node": "node-ee"}, DECISION_TYPE)
    wrong_type = way.node_keys["node-fi"].sign(claims(finnish), MESSAGE_TYPE)
    assert as_finland
    for token in (forged, abroad, wrong_type):
        [receipt] = way.tell("node-fi", decisions=(token,)).receipts
        assert receipt.refusal
    assert set(states(way, application)) == {PartState.REQUESTED}


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return found


def test_replays_and_messages_of_others_are_refused(way: Exchanging, tmp_path: Path) -> None:
    first, second = way.message(), way.message()
    way.send(second)
    for replayed in (second, first):
        with pytest.raises(Conflict):
            way.send(replayed)
    stranger = SigningKeys.open(tmp_path / "stranger")
    with pytest.raises(Unauthenticated):
        way.send(way.message(), stranger)
    with pytest.raises(Unauthenticated):
        way.send(way.message(), way.node_keys["node-fi"])
    way.nodes.joined.pop("node-ee")
    with pytest.raises(Unauthenticated, match="removed"):
        way.send(way.message())


@pytest.mark.parametrize(
    ("other", "refused"),
    [
        ({"hub": "org.other.hub"}, Invalid),
        ({"nonce": "short"}, Unauthenticated),
        ({"since": -1}, Unauthenticated),
        ({"decisions": ("x",) * 51}, Unauthenticated),
    ],
)
def test_messages_that_are_not_for_this_hub_or_no_messages(
    way: Exchanging, other: dict[str, Any], refused: type[MegagenomeError]
) -> None:
    way.hub.requested()
    with pytest.raises(refused):
        way.tell(**other)


@pytest.mark.parametrize("ahead_s", [61, -61, 86_400])
def test_clocks_that_disagree_are_named(way: Exchanging, ahead_s: int) -> None:
    with pytest.raises(Invalid, match=rf"{ahead_s} s ahead"):
        way.tell(sent_at=way.hub.now + timedelta(seconds=ahead_s))
    assert way.tell(sent_at=way.hub.now + timedelta(seconds=59)).complete


@pytest.mark.parametrize("token", [b"", b"a.b.c", b"\xff" * 100, b"x" * 3_000_000, b"e30.e30."])
def test_what_is_no_message(way: Exchanging, token: bytes) -> None:
    with pytest.raises(Unauthenticated):
        way.exchange.answer(token)
    tampered = sign_message(way.node_keys["node-ee"], way.message())
    with pytest.raises(Unauthenticated):
        way.exchange.answer((tampered[:-6] + "AAAAAA").encode())


def test_much_news_comes_in_parts(way: Exchanging, monkeypatch: pytest.MonkeyPatch) -> None:
    applications = [way.hub.requested() for _ in range(3)]
    monkeypatch.setattr(news, "MOST_AT_ONCE", 2)
    since, seen, rounds = 0, [], 0
    while True:
        answer = way.tell(since=since)
        seen += [read_proposal(each, way.keys.key_set()).document.application for each in answer.proposals]
        since, rounds = answer.sequence, rounds + 1
        if answer.complete:
            break
    assert (seen, rounds) == (applications, 5)  # of nine: a state and two countries each


def test_a_restored_hub_numbers_above_what_it_told(way: Exchanging) -> None:
    way.hub.requested()
    before = way.tell().sequence
    with way.hub.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM access_news")  # a backup from before
    way.hub.pass_time(seconds=1)
    way.hub.requested()
    assert len(way.tell(since=before).proposals) == 1


def test_a_decision_finds_its_way_past_others_who_write(way: Exchanging) -> None:
    application = way.hub.requested()
    ours = way.decided(application, {"GDI-EE-1": Verdict.APPROVED})
    theirs = way.decided(application, {"GDI-FI-1": Verdict.APPROVED}, FINN)
    messages = [way.message("node-ee", decisions=(ours,)), way.message("node-fi", decisions=(theirs,))]
    came: list[Any] = []
    threads = [threading.Thread(target=lambda m=m: came.append(way.send(m))) for m in messages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [receipt.refusal for answer in came for receipt in answer.receipts] == ["", ""]
    assert states(way, application) == [PartState.APPROVED, PartState.REQUESTED, PartState.APPROVED]
