# SPDX-License-Identifier: Apache-2.0
"""A node's web application: its Beacon, its start page, its country's desk, its health."""

from megagenome import __version__
from megagenome.app.archive import keep_verified, keep_whole, open_archive
from megagenome.app.as_published import AsPublished
from megagenome.app.countersigned import Countersigned
from megagenome.app.delivery import NodeDelivery
from megagenome.app.describe import describe_node, node_url
from megagenome.app.grants import grants_of
from megagenome.app.hub_bearer import HubBearer
from megagenome.app.journal import LedgerJournal
from megagenome.app.ledger import keep_tally, open_keys
from megagenome.app.ledger_routes import ledger_router
from megagenome.app.node import Node, trust_of
from megagenome.app.node_access import node_access
from megagenome.app.node_studies import node_studies
from megagenome.app.own_genome_routes import own_genome_router
from megagenome.app.passports import explaining
from megagenome.app.place import place_of
from megagenome.app.reception import node_reception
from megagenome.app.routes import identity_router, service_router
from megagenome.app.sign_in import INBOX, sign_in
from megagenome.app.web import WebApp, elsewhere
from megagenome.archive.routes import recipient_router
from megagenome.catalogue.catalogue import Catalogue
from megagenome.catalogue.preview import Previews
from megagenome.catalogue.routes import catalogue_router
from megagenome.catalogue.steward import Stewardship
from megagenome.catalogue.steward_routes import steward_router
from megagenome.collection.model import DatasetState
from megagenome.discovery.answer import Beacon
from megagenome.discovery.describe import service_info
from megagenome.discovery.model import Identity
from megagenome.discovery.routes import discovery_router
from megagenome.identity.passports import Passports
from megagenome.identity.visa_mint import VisaMint
from megagenome.identity.visa_routes import visa_router
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.ledger_tally import AggregateTally
from megagenome.portal.catalogue_page import catalogue_page
from megagenome.portal.ledger_page import ledger_page_router
from megagenome.portal.node_desk import node_desk_router
from megagenome.portal.node_home import Link, NodeHome, node_error_pages, node_home_router, show_node_error
from megagenome.portal.own_genome_page import own_genome_page_router
from megagenome.portal.pages import HEADERS
from megagenome.portal.passport_page import passport_router
from megagenome.portal.record_page import record_page_router
from megagenome.portal.submission_pages import submission_router
from megagenome.standards import federation
from megagenome.standards.submission import is_part

_SERVICES = (
    Link("GA4GH Beacon v2", "/beacon/v2", "counts of alleles and people, as far as disclosure control lets them out"),
    Link("FAIR Data Point", "/fairdp", "the catalogue: datasets as DCAT, in the GDI profile and HealthDCAT-AP"),
    Link("GA4GH htsget", "/ga4gh/htsget/v1/variants/service-info", "slices of genotypes and of reads, by permit"),
    Link("GA4GH DRS", "/ga4gh/drs/v1/service-info", "files, by permit"),
    Link("Service information", "/service-info", "who runs this and which version"),
    Link("Health", "/health", "whether it can answer now"),
)


def node_app(node: Node) -> WebApp:
    """The application of an open node."""
    settings = node.settings
    me = settings.node
    url = node_url(settings)
    name = me.organisation or me.name
    identity = Identity(me.id, me.name, url, me.id, name, url, __version__, country=me.country)
    info = service_info(identity, settings.discovery)
    keys = open_keys(node.folder)
    ledger = Ledger(node.collection.engine, keys, me.id)
    node.collection.journal = LedgerJournal(ledger)
    tally = AggregateTally(ledger)
    descriptor = describe_node(settings, keys)
    access = node_access(node, keys, ledger, descriptor)
    node.collection.require_fresh = access.freshness.require
    node.collection.prove = Countersigned(keys.key_set()).require
    studies = node_studies(node, keys, ledger, descriptor)
    archive = open_archive(node, keys, ledger)
    reception = node_reception(node, archive, keys, ledger)

    beacon = Beacon(node.collection, node.reference, identity, settings.discovery, tally.count)

    def home() -> NodeHome:
        published = [d for d in node.collection.snapshot().datasets if d.state is DatasetState.PUBLISHED]
        datasets = tuple(federation.DatasetState(d.id, d.title, d.description, d.open) for d in published)
        return NodeHome(me.name, me.country, __version__, datasets, _SERVICES)

    place = place_of(settings)
    catalogue = Catalogue(node.collection, place, lambda: beacon.people_told(PUBLIC), tally.count)
    as_published = AsPublished(node, archive, identity)
    previews = Previews(node.collection, place, as_published.people, as_published.answers)
    explained = explaining(node.folder)
    signing = sign_in(node.collection.engine, settings.signin, me.url, settings.server.notice, tokens_below=INBOX)
    mint = VisaMint(keys, url, grants_of(node.collection))
    passports = Passports(trust_of(node.folder), mint)
    signing.callers.bearers += [HubBearer(node.collection.engine, url).caller, passports.caller]
    signing.callers.takes_no_form = is_part
    delivery = NodeDelivery(node, archive, keys, info, signing.callers)
    return WebApp(
        [
            *signing.routers(node_error_pages, on_node=True),
            ledger_router(ledger),
            ledger_page_router(node_error_pages, on_node=True),
            passport_router(explained.explain, node_error_pages, on_node=True),
            discovery_router(beacon),
            catalogue_router(catalogue, catalogue_page, HEADERS),
            steward_router(Stewardship(node.collection, place), previews),
            record_page_router(),
            service_router(info, lambda: node.collection.version >= 0, __version__),
            identity_router(descriptor, keys.jwks()),
            recipient_router(archive.keys),
            reception.router,
            *delivery.routers,
            access.router,
            node_desk_router(),
            submission_router(),
            visa_router(mint, passports),
            own_genome_router(node.collection, settings.collection.release_longest_delay_days),
            own_genome_page_router(),
            node_home_router(home),
        ],
        exception_handlers=elsewhere(show_node_error),
        middleware=[signing.callers],
        openapi_config=None,
        lifespan=[
            keep_tally(tally),
            access.exchange.lifespan,
            explained.lifespan,
            keep_whole(archive),
            keep_verified(archive),
            reception.lifespan,
            delivery.lifespan,
            *([studies.lifespan] if studies else []),
        ],
        on_shutdown=[as_published.close, passports.aclose, node.collection.close],
    )
