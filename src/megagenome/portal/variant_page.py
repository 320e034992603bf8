# SPDX-License-Identifier: Apache-2.0
"""The page of one variant: how frequent it is, where, with what certainty, and who said so."""

from collections.abc import Sequence
from typing import NamedTuple

from megagenome.portal.countries import country_name
from megagenome.portal.dot_plot import Dot, dot_plot
from megagenome.portal.numbers import count, interval, percent
from megagenome.portal.pages import render
from megagenome.portal.populations import Group, Label, read_label
from megagenome.portal.scale import frequency_scale
from megagenome.portal.statuses import SPOKE, missing, summary, told_none
from megagenome.portal.tables import total_of
from megagenome.portal.tile_map import Tile, TileState, colour_of, map_steps, off_the_map, tile_map
from megagenome.standards.federation import Frequency, VariantAnswer

_PLOTTED = (Group.TOTAL, Group.SEX, Group.COUNTRY, Group.HOLDER)


class Row(NamedTuple):
    """A frequency with its label, read."""

    label: Label
    cell: Frequency


class Key(NamedTuple):
    """A class of the map's colours, for its legend."""

    colour: int
    low: float
    high: float


def variant_page(answer: VariantAnswer) -> str:
    """The page for any answer. It is the same page for an allele that nobody has and for one that is too rare to tell,
    because it depends on nothing but the answer."""
    rows = sorted(
        (Row(read_label(cell.population), cell) for cell in answer.frequencies), key=lambda row: row.label.order
    )
    tiles = country_tiles(answer)
    steps = map_steps(tiles)
    return render(
        "variant.html",
        answer=answer,
        total=total_of(answer.frequencies),
        sections=[(group, found) for group in Group if (found := [row for row in rows if row.label.group is group])],
        genotypes=_told_genotypes(answer.frequencies),
        map=tile_map(tiles, steps, "map", f"Frequency of {answer.query.text} by country", _map_words(tiles)),
        map_keys=[
            Key(colour_of(index, steps), low, high)
            for index, (low, high) in enumerate(zip(steps.bounds, steps.bounds[1:], strict=False))
        ],
        states={tile.state.value for tile in tiles.values()},
        off_map=[(country_name(code), tiles[code].note) for code in off_the_map(tiles)],
        plot=_plot(answer, rows),
        summary=summary(answer.nodes),
        missing=missing(answer.nodes),
        certain=not answer.exists and all(told_none(node) for node in answer.nodes if node.status in SPOKE),
        spoke=any(node.status in SPOKE for node in answer.nodes),
        node_totals={node.id: total_of(node.frequencies) for node in answer.nodes},
    )


def _told_genotypes(frequencies: Sequence[Frequency]) -> list[str]:
    """The genotype columns with something in them; nobody is hemizygous where everybody has two copies."""
    told = [cell for cell in frequencies if cell.homozygous is not None]
    columns = ["homozygous", "heterozygous"] if told else []
    return [*columns, "hemizygous"] if any(cell.hemizygous for cell in told) else columns


_TILE_STATES = (
    (TileState.SILENT, "no answer"),
    (TileState.NONE, "none, and its node tells every count"),
    (TileState.WITHHELD, "withheld"),
)
"""What a country without a frequency is, and in words. Of several nodes of a country the last in this order decides:
what one of them withholds is in no other's answer."""


def country_tiles(answer: VariantAnswer) -> dict[str, Tile]:
    """What is known of each country that has a node or people in one."""
    ranks: dict[str, int] = {}
    for node in answer.nodes:
        rank = 0 if node.status not in SPOKE else 1 if told_none(node) else 2
        ranks[node.country] = max(rank, ranks.get(node.country, 0))
    tiles = {
        country: Tile(_TILE_STATES[rank][0], f"{country_name(country)}: {_TILE_STATES[rank][1]}")
        for country, rank in ranks.items()
    }
    for cell in answer.frequencies:
        label = read_label(cell.population)
        if label.group is Group.COUNTRY and not label.sex:
            note = (
                f"{label.name}: {percent(cell.allele_frequency)} ({interval(cell.low, cell.high)}),"
                f" {count(cell.allele_count)} of {count(cell.allele_number)} alleles"
            )
            tiles[label.country] = Tile(TileState.TOLD, note, cell.allele_frequency)
    return tiles


def _map_words(tiles: dict[str, Tile]) -> str:
    """The map in one sentence; the table has the numbers."""
    told = sorted((tile.value, code) for code, tile in tiles.items() if tile.value is not None)
    if not told:
        return "No country's frequency is told."
    (lowest, least), (highest, most) = told[0], told[-1]
    if len(told) == 1:
        return f"One country's frequency is told: {country_name(most)}, {percent(highest)}."
    return (
        f"Tiles of {len(told)} countries carry a frequency, from {percent(lowest)} ({country_name(least)})"
        f" to {percent(highest)} ({country_name(most)}). The table lists all of them."
    )


def _plot(answer: VariantAnswer, rows: list[Row]) -> str:
    """Total, sexes, then countries and holders' populations, each from the most frequent to the least."""
    shown = [row for row in rows if row.label.group in _PLOTTED and (not row.label.sex or not row.label.country)]
    ranks = {group: rank for rank, group in enumerate(Group)}
    shown.sort(
        key=lambda row: (ranks[row.label.group], row.label.group is not Group.SEX and -row.cell.allele_frequency)
    )
    dots: list[Dot] = []
    for index, (label, cell) in enumerate(shown):
        first = index > 0 and shown[index - 1].label.group is not label.group
        dots.append(Dot(label.name, cell.allele_frequency, cell.low, cell.high, label.group is Group.TOTAL, first))
    if not dots:
        return ""
    scale = frequency_scale([dot.value for dot in dots], max(dot.high for dot in dots))
    title = f"Frequency of {answer.query.text} with 95 % intervals"
    axis = "logarithmic" if scale.log else "linear"
    return dot_plot(
        dots, scale, "dots", title, f"{len(dots)} frequencies on a {axis} axis. The table lists all of them."
    )
