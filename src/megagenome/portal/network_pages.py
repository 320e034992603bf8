# SPDX-License-Identifier: Apache-2.0
"""The pages around the questions: search, the network's nodes, help, and what to say when something goes wrong."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from megagenome.portal.countries import country_name
from megagenome.portal.examples import ASSEMBLIES, Example
from megagenome.portal.pages import render
from megagenome.portal.scale import Steps
from megagenome.portal.statuses import SPOKE
from megagenome.portal.tile_map import Tile, TileState, tile_map
from megagenome.standards.federation import NodeList, NodeState


class Size(NamedTuple):
    """How large the network is and how much of it answers."""

    nodes: int
    countries: int
    datasets: int
    answering: int


class Search(NamedTuple):
    """What is in the search box, as typed; with no assembly the first one is chosen."""

    text: str = ""
    assembly: str = ""


def network_size(nodes: Sequence[NodeState]) -> Size:
    """Sums over the nodes; a dataset id that two nodes have is two datasets."""
    return Size(
        len(nodes),
        len({node.country for node in nodes}),
        sum(len(node.datasets) for node in nodes),
        sum(node.status in SPOKE for node in nodes),
    )


def search_page(network: NodeList | None, examples: Sequence[Example], search: Search, problem: str = "") -> str:
    """The start page. `network` is None when its state is unknown now; `problem` is why a text was not understood."""
    return render(
        "search.html",
        size=network_size(network.nodes) if network else None,
        examples=examples,
        search=search._replace(assembly=search.assembly or ASSEMBLIES[0]),
        problem=problem,
        **_map(network.nodes if network and not problem else ()),
    )


def _map(nodes: Sequence[NodeState]) -> dict[str, Any]:
    """The map of countries that take part, and the states that occur on it."""
    tiles: dict[str, Tile] = {}
    for node in nodes:
        if node.status in SPOKE:
            tiles[node.country] = Tile(TileState.MEMBER, f"{country_name(node.country)}: takes part")
        else:
            tiles.setdefault(node.country, Tile(TileState.SILENT, f"{country_name(node.country)}: no answer now"))
    names = ", ".join(sorted(map(country_name, tiles)))
    drawn = tile_map(tiles, Steps(()), "map", "Countries whose nodes take part", names) if tiles else ""
    return {"map": drawn, "states": {tile.state.value for tile in tiles.values()}}


def nodes_page(network: NodeList) -> str:
    """All nodes with their datasets."""
    nodes = sorted(network.nodes, key=lambda node: (node.name.casefold(), node.id))
    return render("nodes.html", nodes=nodes, size=network_size(nodes))


def help_page(address: str) -> str:
    """How to ask and how to read answers. `address` is where this hub is, for examples that can be copied."""
    return render("help.html", hub=address.rstrip("/"))


_ERRORS = {
    400: ("This was not understood", "Check what you asked and try again."),
    401: ("You are not signed in", "Sign in, then try again."),
    403: ("This is not open to you", "Ask the people who run this network whether you may see it."),
    404: ("There is no such page", "The address may be mistyped, or the page has gone."),
    409: ("This cannot be done now", "Look how it stands now: perhaps it is over, or somebody else was faster."),
    413: ("This is too large", "Ask for a smaller region or in fewer parts, or send a smaller file."),
    429: ("Too many questions at once", "Wait a minute, then ask again."),
    503: ("A part that is needed does not answer now", "Try again in a minute. Nothing that you did is lost."),
    507: ("There is no room for this here now", "Try again later; whoever runs this server has to make room."),
}
_ANY_ERROR = (
    "Something went wrong here",
    "It is our fault, not yours. Try again; if it stays, tell the people who run this.",
)


def error_page(status: int, reason: str = "", *, on_node: bool = False) -> str:
    """The page for an error. `reason` is one line for people; the page of an unexpected error has none."""
    heading, advice = _ERRORS.get(status, _ANY_ERROR)
    return render("error.html", status=status, heading=heading, advice=advice, reason=reason, on_node=on_node)
