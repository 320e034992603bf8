# SPDX-License-Identifier: Apache-2.0
"""Kaplan-Meier curves with their 95 % bands, one step at each time at which somebody had the event."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from megagenome.portal.axes import Axis, Floats, axis_up_to, band, framed, line, number_axis
from megagenome.portal.scale import Scale

STYLES = 6
"""Lines that the style sheet has, each with colour and dashes of its own."""


class Curve(NamedTuple):
    """One group. Rows are times of events in rising order: people at risk just before, the share that survives the
    time, and its interval. NaN where it is withheld."""

    label: str
    time: Floats
    at_risk: Floats
    survival: Floats
    low: Floats
    high: Floats


def time_scale(curves: Sequence[Curve]) -> Scale:
    """The axis of time of all curves together."""
    return axis_up_to(max((float(curve.time.max(initial=0.0)) for curve in curves), default=1.0))


def survival_plot(curves: Sequence[Curve], ident: str, title: str, description: str) -> Markup:
    """The plot as SVG; `curve-N` is the style of the N-th group."""
    scale = time_scale(curves)
    bands, lines = [], []
    for k, curve in enumerate(curves):
        known = ~np.isnan(curve.survival)
        x, y = _steps(curve.time[known] / scale.high, curve.survival[known])
        lines.append(line(x, y, f"curve-{k % STYLES}"))
        bounded = known & ~np.isnan(curve.low) & ~np.isnan(curve.high)
        if bounded.any():
            x, low = _steps(curve.time[bounded] / scale.high, curve.low[bounded])
            _, high = _steps(curve.time[bounded] / scale.high, curve.high[bounded])
            bands.append(band(x, low, high, f"curve-{k % STYLES}"))
    up = Axis("surviving", [(share, f"{share * 100:.0f}\u202f%") for share in (0.0, 0.25, 0.5, 0.75, 1.0)])
    return framed(ident, title, description, number_axis("time", scale), up, Markup("").join([*bands, *lines]))


def at_risk(curve: Curve, moments: Sequence[float]) -> list[float | None]:
    """People at risk just before the first event at or after each moment; None where no event follows, or where it is
    withheld."""
    found: list[float | None] = []
    for k in np.searchsorted(curve.time, np.asarray(moments)).tolist():
        known = k < len(curve.time) and not np.isnan(curve.at_risk[k])
        found.append(float(curve.at_risk[k]) if known else None)
    return found


def _steps(time: Floats, level: Floats) -> tuple[Floats, Floats]:
    """From 1 at time 0, down at each time."""
    x = np.concatenate(([0.0], np.repeat(time, 2)))
    y = np.concatenate(([1.0], np.repeat(np.concatenate(([1.0], level)), 2)[1:-1]))
    return x, y
