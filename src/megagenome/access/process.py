# SPDX-License-Identifier: Apache-2.0
"""The application process: takes a command, asks the table, decides, and writes its events in one transaction.

A command that was carried out is durable when `do` returns, and sent again (same id) it does nothing and says the same.
It must name the version that its sender saw: of two who act at once on what they saw, one does and the other is told
(`Conflict`). Whoever may not look at an application is told that there is none.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from megagenome.access import assessing, drafting, national, permit
from megagenome.access import command_types as c
from megagenome.access.case import Bodies, Case, World, new_id
from megagenome.access.clocks import due_bodies
from megagenome.access.cohorts import check_cohort, saved_definition
from megagenome.access.entries import entries_of
from megagenome.access.events import Actor, ClockStarted, Created
from megagenome.access.fold import fold
from megagenome.access.form import form_of, newest_form
from megagenome.access.heard_clocks import Agreement
from megagenome.access.model import Application
from megagenome.access.rules import TABLE, may, roles_of, states_of
from megagenome.access.store import Done, Store, Transaction, not_found
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import Conflict, Invalid, MegagenomeError, NotEntitled, Unavailable
from megagenome.kernel.ids import parse_country, parse_dataset_id
from megagenome.standards.application import ApplicationId, CohortRef, Outcome, PersonKey, ProcessRole, State, Verb

_log = logging.getLogger(__name__)

Decide = Callable[[Case, Any], Bodies]

DECIDE: Mapping[type, Decide] = {
    c.SaveDraft: drafting.save_draft,
    c.InviteMember: drafting.invite_member,
    c.UninviteMember: drafting.uninvite_member,
    c.Join: drafting.join,
    c.RemoveMember: drafting.remove_member,
    c.Leave: drafting.leave,
    c.Attach: drafting.attach,
    c.Detach: drafting.detach,
    c.Submit: drafting.submit,
    c.Withdraw: drafting.withdraw,
    c.Endorse: assessing.endorse,
    c.Decline: assessing.decline,
    c.BeginAssessment: assessing.begin_assessment,
    c.Return: assessing.return_to_applicant,
    c.DeclareInterest: assessing.declare_interest,
    c.CastVote: assessing.cast_vote,
    c.Recommend: assessing.recommend,
    c.Reject: assessing.reject,
    c.RequestDecisions: national.request_decisions,
    c.RecordDecision: national.record_decision,
    c.Resubmit: national.resubmit,
    c.Suspend: permit.suspend,
    c.Resume: permit.resume,
    c.Revoke: permit.revoke,
    c.Close: permit.close,
}
"""What decides on each command."""


class Process:
    """The application process over a database. Safe for threads; nothing is kept in memory."""

    def __init__(self, store: Store, world: World) -> None:
        self.store = store
        self.world = world

    def create(self, caller: Caller, order: c.Create) -> Outcome:
        """Begin a draft for a saved cohort, whose definition is copied into it for ever.

        Raises `Unauthenticated`, `Invalid` (cohort, organisation, datasets that no node of the network has),
        `NotFound` (form, or a cohort that the caller has not saved), `NotEntitled` where the caller belongs to no
        organisation, `Conflict` where too many of theirs have not ended.
        """
        subject = caller.require_subject()
        now, application, sha256 = clock.now(), ApplicationId(new_id()), _digest(order)
        against = self.world.against_datasets(order.datasets)  # asks nodes, so it is outside of the transaction
        with self.store.transaction() as transaction:
            transaction.begin_write()
            person = transaction.person(subject, caller.name)
            done = transaction.done(person, order.id)
            if done is not None:
                return _again(transaction, done, sha256)
            definition = order.definition or saved_definition(transaction, person, order.cohort)
            body = self._created(subject, order, check_cohort(self.world.identify_cohort, order.cohort, definition))
            if against is not None:
                raise against
            self._require_room(transaction, person)
            transaction.create(application)
            actor = Actor(person, ProcessRole.APPLICANT, body.organisation)
            view = transaction.begin(application, actor, order.id, body, now)
            transaction.remember(person, order.id, Done(sha256, application, view.version, {}))
        return Outcome(application, view.version, view.state)

    def do(self, caller: Caller, application: str, order: c.Order, content: bytes = b"") -> Outcome:
        """Carry out a command; `content` comes beside an `attach`.

        Raises `Unauthenticated`; `NotFound` where there is no such application or the caller may not know of it;
        `NotEntitled` where no state would let them; `Conflict` where this state does not, or the version is another;
        `Invalid` and `TooLarge` for what the command says; `Unavailable` where it starts a clock while the nodes say
        that it is another time.
        """
        subject, now = caller.require_subject(), clock.now()
        if self.store.is_due(application, now) and self._ends_for_good(now):
            self.let_time_act(ApplicationId(application), now)
        with self.store.transaction() as transaction:
            if not transaction.lock(ApplicationId(application)):
                raise not_found(application)
            person, sha256 = transaction.person(subject, caller.name), _digest(order)
            done = transaction.done(person, order.id)
            if done is not None:
                return _again(transaction, done, sha256, application)
            view = transaction.view(ApplicationId(application))
            roles = self._entitled(caller, person, view, order)
            case = Case(self.world, transaction, view, caller, person, roles, now, content)
            bodies = DECIDE[type(order.command)](case, order.command)
            self._require_clock(bodies, now)
            after = self._write(case, order, bodies)
            transaction.remember(person, order.id, Done(sha256, view.id, after.version, case.told))
        self._knock(transaction)
        return Outcome(view.id, after.version, after.state, case.told)

    def let_time_act(self, application: ApplicationId, now: datetime) -> bool:
        """Fire the clocks of one application that are due; whether any was. A fired clock never fires again."""
        with self.store.transaction() as transaction:
            if not transaction.lock(application):
                return False
            view = transaction.view(application)
            bodies = due_bodies(view, now)
            if bodies:
                after = transaction.append(view, None, "", bodies, now)
                self.world.enter(transaction.connection, entries_of(after, bodies, None))
        self._knock(transaction)
        return bool(bodies)

    def fire_due(self) -> int:
        """Fire all clocks that are due; in how many applications. To be called every few seconds, by any number of
        processes. None fires while the nodes' clocks are others than this server's, or none was heard yet. A fault of
        one application is logged and holds up no other."""
        now, fired = clock.now(), 0
        if not self._ends_for_good(now):
            return fired
        for application in self.store.due(now):
            try:
                fired += self.let_time_act(application, now)
            except MegagenomeError:
                _log.exception("clocks of application %s", application)
        return fired

    def _ends_for_good(self, now: datetime) -> bool:
        """Whether what is due at `now` may be written down, which nothing takes back."""
        return self.world.agree(now) is Agreement.AGREED

    def _require_clock(self, bodies: Bodies, now: datetime) -> None:
        """Raise `Unavailable` where a term would begin at a time that the nodes say it is not: nobody could keep it."""
        if any(isinstance(body, ClockStarted) for body in bodies) and self.world.agree(now) is Agreement.DISPUTED:
            raise Unavailable(
                f"this hub's clock shows {now:%Y-%m-%d %H:%M} UTC and most nodes' clocks do not: "
                "no term begins until they agree; its operator sets it by a time server"
            )

    def _knock(self, transaction: Transaction) -> None:
        if transaction.concerned:
            self.world.knock(transaction.concerned)

    def _write(self, case: Case, order: c.Order, bodies: Bodies) -> Application:
        transaction, view = case.transaction, case.view
        transaction.keep(view.id, case.person, case.texts)
        actor = Actor(case.person, _foremost(case.roles), self._acts_for(case))
        after = transaction.append(view, actor, order.id, bodies, case.now)
        self.world.enter(transaction.connection, entries_of(after, bodies, case.caller))
        for text in case.erased:
            transaction.erase_text(text)
        return after

    def _acts_for(self, case: Case) -> str:
        role = _foremost(case.roles)
        if role in (ProcessRole.APPLICANT, ProcessRole.MEMBER, ProcessRole.SIGNING_OFFICIAL):
            return case.view.organisation
        if role is ProcessRole.COUNTRY_DECIDER and case.caller.subject:
            theirs = self.world.directory.countries(case.caller.subject, Role.COUNTRY_DECIDER)
            return ",".join(sorted(theirs & case.view.countries()))
        return case.caller.node

    def _entitled(self, caller: Caller, person: PersonKey, view: Application, order: c.Order) -> frozenset[ProcessRole]:
        """The caller's roles that the table lets do this now."""
        verb = Verb(c.name_of(order.command))
        roles = roles_of(caller, person, view, self.world.directory)
        if isinstance(order.command, c.Join) and drafting.invitation_for(view, order.command.secret):
            roles |= {ProcessRole.INVITED}
        if not any(may(Verb.LOOK, role, view.state) for role in roles) and ProcessRole.INVITED not in roles:
            raise not_found(view.id)
        states = states_of(verb, roles)
        if not states:
            raise NotEntitled(f"{TABLE[verb].says}: that is not yours to do here")
        if view.state not in states:
            allowed = ", ".join(state for state in State if state in states)
            raise Conflict(f"the application is {view.state}; {verb} is for: {allowed}")
        # who joins has seen nothing of the application yet
        if order.version != view.version and not isinstance(order.command, c.Join):
            raise Conflict(f"the application is at version {view.version}, not {order.version}: read it again")
        return frozenset(role for role in roles if may(verb, role, view.state))

    def _require_room(self, transaction: Transaction, person: PersonKey) -> None:
        most = self.world.settings.open_applications
        if transaction.count_open(person) >= most:
            raise Conflict(
                f"{most} applications of yours have not ended: submit, withdraw or close some, then begin anew"
            )

    def _created(self, subject: str, order: c.Create, cohort: CohortRef) -> Created:
        form = form_of(order.form, order.form_version) if order.form_version else newest_form(order.form)
        organisations = self.world.directory.organisations(subject, Role.RESEARCHER)
        if not organisations:
            raise NotEntitled("you are a researcher of no organisation here: ask the operator to record yours")
        organisation = order.organisation or (min(organisations) if len(organisations) == 1 else "")
        if organisation not in organisations:
            raise Invalid(f"choose one of your organisations: {', '.join(sorted(organisations))}")
        for each in order.datasets:
            parse_country(each.country)
            parse_dataset_id(each.dataset)
            parse_dataset_id(each.node)
        if len({(each.node, each.dataset) for each in order.datasets}) != len(order.datasets):
            raise Invalid("a dataset is named twice")
        return Created(form, cohort, tuple(sorted(order.datasets)), organisation)


def _again(transaction: Transaction, done: Done, sha256: str, application: str | None = None) -> Outcome:
    """What a command that comes again did when it came first."""
    if done.sha256 != sha256 or application not in (None, done.application):
        raise Conflict("this command id was used for something else: choose a new one")
    view = fold(done.application, transaction.events(done.application)[: done.version])
    return Outcome(done.application, view.version, view.state, done.told)


def _foremost(roles: frozenset[ProcessRole]) -> ProcessRole:
    """The role in which somebody with several acts: the first of the list."""
    return next(role for role in ProcessRole if role in roles)


def _digest(order: c.Create | c.Order) -> str:
    return hashlib.sha256(msgspec.json.encode(order, order="sorted")).hexdigest()
