# SPDX-License-Identifier: Apache-2.0
"""Who finds which application in which list, and in which order."""

import pytest

from megagenome.access import command_types as c
from megagenome.access.cohorts import Cohorts
from megagenome.access.lists import list_applications
from megagenome.access.model import Reach
from megagenome.access.rules import may, roles_of
from megagenome.collection.cohort import Everyone
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Invalid
from megagenome.standards.application import ApplicationId, Page, Scope, State, Verb
from megagenome.standards.permit import Verdict
from tests.access.hub import (
    ADA,
    AUDREY,
    BEN,
    BOTH,
    CHAIR,
    DATASETS,
    DORA,
    EEVA,
    FINN,
    OTTO,
    SIGNE,
    STEW,
    STRANGER,
    SVEA,
    Hub,
)
from tests.access.test_cohorts import order

pytestmark = pytest.mark.usefixtures("database")


def listed(hub: Hub, who: Caller, scope: Scope, *states: State, skip: int = 0, limit: int = 50) -> Page:
    return list_applications(hub.store, hub.world.directory, who, scope, states, skip, limit)


def ids(page: Page) -> list[ApplicationId]:
    return [line.id for line in page.lines]


def test_ones_own_are_those_one_takes_part_in_latest_first(hub: Hub) -> None:
    first = hub.create()
    hub.pass_time(hours=1)
    second = hub.create()
    assert ids(listed(hub, ADA, Scope.MINE)) == [second, first]
    hub.pass_time(hours=1)
    hub.do(ADA, first, c.InviteMember("Ben"))
    assert ids(listed(hub, ADA, Scope.MINE)) == [first, second]
    hub.do(BEN, first, c.Join(hub.show(ADA, first).invitations[0].secret))
    assert ids(listed(hub, BEN, Scope.MINE)) == [first]
    hub.do(BEN, first, c.Leave())
    assert listed(hub, BEN, Scope.MINE).total == 0
    assert listed(hub, STRANGER, Scope.MINE).total == 0


def test_ones_own_of_a_cohort(hub: Hub) -> None:
    of = {"directory": hub.world.directory, "states": (), "skip": 0, "limit": 50}
    women = [hub.create(), hub.create()]
    everybody = Cohorts(hub.store, hub.world).save(ADA, order(Everyone())).cohort.id
    other = hub.process.create(ADA, c.Create(hub.id(), everybody, DATASETS, "data-access")).application
    mine = {"caller": ADA, "scope": Scope.MINE, **of}
    cohorts = (order().cohort, everybody, "sha256:" + "0" * 64, "%", '"')
    found = [ids(list_applications(hub.store, cohort=each, **mine)) for each in cohorts]
    assert [sorted(each) for each in found] == [sorted(women), [other], [], [], []]
    assert list_applications(hub.store, cohort=everybody, **{**mine, "caller": BEN}).total == 0
    for scope in (Scope.DESK, Scope.ALL):  # an auditor sees that it is, and not for whom
        with pytest.raises(Invalid):
            list_applications(hub.store, cohort=everybody, **{**mine, "caller": AUDREY, "scope": scope})


def test_a_desk_has_what_waits_for_it(hub: Hub) -> None:
    hub.create()
    submitted, assessing, requested, active = hub.submitted(), hub.assessing(), hub.requested(), hub.active()
    assert ids(listed(hub, SIGNE, Scope.DESK)) == [submitted]
    assert ids(listed(hub, OTTO, Scope.DESK)) == []
    assert ids(listed(hub, CHAIR, Scope.DESK)) == ids(listed(hub, DORA, Scope.DESK)) == [assessing]
    assert ids(listed(hub, EEVA, Scope.DESK)) == [requested]  # of the other it decided on all
    assert set(ids(listed(hub, FINN, Scope.DESK))) == {requested, active}
    assert ids(listed(hub, SVEA, Scope.DESK)) == ids(listed(hub, AUDREY, Scope.DESK)) == []
    [line] = listed(hub, EEVA, Scope.DESK).lines
    assert line.due == "2026-11-17T22:00:00.000000+00:00"  # its own window, though a reminder comes first
    assert line.countries == ("EE", "FI")


def test_a_desk_is_ordered_by_urgency(hub: Hub) -> None:
    early = hub.assessing()
    hub.pass_time(days=2)
    late = hub.assessing()
    hub.pass_time(days=1)
    new = hub.assessing()
    assert ids(listed(hub, CHAIR, Scope.DESK)) == [early, late, new]
    hub.pass_time(days=5, hours=15)  # the first is over
    lines = listed(hub, CHAIR, Scope.DESK).lines
    assert [line.overdue for line in lines] == [True, False, False]
    assert [line.id for line in lines] == [early, late, new]
    page = listed(hub, CHAIR, Scope.DESK, skip=1, limit=1)
    assert (page.total, ids(page)) == (3, [late])


def test_whoever_takes_part_does_not_find_it_on_a_desk(hub: Hub) -> None:
    application = hub.submitted()
    both = Caller(ADA.subject, ADA.name, SIGNE.roles | AUDREY.roles)
    assert listed(hub, both, Scope.DESK).total == listed(hub, both, Scope.ALL).total == 0
    assert ids(listed(hub, both, Scope.MINE)) == [application]


def test_lists_hold_what_the_table_lets_one_look_at(hub: Hub) -> None:
    hub.create()
    hub.submitted(), hub.assessing(), hub.recommended(), hub.requested(), hub.active()
    returned = hub.assessing()
    hub.do(CHAIR, returned, c.Return("more"))
    withdrawn = hub.create()
    hub.do(ADA, withdrawn, c.Withdraw())
    for who in (ADA, SIGNE, OTTO, CHAIR, DORA, EEVA, FINN, SVEA, STEW, AUDREY, STRANGER, BOTH):
        scopes = (Scope.MINE, Scope.ALL)
        found = {each for scope in scopes for each in ids(listed(hub, who, scope))}
        looks = set()
        for application in hub.store.applications():
            view = hub.view(application)
            with hub.store.transaction() as transaction:
                person = transaction.find_person(str(who.subject))
            roles = roles_of(who, person, view, hub.world.directory)
            if any(may(Verb.LOOK, role, view.state) for role in roles):
                looks.add(application)
        assert found == looks, who.name


def test_a_title_is_for_those_who_read(hub: Hub) -> None:
    hub.submitted()
    application = hub.active()
    keeper = Caller(STEW.subject, STEW.name, STEW.roles | AUDREY.roles)
    for who in (AUDREY, STEW, keeper):
        assert {line.title for line in listed(hub, who, Scope.ALL).lines} == {""}
    # who has a desk besides reads what came to it, and still not what came to others
    decider = Caller(FINN.subject, FINN.name, FINN.roles | AUDREY.roles)
    titles = {line.id: line.title for line in listed(hub, decider, Scope.ALL).lines}
    assert titles.pop(application) == "Seizures in Europe"
    assert set(titles.values()) == {""}
    for who, scope in ((ADA, Scope.MINE), (SIGNE, Scope.DESK), (CHAIR, Scope.ALL), (decider, Scope.DESK)):
        assert {line.title for line in listed(hub, who, scope).lines} == {"Seizures in Europe"}, who.name


def test_states_narrow_a_list(hub: Hub) -> None:
    hub.create()
    submitted = hub.submitted()
    assert ids(listed(hub, ADA, Scope.MINE, State.SUBMITTED)) == [submitted]
    assert listed(hub, ADA, Scope.MINE, State.SUBMITTED, State.DRAFT).total == 2
    assert listed(hub, ADA, Scope.MINE, State.CLOSED).total == 0


def test_a_lapsed_country_has_nothing_on_its_desk(hub: Hub) -> None:
    application = hub.requested()
    hub.decide(EEVA, application, {"GDI-EE-1": Verdict.APPROVED})
    hub.pass_time(days=30)
    assert hub.view(application).reached is Reach.REQUESTED
    assert listed(hub, EEVA, Scope.DESK).total == listed(hub, FINN, Scope.DESK).total == 0
    assert ids(listed(hub, FINN, Scope.ALL)) == [application]
