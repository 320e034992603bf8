# SPDX-License-Identifier: Apache-2.0
"""Axes: where values are put, and which numbers are marked."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.portal.scale import colour_steps, frequency_scale, linear_scale, log_scale, nice_step

FREQUENCIES = st.floats(1e-7, 1)


def test_a_linear_axis_begins_at_zero_and_ends_at_a_round_number() -> None:
    scale = linear_scale(0.018)
    assert scale.ticks == (0.0, 0.01, 0.02)
    assert [scale.place(value) for value in (0, 0.005, 0.02, 0.5, -1)] == [0, 0.25, 1, 1, 0]


@pytest.mark.parametrize(
    ("high", "ticks"), [(0, (0.0, 0.5, 1.0)), (1639, (0.0, 1000.0, 2000.0)), (0.9, (0.0, 0.5, 1.0))]
)
def test_linear_ticks(high: float, ticks: tuple[float, ...]) -> None:
    assert linear_scale(high).ticks == ticks


def test_a_log_axis_gives_each_decade_the_same_length() -> None:
    scale = log_scale(0.0004, 0.3)
    assert scale.ticks == (0.0001, 0.01, 1.0)
    assert [round(scale.place(value), 6) for value in (0.0001, 0.001, 0.01, 0.1, 1)] == [0, 0.25, 0.5, 0.75, 1]
    assert scale.place(0) == 0


@given(st.lists(FREQUENCIES, min_size=1, max_size=12))
def test_every_frequency_is_on_its_axis(values: list[float]) -> None:
    scale = frequency_scale(values, max(values))
    assert scale.log == (max(values) > 50 * min(values))
    assert 2 <= len(scale.ticks) <= 4
    for value in values:
        assert scale.low <= value * 1.000001
        assert value <= scale.high * 1.000001
    ordered = sorted(values)
    assert [scale.place(value) for value in ordered] == sorted(scale.place(value) for value in ordered)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_colour_classes_hold_every_value_and_rise_with_it(values: list[float]) -> None:
    steps = colour_steps(values)
    assert 2 <= len(steps.bounds) <= 6
    assert list(steps.bounds) == sorted(set(steps.bounds))
    for value in values:
        index = steps.class_of(value)
        assert steps.bounds[index] <= value * 1.000001 or index == 0
        assert value <= steps.bounds[index + 1] * 1.000001 or math.isclose(value, steps.bounds[index + 1])


def test_colour_classes_have_round_bounds() -> None:
    assert colour_steps([0.003, 0.0076, 0.023]).bounds == (0, 0.005, 0.01, 0.015, 0.02, 0.025)
    assert colour_steps([0.00002, 0.3]).bounds == (0.00001, 0.0001, 0.001, 0.01, 0.1, 1)


def test_a_bound_belongs_to_the_class_above_it() -> None:
    steps = colour_steps([0.25])
    assert steps.bounds == (0, 0.05, 0.1, 0.15, 0.2, 0.25)
    assert [steps.class_of(value) for value in (0, 0.05, 0.0499, 0.25)] == [0, 1, 0, 4]


@given(st.floats(1e-9, 1e9), st.integers(1, 10))
def test_a_nice_step_is_round_and_not_too_small(span: float, most: int) -> None:
    step = nice_step(span, most)
    mantissa = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - nice) for nice in (1, 2, 2.5, 5)) < 1e-6
    assert span / step <= most * 1.000001
    assert span / step > most / 2.6
