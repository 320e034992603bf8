# SPDX-License-Identifier: Apache-2.0
"""The rule of what a node may tell (docs/discovery.md), once more and plainly, for the demo's check.

Written from the rule's text with plain numbers, and with nothing of `discovery`: two ways to the same answer.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

ENDINGS = {"male": "_M", "female": "_F"}
"""How the label of a country's men and women ends."""


class Genotypes(NamedTuple):
    """Exact counts at one allele in some people. `hemi` are those whose only called allele it is."""

    het: int
    hom: int
    hemi: int
    an: int

    @property
    def ac(self) -> int:
        """Copies of the allele."""
        return self.het + 2 * self.hom + self.hemi


class Cell(NamedTuple):
    """What is told under one label. `people` are homozygous, heterozygous, hemizygous, where they are told."""

    ac: int
    an: int
    people: tuple[int, int, int] | None

    def __str__(self) -> str:
        counts = "" if self.people is None else " ({} hom, {} het, {} hemi)".format(*self.people)
        return f"{self.ac:,} of {self.an:,}{counts}"


Cells = dict[str, Cell]


def told_cells(country: str, by_sex: Mapping[str, Genotypes], copies: Mapping[str, int], floor: int) -> Cells:
    """The cells of one dataset at one allele. `copies` are those that people of each sex have of the place."""
    called = {sex: counts for sex, counts in by_sex.items() if counts.an}
    whole = _added(called.values())
    if not called or not _passes(whole, floor):
        return {}
    sexed = {"male", "female"} <= called.keys() if floor else True
    sexed = sexed and all(_passes(counts, floor) for counts in called.values())
    fine = all(_people_pass([(counts, copies[sex])], floor) for sex, counts in called.items())
    fine_together = _people_pass([(counts, copies[sex]) for sex, counts in called.items()], floor)
    if sexed and copies["male"] != copies["female"]:
        fine_together = fine_together and fine
    cells = {country: _cell(whole, fine_together), "Total": _cell(whole, fine_together)}
    for sex, ending in ENDINGS.items():
        if sexed and sex in called:
            cells[country + ending] = cells[ending[1:]] = _cell(called[sex], fine)
    return cells


def _passes(counts: Genotypes, floor: int) -> bool:
    return floor <= counts.ac <= counts.an - floor


def _people_pass(parts: list[tuple[Genotypes, int]], floor: int) -> bool:
    """Each genotype has at least the floor's people, or ploidy rules it out; so do people without a copy."""
    whole = _added(counts for counts, _ in parts)
    diploid, haploid = any(copies == 2 for _, copies in parts), any(copies == 1 for _, copies in parts)
    possible = {"het": diploid, "hom": diploid, "hemi": haploid}
    kinds = all(
        count >= floor or (count == 0 and not possible[kind])
        for kind, count in zip(possible, (whole.het, whole.hom, whole.hemi), strict=True)
    )
    others = sum((c.an - 2 * c.het - 2 * c.hom - c.hemi) / copies for c, copies in parts)
    return kinds and others >= floor


def _added(parts: Iterable[Genotypes]) -> Genotypes:
    rows = list(parts)
    return Genotypes(*(sum(column) for column in zip(*rows, strict=True))) if rows else Genotypes(0, 0, 0, 0)


def _cell(counts: Genotypes, people_told: bool) -> Cell:
    return Cell(counts.ac, counts.an, (counts.hom, counts.het, counts.hemi) if people_told else None)


def sum_cells(parts: Iterable[Cells]) -> Cells:
    """Told cells of different people under each label; people by genotype only where every part tells them."""
    by_label: dict[str, list[Cell]] = {}
    for cells in parts:
        for label, cell in cells.items():
            by_label.setdefault(label, []).append(cell)
    return {label: _sum(cells) for label, cells in by_label.items()}


def _sum(cells: list[Cell]) -> Cell:
    told = [cell.people for cell in cells if cell.people is not None]
    people = None
    if len(told) == len(cells):
        hom, het, hemi = (sum(column) for column in zip(*told, strict=True))
        people = hom, het, hemi
    return Cell(sum(cell.ac for cell in cells), sum(cell.an for cell in cells), people)


def people_told(members: int, everybody: int, floor: int) -> bool:
    """Whether the count of people of a dataset who match is told."""
    return floor <= members <= everybody - floor
