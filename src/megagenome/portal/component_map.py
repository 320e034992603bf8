# SPDX-License-Identifier: Apache-2.0
"""Where people are on the first two principal components: counts of cells, never places of persons.

Where cells of a few people are withheld, nobody can tell them from empty ones: the ground is then hatched.
"""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from megagenome.network.studies.components import BINS, REACH
from megagenome.portal.numbers import plural
from megagenome.portal.scale import Steps, colour_steps
from megagenome.portal.svg import join
from megagenome.portal.tile_map import COLOURS, colour_of

_SIDE, _LEFT, _TOP, _BOTTOM = 400, 40, 8, 40
_UNIT, _PITCH = _SIDE / (2 * REACH), _SIDE / BINS


class Cell(NamedTuple):
    """One cell by its lower edges, in standard deviations."""

    pc1: float
    pc2: float
    people: int


def map_classes(cells: Sequence[Cell]) -> Steps:
    """The classes by which cells are coloured."""
    return colour_steps([float(cell.people) for cell in cells], COLOURS)


def component_map(
    cells: Sequence[Cell], steps: Steps, ident: str, title: str, description: str, *, some_withheld: bool
) -> Markup:
    """The map as SVG. Hatching has the id `IDENT-hatch`, for the legend."""
    return Markup(
        '<svg class="component-map" role="img" viewBox="0 0 {w} {h}" aria-labelledby="{ident}-title {ident}-desc">'
        '<title id="{ident}-title">{title}</title><desc id="{ident}-desc">{description}</desc>'
        '<defs><pattern id="{ident}-hatch" width="6" height="6" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/>'
        '<rect class="hatch-line" width="2" height="6"/></pattern></defs>'
        '<rect class="ground" x="{left}" y="{top}" width="{side}" height="{side}"{ground}/>{grid}{cells}</svg>'
    ).format(
        w=_LEFT + _SIDE + 12,
        h=_TOP + _SIDE + _BOTTOM,
        ident=ident,
        title=title,
        description=description,
        left=_LEFT,
        top=_TOP,
        side=_SIDE,
        ground=Markup(' fill="url(#{}-hatch)"').format(ident) if some_withheld else "",
        grid=_grid(),
        cells=join(_cell(cell, steps) for cell in cells),
    )


def _cell(cell: Cell, steps: Steps) -> Markup:
    x = _LEFT + (cell.pc1 + REACH) * _UNIT
    y = _TOP + _SIDE - (cell.pc2 + REACH) * _UNIT - _PITCH
    return Markup(
        '<rect class="cell step-{colour}" x="{x:.2f}" y="{y:.2f}" width="{size:.2f}" height="{size:.2f}">'
        "<title>{told}</title></rect>"
    ).format(
        colour=colour_of(steps.class_of(cell.people), steps),
        x=x,
        y=y,
        size=_PITCH,
        told=plural(cell.people, "person", "people"),
    )


def _grid() -> Markup:
    pieces = []
    for value in range(-int(REACH), int(REACH) + 1, 2):
        place = (value + REACH) * _UNIT
        text = str(value).replace("-", "−")
        pieces.append(
            Markup(
                '<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'
                '<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
                '<text class="tick" x="{x}" y="{below}">{text}</text>'
                '<text class="level" x="{beside}" y="{y}" dy="4">{text}</text>'
            ).format(
                x=_LEFT + place,
                y=_TOP + _SIDE - place,
                top=_TOP,
                bottom=_TOP + _SIDE,
                left=_LEFT,
                right=_LEFT + _SIDE,
                below=_TOP + _SIDE + 18,
                beside=_LEFT - 8,
                text=text,
            )
        )
    names = Markup(
        '<text class="tick-name" x="{}" y="{}">component 1, standard deviations</text>'
        '<text class="level-name" transform="translate(11 {}) rotate(-90)">component 2</text>'
    ).format(_LEFT + _SIDE, _TOP + _SIDE + 36, _TOP + _SIDE / 2 + 40)
    return join([*pieces, names])
