# SPDX-License-Identifier: Apache-2.0
"""The process as people walk it: the way itself, twice the same command, two at once, and four eyes."""

import threading
from pathlib import Path
from typing import Any

import pytest

from megagenome.access import command_types as c
from megagenome.access.settings import AccessSettings
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import Conflict, Invalid, MegagenomeError, NotEntitled, NotFound
from megagenome.standards.application import Advice, ApplicationId, PartState, State
from megagenome.standards.permit import PermitState, Verdict, digest
from tests.access.hub import (
    ADA,
    AUDREY,
    BEN,
    BOTH,
    BRINGS,
    CHAIR,
    DORA,
    EEVA,
    ELLE,
    FINN,
    OTTO,
    SIGNE,
    Hub,
    open_hub,
    recommendation,
)


def states(hub: Hub, application: ApplicationId) -> list[PartState]:
    return [part.state for part in hub.view(application).parts]


def test_the_whole_way(hub: Hub) -> None:
    application = hub.active()
    assert states(hub, application) == [PartState.APPROVED, PartState.REFUSED, PartState.REQUESTED]
    hub.decide(FINN, application, {"GDI-FI-1": Verdict.APPROVED})
    assert states(hub, application) == [PartState.APPROVED, PartState.REFUSED, PartState.APPROVED]
    document = hub.reader.permit(ADA, application)
    assert [each.subject for each in document.people] == [ADA.subject]
    assert (document.uses, document.hub) == (("research",), "org.example.hub")
    assert [each.dataset for each in document.datasets] == ["GDI-EE-1", "GDI-EE-2", "GDI-FI-1"]
    standing = hub.standing(application)
    assert (standing.document, standing.state) == (document, PermitState.ACTIVE)
    assert standing.datasets == {("node-ee", "GDI-EE-1"), ("node-fi", "GDI-FI-1")}


def test_the_timeline_says_what_a_country_decided_on_each_dataset(hub: Hub) -> None:
    application = hub.active()
    for who in (ADA, CHAIR, SIGNE, AUDREY):
        [decided] = [each for each in hub.show(who, application).timeline if each.verdicts]
        assert (decided.country, decided.datasets) == ("EE", ("GDI-EE-1", "GDI-EE-2"))
        assert decided.verdicts == ("approved", "refused")


def test_suspended_resumed_revoked(hub: Hub) -> None:
    application = hub.active()
    for command, state, told in (
        (c.Suspend("?"), State.SUSPENDED, PermitState.SUSPENDED),
        (c.Resume("!"), State.ACTIVE, PermitState.ACTIVE),
        (c.Suspend("?"), State.SUSPENDED, PermitState.SUSPENDED),
        (c.Revoke("!"), State.REVOKED, PermitState.REVOKED),
    ):
        assert hub.do(CHAIR, application, command).state is state
        assert hub.standing(application).state is told
    assert hub.proposals("node-fi") == ()  # what was asked is not asked any more


def test_a_country_takes_its_grant_back(hub: Hub) -> None:
    application = hub.active()
    hub.decide(FINN, application, {"GDI-FI-1": Verdict.REFUSED})
    assert hub.decide(EEVA, application, {"GDI-EE-1": Verdict.REVOKED}).state is State.REVOKED
    assert states(hub, application)[0] is PartState.REVOKED


def test_suspension_outlasts_what_countries_do_meanwhile(hub: Hub) -> None:
    application = hub.active()
    hub.do(CHAIR, application, c.Suspend("?"))
    hub.decide(EEVA, application, {"GDI-EE-1": Verdict.REVOKED})
    assert hub.standing(application).state is PermitState.SUSPENDED
    assert hub.decide(FINN, application, {"GDI-FI-1": Verdict.APPROVED}).state is State.SUSPENDED


def test_an_applicant_who_is_done_ends_the_permit(hub: Hub) -> None:
    application = hub.active()
    assert hub.do(ADA, application, c.Close("published")).state is State.CLOSED
    assert hub.standing(application).state is PermitState.REVOKED
    assert hub.view(application).clocks == ()


def test_a_withdrawn_application_cannot_be_countersigned_any_more(hub: Hub) -> None:
    application = hub.requested()
    assert len(hub.proposals("node-ee")) == 1
    hub.do(ADA, application, c.Withdraw())
    assert hub.proposals("node-ee") == ()
    assert hub.standing(application).state is PermitState.REVOKED


def test_proposals_are_what_a_node_is_asked(hub: Hub) -> None:
    application = hub.requested()
    [proposal] = hub.proposals("node-ee")
    assert (proposal.country, proposal.datasets) == ("EE", ("GDI-EE-1", "GDI-EE-2"))
    assert proposal.digest == digest(proposal.document)
    hub.decide(EEVA, application, {"GDI-EE-2": Verdict.APPROVED})
    assert hub.proposals("node-ee")[0].datasets == ("GDI-EE-1",)
    assert hub.proposals("node-xx") == ()


# The same command twice, and two at once


def test_the_same_command_again_does_nothing_again(hub: Hub) -> None:
    begin = hub.begun()
    first = hub.process.create(ADA, begin)
    assert hub.process.create(ADA, begin) == first
    application = first.application
    invite = c.Order(hub.id(), 1, c.InviteMember("Ben"))
    told = hub.process.do(ADA, application, invite)
    hub.do(ADA, application, c.SaveDraft({"title": "later"}))
    assert hub.process.do(ADA, application, invite) == told
    assert len(hub.view(application).invitations) == 1
    with pytest.raises(Conflict, match="command id"):
        hub.process.do(ADA, application, c.Order(invite.id, 3, c.InviteMember("Eve")))
    with pytest.raises(Conflict, match="command id"):
        hub.process.do(ADA, hub.create(), invite)
    other = hub.process.create(BEN, begin)  # an id is its sender's
    assert other.application != application


def test_who_saw_an_older_version_is_told(hub: Hub) -> None:
    application = hub.create()
    seen = hub.view(application).version
    hub.process.do(ADA, application, c.Order(hub.id(), seen, c.SaveDraft({"title": "one"})))
    with pytest.raises(Conflict, match="read it again"):
        hub.process.do(ADA, application, c.Order(hub.id(), seen, c.SaveDraft({"title": "two"})))
    assert hub.show(ADA, application).answers == {"title": "one"}


@pytest.mark.parametrize("round_", range(5))
def test_of_two_deciders_at_once_one_decides(hub: Hub, round_: int) -> None:
    application = hub.requested()
    version = hub.view(application).version
    orders = [
        (who, c.Order(hub.id(), version, c.RecordDecision(hub.sign(who, application, {"GDI-EE-1": verdict}))))
        for who, verdict in ((EEVA, Verdict.APPROVED), (ELLE, Verdict.REFUSED))
    ]
    came: list[Any] = at_once([lambda w=w, o=o: hub.process.do(BRINGS[w], application, o) for w, o in orders])
    [won] = [each for each in came if not isinstance(each, Exception)]
    [lost] = [each for each in came if isinstance(each, Exception)]
    assert isinstance(lost, Conflict)
    assert won.version == version + 1
    expected = PartState.APPROVED if came[0] is won else PartState.REFUSED
    assert states(hub, application)[0] is expected


def test_one_command_sent_eight_times_at_once_is_done_once(hub: Hub) -> None:
    application = hub.create()
    order = c.Order(hub.id(), 1, c.SaveDraft({"title": "one"}))
    came = at_once([lambda: hub.process.do(ADA, application, order)] * 8)
    assert len({(each.version, each.state) for each in came}) == 1
    assert hub.view(application).version == 2


def test_one_creation_sent_at_once_makes_one_application(hub: Hub) -> None:
    begin = hub.begun()
    assert len({each.application for each in at_once([lambda: hub.process.create(ADA, begin)] * 6)}) == 1
    assert len(hub.store.applications()) == 1


def at_once(calls: list[Any]) -> list[Any]:
    """What each call returned or raised, all begun together."""
    found: list[Any] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def run(number: int) -> None:
        barrier.wait()
        try:
            found[number] = calls[number]()
        except MegagenomeError as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


# Four eyes


EVERYTHING = frozenset({Role.SIGNING_OFFICIAL, Role.DAC_CHAIR, Role.DAC_MEMBER, Role.COUNTRY_DECIDER, Role.AUDITOR})


def powerful(who: Caller) -> Caller:
    return Caller(who.subject, who.name, EVERYTHING)


def test_whoever_takes_part_is_nothing_else_to_it(hub: Hub) -> None:
    application = hub.create()
    hub.do(ADA, application, c.InviteMember("Ben"))
    hub.do(BEN, application, c.Join(hub.show(ADA, application).invitations[0].secret))
    hub.fill(application)
    hub.do(ADA, application, c.Submit())
    for who in (ADA, BEN):
        with pytest.raises(NotEntitled):
            hub.do(powerful(who), application, c.Endorse())
    hub.do(SIGNE, application, c.Endorse())
    hub.do(CHAIR, application, c.BeginAssessment())
    for who in (ADA, BEN):
        with pytest.raises(NotEntitled):
            hub.do(powerful(who), application, c.DeclareInterest(False))


def test_who_was_a_member_stays_out_of_it(hub: Hub) -> None:
    application = hub.create()
    hub.do(ADA, application, c.InviteMember("Ben"))
    hub.do(BEN, application, c.Join(hub.show(ADA, application).invitations[0].secret))
    hub.do(BEN, application, c.Leave())
    hub.fill(application)
    hub.do(ADA, application, c.Submit())
    hub.do(SIGNE, application, c.Endorse())
    with pytest.raises(NotFound):
        hub.show(powerful(BEN), application)


def test_nobody_holds_it_in_two_hands(hub: Hub) -> None:
    application = hub.submitted()
    hub.do(SIGNE, application, c.Endorse())
    hub.do(CHAIR, application, c.BeginAssessment())
    with pytest.raises(NotEntitled):  # endorsed, so does not assess
        hub.do(powerful(SIGNE), application, c.DeclareInterest(False))
    hub.vote(application)
    hub.do(CHAIR, application, c.DeclareInterest(False))
    hub.do(CHAIR, application, recommendation())
    hub.do(CHAIR, application, c.RequestDecisions())
    token = hub.sign(EEVA, application, {"GDI-EE-1": Verdict.APPROVED}, decided_by=DORA.subject)
    with pytest.raises(NotEntitled, match="another desk"):  # assessed, so does not decide, whoever brings it
        hub.do(EEVA, application, c.RecordDecision(token))
    token = hub.sign(EEVA, application, {"GDI-EE-1": Verdict.APPROVED}, decided_by=ADA.subject)
    with pytest.raises(NotEntitled, match="another desk"):
        hub.do(EEVA, application, c.RecordDecision(token))


def test_who_dealt_with_it_cannot_join_it(hub: Hub) -> None:
    application = hub.submitted()
    hub.do(SIGNE, application, c.Decline("not yet"))
    hub.do(ADA, application, c.InviteMember("Signe"))
    with pytest.raises(NotEntitled, match="another desk"):
        hub.do(SIGNE, application, c.Join(hub.show(ADA, application).invitations[0].secret))


# Who reads and does what


def test_desks_read_what_was_submitted_not_what_is_drafted(hub: Hub) -> None:
    application = hub.submitted()
    hub.do(SIGNE, application, c.Decline("the title"))
    hub.do(ADA, application, c.SaveDraft({"title": "Secret thoughts"}))
    fresh = hub.attach(application, "fresh.pdf")
    assert hub.show(SIGNE, application).answers["title"] == "Seizures in Europe"
    assert fresh not in [each.id for each in hub.show(SIGNE, application).attachments]
    with pytest.raises(NotFound):
        hub.reader.attachment(SIGNE, application, fresh)
    assert hub.reader.attachment(ADA, application, fresh).name == "fresh.pdf"


def test_the_applicants_side_does_not_see_who_voted_how(hub: Hub) -> None:
    application = hub.active()
    said = str(hub.show(ADA, application))
    assert not [name for name in ("Dora", "Dean", "Chair", "Eeva", "because") if name in said]
    shown = hub.show(ADA, application)
    assert shown.parts[1].reasons == "why"
    assert "Dora" in str(hub.show(EEVA, application))


def test_only_the_own_organisations_official_signs(hub: Hub) -> None:
    with pytest.raises(NotFound):
        hub.do(OTTO, hub.submitted(), c.Endorse())


def test_each_role_has_its_own_place(hub: Hub) -> None:
    # a researcher of Tartu who signs for Oulu does not sign for Tartu, nor does a steward of Estonian data decide on it
    with pytest.raises(NotFound):
        hub.do(BOTH, hub.submitted(), c.Endorse())
    application = hub.requested()
    token = hub.sign(EEVA, application, {"GDI-EE-1": Verdict.APPROVED}, decided_by=BOTH.subject)
    with pytest.raises(NotEntitled):
        hub.do(BOTH, application, c.RecordDecision(token))


def test_a_text_that_no_database_keeps_is_refused(hub: Hub) -> None:
    with pytest.raises(Invalid, match="NUL"):
        hub.do(SIGNE, hub.submitted(), c.Decline("a\0b"))


def test_reject_and_the_reasons_are_told(hub: Hub) -> None:
    application = hub.recommended(Advice.REJECT)
    hub.do(CHAIR, application, c.Reject())
    assert hub.show(ADA, application).told == "no"
    assert hub.standing(application) is None


def test_one_person_has_so_many_applications_that_have_not_ended(tmp_path: Path) -> None:
    with open_hub(tmp_path, AccessSettings(open_applications=3)) as hub:
        first, *_ = [hub.create() for _ in range(3)]
        again = hub.begun()
        with pytest.raises(Conflict, match="3 applications of yours have not ended"):
            hub.process.create(ADA, again)
        assert hub.create(BEN)
        hub.do(ADA, first, c.Withdraw())
        made = hub.process.create(ADA, again)
        assert hub.process.create(ADA, again) == made  # the same order again begins nothing more
        with pytest.raises(Conflict):
            hub.create()
