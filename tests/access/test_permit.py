# SPDX-License-Identifier: Apache-2.0
"""The days with which a recommendation begins. What a permit may be: tests/access/test_process.py."""

from datetime import date

import pytest

from megagenome.access import command_types as c
from megagenome.access.form import newest_form, read_form
from megagenome.access.permit import days_asked_for
from megagenome.standards.application import Advice, PermitDays
from tests.access.hub import ADA, CHAIR, DEAN, SIGNE, Hub

FORM = read_form(newest_form("data-access"))
TODAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("starts", "months", "days"),
    [
        ("2026-12-01", 12, ("2026-12-01", "2027-11-30")),
        ("2026-11-15", 1, ("2026-11-15", "2026-12-14")),
        ("2027-01-31", 1, ("2027-01-31", "2027-02-28")),  # there is no 31 February
        ("2028-01-31", 1, ("2028-01-31", "2028-02-29")),
        ("2028-02-29", 12, ("2028-02-29", "2029-02-28")),
        ("2026-12-31", 2.0, ("2026-12-31", "2027-02-28")),
        ("2025-01-01", 6, ("2026-11-02", "2027-05-01")),  # a day that is past: from today, as long
        ("2026-12-01", 120, ("2026-12-01", "2036-11-30")),
    ],
)
def test_a_permit_is_proposed_for_as_long_as_was_asked(starts: str, months: float, days: tuple[str, str]) -> None:
    assert days_asked_for(FORM, {"starts": starts, "months": months}, 3653, TODAY) == PermitDays(*days)


def test_no_longer_than_this_hub_allows() -> None:
    asked = {"starts": "2026-12-01", "months": 12}
    assert days_asked_for(FORM, asked, 31, TODAY) == PermitDays("2026-12-01", "2026-12-31")


@pytest.mark.parametrize(
    "answers", [{}, {"starts": "2026-12-01"}, {"months": 12}, {"starts": "9999-12-01", "months": 2}]
)
def test_nothing_is_proposed_where_the_answers_do_not_say(answers: dict[str, object]) -> None:
    assert days_asked_for(FORM, answers, 3653, TODAY) is None


def test_it_is_proposed_to_who_recommends_and_is_a_permit_that_may_be(hub: Hub) -> None:
    application = hub.voted()
    proposed = hub.show(CHAIR, application).days
    assert proposed == PermitDays("2026-12-01", "2027-11-30")
    assert [hub.show(other, application).days for other in (ADA, SIGNE, DEAN)] == [None] * 3
    first, last = map(date.fromisoformat, (proposed.starts, proposed.ends))
    hub.do(CHAIR, application, c.Recommend(Advice.APPROVE, "yes", ("research",), first, last))
    recommended = hub.show(CHAIR, application).recommendation
    assert recommended
    assert (recommended.starts, recommended.ends) == (proposed.starts, proposed.ends)
