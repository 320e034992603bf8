# SPDX-License-Identifier: Apache-2.0
"""Numbers for people, compared with texts written by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.portal import numbers


def plain(text: str) -> str:
    """Without the special blanks."""
    return text.replace(numbers.NARROW, " ").replace(numbers.NO_BREAK, " ")


@pytest.mark.parametrize(
    ("value", "frequency", "percent", "short"),
    [
        (0, "0", "0 %", "0"),
        (0.00000131, "1.3 × 10⁻⁶", "0.00013 %", "<0.01"),
        (0.000013, "1.3 × 10⁻⁵", "0.0013 %", "<0.01"),
        (0.0001, "0.00010", "0.010 %", "0.010"),
        (0.0076, "0.0076", "0.76 %", "0.76"),
        (0.0996, "0.10", "10 %", "10"),
        (0.13095, "0.131", "13.1 %", "13.1"),
        (0.5, "0.500", "50.0 %", "50.0"),
        (0.99949, "0.999", "99.9 %", "99.9"),
        (0.99999, "> 0.999", "> 99.9 %", ">99.9"),
        (1, "1", "100 %", "100"),
    ],
)
def test_a_frequency_has_the_digits_that_it_carries(value: float, frequency: str, percent: str, short: str) -> None:
    assert plain(numbers.frequency(value)) == frequency
    assert plain(numbers.percent(value)) == percent
    assert numbers.percent_short(value) == short


@given(st.floats(1e-9, 1 - 1e-9))
def test_no_rounding_makes_an_allele_absent_or_fixed(value: float) -> None:
    for text in (numbers.frequency(value), numbers.percent(value), numbers.percent_short(value)):
        assert plain(text) not in ("0", "1", "0 %", "100 %", "100", "0.0", "100.0 %")
    assert len(numbers.percent_short(value)) <= 5


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.00437, 0.0113, "0.4–1.1 %"),
        (0.0105, 0.0115, "1.05–1.15 %"),
        (0, 0.002, "0–0.20 %"),
        (0.9, 1, "90–100 %"),
        (0.45, 0.47, "45.0–47.0 %"),
        (0.0000041, 0.000022, "(0.4–2.2) × 10⁻⁵"),
        (0, 0, "0 %"),
        (0, 1, "0–100 %"),
    ],
)
def test_both_ends_of_an_interval_have_the_same_decimals(low: float, high: float, text: str) -> None:
    assert plain(numbers.interval(low, high)) == text


@given(st.floats(0, 1), st.floats(0, 1))
def test_an_interval_is_written_within_a_tenth_of_its_width(one: float, other: float) -> None:
    low, high = sorted((one, other))
    text = plain(numbers.interval(low, high))
    if "×" in text or high < numbers.SMALL or "–" not in text:
        return
    written = [float(part) / 100 for part in text.removesuffix(" %").split("–")]
    allowed = max(0.1 * (high - low), 1e-11) * 1.0001
    assert abs(written[0] - low) <= allowed
    assert abs(written[1] - high) <= allowed


@pytest.mark.parametrize(
    ("tick", "text"),
    [(0, "0 %"), (0.005, "0.5 %"), (0.00001, "0.001 %"), (0.2, "20 %"), (1, "100 %"), (1e-7, "0.00001 %")],
)
def test_a_tick_has_no_digit_too_many(tick: float, text: str) -> None:
    assert plain(numbers.percent_tick(tick)) == text


def test_counts_and_times() -> None:
    assert numbers.count(1204) == "1,204"
    assert plain(numbers.plural(1, "node")) == "1 node"
    assert plain(numbers.plural(1204, "variant")) == "1,204 variants"
    assert plain(numbers.plural(2, "country", "countries")) == "2 countries"
    assert [plain(numbers.elapsed(ms)) for ms in (0.2, 38.4, 994, 1234)] == ["< 1 ms", "38 ms", "994 ms", "1.2 s"]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0.0, "< 10⁻³⁰⁰"),
        (5e-324, "< 10⁻³⁰⁰"),
        (3.4e-9, "3.4 × 10⁻⁹"),
        (0.000999, "1.0 × 10⁻³"),
        (0.034, "0.034"),
        (0.5, "0.50"),
        (1.0, "1.0"),
    ],
)
def test_p_values_have_two_digits_and_are_never_nothing(value: float, says: str) -> None:
    assert plain(numbers.p_value(value)) == says


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0, "0"),
        (-0.012341, "−0.01234"),
        (23.0, "23"),
        (1234567.0, "1.235 × 10⁶"),
        (-1e-5, "−1.000 × 10⁻⁵"),
        (1234.56, "1,235"),
        (0.99996, "1.000"),
    ],
)
def test_any_number_has_four_digits_and_whole_ones_are_whole(value: float, says: str) -> None:
    assert plain(numbers.number(value)) == says
