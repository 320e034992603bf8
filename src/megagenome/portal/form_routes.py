# SPDX-License-Identifier: Apache-2.0
"""Writing a draft: a section at a time, documents with it, saved by a button or by the script every few seconds.

Only the fields of the section are changed, on what is saved now. When somebody else saved one of these fields since
the page was made, nothing is saved, and the page shows both texts.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.errors import Conflict, Invalid, MegagenomeError, NotFound, TooLarge, Unauthenticated
from megagenome.portal import application_pages as pages
from megagenome.portal.answers import Posted, in_words, merged, read_section, section_digest, without_attachment
from megagenome.portal.application_client import Access, Ordered, new_order
from megagenome.portal.client import reader_of
from megagenome.portal.commands import text_of
from megagenome.portal.pages import html
from megagenome.standards.application import ApplicationShown, Verb
from megagenome.standards.application_form import Around, FieldType, Form, Section, check_shape
from megagenome.standards.problem import problem, status_of
from megagenome.web import Http, answer_json

Page = Response[Any] | Redirect
LARGEST_UPLOAD_BYTES = 110_000_000
"""Of a section with its documents; the process says in words when one of them is too large."""


_MEANWHILE = (
    "Somebody who takes part saved this section while you wrote. Nothing of theirs is lost, and nothing of yours is "
    "saved yet: take over what you need from the texts marked “Saved meanwhile”, then save."
)
_AT_ONCE = "Somebody who takes part saved at the same moment, so this was not saved. Save again."


class Saved(msgspec.Struct, frozen=True):
    """What the script is told: the id of its next command, and what it has seen of the section now."""

    order: str
    seen: str


class Draft(NamedTuple):
    """A draft as it is saved now, and the section that is written."""

    access: Access
    shown: ApplicationShown
    form: Form
    section: Section


@get("/applications/{application:str}/form/{section:str}")
async def read(request: Http, application: FromPath[str], section: FromPath[str]) -> Page:
    """One section of the form."""
    draft = await _draft(request, application, section)
    saved = "saved" in request.query_params
    return html(pages.form_page(draft.shown, draft.form, draft.section, saved=saved))


@post(
    "/applications/{application:str}/form/{section:str}",
    status_code=200,
    request_max_body_size=LARGEST_UPLOAD_BYTES,
)
async def write(request: Http, application: FromPath[str], section: FromPath[str]) -> Page:
    """Save a section. To a script it says what was saved, as JSON; a browser is led on."""
    is_script = request.headers.get("accept", "").startswith("application/json")
    try:
        draft = await _draft(request, application, section)
        posted = await request.form()
        done = await _save(draft, posted)
    except MegagenomeError as error:
        if not is_script:
            raise
        return answer_json(problem(status_of(error), str(error)), status_of(error))
    if isinstance(done, Refused):
        if is_script:
            words = "; ".join(f"{name}: {says}" for name, says in done.wrong.items()) or done.says
            return answer_json(problem(done.status, words), done.status)
        return html(_shown_again(done), done.status)
    if is_script:
        return answer_json(Saved(new_order(), section_digest(draft.section, done)))
    then = text_of(posted, "then")
    known = {each.id for each in draft.form.sections}
    if then == "review":
        return Redirect(f"/applications/{application}/review", status_code=303)
    return Redirect(f"/applications/{application}/form/{then if then in known else section}?saved=1", status_code=303)


@post("/applications/{application:str}/documents/remove", status_code=200)
async def remove(request: Http, application: FromPath[str]) -> Page:
    """Take a document out, and out of the answers that name it."""
    posted = await request.form()
    document, section = text_of(posted, "attachment"), text_of(posted, "section")
    draft = await _draft(request, application, section)
    order, version = text_of(posted, "order"), draft.shown.version
    answers = without_attachment(draft.shown.answers, document)
    if answers != draft.shown.answers:
        ordered = Ordered(f"{order}.answers", version)
        version = (await draft.access.do(application, ordered, Verb.SAVE_DRAFT, {"answers": answers})).version
    await draft.access.do(application, Ordered(order, version), Verb.DETACH, {"attachment": document})
    return Redirect(f"/applications/{application}/form/{section}", status_code=303)


FORM_ROUTES = [read, write, remove]


class Refused(NamedTuple):
    """What could not be saved, and why."""

    draft: Draft
    answers: dict[str, Any]
    status: int
    says: str
    wrong: Mapping[str, str] = {}
    meanwhile: Mapping[str, str] = {}


async def _draft(request: Http, application: str, section: str) -> Draft:
    if VISIT.get().caller.subject is None:
        raise Unauthenticated("you are signed out: sign in, then save again")
    access = Access(reader_of(request))
    shown = await access.application(application)
    form = await access.form(shown.form)
    found = next((each for each in form.sections if each.id == section), None)
    if found is None or not pages.is_own(shown):
        raise NotFound("this application has no such section, or it is not for you to write")
    if Verb.SAVE_DRAFT not in shown.commands:
        raise Conflict("the application cannot be changed now: it is submitted, or over")
    return Draft(access, shown, form, found)


async def _save(draft: Draft, posted: Posted) -> dict[str, Any] | Refused:
    """The answers as saved, or why nothing was saved."""
    shown, section = draft.shown, draft.section
    order, seen = text_of(posted, "order"), text_of(posted, "seen")
    people = [str(person.key) for person in shown.people]
    changed = read_section(section, posted, people)
    answers = merged(shown.answers, changed)
    if wrong := _wrong(draft, answers):
        return Refused(draft, answers, 400, "Nothing was saved yet: some answers cannot be taken as they are.", wrong)
    if seen != section_digest(section, shown.answers) and (meanwhile := _meanwhile(draft, changed)):
        return Refused(draft, answers, 409, _MEANWHILE, {}, meanwhile)
    try:
        version, attached = await _attach(draft, posted, order)
        for field, documents in attached.items():
            answers[field] = [*answers.get(field, []), *documents]
        if answers != shown.answers:
            await draft.access.do(shown.id, Ordered(order, version), Verb.SAVE_DRAFT, {"answers": answers})
    except Conflict:
        return Refused(draft, answers, 409, _AT_ONCE)
    except (Invalid, TooLarge) as error:
        return Refused(draft, answers, status_of(error), f"This was not saved: {error}.")
    return answers


async def _attach(draft: Draft, posted: Posted, order: str) -> tuple[int, dict[str, list[str]]]:
    """Store the documents that came with the section: the version after, and by field their ids."""
    version = draft.shown.version
    found: dict[str, list[str]] = {}
    for field in draft.section.fields:
        if field.type is not FieldType.ATTACHMENT:
            continue
        for number, file in enumerate(posted.getall(f"file:{field.id}", [])):
            if not isinstance(file, UploadFile) or not file.filename:
                continue
            ordered = Ordered(f"{order}.{field.id[:40]}.{number}", version)
            done = await draft.access.attach(draft.shown.id, ordered, file.filename, await file.read())
            version = done.version
            found.setdefault(field.id, []).append(done.told["attachment"])
    return version, found


def _wrong(draft: Draft, answers: Mapping[str, Any]) -> dict[str, str]:
    """By field what no draft may have."""
    people = frozenset(str(person.key) for person in draft.shown.people)
    around = Around(people, frozenset(each.id for each in draft.shown.attachments))
    return {each.field: each.says for each in check_shape(draft.form, answers, around)}


def _meanwhile(draft: Draft, changed: Mapping[str, Any]) -> dict[str, str]:
    """What is saved now in fields of this section that the page would overwrite with something else."""
    kept = draft.shown.answers
    differs = {name for name, value in changed.items() if kept.get(name) is not None and kept.get(name) != value}
    names = {str(person.key): person.name for person in draft.shown.people}
    shown = in_words(draft.form, draft.section, kept, names)
    return {each.field: " / ".join(each.lines) or "other documents" for each in shown if each.field in differs}


def _shown_again(refused: Refused) -> str:
    draft = refused.draft
    return pages.form_page(
        draft.shown,
        draft.form,
        draft.section,
        answers=refused.answers,
        problem=refused.says,
        wrong=refused.wrong,
        meanwhile=refused.meanwhile,
    )
