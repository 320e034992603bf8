# SPDX-License-Identifier: Apache-2.0
"""The variants of a region by place and frequency, one dot each."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from megagenome.portal.numbers import count, percent_tick
from megagenome.portal.scale import Scale, frequency_scale
from megagenome.portal.svg import drawing, join, share

_HEIGHT, _TOP, _BOTTOM = 200, 18, 30


class Spot(NamedTuple):
    """One allele: its 0-based start and its frequency over the network."""

    start: int
    value: float


def region_plot(spots: Sequence[Spot], start: int, end: int, ident: str, title: str, description: str) -> Markup:
    """The plot as SVG for the 0-based half-open stretch `start` to `end`; its ends are labelled 1-based, for people."""
    values = [spot.value for spot in spots]
    scale = frequency_scale(values, max(values, default=0.0))
    length = max(1, end - start)
    dots = (
        Markup('<circle class="spot" cx="{}" cy="{}" r="3.2"/>').format(
            share(min(1.0, max(0.0, (spot.start + 0.5 - start) / length))), share(1 - scale.place(spot.value))
        )
        for spot in spots
    )
    inside = Markup('<svg x="12%" y="{}" width="87%" height="{}" overflow="visible">{}</svg>').format(
        _TOP, _HEIGHT - _TOP - _BOTTOM, _level_grid(scale) + join(dots) + _ends(start, end)
    )
    return drawing("plot", _HEIGHT, ident, title, description, inside)


def _level_grid(scale: Scale) -> Markup:
    """Lines across, each with its percentage at the left."""
    return join(
        Markup(
            '<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
            '<text class="level" x="-8" y="{y}" dy="4">{text}</text>'
        ).format(y=share(1 - scale.place(tick)), text=percent_tick(tick))
        for tick in scale.ticks
    )


def _ends(start: int, end: int) -> Markup:
    marks = ((0, "first", start + 1), (50, "middle", (start + 1 + end) // 2), (100, "last", end))
    return join(
        Markup('<text class="place {}" x="{}%" y="{}">{}</text>').format(style, x, _HEIGHT - _TOP - 8, count(pos1))
        for x, style, pos1 in marks
    )
