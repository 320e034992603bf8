# SPDX-License-Identifier: Apache-2.0
"""A hub whose clock jumps: what time ends for good is ended when most nodes say that it is that time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from megagenome.access import command_types as c
from megagenome.access.heard_clocks import Agreement, HeardClocks
from megagenome.access.needs import BelievedNode
from megagenome.kernel.errors import Invalid, Unavailable
from megagenome.standards.application import ApplicationId, PartState, State
from megagenome.standards.permit import PermitState, Verdict
from tests.access.exchanging import Exchanging, exchanging
from tests.access.hub import ADA, CHAIR, EEVA, FINN, SIGNE

YEARS = timedelta(days=3650)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Exchanging]:
    """A hub that goes by its nodes' clocks, of which it has heard none."""
    with exchanging(tmp_path, by_nodes=True) as opened:
        yield opened


def hear_both(way: Exchanging) -> None:
    for node in ("node-ee", "node-fi"):
        way.tell(node)


def active(way: Exchanging) -> ApplicationId:
    """Estonia granted one dataset, Finland has not answered."""
    application = way.hub.requested()
    hear_both(way)
    way.tell("node-ee", decisions=(way.decided(application, {"GDI-EE-1": Verdict.APPROVED}, EEVA),))
    return application


def pass_time(way: Exchanging, **amount: float) -> None:
    """Time that passes for everybody."""
    passed = timedelta(**amount)
    way.awake_s += passed.total_seconds()
    way.hub.now += passed
    way.hub.process.fire_due()


def test_a_jump_and_back_ends_nothing(way: Exchanging) -> None:
    application = active(way)
    before = way.hub.view(application)
    for jump in (YEARS, -YEARS):
        way.hub.pass_time(days=jump.days)
        with pytest.raises(Invalid, match="clock"):
            way.tell("node-ee", sent_at=way.hub.now - jump)
        way.hub.pass_time(days=-jump.days)
    assert way.hub.view(application) == before
    assert [each.state for each in way.tell("node-ee").revocations] == [PermitState.ACTIVE]
    pass_time(way, days=14, hours=14)  # Finland's window is over by all clocks
    assert way.hub.view(application).parts[2].state is PartState.LAPSED
    pass_time(way, days=500)
    assert way.hub.view(application).state is State.EXPIRED
    assert way.tell("node-ee").revocations[-1].state is PermitState.REVOKED


def test_what_people_do_during_a_jump_brings_no_end_with_it(way: Exchanging) -> None:
    application = active(way)
    way.hub.now += YEARS
    way.hub.do(CHAIR, application, c.Suspend("looked into"))
    way.hub.do(CHAIR, application, c.Resume("fine"))
    way.hub.now -= YEARS
    view = way.hub.view(application)
    assert (view.state, view.parts[2].state) == (State.ACTIVE, PartState.REQUESTED)
    way.tell("node-fi", decisions=(way.decided(application, {"GDI-FI-1": Verdict.APPROVED}, FINN),))
    assert way.hub.view(application).parts[2].state is PartState.APPROVED


def test_no_term_begins_at_a_time_that_is_not(way: Exchanging) -> None:
    application = way.hub.recommended()
    hear_both(way)
    for jump in (YEARS, -YEARS):
        way.hub.now += jump
        with pytest.raises(Unavailable, match="most nodes"):
            way.hub.do(CHAIR, application, c.RequestDecisions())
        way.hub.now -= jump
    way.hub.do(CHAIR, application, c.RequestDecisions())
    assert way.hub.view(application).state is State.NATIONAL_WINDOW


def test_nothing_ends_before_a_node_was_heard_and_terms_begin(way: Exchanging) -> None:
    """After a start the hub knows only its own clock, which may be wrong."""
    application = way.hub.submitted()
    way.hub.do(SIGNE, application, c.Endorse())
    way.hub.pass_time(days=30)
    assert not any(each.fired for each in way.hub.view(application).clocks)
    way.clocks.hear("node-ee", way.hub.now)
    assert way.hub.process.fire_due() == 1


def test_one_node_whose_clock_is_wrong_holds_up_nobody(way: Exchanging) -> None:
    application = way.hub.requested()
    hear_both(way)
    way.nodes.joined["node-se"] = BelievedNode("node-se", "SE", {})
    way.clocks.hear("node-se", way.hub.now)
    with pytest.raises(Invalid, match="clock"):
        way.tell("node-ee", sent_at=way.hub.now + YEARS)
    pass_time(way, days=40)
    assert way.hub.view(application).state is State.DECIDED
    way.hub.do(ADA, application, c.Resubmit("EE"))
    way.tell("node-ee", decisions=(way.decided(application, {"GDI-EE-1": Verdict.APPROVED}, EEVA),))
    assert way.hub.view(application).state is State.ACTIVE


def test_an_old_message_sent_again_says_nothing_of_the_time(way: Exchanging) -> None:
    captured = way.message("node-ee")
    way.send(captured)
    pass_time(way, days=1)
    hear_both(way)
    with pytest.raises(Invalid):
        way.send(captured)
    assert way.clocks.agreement(way.hub.now) is Agreement.AGREED


def test_a_node_that_was_removed_has_no_voice(way: Exchanging) -> None:
    application = way.hub.submitted()
    hear_both(way)
    way.clocks.hear("node-ee", way.hub.now + YEARS)
    with pytest.raises(Unavailable, match="no term begins"):
        way.hub.do(SIGNE, application, c.Endorse())
    del way.nodes.joined["node-ee"]
    way.hub.do(SIGNE, application, c.Endorse())
    way.nodes.joined.clear()
    assert way.clocks.agreement(way.hub.now) is Agreement.UNHEARD


def test_agreement_is_of_most_nodes_and_each_has_one_voice() -> None:
    clocks = HeardClocks(lambda: 0.0)
    assert clocks.agreement(NOON) is Agreement.UNHEARD
    for _ in range(5):
        clocks.hear("wrong", NOON - YEARS)
    assert clocks.agreement(NOON) is Agreement.DISPUTED
    clocks.hear("right", NOON + timedelta(seconds=119))
    assert clocks.agreement(NOON) is Agreement.DISPUTED  # one against one
    clocks.hear("too", NOON - timedelta(seconds=119))
    assert clocks.agreement(NOON) is Agreement.AGREED
    clocks.hear("too", NOON - timedelta(seconds=121))
    assert clocks.agreement(NOON) is Agreement.DISPUTED
    clocks.hear("far", datetime.max.replace(tzinfo=UTC))
    assert clocks.agreement(NOON) is Agreement.DISPUTED
