# SPDX-License-Identifier: Apache-2.0
"""Europe as tiles of equal size, one per country, coloured by a frequency: SVG without style attributes or scripts.

Each tile carries its country's code and its value, so colour is never the only sign. A tile without a number is
hatched (withheld), marked `0` (told that there is none) or `?` (no answer), full (a member, where no number is asked)
or only outlined (no node).
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from markupsafe import Markup

from megagenome.portal.countries import COLUMNS, PLACES, ROWS
from megagenome.portal.numbers import percent_short
from megagenome.portal.scale import Steps, colour_steps
from megagenome.portal.svg import join

COLOURS = 5
"""Colours that the style sheet has, `step-0` (lowest) to `step-4`."""
_PITCH, _TILE = 44, 41


class TileState(Enum):
    """What is known of a country; the value is the CSS class of its tile."""

    TOLD = "told"
    WITHHELD = "withheld"
    NONE = "none"
    SILENT = "silent"
    MEMBER = "member"
    OUTSIDE = "outside"


_SIGNS = {TileState.NONE: "0", TileState.SILENT: "?"}


class Tile(NamedTuple):
    """One country. `value` is a frequency where the state is TOLD, else None; `note` says it all in one line."""

    state: TileState
    note: str
    value: float | None = None


def map_steps(tiles: Mapping[str, Tile]) -> Steps:
    """The classes by which these tiles are coloured."""
    return colour_steps([tile.value for tile in tiles.values() if tile.value is not None], COLOURS)


def colour_of(index: int, steps: Steps) -> int:
    """The colour of a class: the classes, however few, are spread over all the colours from lightest to strongest."""
    classes = len(steps.bounds) - 1
    return COLOURS - 1 if classes == 1 else round(index * (COLOURS - 1) / (classes - 1))


def tile_map(tiles: Mapping[str, Tile], steps: Steps, ident: str, title: str, description: str) -> Markup:
    """The map as SVG. Countries that are not in `tiles` are outlined; those with no place on the map are left out.

    `ident` makes the ids inside the drawing unique on its page.
    """
    drawn = [
        _tile(code, tiles.get(code, Tile(TileState.OUTSIDE, "")), steps, ident, place.row, place.column)
        for code, place in PLACES.items()
    ]
    return Markup(
        '<svg class="tile-map" role="img" viewBox="-1 -1 {width} {height}"'
        ' aria-labelledby="{ident}-title {ident}-desc">'
        '<title id="{ident}-title">{title}</title><desc id="{ident}-desc">{description}</desc>'
        '<defs><pattern id="{ident}-hatch" width="6" height="6" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/>'
        '<rect class="hatch-line" width="1.6" height="6"/></pattern></defs>{drawn}</svg>'
    ).format(
        width=(COLUMNS - 1) * _PITCH + _TILE + 2,
        height=(ROWS - 1) * _PITCH + _TILE + 2,
        ident=ident,
        title=title,
        description=description,
        drawn=join(drawn),
    )


def off_the_map(tiles: Mapping[str, Tile]) -> Sequence[str]:
    """Codes in `tiles` that have no place on the map, sorted: the page names them beside it."""
    return sorted(code for code in tiles if code not in PLACES)


def _tile(code: str, tile: Tile, steps: Steps, ident: str, row: int, column: int) -> Markup:
    style, text = tile.state.value, ""
    if tile.value is not None:
        style = f"told step-{colour_of(steps.class_of(tile.value), steps)}"
        text = percent_short(tile.value)
    text = _SIGNS.get(tile.state, text)
    fill = Markup(' fill="url(#{}-hatch)"').format(ident) if tile.state is TileState.WITHHELD else ""
    return Markup(
        '<g class="tile {style}" transform="translate({x} {y})">{note}'
        '<rect width="{size}" height="{size}" rx="3"{fill}/>'
        '<text class="code" x="5" y="14.5">{code}</text><text class="value" x="{middle}" y="32.5">{text}</text></g>'
    ).format(
        style=style,
        x=column * _PITCH,
        y=row * _PITCH,
        note=Markup("<title>{}</title>").format(tile.note) if tile.note else "",
        size=_TILE,
        fill=fill,
        code=code,
        middle=_TILE / 2,
        text=text,
    )
