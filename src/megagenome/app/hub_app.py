# SPDX-License-Identifier: Apache-2.0
"""A hub's web application: the network's API and Beacon, the portal, its health."""

from litestar import Litestar

from megagenome import __version__
from megagenome.app.hub import Hub
from megagenome.app.routes import error_handlers, service_router
from megagenome.network.describe import service_info
from megagenome.network.routes import hub_routes
from megagenome.portal.examples import EXAMPLES, Example
from megagenome.portal.routes import portal_router
from megagenome.portal.site import error_pages
from megagenome.reference import resolve


def hub_app(hub: Hub) -> Litestar:
    """The application of an open hub. Raises `Invalid` when a node stands twice in its list."""
    settings = hub.settings
    url = settings.hub.url or f"http://{settings.server.host}:{settings.server.port}"
    network = hub_routes(settings.hub, settings.network, settings.nodes, resolve)
    examples = [Example(each.text, each.assembly, each.kind) for each in settings.examples]
    return Litestar(
        [
            network.router,
            portal_router(examples=examples or EXAMPLES),
            service_router(service_info(settings.hub, url), lambda: True, __version__),
        ],
        lifespan=[network.lifespan],
        exception_handlers=error_handlers(error_pages),
        openapi_config=None,
    )
