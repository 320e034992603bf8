# SPDX-License-Identifier: Apache-2.0
"""Sums of told numbers: allele counts and numbers by population label, with the interval of each frequency.

Only what nodes told is ever added. A cell that a node withheld is in no sum, so a sum over nodes is the sum over the
people whose cells were told, and its frequency is theirs.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from megagenome.standards.federation import Frequency

Z = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution: two-sided 95 %."""

_COUNTRY = re.compile(r"[A-Z]{2}")
_COUNTRY_SEX = re.compile(r"[A-Z]{2}_([MF])")
_ORDER = {"Total": 0, "M": 1, "F": 2}


class People(NamedTuple):
    """People by genotype: two copies, one of two, the only one."""

    homozygous: int
    heterozygous: int
    hemizygous: int


class Cell(NamedTuple):
    """Counts of one allele in one population, as told. `people` is None where genotypes were not told."""

    population: str
    allele_count: int
    allele_number: int
    people: People | None = None


Cells = tuple[Cell, ...]


def add(parts: Iterable[Sequence[Cell]]) -> Cells:
    """Cells of the same label summed over parts whose people differ; people by genotype only where all tell them.

    Labels come in the order `Total`, `M`, `F`, then by name, so that `FI`, `FI:FIN`, `FI_F`, `FI_M` stand together.
    """
    by_label: dict[str, list[Cell]] = {}
    for part in parts:
        for cell in part:
            by_label.setdefault(cell.population, []).append(cell)
    return tuple(_sum(label, by_label[label]) for label in sorted(by_label, key=_label_order))


def _sum(label: str, cells: Sequence[Cell]) -> Cell:
    told = [cell.people for cell in cells if cell.people is not None]
    return Cell(
        label,
        sum(cell.allele_count for cell in cells),
        sum(cell.allele_number for cell in cells),
        People(*map(sum, zip(*told, strict=True))) if len(told) == len(cells) else None,
    )


def add_with_totals(parts: Iterable[Sequence[Cell]]) -> Cells:
    """The sum of one node's parts, with `Total`, `M` and `F` added where it leaves them out but tells countries.

    Countries are apart from each other (Genome of Europe profile), so their told cells sum to the told total.
    """
    cells = add(parts)
    sums: dict[str, list[Cell]] = {"Total": [], "M": [], "F": []}
    for cell in cells:
        if _COUNTRY.fullmatch(cell.population):
            sums["Total"].append(cell)
        elif match := _COUNTRY_SEX.fullmatch(cell.population):
            sums[match[1]].append(cell)
    labels = {cell.population for cell in cells}
    return add([cells, [_sum(label, own) for label, own in sums.items() if own and label not in labels]])


def _label_order(label: str) -> tuple[int, str]:
    return _ORDER.get(label, len(_ORDER)), label


def with_intervals(cells: Sequence[Cell]) -> tuple[Frequency, ...]:
    """The cells as the hub tells them: each with its frequency and its 95 % interval."""
    return tuple(_frequency(cell) for cell in cells)


def _frequency(cell: Cell) -> Frequency:
    low, high = wilson(cell.allele_count, cell.allele_number)
    share = cell.allele_count / cell.allele_number if cell.allele_number else 0.0
    people = cell.people or (None, None, None)
    return Frequency(cell.population, cell.allele_count, cell.allele_number, share, low, high, *people)


def wilson(count: int, number: int) -> tuple[float, float]:
    """The 95 % score interval of `count` out of `number`; (0, 1) when nothing was counted.

    Wilson, Journal of the American Statistical Association 22 (1927) 209-212. It stays within 0 and 1 and keeps its
    coverage at the small counts that rare alleles have. Alleles count as independent, as under Hardy-Weinberg.
    """
    if number == 0:
        return 0.0, 1.0
    share, weight = count / number, Z * Z / number
    centre = (share + weight / 2) / (1 + weight)
    reach = math.sqrt(share * (1 - share) * weight + weight * weight / 4) / (1 + weight)
    # at the ends the interval touches 0 and 1 exactly, which floating point would miss by a rounding
    return (0.0 if count == 0 else max(0.0, centre - reach), 1.0 if count == number else min(1.0, centre + reach))
