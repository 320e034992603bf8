# SPDX-License-Identifier: Apache-2.0
"""The hub's catalogue put together: which catalogues it harvests, what its server does for that, and its routes."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from litestar import Router

from megagenome import __version__
from megagenome.app.describe import hub_url
from megagenome.app.hub import Hub, joined_of
from megagenome.catalogue.harvest.find import Finder
from megagenome.catalogue.harvest.harvester import SETTINGS, Harvester, foreign_point, point_of_node
from megagenome.catalogue.harvest.model import Point
from megagenome.catalogue.harvest.republish import HubPlace
from megagenome.catalogue.harvest.routes import harvest_router
from megagenome.catalogue.harvest.store import Store
from megagenome.network.joined_nodes import with_joined


class HubCatalogue(NamedTuple):
    """Its router, and what runs while the server does."""

    router: Router
    lifespan: Callable[[object], AbstractAsyncContextManager[None]]


def hub_catalogue(hub: Hub) -> HubCatalogue:
    """The catalogue over a hub's database."""
    me = hub.settings.hub
    place = HubPlace(hub_url(hub.settings), me.name, me.organisation or me.name, __version__)
    return HubCatalogue(harvest_router(Finder(hub.engine), place), harvester_of(hub).lifespan)


def harvester_of(hub: Hub) -> Harvester:
    """What harvests for a hub."""
    return Harvester(Store(hub.engine), hub.settings.harvest, lambda: points_of(hub))


def points_of(hub: Hub) -> tuple[Point, ...]:
    """The catalogues of the nodes that belong to the network now, and those that settings name."""
    nodes = with_joined(hub.settings.nodes, joined_of(hub))
    foreign = (foreign_point(each, SETTINGS) for each in hub.settings.fair_data_points)
    return (*(point_of_node(node.id, node.url, node.title, node.country) for node in nodes), *foreign)
