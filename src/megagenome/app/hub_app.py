# SPDX-License-Identifier: Apache-2.0
"""A hub's web application: the network's API and Beacon, the portal, the application process, its health."""

from functools import partial

from megagenome import __version__
from megagenome.app.cohorts import define_cohort
from megagenome.app.describe import describe_hub, hub_url
from megagenome.app.hub import Hub, joined_of
from megagenome.app.hub_access import hub_access
from megagenome.app.hub_catalogue import hub_catalogue
from megagenome.app.hub_studies import hub_studies
from megagenome.app.ledger import open_keys
from megagenome.app.ledger_routes import ledger_router
from megagenome.app.passports import explaining
from megagenome.app.routes import identity_router, service_router
from megagenome.app.sign_in import STUDIES, sign_in
from megagenome.app.web import WebApp, elsewhere
from megagenome.identity.spoken_for import Speaker
from megagenome.kernel.ledger import Ledger
from megagenome.network.describe import service_info
from megagenome.network.join_routes import join_router
from megagenome.network.offered import Offered
from megagenome.network.routes import hub_routes
from megagenome.portal.application_routes import application_router
from megagenome.portal.dataset_routes import dataset_router
from megagenome.portal.examples import EXAMPLES, Example
from megagenome.portal.ledger_page import ledger_page_router
from megagenome.portal.passport_page import passport_router
from megagenome.portal.routes import portal_router
from megagenome.portal.site import error_pages, show_error
from megagenome.portal.study_routes import study_page_router
from megagenome.reference import resolve


def hub_app(hub: Hub) -> WebApp:
    """The application of an open hub. Raises `Invalid` when a node stands twice in its list."""
    settings = hub.settings
    examples = [Example(each.text, each.assembly, each.kind) for each in settings.examples]
    info = service_info(settings.hub, hub_url(settings))
    keys = open_keys(hub.folder)
    joined, speaker = partial(joined_of, hub), Speaker(hub_url(settings), keys)
    network = hub_routes(
        settings.hub, settings.network, settings.nodes, resolve, joined, speaker.speak_for, define_cohort
    )
    descriptor = describe_hub(settings, keys)
    ledger = Ledger(hub.engine, keys, settings.hub.id)
    access = hub_access(hub, keys, descriptor, ledger, Offered(network.network).against)
    studies = hub_studies(hub, keys, descriptor, ledger, access.reader)
    catalogue = hub_catalogue(hub)
    passports = explaining(hub.folder)
    signing = sign_in(hub.engine, settings.signin, settings.hub.url, settings.server.notice, tokens_below=STUDIES)
    return WebApp(
        [
            *signing.routers(error_pages),
            ledger_router(ledger),
            ledger_page_router(error_pages, on_node=False),
            passport_router(passports.explain, error_pages, on_node=False),
            network.router,
            portal_router(examples=examples or EXAMPLES),
            application_router(),
            study_page_router(),
            dataset_router(),
            service_router(info, lambda: True, __version__),
            identity_router(descriptor, keys.jwks()),
            join_router(hub.engine, settings.hub.id, settings.nodes),
            *access.routers,
            *studies.routers,
            catalogue.router,
        ],
        exception_handlers=elsewhere(show_error),
        middleware=[signing.callers],
        lifespan=[network.lifespan, *access.lifespans, studies.lifespan, catalogue.lifespan, passports.lifespan],
        on_shutdown=[hub.engine.dispose],
        openapi_config=None,
    )
