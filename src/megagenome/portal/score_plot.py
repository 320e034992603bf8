# SPDX-License-Identifier: Apache-2.0
"""How a score is distributed among people, of cases and controls each for itself."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from megagenome.portal.axes import Floats, axis_up_to, band, framed, line, number_axis, two_sided_scale


class Histogram(NamedTuple):
    """One group's people by bin; NaN where a count is withheld."""

    label: str
    people: Floats


def score_plot(
    low: Floats, high: Floats, groups: Sequence[Histogram], ident: str, title: str, description: str
) -> Markup:
    """The plot as SVG: bins from `low` to `high`, which touch, of any widths. Bins that are withheld are left open.

    The height of a bin is the share of its group for each unit of score: areas are people.
    """
    used = np.flatnonzero(sum(np.nan_to_num(group.people, nan=1.0) for group in groups) > 0)
    first, last = (int(used[0]), int(used[-1]) + 1) if used.size else (0, len(low))
    across = two_sided_scale(float(low[first]), float(high[last - 1]))
    heights = [group.people / max(float(np.nansum(group.people)), 1.0) / (high - low) for group in groups]
    up = axis_up_to(max(float(np.nan_to_num(each).max()) for each in heights))
    marks: list[Markup] = []
    span = across.high - across.low
    for k, of_group in enumerate(heights):
        for begin, end in _runs(np.isfinite(of_group[first:last])):
            bins = slice(first + begin, first + end)
            x = (np.column_stack((low[bins], high[bins])).ravel() - across.low) / span
            y = np.repeat(of_group[bins], 2) / up.high
            marks.append(band(x, np.zeros(len(x)), y, f"curve-{k}"))
            marks.append(line(x, y, f"curve-{k}"))
    axes = number_axis("score", across), number_axis("share of the group for each unit", up)
    return framed(ident, title, description, *axes, Markup("").join(marks))


def _runs(told: np.ndarray) -> list[tuple[int, int]]:
    """Stretches of bins that are told."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], told.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
