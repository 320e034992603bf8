# SPDX-License-Identifier: Apache-2.0
"""Nothing of the process is without words, and clocks say what is left in the country's own days."""

from datetime import timedelta
from typing import get_args

import msgspec
import pytest

from megagenome.access.events import Body, name_of
from megagenome.portal import application_words as words
from megagenome.standards.application import ClockKind, ClockShown, Criterion, PartState, ProcessRole, State, Vote
from tests.portal.applications import FORM, NOW, shown


def test_each_state_role_criterion_and_vote_has_words() -> None:
    assert set(words.STATES) == set(State)
    assert set(words.PARTS) == set(PartState)
    assert set(words.ROLES) == set(ProcessRole)
    assert set(words.CRITERIA) == set(Criterion)
    assert set(words.VOTES) == {vote.value for vote in Vote}
    assert words.TONES.keys() <= set(State)
    assert all(words.holder(shown(state=state), is_own=own) for state in State for own in (True, False))


def test_each_event_has_words() -> None:
    names = {name_of(kind) for kind in get_args(Body)}
    assert names <= words._EVENTS.keys()


def test_a_timeline_is_newest_first_and_counts_what_was_done_again() -> None:
    told = words.timeline(shown().timeline)
    assert [(each.what, each.times) for each in told] == [
        ("No answer of Estonia came in time, so nothing is granted there", 1),
        ("The committee made its recommendation", 1),
        ("A member of the committee voted", 2),
        ("The organisation endorsed it", 1),
        ("The application was submitted", 1),
        ("The application was begun", 1),
    ]
    quiet = [msgspec.structs.replace(each, event="clock.started") for each in shown().timeline]
    assert words.timeline(quiet) == []


@pytest.mark.parametrize(
    ("verdicts", "what", "datasets"),
    [
        (("approved", "approved"), "Finland granted it", ("A", "B")),
        (("refused", "refused"), "Finland refused it", ("A", "B")),
        (("revoked", "revoked"), "Finland took its grant back", ("A", "B")),
        (("approved", "refused"), "Finland decided", ("A granted", "B refused")),
        (("newer", "newer"), "Finland decided", ("A", "B")),
    ],
)
def test_a_timeline_says_what_a_country_decided(
    verdicts: tuple[str, ...], what: str, datasets: tuple[str, ...]
) -> None:
    entry = msgspec.structs.replace(
        shown().timeline[0],
        event="application.event/decided",
        country="FI",
        datasets=("A", "B"),
        verdicts=verdicts,
    )
    [told] = words.timeline([entry])
    assert (told.what, told.datasets) == (what, datasets)


def test_kinds_of_use_are_called_as_the_form_calls_them() -> None:
    field = FORM.field_that_means("uses")
    assert field
    assert {option.id: option.label["en"] for option in field.options} == words.USES
    assert words.use_words("newer") == "newer"


def test_an_event_of_a_newer_hub_is_shown_by_its_name() -> None:
    newer = msgspec.structs.replace(shown().timeline[0], event="application.event/sent-to-mars", role="martian")
    assert words.timeline([newer])[0].what == "sent to mars"


@pytest.mark.parametrize(
    ("clock", "says"),
    [
        (ClockShown(ClockKind.WINDOW, "FI", 11, NOW + timedelta(days=9), False, "", 6), "6 working days left"),
        (ClockShown(ClockKind.WINDOW, "FI", 11, NOW + timedelta(days=1), False, "", 1), "1 working day left"),
        (ClockShown(ClockKind.WINDOW, "FI", 11, NOW + timedelta(hours=2), False, "", 0), "ends today"),
        (ClockShown(ClockKind.ASSESSMENT, "LU", 3, None, False, ""), "stands; 3 working days left when it goes on"),
        (ClockShown(ClockKind.ASSESSMENT, "LU", 5, NOW, True, ""), "overdue"),
        (ClockShown(ClockKind.PERMIT, "LU", 365, NOW + timedelta(days=40), False, "", 28), "40 days left"),
    ],
)
def test_what_is_left_of_a_clock(clock: ClockShown, says: str) -> None:
    assert words.time_left(clock, NOW).replace("\u00a0", " ") == says


def test_clocks_that_ended_are_over_unless_they_are_overdue() -> None:
    ended = ClockShown(ClockKind.WINDOW, "FI", 11, NOW, True, "")
    overdue = ClockShown(ClockKind.ASSESSMENT, "LU", 5, NOW, True, "")
    reminder = ClockShown(ClockKind.REMINDER, "FI", 6, NOW + timedelta(days=1), False, "")
    assert [(each.what, each.is_over) for each in words.running([ended, overdue, reminder], NOW)] == [
        ("The committee assesses", True)
    ]
