# SPDX-License-Identifier: Apache-2.0
"""Clocks as the 1+MG SOPs have them, through restarts and an hour that jumps."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from megagenome.access import command_types as c
from megagenome.access import events as e
from megagenome.access.model import Clock
from megagenome.kernel.errors import Conflict
from megagenome.standards.application import ApplicationId, ClockKind, PartState, State
from megagenome.standards.permit import PermitState, Verdict
from tests.access.hub import ADA, CHAIR, EEVA, FINN, SIGNE, Hub, open_hub

WINDOW_ENDS = datetime(2026, 11, 16, 22, tzinfo=UTC)
"""Finland's."""
ALMOST = WINDOW_ENDS - timedelta(seconds=1)


def clock(hub: Hub, application: ApplicationId, kind: ClockKind, country: str = "") -> Clock:
    [found] = [x for x in hub.view(application).clocks if x.kind is kind and country in ("", x.country)]
    return found


def bodies(hub: Hub, application: ApplicationId) -> list[e.Body]:
    with hub.store.transaction() as transaction:
        return [event.body for event in transaction.events(application)]


def test_the_committee_has_five_working_days(hub: Hub) -> None:
    application = hub.submitted()
    hub.do(SIGNE, application, c.Endorse())
    assert clock(hub, application, ClockKind.ASSESSMENT).due == datetime(2026, 11, 9, 23, tzinfo=UTC)
    assert "SOP0003" in clock(hub, application, ClockKind.ASSESSMENT).reason


def test_the_committees_clock_stands_while_the_applicant_has_it(hub: Hub) -> None:
    application = hub.submitted()
    hub.do(SIGNE, application, c.Endorse())
    hub.pass_time(days=3)  # Thursday: Tuesday and Wednesday are used up
    hub.do(CHAIR, application, c.Return("more"))
    standing = clock(hub, application, ClockKind.ASSESSMENT)
    assert (standing.due, standing.days) == (None, 3)
    hub.pass_time(days=40)
    assert not clock(hub, application, ClockKind.ASSESSMENT).fired
    hub.now = datetime(2026, 12, 14, 9, tzinfo=UTC)  # a Monday
    hub.do(ADA, application, c.Submit())
    assert clock(hub, application, ClockKind.ASSESSMENT).due is None  # until it is endorsed again
    hub.do(SIGNE, application, c.Endorse())
    assert clock(hub, application, ClockKind.ASSESSMENT).due == datetime(2026, 12, 17, 23, tzinfo=UTC)


def test_an_overdue_assessment_changes_nothing_but_is_shown(hub: Hub) -> None:
    application = hub.assessing()
    hub.pass_time(days=8)
    assert clock(hub, application, ClockKind.ASSESSMENT).fired
    assert hub.view(application).state is State.ASSESSING
    hub.do(CHAIR, application, c.Return("more"))  # what was late is not made good
    assert clock(hub, application, ClockKind.ASSESSMENT).fired


def test_windows_are_each_countrys_own(hub: Hub) -> None:
    application = hub.requested()
    estonia, finland = (clock(hub, application, ClockKind.WINDOW, country) for country in ("EE", "FI"))
    assert (estonia.days, estonia.due) == (11, datetime(2026, 11, 17, 22, tzinfo=UTC))
    assert (finland.days, finland.due) == (10, datetime(2026, 11, 16, 22, tzinfo=UTC))
    assert "SOP0003" in estonia.reason
    assert finland.reason == "FI: 10 working days"
    assert clock(hub, application, ClockKind.REMINDER, "EE").due == datetime(2026, 11, 8, 22, tzinfo=UTC)


def test_silence_is_a_no_and_the_country_can_be_asked_again(hub: Hub) -> None:
    application = hub.requested()
    hub.decide(EEVA, application, {"GDI-EE-1": Verdict.APPROVED, "GDI-EE-2": Verdict.APPROVED})
    first = hub.sign(FINN, application, {"GDI-FI-1": Verdict.APPROVED})
    hub.pass_time(days=14, hours=13)  # 16 November, 22:00 UTC: over
    late = hub.sign(FINN, application, {"GDI-FI-1": Verdict.APPROVED})
    [lapsed] = [body for body in bodies(hub, application) if isinstance(body, e.DecisionLapsed)]
    assert (lapsed.country, [d.dataset for d in lapsed.datasets]) == ("FI", ["GDI-FI-1"])
    assert hub.view(application).parts[2].state is PartState.LAPSED
    with pytest.raises(Conflict, match="was over at 2026-11-16 22:00 UTC"):
        hub.do(FINN, application, c.RecordDecision(late))
    hub.do(ADA, application, c.Resubmit("FI"))
    # in Helsinki it is the first moment of Tuesday 17: 18 19 20 | 23 24 25 26 27 | 30 1
    assert clock(hub, application, ClockKind.WINDOW, "FI").due == datetime(2026, 12, 1, 22, tzinfo=UTC)
    with pytest.raises(Conflict, match="older than the request"):
        hub.do(FINN, application, c.RecordDecision(first))  # what was signed for the first asking
    hub.decide(FINN, application, {"GDI-FI-1": Verdict.APPROVED})
    assert hub.view(application).parts[2].state is PartState.APPROVED


def test_the_last_moment_of_a_window_is_in_it(hub: Hub) -> None:
    application = hub.requested()
    hub.now = datetime(2026, 11, 16, 21, 59, 59, tzinfo=UTC)
    hub.process.fire_due()  # the reminders
    assert hub.decide(FINN, application, {"GDI-FI-1": Verdict.APPROVED}).state is State.ACTIVE


def test_the_next_moment_is_not_though_nobody_swept(hub: Hub) -> None:
    application = hub.requested()
    hub.now = datetime(2026, 11, 16, 22, tzinfo=UTC)
    with pytest.raises(Conflict):
        hub.decide(FINN, application, {"GDI-FI-1": Verdict.APPROVED})
    assert hub.view(application).parts[2].state is PartState.LAPSED


def test_an_answer_that_was_signed_in_time_and_came_late_is_no_silence(hub: Hub) -> None:
    application = hub.requested()
    tokens = [
        hub.sign(FINN, application, {"GDI-FI-1": Verdict.APPROVED}, decided_at=at) for at in (WINDOW_ENDS, ALMOST)
    ]
    hub.pass_time(days=40)  # both windows are over, and Finland's by 26 days
    assert hub.view(application).state is State.DECIDED
    with pytest.raises(Conflict, match="time to decide was over"):
        hub.do(FINN, application, c.RecordDecision(tokens[0]))
    assert hub.do(FINN, application, c.RecordDecision(tokens[1])).state is State.ACTIVE
    assert [part.state for part in hub.view(application).parts] == [PartState.LAPSED] * 2 + [PartState.APPROVED]
    with pytest.raises(Conflict, match="cannot become approved"):
        hub.decide(FINN, application, {"GDI-FI-1": Verdict.APPROVED}, decided_at=ALMOST)
    assert hub.decide(FINN, application, {"GDI-FI-1": Verdict.REVOKED}).state is State.REVOKED


def test_an_answer_that_comes_very_late_is_none(hub: Hub) -> None:
    application = hub.requested()
    token = hub.sign(FINN, application, {"GDI-FI-1": Verdict.APPROVED})
    hub.now = WINDOW_ENDS + timedelta(days=30)
    hub.process.fire_due()
    with pytest.raises(Conflict, match="30 days or more"):
        hub.do(FINN, application, c.RecordDecision(token))
    assert hub.view(application).parts[2].state is PartState.LAPSED


def test_an_answer_that_came_in_time_was_given_in_time_whatever_its_date(hub: Hub) -> None:
    """By a clock that was ahead."""
    application = hub.requested()
    hub.decide(FINN, application, {"GDI-FI-1": Verdict.APPROVED}, decided_at=WINDOW_ENDS + timedelta(days=1))
    assert hub.view(application).parts[2].state is PartState.APPROVED


def test_a_grant_is_taken_back_by_whatever_clock(hub: Hub) -> None:
    application = hub.active()
    hub.decide(EEVA, application, {"GDI-EE-1": Verdict.REVOKED}, decided_at=hub.now - timedelta(days=4000))
    assert hub.view(application).parts[0].state is PartState.REVOKED


def test_who_was_asked_again_answers_anew_and_within_the_new_window(hub: Hub) -> None:
    application = hub.requested()
    first = hub.sign(FINN, application, {"GDI-FI-1": Verdict.APPROVED})
    hub.pass_time(days=15)
    hub.do(ADA, application, c.Resubmit("FI"))
    with pytest.raises(Conflict, match="older than the request"):
        hub.do(FINN, application, c.RecordDecision(first))
    hub.pass_time(days=1)
    token = hub.sign(FINN, application, {"GDI-FI-1": Verdict.APPROVED})
    hub.pass_time(days=20)
    assert hub.view(application).parts[2].state is PartState.LAPSED
    hub.do(FINN, application, c.RecordDecision(token))
    assert hub.view(application).parts[2].state is PartState.APPROVED


def test_when_all_are_silent_nothing_is_granted(hub: Hub) -> None:
    application = hub.requested()
    hub.pass_time(days=40)
    view = hub.view(application)
    assert view.state is State.DECIDED
    assert {part.state for part in view.parts} == {PartState.LAPSED}
    hub.do(ADA, application, c.Resubmit("EE"))
    assert hub.view(application).state is State.NATIONAL_WINDOW


def test_reminders_fire_once_and_only_for_who_is_silent(hub: Hub) -> None:
    application = hub.requested()
    hub.decide(EEVA, application, dict.fromkeys(["GDI-EE-1", "GDI-EE-2"], Verdict.APPROVED))
    for _ in range(3):
        hub.pass_time(days=2, hours=7)
    fired = [body for body in bodies(hub, application) if isinstance(body, e.ClockFired)]
    assert [(each.clock, each.country) for each in fired] == [(ClockKind.REMINDER, "FI")]
    hub.pass_time(days=40)  # and when the window ends, the reminder is not due anew
    fired = [body for body in bodies(hub, application) if isinstance(body, e.ClockFired)]
    assert [each.clock for each in fired] == [ClockKind.REMINDER, ClockKind.WINDOW]


def test_a_permit_ends_with_its_last_day(hub: Hub) -> None:
    application = hub.active()
    hub.now = datetime(2027, 11, 30, 22, 59, tzinfo=UTC)
    hub.process.fire_due()
    assert hub.view(application).state is State.ACTIVE
    hub.now = datetime(2027, 11, 30, 23, tzinfo=UTC)
    hub.process.fire_due()
    assert hub.view(application).state is State.EXPIRED
    assert hub.standing(application).state is PermitState.REVOKED


def test_clocks_survive_a_restart(tmp_path: Path) -> None:
    with open_hub(tmp_path) as hub:
        application = hub.requested()
    with open_hub(tmp_path) as again:
        again.pass_time(days=40)
        assert again.view(application).state is State.DECIDED


def test_a_clock_that_jumps_grants_nothing_and_fires_nothing_twice(hub: Hub) -> None:
    application = hub.requested()
    hub.pass_time(days=-4000)
    assert {part.state for part in hub.view(application).parts} == {PartState.REQUESTED}
    hub.pass_time(days=4020)
    hub.pass_time(days=-4020)
    hub.pass_time(days=4020)
    fired = [(body.clock, body.country) for body in bodies(hub, application) if isinstance(body, e.ClockFired)]
    assert len(fired) == len(set(fired)) == 4  # two reminders, two windows
    assert {part.state for part in hub.view(application).parts} == {PartState.LAPSED}


def test_a_pause_before_the_start_leaves_at_most_what_there_was(hub: Hub) -> None:
    application = hub.submitted()
    hub.do(SIGNE, application, c.Endorse())
    hub.now = datetime(2020, 1, 1, tzinfo=UTC)
    hub.do(CHAIR, application, c.Return("more"))
    assert clock(hub, application, ClockKind.ASSESSMENT).days == 5


def test_sweeping_again_does_nothing(hub: Hub) -> None:
    application = hub.requested()
    hub.now = datetime(2026, 12, 1, tzinfo=UTC)
    assert hub.process.fire_due() == 1
    before = hub.view(application)
    assert hub.process.fire_due() == 0
    assert hub.view(application) == before
