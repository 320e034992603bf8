# SPDX-License-Identifier: Apache-2.0
"""Counts as bars, one row each, on a common axis from 0."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from megagenome.portal.numbers import count
from megagenome.portal.scale import linear_scale
from megagenome.portal.svg import drawing, join, labelled_row, share, upright_grid

_ROW, _TOP, _BOTTOM, _BAR = 28, 4, 28, 14


class Bar(NamedTuple):
    """One row. `value` is None where no count was told; then `note` says why, in place of the bar."""

    label: str
    value: int | None
    note: str = ""


def bar_chart(bars: Sequence[Bar], ident: str, title: str, description: str) -> Markup:
    """The chart as SVG, rows in the given order."""
    scale = linear_scale(max((bar.value or 0 for bar in bars), default=0))
    bottom = _TOP + _ROW * len(bars)
    # a tick at half a person would say that people can be halved
    whole = ((share(scale.place(tick)), count(int(tick))) for tick in scale.ticks if tick == int(tick))
    rows = (_row(bar, share(scale.place(bar.value or 0)), _TOP + _ROW * (i + 0.5)) for i, bar in enumerate(bars))
    return drawing("plot", bottom + _BOTTOM, ident, title, description, upright_grid(whole, bottom) + join(rows))


def _row(bar: Bar, width: str, middle: float) -> Markup:
    if bar.value is None:
        note = Markup('<text class="note" x="6" y="{}">{}</text>').format(middle + 4.5, bar.note)
        return labelled_row(bar.label, note, "", middle)
    mark = Markup('<rect class="bar" x="0" y="{}" width="{}" height="{}" rx="2"/>').format(
        middle - _BAR / 2, width, _BAR
    )
    return labelled_row(bar.label, mark, count(bar.value), middle)
