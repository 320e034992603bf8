# SPDX-License-Identifier: Apache-2.0
"""A drawing with two axes: grid, labels and a field in which thousands of marks are one path.

Letters keep their size and the field takes the rest of the width, so a drawing fits a telephone as it is. A field's
units are `ACROSS` from left to right and `UP` from top to bottom: half a pixel or less on every screen it is made for.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from megagenome.portal.scale import Scale, linear_scale, nice_step
from megagenome.portal.svg import drawing, join, share

ACROSS, UP = 2000, 1000
_TOP, _BOTTOM = 28, 46
Floats = npt.NDArray[np.float64]
Ticks = Sequence[tuple[float, str]]


class Axis(NamedTuple):
    """`ticks` are places from 0 to 1 with their texts; `name` says what is measured."""

    name: str
    ticks: Ticks


def number_axis(name: str, scale: Scale) -> Axis:
    """An axis of plain numbers."""
    return Axis(name, [(scale.place(tick), f"{tick:,.10g}".replace("-", "−")) for tick in scale.ticks])


def axis_up_to(highest: float, most: int = 5) -> Scale:
    """A linear axis from 0 that holds `highest`."""
    return linear_scale(highest, most)


def two_sided_scale(low: float, high: float, most: int = 6) -> Scale:
    """A linear axis of round numbers around `low` and `high`, of any sign."""
    step = nice_step(max(high - low, 1e-12), most)
    first, last = int(np.floor(low / step + 1e-9)), int(np.ceil(high / step - 1e-9))
    last = max(last, first + 1)
    ticks = tuple(float(f"{k * step:.10g}") for k in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], False, ticks)


def framed(
    ident: str, title: str, description: str, across: Axis, up: Axis, field: Markup, height: int = 320
) -> Markup:
    """The drawing: `field` between its axes. `ident` must be unique on the page."""
    inner = height - _TOP - _BOTTOM
    body = Markup(
        '<text class="level-name" x="0" y="13">{up}</text>'
        '<svg x="13%" y="{top}" width="85%" height="{inner}" overflow="visible">{grid}'
        '<svg viewBox="0 0 {w} {h}" preserveAspectRatio="none" width="100%" height="100%" overflow="visible">{field}'
        "</svg></svg>"
        '<text class="tick-name" x="98%" y="{bottom}">{across}</text>'
    ).format(
        up=up.name,
        across=across.name,
        top=_TOP,
        inner=inner,
        bottom=height - 4,
        grid=_grid(across.ticks, up.ticks, inner),
        w=ACROSS,
        h=UP,
        field=field,
    )
    return drawing("plot", height, ident, title, description, body)


def _grid(across: Ticks, up: Ticks, inner: int) -> Markup:
    levels = (
        Markup(
            '<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
            '<text class="level" x="-8" y="{y}" dy="4">{text}</text>'
        ).format(y=share(1 - place), text=text)
        for place, text in up
    )
    places = (
        Markup('<text class="tick" x="{x}" y="{y}">{text}</text>').format(x=share(place), y=inner + 18, text=text)
        for place, text in across
    )
    return join([*levels, *places])


def to_units(x: Floats, y: Floats) -> npt.NDArray[np.int64]:
    """Places from 0 to 1, y counted from the bottom, in the field's units: int64 [points, 2]."""
    units = np.column_stack((np.clip(x, 0, 1) * ACROSS, (1 - np.clip(y, 0, 1)) * UP))
    return np.rint(units).astype(np.int64)


def dots(x: Floats, y: Floats, style: str) -> Markup:
    """Round dots as one path; those that fall on the same place are drawn once."""
    points = np.unique(to_units(x, y), axis=0)
    path = "".join(f"M{a} {b}h0" for a, b in points.tolist())
    return Markup('<path class="dots {}" d="{}"/>').format(style, path)


def line(x: Floats, y: Floats, style: str) -> Markup:
    """A line through the points."""
    return Markup('<path class="line {}" d="M{}"/>').format(style, _points(to_units(x, y).tolist()))


def band(x: Floats, low: Floats, high: Floats, style: str) -> Markup:
    """The area between two lines over the same x."""
    there, back = to_units(x, high).tolist(), to_units(x, low).tolist()
    return Markup('<path class="band {}" d="M{}z"/>').format(style, _points([*there, *reversed(back)]))


def _points(points: Iterable[Sequence[int]]) -> str:
    return "L".join(f"{x} {y}" for x, y in points)
