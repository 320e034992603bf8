# SPDX-License-Identifier: Apache-2.0
"""The hub's datasets over HTTP, as pages: `/datasets` to find among them, `/datasets/{dataset}` for one."""

from litestar import Response, Router, get
from litestar.params import FromPath

from megagenome.kernel.errors import Invalid
from megagenome.portal.client import ask_own_app, read_reply, reader_of
from megagenome.portal.dataset_page import PER_PAGE, Asked, dataset_page, datasets_page
from megagenome.portal.pages import html
from megagenome.portal.site import error_pages
from megagenome.standards.harvested import FACETS, PATH, DatasetList, DatasetView
from megagenome.web import Http


@get("/datasets")
async def find(request: Http) -> Response[str]:
    """Those that fit."""
    asked = _read(request)
    try:
        return html(datasets_page(await _ask(request, asked), asked))
    except Invalid as error:
        everything = await _ask(request, Asked())
        return html(datasets_page(everything, Asked(text=asked.text[:500]), str(error)), 400)


@get("/datasets/{dataset:str}")
async def one(request: Http, dataset: FromPath[str]) -> Response[str]:
    """One, or that it is gone."""
    path = f"{PATH}/{dataset}"
    reply = await ask_own_app(reader_of(request), path, {})
    is_gone = reply.status == 410
    view = read_reply(reply._replace(status=200) if is_gone else reply, path, DatasetView)
    return html(dataset_page(view), 410 if is_gone else 200)


def dataset_router() -> Router:
    """Both."""
    return Router("/", route_handlers=[find, one], exception_handlers=error_pages, include_in_schema=False)


def _read(request: Http) -> Asked:
    query = request.query_params
    chosen = tuple((name, value) for name in FACETS for value in query.getall(name, []) if value)
    text, skip = query.get("q", "").strip(), query.get("skip", "0")
    is_number = skip.isascii() and skip.isdigit() and len(skip) < 9
    return Asked(text, chosen, int(skip) if is_number else 0, query.get("gone", "") == "yes")


async def _ask(request: Http, asked: Asked) -> DatasetList:
    query: dict[str, str | list[str]] = {"limit": str(PER_PAGE), "skip": str(asked.skip)}
    if asked.text:
        query["q"] = asked.text
    if asked.is_gone:
        query["gone"] = "yes"
    for name in FACETS:
        if values := [value for facet, value in asked.chosen if facet == name]:
            query[name] = values
    return read_reply(await ask_own_app(reader_of(request), PATH, query), PATH, DatasetList)
