# SPDX-License-Identifier: Apache-2.0
"""A node's own start page: who it is, what it holds, and where machines find it."""

from collections.abc import Callable

import msgspec
from litestar import Response, Router, get
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from megagenome.kernel.errors import MegagenomeError
from megagenome.portal.pages import html, render
from megagenome.portal.site import show_error, static_file
from megagenome.standards.federation import DatasetState
from megagenome.web import Http


class Link(msgspec.Struct, frozen=True):
    """An address to show, relative to the node or whole."""

    title: str
    address: str
    what: str = ""


class NodeHome(msgspec.Struct, frozen=True):
    """What a node says of itself to anybody.

    country   ISO 3166-1 alpha-2
    datasets  the published ones only
    services  addresses for machines (Beacon, service-info, health)
    links     further pages for people, such as the portal of the network
    """

    name: str
    country: str
    version: str
    datasets: tuple[DatasetState, ...] = ()
    services: tuple[Link, ...] = ()
    links: tuple[Link, ...] = ()


def node_home_page(node: NodeHome) -> str:
    """The page."""
    return render("node.html", node=node)


def show_node_error(request: Http, error: Exception) -> Response[str]:
    """Any error as a page of a node, which has none of the hub's pages to lead to."""
    return show_error(request, error, on_node=True)


node_error_pages: ExceptionHandlersMap = {
    HTTPException: show_node_error,
    MegagenomeError: show_node_error,
    Exception: show_node_error,
}
"""For a router of a node's pages."""


def node_home_router(describe: Callable[[], NodeHome]) -> Router:
    """`/` and `/static` of a node. `describe` is called for each request, so that the page shows today's datasets."""

    @get("/", sync_to_thread=True, include_in_schema=False)
    def home() -> Response[str]:
        return html(node_home_page(describe()))

    return Router("/", route_handlers=[home, static_file], exception_handlers=node_error_pages)
