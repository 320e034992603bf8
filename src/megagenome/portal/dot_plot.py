# SPDX-License-Identifier: Apache-2.0
"""Frequencies as dots with their intervals, one row each, on a common axis."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from megagenome.portal.numbers import percent, percent_tick
from megagenome.portal.scale import Scale
from megagenome.portal.svg import drawing, join, labelled_row, share, upright_grid

_ROW, _TOP, _BOTTOM, _GAP = 26, 4, 30, 12


class Dot(NamedTuple):
    """One row: a frequency with its interval. A `strong` row is a sum of others; `gap` leaves room above it."""

    label: str
    value: float
    low: float
    high: float
    strong: bool = False
    gap: bool = False


def dot_plot(dots: Sequence[Dot], scale: Scale, ident: str, title: str, description: str) -> Markup:
    """The plot as SVG, rows in the given order. Intervals that reach off the axis are cut at its ends."""
    rows: list[Markup] = []
    top = _TOP
    for dot in dots:
        top += _GAP if dot.gap else 0
        rows.append(_row(dot, scale, top + _ROW / 2))
        top += _ROW
    grid = upright_grid(((share(scale.place(tick)), percent_tick(tick)) for tick in scale.ticks), top)
    return drawing("plot", top + _BOTTOM, ident, title, description, grid + join(rows))


def _row(dot: Dot, scale: Scale, middle: float) -> Markup:
    marks = Markup(
        '<line class="interval" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>'
        '<circle class="dot" cx="{x}" cy="{y}" r="{r}"/>'
    ).format(
        low=share(scale.place(dot.low)),
        high=share(scale.place(dot.high)),
        x=share(scale.place(dot.value)),
        y=middle,
        r=5.5 if dot.strong else 4.5,
    )
    return labelled_row(dot.label, marks, percent(dot.value), middle, "row strong" if dot.strong else "row")
