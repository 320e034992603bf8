# SPDX-License-Identifier: Apache-2.0
"""`megagenome hub harvest`: which catalogues a hub harvests, and how that went."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from megagenome.app.hub import Hub, open_hub
from megagenome.kernel.errors import Conflict, Invalid, NotFound
from megagenome.kernel.ids import UNKNOWN_COUNTRY
from megagenome.kernel.output import Json, show, table
from megagenome.standards.harvested import Source

Folder = Annotated[Path, Parameter(help="The hub's folder.")]


class Harvested(msgspec.Struct, frozen=True):
    """The catalogues that are harvested, and how many datasets there are of all."""

    datasets: int
    sources: tuple[Source, ...]


def harvest(
    folder: Folder,
    /,
    *,
    add: str = "",
    remove: str = "",
    name: str = "",
    country: str = UNKNOWN_COUNTRY,
    host: tuple[str, ...] = (),
    now: bool = False,
    json: Json = False,
) -> None:
    """List the catalogues whose datasets the portal shows: those of all nodes, and FAIR Data Points elsewhere.

    A running hub harvests all of them every hour, and those of nodes as soon as their lists change.

    Parameters
    ----------
    add
        Address of a FAIR Data Point elsewhere that is to be harvested, too.
    remove
        Address of one that was added: it is harvested no more, and its datasets are gone.
    name
        With --add: what people read; default its host.
    country
        With --add: its country, ISO 3166-1 alpha-2.
    host
        With --add: another host that it may lead to; repeat it for several.
    now
        Harvest everything now.
    """
    from megagenome.catalogue.harvest.find import Finder  # these commands alone need it

    opened = open_hub(folder)
    if add:
        _add(opened, add, name, country, host)
    if remove:
        _remove(opened, remove)
    if now:
        _harvest(opened)
    sources = Finder(opened.engine).sources()
    rows = [
        [each.name, each.url, each.datasets, each.succeeded[:16] or "never", each.problem or "-"] for each in sources
    ]
    columns = ["catalogue", "address", "datasets", "harvested (UTC)", "problem"]
    show(Harvested(sum(each.datasets for each in sources), sources), json=json, render=lambda _: table(columns, rows))


def _add(opened: Hub, url: str, name: str, country: str, hosts: tuple[str, ...]) -> None:
    from megagenome.catalogue.harvest.harvester import COMMAND, foreign_point
    from megagenome.catalogue.harvest.settings import FairDataPoint
    from megagenome.catalogue.harvest.store import Store

    try:
        point = foreign_point(FairDataPoint(url, name, country, hosts), COMMAND)
    except ValueError as error:
        raise Invalid(str(error)) from None
    store = Store(opened.engine)
    if any(each.url.rstrip("/") == url.rstrip("/") and each.by != COMMAND for each in store.points()):
        raise Conflict(f"{url} is harvested already, by hub.toml or as a node's")
    store.add_point(point)


def _remove(opened: Hub, url: str) -> None:
    from megagenome.catalogue.harvest.harvester import COMMAND
    from megagenome.catalogue.harvest.store import Store

    store = Store(opened.engine)
    found = [each for each in store.points() if each.url == url and each.by == COMMAND]
    if not found:
        raise NotFound(f"{url} was not added: those of hub.toml are removed there, and nodes by `hub remove`")
    store.remove_point(found[0])


def _harvest(opened: Hub) -> None:
    from megagenome.app.hub_catalogue import harvester_of

    asyncio.run(harvester_of(opened).harvest())
