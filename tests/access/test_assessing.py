# SPDX-License-Identifier: Apache-2.0
"""The committee: who votes, what their votes bear, and what a permit may be recommended for."""

from typing import Any

import msgspec
import pytest

from megagenome.access import command_types as c
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled
from megagenome.standards.application import Criterion, State, Verb, Vote
from megagenome.standards.permit import Verdict
from tests.access.hub import ADA, AUDREY, CHAIR, DEAN, DORA, EEVA, SIGNE, Hub, recommendation


def test_nobody_votes_undeclared_or_with_a_conflict(hub: Hub) -> None:
    application = hub.assessing()
    vote = c.CastVote(Criterion.ETHICS, Vote.MET)
    with pytest.raises(NotEntitled, match="declare"):
        hub.do(DORA, application, vote)
    with pytest.raises(Invalid):
        hub.do(DORA, application, c.DeclareInterest(True))
    hub.do(DORA, application, c.DeclareInterest(True, "my sister's project"))
    with pytest.raises(NotEntitled, match="conflict"):
        hub.do(DORA, application, vote)
    assert [verb.value for verb in hub.show(DORA, application).commands] == ["declare-interest"]


def test_who_has_a_conflict_may_stop_a_permit_and_nothing_more(hub: Hub) -> None:
    application = hub.assessing()
    cora = Caller("cora@https://idp.example", "Cora", CHAIR.roles)
    hub.do(cora, application, c.DeclareInterest(True, "my brother's"))
    hub.vote(application)
    for command in (c.DeclareInterest(False), recommendation(), c.RequestDecisions()):
        hub.do(CHAIR, application, command)
    hub.decide(EEVA, application, {"GDI-EE-1": Verdict.APPROVED})
    hub.do(cora, application, c.Suspend("a doubt"))
    with pytest.raises(NotEntitled, match="conflict"):
        hub.do(cora, application, c.Resume("none any more"))
    assert Verb.RESUME not in hub.show(cora, application).commands
    hub.do(cora, application, c.Revoke("over"))
    with pytest.raises(NotEntitled, match="conflict"):
        hub.do(cora, application, c.Close("over"))


def test_a_signing_official_does_not_read_who_voted_how(hub: Hub) -> None:
    application = hub.voted()
    auditing = Caller(SIGNE.subject, SIGNE.name, SIGNE.roles | AUDREY.roles)
    for who in (SIGNE, auditing, ADA):
        shown = hub.show(who, application)
        assert shown.answers["title"] == "Seizures in Europe"
        assert (shown.votes, [word for word in ("because", "Dora") if word in str(shown)]) == ((), [])
    assert {vote.note for vote in hub.show(DEAN, application).votes} == {"because"}


def test_votes_are_void_with_a_conflict_found_later(hub: Hub) -> None:
    application = hub.voted()
    hub.do(DEAN, application, c.DeclareInterest(True, "I found out"))
    assert {cast.by for cast in hub.view(application).votes} == {next(iter(hub.view(application).votes)).by}
    with pytest.raises(Conflict, match="fewer than 2"):
        hub.do(CHAIR, application, recommendation())


def test_an_approval_needs_each_of_the_eight_criteria(hub: Hub) -> None:
    application = hub.voted()
    assert len(Criterion) == 8
    for criterion in Criterion:
        hub.do(DEAN, application, c.CastVote(criterion, Vote.NOT_MET, "no"))
        with pytest.raises(Conflict, match=criterion):  # one to one does not bear it
            hub.do(CHAIR, application, recommendation())
        hub.do(DEAN, application, c.CastVote(criterion, Vote.MET))
    hub.do(DEAN, application, c.CastVote(Criterion.FUNDING, Vote.NOT_MET, "no money"))
    hub.do(CHAIR, application, c.CastVote(Criterion.FUNDING, Vote.MET))  # two to one does
    assert hub.do(CHAIR, application, recommendation()).state is State.RECOMMENDED


def test_a_vote_against_needs_a_note_and_a_second_one_replaces_the_first(hub: Hub) -> None:
    application = hub.voted()
    with pytest.raises(Invalid, match="why"):
        hub.do(DORA, application, c.CastVote(Criterion.ETHICS, Vote.NOT_MET))
    before = len(hub.view(application).votes)
    hub.do(DORA, application, c.CastVote(Criterion.ETHICS, Vote.NOT_APPLICABLE))
    assert len(hub.view(application).votes) == before


def test_a_return_voids_votes_and_asks_for_a_new_endorsement(hub: Hub) -> None:
    application = hub.recommended()
    hub.do(CHAIR, application, c.Return("explain"))
    view = hub.view(application)
    assert (view.state, view.votes, view.recommendation) == (State.RETURNED, (), None)
    assert hub.show(ADA, application).told == "explain"
    assert hub.do(ADA, application, c.Submit()).state is State.SUBMITTED


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"uses": ("policy",)}, "asked for: research"),
        ({"uses": ()}, "asked for"),
        ({"ends": None}, "last day"),
        ({"ends": recommendation().starts}, ""),
        ({"starts": recommendation().ends, "ends": recommendation().starts}, "before its first"),
    ],
)
def test_a_permit_is_for_what_was_asked(hub: Hub, change: dict[str, Any], says: str) -> None:
    application = hub.voted()
    command = msgspec.structs.replace(recommendation(), **change)
    if says:
        with pytest.raises(Invalid, match=says):
            hub.do(CHAIR, application, command)
    else:
        assert hub.do(CHAIR, application, command).state is State.RECOMMENDED
