# SPDX-License-Identifier: Apache-2.0
"""Every cell of the table, against the real process: what it allows happens, what it does not is refused."""

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from megagenome.access import command_types as c
from megagenome.access.model import Application, Reach
from megagenome.access.rules import TABLE, may, render
from megagenome.access.store import Store, Transaction
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.errors import Conflict, NotEntitled, NotFound, Unauthenticated
from megagenome.standards.application import Advice, ApplicationId, Criterion, ProcessRole, State, Verb, Vote
from megagenome.standards.permit import Verdict
from tests.access.hub import (
    ADA,
    AUDREY,
    BEN,
    BRINGS,
    CHAIR,
    DORA,
    EEVA,
    FINN,
    OTTO,
    PDF,
    SIGNE,
    STEW,
    STRANGER,
    SVEA,
    Hub,
    open_hub,
    person,
    recommendation,
)

INVITEE = person("Invitee")
WHO = {
    ProcessRole.APPLICANT: ADA,
    ProcessRole.MEMBER: BEN,
    ProcessRole.INVITED: INVITEE,
    ProcessRole.SIGNING_OFFICIAL: SIGNE,
    ProcessRole.DAC_CHAIR: CHAIR,
    ProcessRole.DAC_MEMBER: DORA,
    ProcessRole.COUNTRY_DECIDER: EEVA,
    ProcessRole.DATA_STEWARD: STEW,
    ProcessRole.AUDITOR: AUDREY,
    ProcessRole.NODE: BRINGS[EEVA],
}
SEES_FROM = {
    ProcessRole.SIGNING_OFFICIAL: Reach.SUBMITTED,
    ProcessRole.AUDITOR: Reach.SUBMITTED,
    ProcessRole.DAC_CHAIR: Reach.ENDORSED,
    ProcessRole.DAC_MEMBER: Reach.ENDORSED,
    ProcessRole.COUNTRY_DECIDER: Reach.REQUESTED,
    ProcessRole.DATA_STEWARD: Reach.REQUESTED,
    ProcessRole.NODE: Reach.REQUESTED,
}
COMMANDS = [verb for verb in Verb if verb not in (Verb.LOOK, Verb.READ, Verb.LAPSE, Verb.EXPIRE)]


class Rehearsal(Store):
    """A store in which everything happens and nothing stays."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self.engine.connect() as connection, connection.begin() as outer:
            yield Transaction(connection)
            outer.rollback()


def begun(hub: Hub) -> ApplicationId:
    """A complete draft with a member, an open invitation and a spare attachment."""
    application = hub.create()
    hub.do(ADA, application, c.InviteMember("Ben"))
    hub.do(BEN, application, c.Join(hub.show(ADA, application).invitations[0].secret))
    hub.do(ADA, application, c.InviteMember("Somebody"))
    hub.attach(application, "spare.pdf")
    hub.fill(application)
    return application


def walk(hub: Hub, last: State, advice: Advice = Advice.APPROVE) -> ApplicationId:
    """An application in the state, in which everything that the table allows there can be done."""
    application = begun(hub)
    for state, step in STEPS.items():
        if hub.view(application).state is last:
            return application
        if state is hub.view(application).state:
            step(hub, application, last, advice)
    assert hub.view(application).state is last
    return application


def screen(hub: Hub, application: ApplicationId, last: State, _: Advice) -> None:
    hub.do(CHAIR, application, c.Return("more") if last is State.RETURNED else c.BeginAssessment())


def assess(hub: Hub, application: ApplicationId, last: State, advice: Advice) -> None:
    hub.do(CHAIR, application, recommendation(advice))


def after_recommendation(hub: Hub, application: ApplicationId, last: State, advice: Advice) -> None:
    hub.do(CHAIR, application, c.Reject() if advice is Advice.REJECT else c.RequestDecisions())


def in_window(hub: Hub, application: ApplicationId, last: State, _: Advice) -> None:
    if last is State.WITHDRAWN:
        hub.do(ADA, application, c.Withdraw())
    elif last in (State.DECIDED, State.CLOSED):
        hub.decide(EEVA, application, {"GDI-EE-1": Verdict.REFUSED})
        hub.pass_time(days=15, hours=14)
    else:
        hub.decide(EEVA, application, {"GDI-EE-1": Verdict.APPROVED})
        hub.pass_time(days=14, hours=14)


def granted(hub: Hub, application: ApplicationId, last: State, _: Advice) -> None:
    if last is State.EXPIRED:
        hub.pass_time(days=400)
    else:
        hub.do(CHAIR, application, c.Suspend("?") if last is State.SUSPENDED else c.Revoke("!"))


def vote(hub: Hub, application: ApplicationId) -> None:
    hub.vote(application)
    hub.do(CHAIR, application, c.DeclareInterest(False))


STEPS: dict[State, Any] = {
    State.DRAFT: lambda hub, application, *_: hub.do(ADA, application, c.Submit()),
    State.SUBMITTED: lambda hub, application, *_: hub.do(SIGNE, application, c.Endorse()),
    State.SCREENING: screen,
    State.ASSESSING: lambda hub, application, *more: (vote(hub, application), assess(hub, application, *more)),
    State.RECOMMENDED: after_recommendation,
    State.NATIONAL_WINDOW: in_window,
    State.DECIDED: lambda hub, application, *_: hub.do(CHAIR, application, c.Close("done")),
    State.ACTIVE: granted,
}


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[State, tuple[Hub, ApplicationId]]]:
    """An application in each state, each in a database of its own, in which nothing stays from now on."""
    found, closing = {}, []
    for state in State:
        manager = open_hub(tmp_path_factory.mktemp(state))
        hub = manager.__enter__()
        closing.append(manager)
        advice = Advice.REJECT if state is State.REJECTED else Advice.APPROVE
        application = walk(hub, state, advice)
        if state is State.ASSESSING:
            vote(hub, application)
        if state is State.NATIONAL_WINDOW:  # Finland has let its time lapse, Estonia has a day left
            hub.pass_time(days=14, hours=14)
        assert hub.view(application).state is state
        found[state] = (hub, application)
        hub.store = hub.process.store = hub.reader.store = Rehearsal(hub.store.engine)
    yield found
    for manager in reversed(closing):
        manager.__exit__(None, None, None)


def command_for(verb: Verb, hub: Hub, view: Application, caller: Caller) -> c.Command:
    """A command of each kind that is fine where the state lets it."""
    made: dict[Verb, Any] = {
        Verb.SAVE_DRAFT: lambda: c.SaveDraft({"title": "New"}),
        Verb.INVITE: lambda: c.InviteMember("Eve"),
        Verb.UNINVITE: lambda: c.UninviteMember(view.invitations[0].id),
        Verb.JOIN: lambda: c.Join(hub.show(ADA, view.id).invitations[0].secret if caller is INVITEE else "guessed"),
        Verb.REMOVE: lambda: c.RemoveMember(view.members[0]),
        Verb.LEAVE: c.Leave,
        Verb.ATTACH: lambda: c.Attach("x.pdf", hashlib.sha256(PDF).hexdigest()),
        Verb.DETACH: lambda: c.Detach(view.attachments[0].id),
        Verb.SUBMIT: c.Submit,
        Verb.ENDORSE: c.Endorse,
        Verb.DECLINE: lambda: c.Decline("no"),
        Verb.BEGIN: c.BeginAssessment,
        Verb.RETURN: lambda: c.Return("more"),
        Verb.DECLARE: lambda: c.DeclareInterest(False),
        Verb.VOTE: lambda: c.CastVote(Criterion.ETHICS, Vote.MET),
        Verb.RECOMMEND: recommendation,
        Verb.REQUEST: c.RequestDecisions,
        Verb.REJECT: c.Reject,
        Verb.RECORD: lambda: c.RecordDecision(  # signed in time, also where it comes late
            hub.sign(EEVA, view.id, {"GDI-EE-2": Verdict.APPROVED}, decided_at=view.parts[1].requested or hub.now)
        ),
        Verb.RESUBMIT: lambda: c.Resubmit("FI"),
        Verb.WITHDRAW: c.Withdraw,
        Verb.CLOSE: lambda: c.Close("done"),
        Verb.SUSPEND: lambda: c.Suspend("?"),
        Verb.RESUME: lambda: c.Resume("!"),
        Verb.REVOKE: lambda: c.Revoke("!"),
    }
    return made[verb]()


def attempt(hub: Hub, caller: Caller, view: Application, verb: Verb) -> type[Exception] | None:
    """What comes of it: None when it is done."""
    order = c.Order(hub.id(), view.version, command_for(verb, hub, view, caller))
    try:
        done = hub.process.do(caller, view.id, order, PDF)
    except (NotFound, NotEntitled, Conflict, Unauthenticated) as refused:
        return type(refused)
    assert done.version > view.version
    return None


def expected(role: ProcessRole, view: Application, verb: Verb) -> type[Exception] | None:
    if role is ProcessRole.INVITED and verb is not Verb.JOIN:
        return NotFound
    if view.reached < SEES_FROM.get(role, Reach.DRAFT):
        return NotFound
    if may(verb, role, view.state):
        return None
    return Conflict if TABLE[verb].may.get(role) else NotEntitled


@pytest.mark.parametrize("state", State)
def test_every_cell(states: dict[State, tuple[Hub, ApplicationId]], state: State) -> None:
    hub, application = states[state]
    view = hub.view(application)
    wrong = []
    for (role, caller), verb in itertools.product(WHO.items(), COMMANDS):
        if verb is Verb.REJECT and state is State.RECOMMENDED and role is ProcessRole.DAC_CHAIR:
            continue  # the recommendation is to approve; the other is below
        came = attempt(hub, caller, view, verb)
        if came is not expected(role, view, verb):
            wrong.append((role, verb, came))
    assert wrong == []


@pytest.mark.parametrize("state", State)
def test_nobody_else_may_anything_nor_learns_that_it_is(
    states: dict[State, tuple[Hub, ApplicationId]], state: State
) -> None:
    hub, application = states[state]
    view = hub.view(application)
    with pytest.raises(NotFound) as nothing:
        hub.show(STRANGER, ApplicationId("0" * 24))
    absent = str(nothing.value).replace("0" * 24, application)
    for caller, verb in itertools.product((STRANGER, OTTO, SVEA), COMMANDS):
        order = c.Order(hub.id(), view.version, command_for(verb, hub, view, caller))
        with pytest.raises(NotFound) as refused:
            hub.process.do(caller, application, order, PDF)
        assert str(refused.value) == absent
    assert {attempt(hub, PUBLIC, view, verb) for verb in COMMANDS} == {Unauthenticated}


@pytest.mark.parametrize("state", State)
def test_reading_by_the_table(states: dict[State, tuple[Hub, ApplicationId]], state: State) -> None:
    hub, application = states[state]
    view = hub.view(application)
    for role, caller in WHO.items():
        sees = role is not ProcessRole.INVITED and view.reached >= SEES_FROM.get(role, Reach.DRAFT)
        if not sees:
            for read in (hub.show, lambda who, _: hub.reader.attachment(who, application, view.attachments[0].id)):
                with pytest.raises(NotFound):
                    read(caller, application)
            continue
        shown = hub.show(caller, application)
        assert set(shown.commands) == {verb for verb in COMMANDS if may(verb, role, state)}
        if may(Verb.READ, role, state):
            assert hub.reader.attachment(caller, application, view.attachments[0].id).content == PDF
            assert shown.answers["title"] == "Seizures in Europe"
        else:
            with pytest.raises(NotEntitled):
                hub.reader.attachment(caller, application, view.attachments[0].id)
            said = str(shown)
            assert not [word for word in ("Seizures", "Ada", "Ben", "Somebody", "because") if word in said]


def test_a_rejection_takes_effect(hub: Hub) -> None:
    application = hub.recommended(Advice.REJECT)
    with pytest.raises(Conflict):
        hub.do(CHAIR, application, c.RequestDecisions())
    assert hub.do(CHAIR, application, c.Reject()).state is State.REJECTED


def test_an_approval_cannot_be_rejected_past_the_votes(hub: Hub) -> None:
    with pytest.raises(Conflict):
        hub.do(CHAIR, hub.recommended(), c.Reject())


def test_time_lapses_and_expires_only_where_the_table_says() -> None:
    # what these two do is in test_clocks; nobody but time has them
    assert [verb for verb in Verb if any(may(verb, ProcessRole.CLOCK, s) for s in State)] == [Verb.LAPSE, Verb.EXPIRE]
    assert {*TABLE[Verb.LAPSE].may, *TABLE[Verb.EXPIRE].may} == {ProcessRole.CLOCK}


def test_every_verb_has_a_rule_and_every_command_a_verb() -> None:
    assert set(TABLE) == set(Verb)
    assert {str(kind.__struct_config__.tag) for kind in c.Command.__args__} == set(COMMANDS)


def test_the_table_in_the_docs_is_this_one(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs" / "access.md").read_text(encoding="utf-8")
    begin, end = "<!-- begin: megagenome.access.rules.render() -->\n", "<!-- end -->"
    assert page.partition(begin)[2].partition(end)[0] == render()


def test_somebody_of_another_country_decides_nothing(hub: Hub) -> None:
    application = hub.requested()
    token = hub.sign(EEVA, application, {"GDI-EE-1": Verdict.APPROVED})
    with pytest.raises(NotEntitled):
        hub.do(FINN, application, c.RecordDecision(token))
