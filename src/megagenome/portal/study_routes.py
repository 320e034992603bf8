# SPDX-License-Identifier: Apache-2.0
"""The pages of studies over HTTP. Each calls `/studies` in process, as the person who reads it."""

from collections.abc import Mapping

import anyio.to_thread
from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.errors import (
    Conflict,
    Invalid,
    NotEntitled,
    NotFound,
    RateLimited,
    TooLarge,
    Unauthenticated,
)
from megagenome.network.studies.result_files import PARQUET_TYPE, columns_of, csv_of, parquet_of
from megagenome.portal import study_pages as pages
from megagenome.portal.answers import Posted
from megagenome.portal.application_client import Access
from megagenome.portal.client import Hub, ask_own_app, reader_of
from megagenome.portal.commands import text_of, texts_of
from megagenome.portal.pages import HEADERS, html
from megagenome.portal.site import error_pages, to_sign_in
from megagenome.portal.study_client import Studies
from megagenome.portal.study_fields import METHODS, RULES
from megagenome.portal.study_form import cohort_questions, left_out, study_of
from megagenome.standards import study as study_document
from megagenome.standards.application import PartState, Scope, State
from megagenome.standards.permit import PermitDataset, PermitDocument
from megagenome.standards.pgs_catalog import ScoringFile, read_scoring_file
from megagenome.standards.problem import status_of
from megagenome.standards.study_shown import Decision, RunState
from megagenome.web import Http

Page = Response[str] | Redirect
LARGEST_FORM_BYTES = study_document.LARGEST_DOCUMENT_BYTES + 1_000_000
LARGEST_UPLOAD_BYTES = 256 << 20
"""With a scoring file, which is kept on disk and read line by line."""
REFUSALS = (Invalid, Conflict, NotEntitled, TooLarge, RateLimited)


def studies_of(request: Http) -> Studies:
    """The API as who reads the page. Raises `Unauthenticated`."""
    VISIT.get().caller.require_subject()
    return Studies(reader_of(request))


@get("/study")
async def mine(request: Http) -> Page:
    """One's own."""
    return html(pages.studies_page(await studies_of(request).list(), VISIT.get().caller))


@get("/study/new")
async def begin(request: Http) -> Page:
    """Where a study begins; with a permit and a method in the address, their form; with a study, its document."""
    studies, earlier = studies_of(request), request.query_params.get("from", "")
    if earlier:
        document = (await studies.content(earlier, "document")).decode()
        return html(pages.review_page(document, "", (), "Change what was wrong, then check it again."))
    access = Access(reader_of(request))
    application, method = request.query_params.get("permit", ""), request.query_params.get("method", "")
    if application and method in METHODS:
        permit, datasets = await _permit(access, application)
        return html(pages.form_page(method, application, permit, datasets))
    active = await access.list(Scope.MINE, [State.ACTIVE])
    return html(pages.begin_page(active.lines))


@post("/study/new", status_code=200, request_max_body_size=LARGEST_UPLOAD_BYTES)
async def fill(request: Http) -> Page:
    """From a filled-in form to its document."""
    studies, posted = studies_of(request), await request.form()
    method, application = text_of(posted, "method"), text_of(posted, "permit")
    if method not in METHODS:
        raise NotFound("there is no such method")
    permit, datasets = await _permit(Access(reader_of(request)), application)
    chosen = frozenset(texts_of(posted, "dataset"))
    texts = {field.name: text_of(posted, field.name) for field in (*METHODS[method].fields, *RULES)}
    try:
        scoring = await _scoring(posted, texts) if method == "score" else None
        cohorts = await _define(Hub(ask_own_app, studies.reader), cohort_questions(method, texts))
        picked = [each for each in datasets if pages.name_of(each) in chosen]
        document = study_of(method, texts, permit, picked, (await studies.sites()).keys, cohorts, scoring)
        content = study_document.encode(document)
        findings = (await studies.check(content)).findings
    except REFUSALS as error:
        problem = f"This is no study yet: {error}."
        return html(pages.form_page(method, application, permit, datasets, texts, chosen, problem), status_of(error))
    notes = left_out(scoring) if scoring else ()
    return html(pages.review_page(content.decode(), document.title, findings, notes=notes))


@post("/study", status_code=200)
async def run(request: Http) -> Page:
    """Check a document that was pasted or uploaded, or run it."""
    studies, posted = studies_of(request), await request.form()
    text = text_of(posted, "document")
    upload = posted.get("file")
    if isinstance(upload, UploadFile) and (content := await upload.read()):
        text = content.decode("utf-8", "replace")
    try:
        document = study_document.decode(text.encode())
        content = study_document.encode(document)
        if text_of(posted, "action") == "run":
            return Redirect(f"/study/{(await studies.run(content)).id}", status_code=303)
        return html(pages.review_page(content.decode(), document.title, (await studies.check(content)).findings))
    except REFUSALS as error:
        problem = f"This does not run: {error}."
        return html(pages.review_page(text, "", (), problem), status_of(error))


@get("/study/{study:str}")
async def one(request: Http, study: FromPath[str]) -> Page:
    """A study: its progress, or what it found."""
    return html(await _page(studies_of(request), study))


@post("/study/{study:str}/cancel", status_code=200)
async def cancel(request: Http, study: FromPath[str]) -> Page:
    """End it."""
    await studies_of(request).cancel(study)
    return Redirect(f"/study/{study}", status_code=303)


@get("/study/{study:str}/table/{name:str}")
async def table(request: Http, study: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A table as a file, `NAME.csv` or `NAME.parquet`."""
    result = await studies_of(request).result(study)
    stem, _, ending = name.rpartition(".")
    columns = columns_of(result, stem)
    if ending == "csv":
        content, kind = (await anyio.to_thread.run_sync(csv_of, columns)).encode(), "text/csv"
    elif ending == "parquet":
        content, kind = await anyio.to_thread.run_sync(parquet_of, columns), PARQUET_TYPE
    else:
        raise NotFound("tables are given as .csv and as .parquet")
    return _file(content, kind, f"{study}.{stem}.{ending}")


@get("/study/{study:str}/crate")
async def crate(request: Http, study: FromPath[str]) -> Response[bytes]:
    """The provenance crate."""
    return _file(await studies_of(request).content(study, "crate"), "application/zip", f"{study}.crate.zip")


@get("/study/{study:str}/document")
async def document(request: Http, study: FromPath[str]) -> Response[bytes]:
    """The study document."""
    content = await studies_of(request).content(study, "document")
    return _file(content, "application/json", f"{study}.json")


@get("/study/waiting")
async def waiting(request: Http) -> Page:
    """Results that wait, for a data steward."""
    return html(pages.waiting_page(await studies_of(request).waiting()))


@get("/study/waiting/{study:str}")
async def look(request: Http, study: FromPath[str]) -> Page:
    """One of them."""
    studies = studies_of(request)
    held = await studies.held(study)
    return html(await anyio.to_thread.run_sync(pages.check_page, await studies.waiting(), study, held))


@post("/study/waiting/{study:str}", status_code=200)
async def decide(request: Http, study: FromPath[str]) -> Page:
    """Release it, or refuse to."""
    studies, posted = studies_of(request), await request.form()
    reason, action = text_of(posted, "reason"), text_of(posted, "action")
    if action not in ("release", "refuse") or not reason:
        held = await studies.held(study)
        problem = "Nothing was decided: choose release or refuse, and write why."
        page = pages.check_page(await studies.waiting(), study, held, problem, reason)
        return html(page, 400)
    await studies.decide(study, Decision(action == "release", reason[:2000]))
    return Redirect("/study/waiting", status_code=303)


async def _page(studies: Studies, study: str) -> str:
    shown = await studies.show(study)
    result = await studies.result(study) if shown.state is RunState.FINISHED else None
    return await anyio.to_thread.run_sync(pages.study_page, shown, result)


async def _permit(access: Access, application: str) -> tuple[PermitDocument, list[PermitDataset]]:
    """A permit that is active, and those of its datasets that a country granted."""
    shown = await access.application(application)
    if shown.state is not State.ACTIVE:
        raise NotFound("this application has no permit that is active now")
    permit = await access.permit(application)
    granted = {(part.dataset.node, part.dataset.dataset) for part in shown.parts if part.state is PartState.APPROVED}
    return permit, [each for each in permit.datasets if (each.node, each.dataset) in granted]


async def _define(hub: Hub, questions: Mapping[str, str]) -> dict[str, str]:
    """The cohort of each question. Raises `Invalid`, naming the field."""
    found = {}
    for question, label in questions.items():
        try:
            found[question] = (await hub.cohort_definition(question)).definition
        except Invalid as error:
            raise Invalid(f"{label}: {str(error).removeprefix('cohort question: ')}") from None
    return found


async def _scoring(posted: Posted, texts: Mapping[str, str]) -> ScoringFile:
    given = [each for each in posted.getall("weights", []) if isinstance(each, UploadFile)]
    if not given or not given[0].filename:
        raise Invalid("choose a scoring file")
    return await anyio.to_thread.run_sync(read_scoring_file, given[0].file, texts.get("assembly", ""))


def _file(content: bytes, media_type: str, name: str) -> Response[bytes]:
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{safe[:120]}"', "cache-control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


def study_page_router() -> Router:
    """All of them, for a hub that has `/studies` mounted."""
    return Router(
        "/",
        route_handlers=[mine, begin, fill, run, one, cancel, table, crate, document, waiting, look, decide],
        exception_handlers={**error_pages, Unauthenticated: to_sign_in},
        include_in_schema=False,
        request_max_body_size=LARGEST_FORM_BYTES,
    )
