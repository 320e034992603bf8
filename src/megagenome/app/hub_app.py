# SPDX-License-Identifier: Apache-2.0
"""A hub's web application: the network's API and Beacon, the portal, its health."""

from megagenome import __version__
from megagenome.app.access import open_access
from megagenome.app.cohorts import define_cohort
from megagenome.app.hub import Hub
from megagenome.app.ledger import open_keys
from megagenome.app.routes import identity_router, service_router
from megagenome.app.sign_in import sign_in
from megagenome.app.web import WebApp, elsewhere
from megagenome.kernel import clock
from megagenome.network.describe import PREFIX, service_info
from megagenome.network.routes import hub_routes
from megagenome.portal.application_routes import application_router
from megagenome.portal.examples import EXAMPLES, Example
from megagenome.portal.routes import portal_router
from megagenome.portal.site import error_pages, show_error
from megagenome.reference import resolve
from megagenome.standards.descriptor import DescribedService, sign_descriptor


def hub_app(hub: Hub) -> WebApp:
    """The application of an open hub. Raises `Invalid` when a node stands twice in its list."""
    settings = hub.settings
    url = settings.hub.url or f"http://{settings.server.host}:{settings.server.port}"
    network = hub_routes(settings.hub, settings.network, settings.nodes, resolve, define_cohort)
    examples = [Example(each.text, each.assembly, each.kind) for each in settings.examples]
    info = service_info(settings.hub, url)
    keys = open_keys(hub.folder)
    described = sign_descriptor(
        keys,
        id=settings.hub.id,
        kind="hub",
        name=settings.hub.name,
        country="",
        url=url,
        version=__version__,
        services=(DescribedService(info.type, url + PREFIX),),
        iat=int(clock.now().timestamp()),
    )
    access = open_access(hub)
    signing = sign_in(hub.engine, settings.signin, settings.hub.url)
    return WebApp(
        [
            *signing.routers(error_pages),
            network.router,
            access.router,
            portal_router(examples=examples or EXAMPLES),
            application_router(),
            service_router(info, lambda: True, __version__),
            identity_router(described, keys.jwks()),
        ],
        exception_handlers=elsewhere(show_error),
        middleware=[signing.callers],
        lifespan=[network.lifespan, access.lifespan],
        on_shutdown=[hub.engine.dispose],
        openapi_config=None,
    )
