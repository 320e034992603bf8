# SPDX-License-Identifier: Apache-2.0
"""Random walks: anybody sends anything at any time, the hour jumps, and what must never happen does not."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from megagenome.access import command_types as c
from megagenome.access import events as e
from megagenome.access.model import Application, Desk
from megagenome.kernel.errors import MegagenomeError
from megagenome.standards.application import Advice, Criterion, PartState, State, Vote
from megagenome.standards.permit import Verdict
from tests.access.hub import (
    ADA,
    AUDREY,
    BEN,
    CHAIR,
    DEAN,
    DORA,
    EEVA,
    ELLE,
    FINN,
    SIGNE,
    STRANGER,
    Hub,
    complete_answers,
    open_hub,
    recommendation,
)
from tests.access.test_store import rows

EVERYBODY = (ADA, BEN, SIGNE, CHAIR, DORA, DEAN, EEVA, ELLE, FINN, AUDREY, STRANGER)
VERDICTS = st.dictionaries(
    st.sampled_from(["GDI-EE-1", "GDI-EE-2", "GDI-FI-1"]), st.sampled_from(Verdict), min_size=1, max_size=2
)
SIMPLE = st.sampled_from(
    [
        c.Submit(),
        c.Endorse(),
        c.Decline("no"),
        c.BeginAssessment(),
        c.Return("more"),
        c.DeclareInterest(False),
        c.DeclareInterest(True, "mine"),
        c.RequestDecisions(),
        c.Reject(),
        c.Resubmit("FI"),
        c.Resubmit("EE"),
        c.Withdraw(),
        c.Close("done"),
        c.Suspend("?"),
        c.Resume("!"),
        c.Revoke("!"),
        c.Leave(),
        c.InviteMember("Ben"),
        recommendation(),
        recommendation(Advice.REJECT),
    ]
)


class Walk(RuleBasedStateMachine):
    """One application. Steps that lead on are as likely as any other, so that walks get far."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.opening = open_hub(Path(self.folder.name))
        self.hub: Hub = self.opening.__enter__()

    @initialize(how_far=st.sampled_from(["submitted", "assessing", "voted", "requested", "active"]))
    def begin(self, how_far: str) -> None:
        self.application = getattr(self.hub, how_far)()

    def teardown(self) -> None:
        self.opening.__exit__(None, None, None)
        self.folder.cleanup()

    def attempt(self, who: Any, command: Any) -> None:
        before = self.events()
        try:
            self.hub.do(who, self.application, command)
        except MegagenomeError:
            # refused: nothing happened but what time did
            assert all(event.actor is None for event in self.events()[len(before) :])

    @rule(who=st.sampled_from(EVERYBODY), command=SIMPLE)
    def anybody_sends_anything(self, who: Any, command: Any) -> None:
        self.attempt(who, command)

    @rule(who=st.sampled_from([DORA, DEAN, CHAIR, ADA]), vote=st.sampled_from(Vote))
    def vote_on_all(self, who: Any, vote: Vote) -> None:
        for criterion in Criterion:
            self.attempt(who, c.CastVote(criterion, vote, "because"))

    @rule(who=st.sampled_from([EEVA, ELLE, FINN, ADA, CHAIR]), verdicts=VERDICTS)
    def decide(self, who: Any, verdicts: dict[str, Verdict]) -> None:
        self.attempt(who, c.RecordDecision(self.hub.sign(who, self.application, verdicts)))

    @rule()
    def lead_on(self) -> None:
        """What somebody would do now."""
        steps: dict[State, Any] = {
            State.DRAFT: [(ADA, c.Submit())],
            State.RETURNED: [(ADA, c.Submit())],
            State.SUBMITTED: [(SIGNE, c.Endorse())],
            State.SCREENING: [(CHAIR, c.BeginAssessment())],
            State.ASSESSING: [(who, c.DeclareInterest(False)) for who in (CHAIR, DORA, DEAN)],
            State.RECOMMENDED: [(CHAIR, c.RequestDecisions())],
        }
        for who, command in steps.get(self.view().state, []):
            self.attempt(who, command)

    @rule(who=st.sampled_from([ADA, BEN, DORA]))
    def fill(self, who: Any) -> None:
        view = self.view()
        if view.attachments:
            answers = complete_answers(view.attachments[0].id, {view.applicant, *view.members})
            self.attempt(who, c.SaveDraft(answers))

    @rule(who=st.sampled_from([BEN, DORA, SIGNE, STRANGER]))
    def join(self, who: Any) -> None:
        for invitation in self.hub.show(ADA, self.application).invitations:
            self.attempt(who, c.Join(invitation.secret))

    @rule(days=st.sampled_from([-400, -3, 1, 3, 12, 400]), swept=st.booleans())
    def time_passes(self, days: int, swept: bool) -> None:
        self.hub.now += timedelta(days=days)
        if swept:
            self.hub.process.fire_due()

    # What is always so

    def events(self) -> list[e.Event]:
        with self.hub.store.transaction() as transaction:
            return transaction.events(self.application)

    def view(self) -> Application:
        return self.hub.view(self.application)

    @invariant()
    def lists_and_chain_are_what_the_events_make(self) -> None:
        if not hasattr(self, "application"):
            return
        kept = rows(self.hub)
        self.hub.store.rebuild()
        assert rows(self.hub) == kept
        with self.hub.store.transaction() as transaction:
            transaction.verify(self.application)

    @invariant()
    def nothing_is_granted_but_by_the_whole_way(self) -> None:
        if not hasattr(self, "application"):
            return
        endorsed = recommended = requested = False
        grants: dict[Any, bool] = {}
        for event in self.events():
            match event.body:
                case e.Endorsed():
                    endorsed = True
                case e.Submitted():
                    endorsed = recommended = False
                case e.Recommended(advice=advice):
                    assert endorsed
                    recommended = advice is Advice.APPROVE
                case e.DecisionRequested():
                    assert recommended
                    requested = True
                case e.Decided(country=country, outcomes=outcomes):
                    assert requested
                    for outcome in outcomes:
                        assert outcome.dataset.country == country
                        is_granted = grants.get(outcome.dataset, False)
                        assert is_granted is (outcome.verdict is Verdict.REVOKED)  # never twice, never back ungranted
                        grants[outcome.dataset] = outcome.verdict is Verdict.APPROVED
                case e.DecisionLapsed(datasets=datasets):
                    assert not any(grants.get(dataset) for dataset in datasets)
                case _:
                    pass
        for part in self.view().parts:
            assert (part.state is PartState.APPROVED) is grants.get(part.dataset, False)

    @invariant()
    def four_eyes(self) -> None:
        if not hasattr(self, "application"):
            return
        desks: dict[Any, set[Desk]] = {}
        for event in self.events():
            if event.actor:
                desks.setdefault(event.actor.person, set()).add(DESK_OF[event.actor.role])
            if isinstance(event.body, e.Decided):
                desks.setdefault(event.body.decided_by, set()).add(Desk.DECIDING)
        assert all(len(found) == 1 for found in desks.values())

    @invariant()
    def a_clock_fires_once_for_each_start(self) -> None:
        if not hasattr(self, "application"):
            return
        running: set[Any] = set()
        for event in self.events():
            match event.body:
                case e.ClockStarted(clock=clock, country=country):
                    running.add((clock, country))
                case e.ClockFired(clock=clock, country=country):
                    running.remove((clock, country))
                case _:
                    pass


DESK_OF = {
    "applicant": Desk.APPLYING,
    "member": Desk.APPLYING,
    "invited": Desk.APPLYING,
    "signing_official": Desk.ENDORSING,
    "dac_chair": Desk.ASSESSING,
    "dac_member": Desk.ASSESSING,
    "node": Desk.DECIDING,
}

TestWalk = Walk.TestCase
TestWalk.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
