# SPDX-License-Identifier: Apache-2.0
"""Pages of data stewards: the datasets of their node, and the record of one, with each message at its field.

They call the node's `/metadata` in process, as the person who reads, and show no more than that tells.
"""

from typing import NamedTuple, TypeVar

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated
from megagenome.kernel.ids import parse_dataset_id
from megagenome.portal.catalogue_page import catalogue_page
from megagenome.portal.client import Reader, Sent, ask_own_app, read_content, read_reply, reader_of, send_own_app
from megagenome.portal.commands import text_of
from megagenome.portal.node_home import node_error_pages
from megagenome.portal.pages import html, render
from megagenome.portal.record_form import ident_of, read_form, sections
from megagenome.portal.site import to_sign_in
from megagenome.standards.catalogue_pages import (
    STEWARD_PATH,
    UNPUBLISHED,
    PublicPreview,
    StewardLine,
    StewardView,
    ToMove,
    ToWrite,
    Written,
)
from megagenome.standards.dataset_fields import field_of, topics
from megagenome.standards.dataset_record import LARGEST_BYTES, DatasetRecord, Problem
from megagenome.standards.duo import TERMS
from megagenome.standards.problem import status_of
from megagenome.web import Http

Page = Response[str] | Redirect
Answer = TypeVar("Answer")

SAID = {
    "recorded": "Recorded. If the dataset is published, the catalogue shows this now.",
    "draft": "Kept as a draft. Nothing of it is shown to anybody but stewards.",
    "published": "Published: collection, Beacon, access and catalogue show the dataset from now on.",
    "withdrawn": "Withdrawn: nothing shows the dataset any more.",
}


class _Desk(NamedTuple):
    """The node's routes as functions; each raises the condition that was answered with."""

    reader: Reader

    async def datasets(self) -> tuple[StewardLine, ...]:
        return await self._ask(STEWARD_PATH, tuple[StewardLine, ...])

    async def view(self, dataset: str) -> StewardView:
        return await self._ask(_at(dataset), StewardView)

    async def preview(self, dataset: str) -> PublicPreview:
        return await self._ask(f"{_at(dataset)}/preview", PublicPreview)

    async def write(self, dataset: str, to_write: ToWrite) -> Written:
        sent = Sent(msgspec.json.encode(to_write))
        path = _at(dataset)
        return read_reply(await send_own_app(self.reader, path, {}, sent), path, Written)

    async def move(self, dataset: str, to: str) -> None:
        sent = Sent(msgspec.json.encode(ToMove(to)))
        read_content(await send_own_app(self.reader, f"{_at(dataset)}/state", {}, sent))

    async def _ask(self, path: str, kind: type[Answer]) -> Answer:
        return read_reply(await ask_own_app(self.reader, path, {}), path, kind)


def list_page(datasets: tuple[StewardLine, ...]) -> str:
    """All datasets, and what is left to state of each."""
    return render("records.html", datasets=datasets)


def record_page(
    view: StewardView,
    *,
    typed: DatasetRecord | None = None,
    problems: tuple[Problem, ...] | None = None,
    problem: str = "",
    said: str = "",
) -> str:
    """The form of one record. `typed` is what could not be recorded, with its `problems`; else what was saved last."""
    record = typed if typed is not None else view.record
    wrong = problems or ()
    links = [(f"#{ident_of(each.field)}" if each.field else "", _in_list(each)) for each in wrong]
    return render(
        "record.html",
        view=view,
        sections=sections(record, wrong, is_open=view.is_open),
        links=links,
        problem=problem,
        said=said,
        left=topics(view.problems),
        terms=TERMS,
        has_preview=view.state != "published" or (bool(view.history) and view.history[0].draft),
    )


def _in_list(problem: Problem) -> str:
    label = field_of(problem.field).label if problem.field else ""
    return problem.says if not label or problem.says.startswith(label) else f"{label}: {problem.says}"


@get("/datasets")
async def datasets(request: Http) -> Page:
    """The list."""
    return html(list_page(await _desk(request).datasets()))


@get("/datasets/{dataset:str}")
async def one(request: Http, dataset: FromPath[str]) -> Page:
    """The form."""
    view = await _desk(request).view(dataset)
    return html(record_page(view, said=SAID.get(request.query_params.get("done", ""), "")))


@get("/datasets/{dataset:str}/preview")
async def preview(request: Http, dataset: FromPath[str]) -> Page:
    """What everybody would see, by the catalogue's own page."""
    found = await _desk(request).preview(dataset)
    page = html(catalogue_page(found.page, found))
    page.headers |= UNPUBLISHED
    return page


@post("/datasets/{dataset:str}", status_code=200)
async def save(request: Http, dataset: FromPath[str]) -> Page:
    """Record, keep as a draft, publish or withdraw."""
    desk, posted = _desk(request), await request.form()
    act = text_of(posted, "act")
    if act in ("published", "withdrawn"):
        return await _move(desk, dataset, act)
    record = read_form(posted)
    try:
        written = await desk.write(dataset, ToWrite(record, act == "draft"))
    except Invalid as error:
        page = record_page(await desk.view(dataset), typed=record, problem=f"Nothing was saved: {error}.")
        return html(page, status_of(error))
    if written.problems:
        words = "Nothing was recorded. Correct what is marked, or keep it as a draft:"
        page = record_page(await desk.view(dataset), typed=record, problems=written.problems, problem=words)
        return html(page, 400)
    return Redirect(f"/datasets/{dataset}?done={'draft' if act == 'draft' else 'recorded'}", status_code=303)


async def _move(desk: _Desk, dataset: str, to: str) -> Page:
    try:
        await desk.move(dataset, to)
    except Conflict as error:
        return html(record_page(await desk.view(dataset), problem=f"Nothing was changed: {error}."), status_of(error))
    return Redirect(f"/datasets/{dataset}?done={to}", status_code=303)


def record_page_router() -> Router:
    """The pages, for a node that has the `/metadata` routes mounted."""
    return Router(
        "/",
        route_handlers=[datasets, one, preview, save],
        exception_handlers={**node_error_pages, Unauthenticated: to_sign_in},
        include_in_schema=False,
        request_max_body_size=LARGEST_BYTES * 2,
    )


def _desk(request: Http) -> _Desk:
    VISIT.get().caller.require_subject()
    return _Desk(reader_of(request))


def _at(dataset: str) -> str:
    try:
        return f"{STEWARD_PATH}/{parse_dataset_id(dataset)}"
    except Invalid:
        raise NotFound("there is no such dataset at this node") from None
