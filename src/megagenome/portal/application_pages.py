# SPDX-License-Identifier: Apache-2.0
"""The pages of the application process: lists, one application, its people, its form, its review, its permit.

Each is a function of what the API told its reader; what the API left out no page can show.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from megagenome.kernel import clock
from megagenome.portal import answers as form_answers
from megagenome.portal import application_words as words
from megagenome.portal.cohort_words import definition_words
from megagenome.portal.pages import render
from megagenome.standards.application import ApplicationShown, Page, PartState, PermitDays, ProcessRole
from megagenome.standards.application_form import Field, FieldType, Form, Section, is_visible
from megagenome.standards.saved_cohort import SavedCohort

_OWN = frozenset({ProcessRole.APPLICANT, ProcessRole.MEMBER})


class Typed(msgspec.Struct, frozen=True):
    """What stood in a form that could not be carried out, to be shown again; `verb` says which form."""

    verb: str = ""
    reasons: str = ""
    note: str = ""
    conflict: str = ""
    advice: str = ""
    starts: str = ""
    ends: str = ""
    conditions: str = ""
    uses: tuple[str, ...] = ()
    name: str = ""
    email: str = ""


class Link(NamedTuple):
    """A line of an error summary; without an address a text alone."""

    text: str
    address: str = ""


class Step(NamedTuple):
    """A section of the form in the list of sections."""

    id: str
    title: str
    says: str


def is_own(shown: ApplicationShown) -> bool:
    """Whether the reader is on the applicant's side."""
    return bool(_OWN & frozenset(shown.roles))


def title_of(shown: ApplicationShown, form: Form) -> str:
    """The answer that the form takes for the title."""
    field = form.field_that_means("title")
    answer = shown.answers.get(field.id) if field else None
    if isinstance(answer, str) and answer.strip():
        return answer
    # an auditor reads no answers, and the people of an application read at least their own names
    return "Untitled application" if shown.people else f"Application {shown.id[:8]}"


def applications_page(page: Page) -> str:
    """Those in which the reader takes part."""
    return render("applications.html", page=page)


def desk_page(page: Page, scope: str, state: str) -> str:
    """What waits at the reader's desk, or all that came to it."""
    return render("desk.html", page=page, scope=scope, state=state)


def application_page(
    shown: ApplicationShown,
    form: Form,
    *,
    saved: SavedCohort | None = None,
    problem: str = "",
    typed: Typed | None = None,
) -> str:
    """One application, for its own people and for each desk: what the API lets this reader see and do.

    `saved` is its cohort among the reader's own, with the title that they gave it.
    """
    own = is_own(shown)
    names = _names(shown)
    criteria = _criteria(shown)
    return render(
        "application.html",
        shown=shown,
        title=title_of(shown, form),
        is_own=own,
        saved=saved,
        as_role=", ".join(words.role_words(role) for role in shown.roles),
        holder=words.holder(shown, is_own=own),
        problem=problem,
        typed=typed or Typed(),
        running=words.running(shown.clocks, clock.now()),
        timeline=words.timeline(shown.timeline),
        words=definition_words(shown.cohort.definition),
        has_permit=bool(shown.recommendation and shown.recommendation.permit),
        lapsed=sorted({part.dataset.country for part in shown.parts if part.state is PartState.LAPSED}),
        country_count=len({part.dataset.country for part in shown.parts}),
        sections=_answered(shown, form, names) if shown.answers else [],
        steps=steps(shown, form),
        documents=_documents(shown),
        criteria=criteria,
        votes_open="vote" in shown.commands and shown.conflict is False,
        **_recommending(shown, form, typed),
    )


def review_page(shown: ApplicationShown, form: Form, *, problem: str = "") -> str:
    """Everything that would be submitted, and what is missing in it."""
    places = {field.id: section.id for section in form.sections for field in section.fields}
    titles = {field.id: field.title["en"] for field in form.fields()}
    links = [
        Link(f"{titles.get(each.field, each.field)} – {each.says}", _place(shown, places.get(each.field), each.field))
        for each in shown.findings
    ]
    return render(
        "application_review.html",
        shown=shown,
        title=title_of(shown, form),
        problem=problem,
        links=links,
        words=definition_words(shown.cohort.definition),
        sections=_answered(shown, form, _names(shown)),
        documents=_documents(shown),
    )


def people_page(shown: ApplicationShown, form: Form, hub: str, *, problem: str = "", typed: Typed | None = None) -> str:
    """Who takes part, and open invitations with the addresses to pass on. `hub` is the address of this server."""
    path = f"/applications/{shown.id}/invitation"
    invitations = [
        {"id": i.id, "name": i.name, "email": i.email, "address": f"{hub}{path}?{urlencode({'secret': i.secret})}"}
        for i in shown.invitations
    ]
    return render(
        "application_people.html",
        shown=shown,
        title=title_of(shown, form),
        invitations=invitations,
        problem=problem,
        typed=typed or Typed(),
    )


def join_page(application: str, secret: str, *, problem: str = "") -> str:
    """The way in for somebody who was invited, who may not see the application yet."""
    return render("application_join.html", application=application, secret=secret, problem=problem)


class _Asked(msgspec.Struct, frozen=True):
    """A field as the page shows it. `depends_on` names another one, `any_of` the answers to that for which it is asked,
    `is_asked` whether these are given now."""

    id: str
    type: FieldType
    title: dict[str, str]
    help: dict[str, str]
    required: bool
    max_length: int
    options: tuple[Any, ...]
    depends_on: str
    any_of: tuple[str, ...]
    is_asked: bool


def form_page(
    shown: ApplicationShown,
    form: Form,
    section: Section,
    *,
    answers: Mapping[str, Any] | None = None,
    problem: str = "",
    wrong: Mapping[str, str] | None = None,
    meanwhile: Mapping[str, str] | None = None,
    saved: bool = False,
) -> str:
    """One section. `answers` are what was typed, where it could not be saved; `wrong` says what is wrong with which
    field, `meanwhile` what somebody else saved in it."""
    given = shown.answers if answers is None else answers
    order = [each.id for each in form.sections]
    following = order[order.index(section.id) + 1 :]
    used = {document for value in shown.answers.values() if isinstance(value, list) for document in value}
    titles = {field.id: field.title["en"] for field in section.fields}
    return render(
        "application_form.html",
        shown=shown,
        title=title_of(shown, form),
        section=section,
        seen=form_answers.section_digest(section, shown.answers),
        fields=[_asked(form, field, given) for field in section.fields],
        answers=given,
        problem=problem,
        wrong=wrong or {},
        links=[Link(f"{titles.get(name, name)} – {says}", f"#{name}") for name, says in (wrong or {}).items()],
        meanwhile=meanwhile or {},
        saved=saved,
        steps=steps(shown, form),
        next=following[0] if following else "review",
        documents=[
            {"id": each.id, "name": each.name, "size": _size(each.size_bytes), "is_used": each.id in used}
            for each in shown.attachments
        ]
        if any(field.type is FieldType.ATTACHMENT for field in section.fields)
        else [],
    )


def steps(shown: ApplicationShown, form: Form) -> list[Step]:
    """The sections with what is still to be answered in each; empty for who reads no draft."""
    if "save-draft" not in shown.commands:
        return []
    left = {finding.field for finding in shown.findings}
    found = []
    for section in form.sections:
        count = sum(field.id in left for field in section.fields)
        found.append(Step(section.id, section.title["en"], f"{count} to answer" if count else "complete"))
    return found


def _asked(form: Form, field: Field, answers: Mapping[str, Any]) -> _Asked:
    condition = field.visible_if
    return _Asked(
        field.id,
        field.type,
        field.title,
        field.help,
        field.required,
        field.max_length,
        field.options,
        condition.field if condition else "",
        condition.is_any_of if condition else (),
        is_visible(form, field, answers),
    )


def _answered(shown: ApplicationShown, form: Form, names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "id": section.id,
            "title": section.title["en"],
            "answers": form_answers.in_words(form, section, shown.answers, names),
        }
        for section in form.sections
    ]


def _names(shown: ApplicationShown) -> dict[str, str]:
    return {str(person.key): person.name for person in shown.people if person.name}


def _documents(shown: ApplicationShown) -> dict[str, str]:
    return {document.id: document.name for document in shown.attachments}


def _place(shown: ApplicationShown, section: str | None, field: str) -> str:
    return f"/applications/{shown.id}/form/{section}#{field}" if section else ""


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 100_000 else f"{max(1, round(size_bytes / 1e3))} kB"


def _criteria(shown: ApplicationShown) -> list[dict[str, Any]]:
    """The eight criteria with the votes on each, for who may read them; empty before the assessment."""
    if "vote" not in shown.commands and not shown.votes:
        return []
    found = []
    for criterion, (name, asks) in words.CRITERIA.items():
        cast = [vote for vote in shown.votes if vote.criterion == criterion.value]
        mine = next((vote for vote in cast if vote.is_mine), None)
        found.append(
            {
                "id": criterion.value,
                "name": name,
                "asks": asks,
                "cast": cast,
                "mine": mine.vote if mine else "",
                "note": mine.note if mine else "",
            }
        )
    return found


def _recommending(shown: ApplicationShown, form: Form, typed: Typed | None) -> dict[str, Any]:
    """What the form of the recommendation begins with: what was asked for."""
    field = form.field_that_means("uses")
    asked = shown.answers.get(field.id) if field else None
    chosen = typed.uses if typed and typed.verb == "recommend" else asked
    labels = {option.id: option.label["en"] for option in field.options} if field else {}
    return {
        "uses": [
            {"id": use, "label": labels.get(use, use), "is_chosen": use in (chosen or ())} for use in (asked or ())
        ],
        "days": shown.days or PermitDays("", ""),
    }
