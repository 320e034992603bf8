# SPDX-License-Identifier: Apache-2.0
"""How numbers are written for people: frequencies, percentages, intervals, counts, times.

The rules: never more digits than the number carries, never a rounding that turns a rare allele into an absent one or
a common allele into a fixed one, and the two ends of an interval always with the same number of decimals.
"""

import math

NO_BREAK = "\u00a0"
NARROW = "\u202f"
SMALL = 1e-4
"""Frequencies below this are written as a power of ten."""
_NOTHING = 1e-12
"""An interval that ends below this is 0: no number of genomes could tell the difference."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def count(number: int) -> str:
    """`1204` as `1,204`."""
    return f"{number:,}"


def frequency(value: float) -> str:
    """An allele frequency with two significant digits, three from 0.1: `0.131`, `0.0076`, `1.3 × 10⁻⁵`, `0`, `1`."""
    if value <= 0 or value >= 1:
        return "0" if value <= 0 else "1"
    if value < SMALL:
        return _power_of_ten(value)
    if value >= 0.9995:
        return ">" + NARROW + "0.999"
    return _plain(value, _decimals(value, 3 if value >= 0.1 else 2))


def percent(value: float) -> str:
    """The same as a percentage: `0.76 %`, `13.1 %`, `0.0013 %`."""
    if value <= 0 or value >= 1:
        return ("0" if value <= 0 else "100") + NARROW + "%"
    if value >= 0.9995:
        return ">" + NARROW + "99.9" + NARROW + "%"
    digits = 3 if value >= 0.1 else 2
    return _plain(value * 100, max(0, _decimals(value, digits) - 2)) + NARROW + "%"


def percent_short(value: float) -> str:
    """A percentage without its sign in at most five characters, for a tile of the map: `0.76`, `13.1`, `<0.01`."""
    if value <= 0 or value >= 1:
        return "0" if value <= 0 else "100"
    if value < SMALL:
        return "<0.01"
    if value >= 0.9995:
        return ">99.9"
    return _plain(value * 100, max(0, _decimals(value, 2) - 2)) if value < 0.1 else _plain(value * 100, 1)


def percent_tick(value: float) -> str:
    """A round frequency at an axis, as a percentage with no digit too many: `0.5 %`, `0.001 %`, `20 %`."""
    return f"{value * 100:.8f}".rstrip("0").rstrip(".") + NARROW + "%"


def interval(low: float, high: float) -> str:
    """A 95 % interval: `0.4–1.1 %`, `(0.4–2.2) × 10⁻⁵`. The last decimal is at most a fifth of the interval's width."""
    if high < SMALL:
        return _small_interval(low, high)
    width = max((high - low) * 100, 1e-9)
    decimals = max(0, math.ceil(-math.log10(width / 5)))
    return f"{_plain(low * 100, decimals)}–{_plain(high * 100, decimals)}{NARROW}%"


def p_value(value: float) -> str:
    """A p-value with two significant digits: `0.034`, `3.4 × 10⁻⁹`; `<10⁻³⁰⁰` for what is less than can be told."""
    if value < 1e-300:
        return f"<{NARROW}10{'-300'.translate(_SUPERSCRIPTS)}"
    return _power_of_ten(value) if value < 1e-3 else _plain(value, _decimals(value, 2))


def number(value: float) -> str:
    """Any number with four significant digits, which is as many as a study tells: `−0.01234`, `1.235 × 10⁷`; a whole
    one, up to 100,000, as it is."""
    size, sign = abs(value), "−" if value < 0 else ""
    if size < 99_995 and size == round(size):
        return f"{sign}{round(size):,}"
    if 1e-3 <= size < 99_995:
        return f"{sign}{size:,.{max(0, _decimals(size, 4))}f}"
    return sign + _power_of_ten(size, 4)


def elapsed(milliseconds: float) -> str:
    """How long it took: `<1 ms`, `38 ms`, `1.2 s`."""
    if milliseconds < 1:
        return f"<{NARROW}1{NARROW}ms"
    if milliseconds < 995:
        return f"{milliseconds:.0f}{NARROW}ms"
    return f"{milliseconds / 1000:.1f}{NARROW}s"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 node`, `4 nodes`, `1,204 variants`; `many` where an added s is not the plural."""
    return f"{count(number)}{NO_BREAK}{one if number == 1 else many or one + 's'}"


def _decimals(value: float, digits: int) -> int:
    """Decimals that give `value` this many significant digits, after rounding (0.0996 has one less than 0.0995)."""
    exponent = int(f"{value:.{digits - 1}e}".split("e")[1])
    return digits - 1 - exponent


def _plain(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text if float(text) else "0"


def _power_of_ten(value: float, digits: int = 2) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa}{NO_BREAK}×{NO_BREAK}10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def _small_interval(low: float, high: float) -> str:
    if high < _NOTHING:
        return f"0{NARROW}%"
    exponent = math.floor(math.log10(high))
    unit = 10.0**exponent
    power = str(exponent).translate(_SUPERSCRIPTS)
    return f"({_plain(low / unit, 1)}–{_plain(high / unit, 1)}){NO_BREAK}×{NO_BREAK}10{power}"
