# SPDX-License-Identifier: Apache-2.0
"""From a number to a place on an axis, and the round numbers to mark on it. Pure; no drawing."""

import bisect
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

LOG_FROM = 50.0
"""Frequencies that differ by more than this factor are drawn on a logarithmic axis, else the rare ones all sit at 0."""
_DEEPEST = 1e-7
"""No axis reaches further down: a frequency of one allele in ten million is beyond any network's size."""


class Scale(NamedTuple):
    """An axis from `low` to `high`, both included, with `ticks` in rising order; `log` when equal steps are factors."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where `value` is, 0 at the low end and 1 at the high end; values outside are put at the nearer end."""
        if self.log:
            value = max(value, self.low)
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, share))


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 2.5 or 5 times a power of ten that divides `span` into at most `most` steps."""
    raw = span / most
    unit = 10.0 ** math.floor(math.log10(raw))
    return next(factor * unit for factor in (1, 2, 2.5, 5, 10) if factor * unit >= raw * (1 - 1e-9))


def linear_scale(high: float, most: int = 3) -> Scale:
    """An axis from 0 to the first round number at or above `high` (1 where that is 0), with at most `most` steps."""
    high = max(high, _DEEPEST) if high > 0 else 1.0
    step = nice_step(high, most)
    steps = math.ceil(high / step - 1e-9)
    return Scale(0.0, _clean(steps * step), False, tuple(_clean(step * index) for index in range(steps + 1)))


def log_scale(low: float, high: float) -> Scale:
    """An axis of whole decades around `low` and `high`, with at most four ticks, a whole number of decades apart."""
    first = math.floor(math.log10(max(low, _DEEPEST)) + 1e-9)
    last = max(first + 1, math.ceil(math.log10(max(high, _DEEPEST)) - 1e-9))
    every = math.ceil((last - first) / 3)
    ticks = tuple(10.0**power for power in range(first, last + 1) if (last - power) % every == 0)
    return Scale(10.0**first, 10.0**last, True, ticks)


def frequency_scale(values: Iterable[float], highest: float) -> Scale:
    """The axis for frequencies `values` whose intervals reach up to `highest`: logarithmic when they need it."""
    told = [value for value in values if value > 0]
    if told and max(told) > LOG_FROM * min(told):
        return log_scale(min(told) / 2, max(*told, highest))
    return linear_scale(highest)


class Steps(NamedTuple):
    """A frequency divided into classes for colouring. Class i holds values from `bounds[i]` up to `bounds[i + 1]`."""

    bounds: tuple[float, ...]

    def class_of(self, value: float) -> int:
        """The class of `value`; the last class holds its upper bound too."""
        return min(len(self.bounds) - 2, max(0, bisect.bisect_right(self.bounds, value) - 1))


def colour_steps(values: Sequence[float], most: int = 5) -> Steps:
    """At most `most` classes with round bounds over `values`: equal widths, or factors when the axis is logarithmic."""
    highest = max(values, default=0.0)
    if not frequency_scale(values, highest).log:
        return Steps(linear_scale(highest, most).ticks)
    scale = log_scale(min(value for value in values if value > 0), highest)
    powers = round(math.log10(scale.high / scale.low))
    every = math.ceil(powers / most)
    bounds = [scale.high / 10.0 ** (every * index) for index in range(math.ceil(powers / every), -1, -1)]
    return Steps(tuple(_clean(bound) for bound in bounds))


def _clean(value: float) -> float:
    """`value` without the noise of binary fractions: 0.30000000000000004 is 0.3."""
    return float(f"{value:.10g}")
