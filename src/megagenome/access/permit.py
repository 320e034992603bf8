# SPDX-License-Identifier: Apache-2.0
"""The permit: its document, made with the recommendation and never changed, and what the hub does with it later.

It works at a node only with that country's signature over the document's digest; what a country granted stands in the
application's parts. The hub can suspend and revoke it, and so resume it, but grants nothing by that.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from megagenome.access import command_types as c
from megagenome.access import events as e
from megagenome.access.case import Bodies, Case, new_id
from megagenome.access.form import read_form
from megagenome.access.model import PermitRef
from megagenome.kernel.errors import Invalid
from megagenome.standards.application import PermitDays
from megagenome.standards.application_form import Form
from megagenome.standards.permit import (
    PermitDataset,
    PermitDocument,
    PermitPerson,
    digest,
    encode,
)


def propose(case: Case, command: c.Recommend) -> PermitRef:
    """The permit that the committee recommends. Raises `Invalid` for uses that nobody asked for, and bad dates."""
    view = case.view
    if command.starts is None or command.ends is None:
        raise Invalid("a permit needs its first and its last day")
    days = (command.ends - command.starts).days + 1
    if days < 1 or command.ends < case.now.date():
        raise Invalid("the permit's last day must not be past, nor before its first")
    if days > case.world.settings.longest_permit_days:
        raise Invalid(f"the permit would last {days} days; at most {case.world.settings.longest_permit_days} may be")
    document = PermitDocument(
        id=new_id(),
        hub=case.world.hub,
        application=view.id,
        cohort=view.cohort.id,
        definition=view.cohort.definition,
        datasets=tuple(sorted(PermitDataset(p.dataset.node, p.dataset.country, p.dataset.dataset) for p in view.parts)),
        uses=_uses(case, command.uses),
        people=_people(case),
        starts=command.starts,
        ends=command.ends,
        conditions=tuple(each.strip() for each in command.conditions if each.strip()),
        form_digest=view.form.digest,
        proposed_at=case.now,
    )
    text = case.keep(encode(document).decode())
    return PermitRef(document.id, digest(document), text, command.starts.isoformat(), command.ends.isoformat())


def days_asked_for(form: Form, answers: Mapping[str, Any], longest_days: int, today: date) -> PermitDays | None:
    """First and last day of a permit as it was asked for; None where the form or the answers do not say,
    or no calendar has the last day.

    What was to begin in the past begins today and lasts as long. It never lasts longer than `longest_days`.
    """
    starts, months = (_answer_that_means(form, answers, meaning) for meaning in ("starts", "months"))
    if not isinstance(starts, str) or not isinstance(months, int | float):
        return None
    first = max(date.fromisoformat(starts), today)
    try:
        last = min(_last_day(first, int(months)), first + timedelta(days=longest_days - 1))
    except (ValueError, OverflowError):  # after the year 9999
        return None
    return PermitDays(first.isoformat(), last.isoformat())


def _answer_that_means(form: Form, answers: Mapping[str, Any], meaning: str) -> Any:
    field = form.field_that_means(meaning)
    return answers.get(field.id) if field else None


def _last_day(first: date, months: int) -> date:
    """The day before the same day of the month; the month's last day where it has no such day."""
    years, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    length = monthrange(years, month + 1)[1]
    if first.day > length:
        return date(years, month + 1, length)
    return date(years, month + 1, first.day) - timedelta(days=1)


def _uses(case: Case, uses: tuple[str, ...]) -> tuple[str, ...]:
    asked = _answer_that_means(read_form(case.view.form), case.read_answers(case.view.submitted), "uses")
    if not uses or not set(uses) <= set(asked or ()):
        raise Invalid(f"choose kinds of use among those that were asked for: {', '.join(asked or ()) or 'none'}")
    return tuple(sorted(set(uses)))


def _people(case: Case) -> tuple[PermitPerson, ...]:
    keys = [case.view.applicant, *sorted(case.view.members)]
    known = case.transaction.people(keys)
    if any(not known[key].subject for key in keys):
        raise Invalid("somebody who takes part was erased: return the application, so that they can be removed")
    return tuple(PermitPerson(known[key].subject, known[key].name) for key in keys)


def suspend(case: Case, command: c.Suspend) -> Bodies:
    """Stop the permit for now."""
    return [e.PermitSuspended(case.keep(command.reasons))]


def resume(case: Case, command: c.Resume) -> Bodies:
    """Let it work again."""
    case.refuse_conflicted()
    return [e.PermitResumed(case.keep(command.reasons))]


def revoke(case: Case, command: c.Revoke) -> Bodies:
    """End it for ever."""
    return [e.Revoked(case.keep(command.reasons))]


def close(case: Case, command: c.Close) -> Bodies:
    """Nothing more will happen with the application."""
    case.refuse_conflicted()
    return [e.Closed(case.keep(command.reasons))]
