# SPDX-License-Identifier: Apache-2.0
"""Counts as bars on a common axis from 0, each under its label: names of nodes can be long."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from megagenome.portal.numbers import count
from megagenome.portal.scale import linear_scale
from megagenome.portal.svg import drawing, join, share, upright_grid

_ROW, _BOTTOM, _BAR = 46, 28, 14
_FIELD = ("0", "84%")


class Bar(NamedTuple):
    """One row. `value` is None where no count was told; then `note` says why, in place of the bar."""

    label: str
    value: int | None
    note: str = ""


def bar_chart(bars: Sequence[Bar], ident: str, title: str, description: str) -> Markup:
    """The chart as SVG, rows in the given order."""
    scale = linear_scale(max((bar.value or 0 for bar in bars), default=0), 4)
    bottom = _ROW * len(bars) + 4
    # a tick at half a person would say that people can be halved
    whole = ((share(scale.place(tick)), count(int(tick))) for tick in scale.ticks if tick == int(tick))
    rows = (_row(bar, share(scale.place(bar.value or 0)), _ROW * index) for index, bar in enumerate(bars))
    body = upright_grid(whole, bottom, _FIELD) + join(rows)
    return drawing("plot bars", bottom + _BOTTOM, ident, title, description, body)


def _row(bar: Bar, width: str, top: int) -> Markup:
    label = Markup('<text x="7" y="{}">{}</text>').format(top + 18, bar.label)
    if bar.value is None:
        return label + Markup('<text class="note" x="7" y="{}">{}</text>').format(top + 37, bar.note)
    return label + Markup(
        '<svg width="{field}"><rect class="bar" y="{top}" width="{width}" height="{height}" rx="2"/></svg>'
        '<text class="number" x="100%" y="{text_y}">{number}</text>'
    ).format(field=_FIELD[1], top=top + 26, width=width, height=_BAR, text_y=top + 38, number=count(bar.value))
