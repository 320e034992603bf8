# SPDX-License-Identifier: Apache-2.0
"""The hub's pages over HTTP. Each reads its address, calls the API as its own caller, and renders in a thread."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import anyio.to_thread
from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery
from litestar.response import Redirect

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.errors import Invalid, Unavailable
from megagenome.portal import network_pages, tables
from megagenome.portal.client import Ask, Glance, Hub, ask_own_app, reader_of
from megagenome.portal.cohort_client import Cohorts
from megagenome.portal.cohort_page import cohort_page, look_up
from megagenome.portal.examples import EXAMPLES, Example
from megagenome.portal.network_pages import Search
from megagenome.portal.pages import address, download, html
from megagenome.portal.question import CohortForm, faults, question_text
from megagenome.portal.region_page import region_page
from megagenome.portal.site import error_pages, static_file
from megagenome.portal.variant_page import variant_page
from megagenome.web import Http

_PAGES = {"allele": "/variant", "region": "/region", "gene": "/region"}
"""Where each kind of resolved text is shown."""


class Shared(NamedTuple):
    """What the pages of one portal share."""

    examples: Sequence[Example]
    glance: Glance


AHub = NamedDependency[Hub]
AShared = NamedDependency[Shared]
Text = FromQuery[str]
Row = FromQuery[int]


@get("/")
async def search(hub: AHub, shared: AShared, q: Text = "", assembly: Text = "") -> Response[str] | Redirect:
    """The start page; with `q`, the way to the page of what it names."""
    text = q.strip()
    if not text:
        network = await shared.glance.look(hub)
        return html(network_pages.search_page(network, shared.examples, Search(assembly=assembly)))
    try:
        found = await hub.resolve(text, assembly)
    except Invalid as error:
        return await _not_understood(hub, shared, Search(q, assembly), str(error))
    if found.kind not in _PAGES:
        raise Unavailable(f"{found.text} names something that this portal has no page for; it is older than its hub")
    query = {"q": found.text, "assembly": found.assembly}
    return Redirect(address(_PAGES[found.kind], query), status_code=303)


@get("/variant")
async def variant(hub: AHub, shared: AShared, q: Text = "", assembly: Text = "") -> Response[str]:
    """The page of one variant."""
    try:
        answer = await hub.variant(q.strip(), assembly)
    except Invalid as error:
        return await _not_understood(hub, shared, Search(q, assembly), str(error))
    return html(await anyio.to_thread.run_sync(variant_page, answer))


@get("/variant.csv")
async def variant_csv(hub: AHub, q: Text = "", assembly: Text = "", table: Text = "") -> Response[bytes]:
    """Its frequencies, or with `table=nodes` how each node took part."""
    answer = await hub.variant(q.strip(), assembly)
    name = f"megagenome-{answer.query.text}-{answer.query.assembly}"
    if table == "nodes":
        return download(tables.nodes_csv(answer), f"{name}-nodes")
    return download(tables.frequencies_csv(answer), name)


@get("/region")
async def region(hub: AHub, shared: AShared, q: Text = "", assembly: Text = "", skip: Row = 0) -> Response[str]:
    """The page of a region or gene, from row `skip` on."""
    try:
        answer = await hub.region(q.strip(), assembly, skip)
    except Invalid as error:
        return await _not_understood(hub, shared, Search(q, assembly), str(error))
    return html(await anyio.to_thread.run_sync(region_page, answer))


@get("/region.csv")
async def region_csv(hub: AHub, q: Text = "", assembly: Text = "", skip: Row = 0) -> Response[bytes]:
    """The variants of the same rows."""
    answer = await hub.region(q.strip(), assembly, skip)
    name = f"megagenome-{answer.query.text}-{answer.query.assembly}-from-{answer.skip + 1}"
    return download(await anyio.to_thread.run_sync(tables.variants_csv, answer), name)


@get("/cohort")
async def cohort(request: Http, hub: AHub, shared: AShared) -> Response[str]:
    """The form; once something is asked, the choices that are left to make or the counts."""
    form = CohortForm.read(request.query_params)
    network = await shared.glance.look(hub)
    page = partial(cohort_page, countries=[node.country for node in network.nodes] if network else [])
    if set(request.query_params) <= {"dataset"}:
        return html(page(form))
    if wrong := faults(form):
        return html(page(form, wrong=wrong), 400)
    terms = await look_up(hub, form)
    if terms.choices:
        return html(page(terms.form, terms=terms))
    try:
        answer = await hub.cohort(question_text(terms.form))
    except Invalid as error:
        return html(page(terms.form, terms=terms, wrong={"": str(error)}), 400)
    saved = None
    if answer.cohort and VISIT.get().caller.subject is not None:
        saved = await Cohorts(hub.reader, hub.ask).find(answer.cohort)
    return html(page(terms.form, terms=terms, answer=answer, saved=saved, hub=str(request.base_url).rstrip("/")))


@get("/cohort.csv")
async def cohort_csv(request: Http, hub: AHub) -> Response[bytes]:
    """The counts by node."""
    form = CohortForm.read(request.query_params)
    if wrong := faults(form):
        raise Invalid(" ".join(wrong.values()))
    terms = await look_up(hub, form)
    if terms.choices:
        raise Invalid(f"choose one term for {' and '.join(terms.choices)} first")
    return download(tables.nodes_csv(await hub.cohort(question_text(terms.form))), "megagenome-cohort")


@get("/nodes")
async def nodes(hub: AHub) -> Response[str]:
    """The network's nodes."""
    return html(network_pages.nodes_page(await hub.nodes()))


@get("/nodes.csv")
async def nodes_csv(hub: AHub) -> Response[bytes]:
    """The nodes with their datasets."""
    return download(tables.network_csv(await hub.nodes()), "megagenome-nodes")


@get("/help")
async def help_(request: Http) -> Response[str]:
    """How to ask, and what the numbers mean."""
    return html(network_pages.help_page(str(request.base_url)))


def portal_router(ask: Ask = ask_own_app, examples: Sequence[Example] = EXAMPLES) -> Router:
    """All pages of the hub. `ask` reaches the API; by default that of the application that the router is mounted in."""
    shared = Shared(examples, Glance())

    async def provide_hub(request: Http) -> Hub:
        return Hub(ask, reader_of(request))

    async def provide_shared() -> Shared:
        return shared

    pages = [search, variant, variant_csv, region, region_csv, cohort, cohort_csv, nodes, nodes_csv, help_, static_file]
    return Router(
        "/",
        route_handlers=pages,
        dependencies={"hub": Provide(provide_hub), "shared": Provide(provide_shared)},
        exception_handlers=error_pages,
        include_in_schema=False,
    )


async def _not_understood(hub: Hub, shared: Shared, search: Search, reason: str) -> Response[str]:
    network = await shared.glance.look(hub)
    return html(network_pages.search_page(network, shared.examples, search, reason), 400)
