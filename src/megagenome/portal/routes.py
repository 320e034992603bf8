# SPDX-License-Identifier: Apache-2.0
"""The hub's pages over HTTP. Each reads its address, calls the API as its own caller, and renders in a thread."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import anyio.to_thread
from litestar import Response, Router, get
from litestar.di import Provide
from litestar.params import Dependency
from litestar.response import Redirect

from megagenome.kernel.errors import Invalid, MegagenomeError, Unavailable
from megagenome.portal import network_pages, tables
from megagenome.portal.client import Ask, Hub, PageRequest, ask_own_app
from megagenome.portal.cohort_page import cohort_page, look_up
from megagenome.portal.examples import ASSEMBLIES, EXAMPLES, Example
from megagenome.portal.network_pages import Search
from megagenome.portal.pages import address, download, html
from megagenome.portal.question import CohortForm, faults, question_text
from megagenome.portal.region_page import region_page
from megagenome.portal.site import error_pages, static_file
from megagenome.portal.variant_page import variant_page
from megagenome.standards.federation import NodeList

_PAGES = {"allele": "/variant", "region": "/region", "gene": "/region"}
"""Where each kind of resolved text is shown."""

AHub = Annotated[Hub, Dependency(skip_validation=True)]
SomeExamples = Annotated[Sequence[Example], Dependency(skip_validation=True)]


@get("/")
async def search(
    request: PageRequest, hub: AHub, examples: SomeExamples, q: str = "", assembly: str = ""
) -> Response[str] | Redirect:
    """The start page; with `q`, the way to the page of what it names."""
    text = q.strip()
    if not text:
        return html(
            network_pages.search_page(await _network(hub), examples, Search(assembly=assembly or ASSEMBLIES[0]))
        )
    try:
        found = await hub.resolve(text, assembly)
        page = _PAGES[found.kind]
    except Invalid as error:
        return await _not_understood(hub, examples, Search(q, assembly), str(error))
    except KeyError:
        raise Unavailable(
            "the text names something that this portal has no page for; it is older than its hub"
        ) from None
    return Redirect(address(page, q=found.gene or found.text, assembly=found.assembly), status_code=303)


@get("/variant")
async def variant(hub: AHub, examples: SomeExamples, q: str = "", assembly: str = "") -> Response[str]:
    """The page of one variant."""
    try:
        answer = await hub.variant(q.strip(), assembly)
    except Invalid as error:
        return await _not_understood(hub, examples, Search(q, assembly), str(error))
    return html(await anyio.to_thread.run_sync(variant_page, answer))


@get("/variant.csv")
async def variant_csv(hub: AHub, q: str = "", assembly: str = "", table: str = "") -> Response[bytes]:
    """Its frequencies, or with `table=nodes` how each node took part."""
    answer = await hub.variant(q.strip(), assembly)
    name = f"megagenome-{answer.query.text}-{answer.query.assembly}"
    if table == "nodes":
        return download(tables.nodes_csv(answer), f"{name}-nodes")
    return download(tables.frequencies_csv(answer), name)


@get("/region")
async def region(hub: AHub, examples: SomeExamples, q: str = "", assembly: str = "", skip: int = 0) -> Response[str]:
    """The page of a region or gene, from row `skip` on."""
    try:
        answer = await hub.region(q.strip(), assembly, skip)
    except Invalid as error:
        return await _not_understood(hub, examples, Search(q, assembly), str(error))
    return html(await anyio.to_thread.run_sync(region_page, answer))


@get("/region.csv")
async def region_csv(hub: AHub, q: str = "", assembly: str = "", skip: int = 0) -> Response[bytes]:
    """The variants of the same rows."""
    answer = await hub.region(q.strip(), assembly, skip)
    name = f"megagenome-{answer.query.text}-{answer.query.assembly}-from-{answer.skip + 1}"
    return download(await anyio.to_thread.run_sync(tables.variants_csv, answer), name)


@get("/cohort")
async def cohort(request: PageRequest, hub: AHub) -> Response[str]:
    """The form; once something is asked, the choices that are left to make or the counts."""
    form = CohortForm.read(request.query_params)
    network = await _network(hub)
    page = partial(cohort_page, countries=[node.country for node in network.nodes] if network else [])
    if not request.query_params:
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
    return html(page(terms.form, terms=terms, answer=answer, hub=str(request.base_url).rstrip("/")))


@get("/cohort.csv")
async def cohort_csv(request: PageRequest, hub: AHub) -> Response[bytes]:
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
async def help_(request: PageRequest) -> Response[str]:
    """How to ask, and what the numbers mean."""
    return html(network_pages.help_page(str(request.base_url)))


def portal_router(ask: Ask = ask_own_app, examples: Sequence[Example] = EXAMPLES) -> Router:
    """All pages of the hub. `ask` reaches the API; by default it is that of the application the router is mounted in."""

    async def provide_hub(request: PageRequest) -> Hub:
        return Hub(ask, request)

    async def provide_examples() -> Sequence[Example]:
        return examples

    pages = [search, variant, variant_csv, region, region_csv, cohort, cohort_csv, nodes, nodes_csv, help_, static_file]
    return Router(
        "/",
        route_handlers=pages,
        dependencies={"hub": Provide(provide_hub), "examples": Provide(provide_examples)},
        exception_handlers=error_pages,
        include_in_schema=False,
    )


async def _network(hub: Hub) -> NodeList | None:
    """The nodes, for what pages say in passing: a page whose own question can be answered does not fail for them."""
    try:
        return await hub.nodes()
    except MegagenomeError:
        return None


async def _not_understood(hub: Hub, examples: Sequence[Example], search: Search, reason: str) -> Response[str]:
    return html(network_pages.search_page(await _network(hub), examples, search, reason), 400)
