# SPDX-License-Identifier: Apache-2.0
"""Two independent looks at disclosure control: the rules of docs/discovery.md cell by cell, and what cells give away.

Written from the rules' text, with no array and nothing of `megagenome.discovery`.
"""

import itertools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from megagenome.collection.model import Sex, Stratum


class Genotypes(NamedTuple):
    """Counts of one stratum (or the sum of several). `possible`: het, hom, hemi that its called people can be."""

    het: int
    hom: int
    hemi: int
    an: int
    possible: tuple[bool, bool, bool]
    without: float  # people called without a copy, at the least

    @property
    def ac(self) -> int:
        return self.het + 2 * self.hom + self.hemi


def added(parts: Iterable[Genotypes]) -> Genotypes:
    parts = list(parts)
    possible = [any(part.possible[kind] for part in parts if part.an) for kind in range(3)]
    return Genotypes(
        sum(part.het for part in parts),
        sum(part.hom for part in parts),
        sum(part.hemi for part in parts),
        sum(part.an for part in parts),
        (possible[0], possible[1], possible[2]),
        sum(part.without for part in parts),
    )


def passes(cell: Genotypes, floor: int) -> bool:
    return floor <= cell.ac <= cell.an - floor


def genotypes_pass(cell: Genotypes, floor: int) -> bool:
    counts = (cell.het, cell.hom, cell.hemi)
    kinds = all(n >= floor or (n == 0 and not can) for n, can in zip(counts, cell.possible, strict=True))
    return kinds and cell.without >= floor


Cell = tuple[int, int, tuple[int, int, int] | None]
"""AC, AN, and (het, hom, hemi) where they are told."""


def told_cells(table: dict[Stratum, Genotypes], floor: int, *, separates: bool) -> dict[str, Cell]:
    """The cells that the rules tell, by label. `separates`: ploidy differs between sexes at this place."""
    cells: dict[str, Cell] = {}
    for country in sorted({stratum.country for stratum in table}):
        mine = {s: g for s, g in table.items() if s.country == country}
        whole = added(mine.values())
        if not passes(whole, floor) or not whole.an:
            continue
        men, women, unsexed = (
            added(g for s, g in mine.items() if s.sex is sex) for sex in (Sex.MALE, Sex.FEMALE, Sex.UNKNOWN)
        )
        sexed = passes(men, floor) and passes(women, floor) and (not unsexed.an or passes(unsexed, floor))
        of_sexes = all(not g.an or genotypes_pass(g, floor) for g in (men, women, unsexed))
        of_whole = genotypes_pass(whole, floor) and (of_sexes or not sexed or not separates)
        cells[country] = _cell(whole, of_whole)
        if sexed:
            for label, part in (("M", men), ("F", women)):
                if part.an:
                    cells[f"{country}_{label}"] = _cell(part, of_sexes)
        cells |= _populations(country, mine, floor, sexed=sexed, separates=separates)
    totals: dict[str, list[Cell]] = {"Total": [], "M": [], "F": []}
    for label, cell in cells.items():
        if ":" not in label:
            totals[label.partition("_")[2] or "Total"].append(cell)
    return cells | {label: _sum(parts) for label, parts in totals.items() if parts}


def _populations(
    country: str, mine: dict[Stratum, Genotypes], floor: int, *, sexed: bool, separates: bool
) -> dict[str, Cell]:
    names = sorted({stratum.population for stratum in mine})
    if names == [""]:
        return {}
    whole = {name: added(g for s, g in mine.items() if s.population == name) for name in names}
    parts = [*whole.values(), *(mine.values() if sexed or separates else ())]
    if not all(passes(part, floor) for part in parts if part.an):
        return {}
    trios = all(genotypes_pass(part, floor) for part in parts if part.an)
    if separates and not trios:
        return {}
    return {f"{country}:{name or 'unrecorded'}": _cell(part, trios) for name, part in whole.items() if part.an}


def _cell(cell: Genotypes, genotypes: bool) -> Cell:
    return cell.ac, cell.an, (cell.het, cell.hom, cell.hemi) if genotypes else None


def _sum(parts: list[Cell]) -> Cell:
    trios = [part[2] for part in parts]
    trio = None if None in trios else tuple(sum(column) for column in zip(*trios, strict=True))
    return sum(part[0] for part in parts), sum(part[1] for part in parts), trio


class Derived(NamedTuple):
    """Something that follows from told numbers: `value` people or alleles of `kind` in a group of strata."""

    kind: str
    group: tuple[Stratum, ...]
    value: float


_KINDS = ("AC", "reference alleles", "het", "hom", "hemi", "without")


def derivable(table: dict[Stratum, Genotypes], haploid: set[Stratum], cells: dict[str, Cell]) -> list[Derived]:
    """Every count of a group of strata of one country that is a linear combination, of any length, of told numbers.

    The unknowns of each stratum are its people with each genotype that ploidy allows; the attacker knows which strata
    have no called people. `haploid` are those whose people have one copy of the place.
    """
    unknowns = [
        (stratum, kind)
        for stratum, counts in table.items()
        if counts.an
        for kind, can in zip(("het", "hom", "hemi", "without"), (*counts.possible, True), strict=True)
        if can
    ]
    place = {unknown: k for k, unknown in enumerate(unknowns)}

    def functional(strata: Iterable[Stratum], kind: str) -> np.ndarray:
        row = np.zeros(len(unknowns))
        for stratum in strata:
            for name, weight in _weights(kind, stratum in haploid).items():
                if (stratum, name) in place:
                    row[place[stratum, name]] += weight
        return row

    known = []
    for label, cell in cells.items():
        group = [stratum for stratum in table if _belongs(stratum, label, cells)]
        known += [functional(group, "AC"), functional(group, "AN")]
        if cell[2] is not None:
            known += [functional(group, kind) for kind in ("het", "hom", "hemi")]
    if not known:
        return []
    basis = np.array(known)
    truth = np.array([_value(table[stratum], kind) for stratum, kind in unknowns], float)
    found = []
    for group in _groups([stratum for stratum in table if table[stratum].an]):
        for kind in _KINDS:
            wanted = functional(group, kind)
            if wanted.any() and _spanned(basis, wanted):
                found.append(Derived(kind, group, float(wanted @ truth)))
    return found


def _weights(kind: str, haploid: bool) -> dict[str, int]:
    reference = {"het": 1, "without": 1 if haploid else 2}
    match kind:
        case "AC":
            return {"het": 1, "hom": 2, "hemi": 1}
        case "reference alleles":
            return reference
        case "AN":
            return {"het": 2, "hom": 2, "hemi": 1, "without": reference["without"]}
        case _:
            return {kind: 1}


def _value(counts: Genotypes, kind: str) -> float:
    return counts.without if kind == "without" else getattr(counts, kind)


def _belongs(stratum: Stratum, label: str, cells: dict[str, Cell]) -> bool:
    """Totals are sums of the countries' told cells: what adds up is what was told."""
    sex = {"M": Sex.MALE, "F": Sex.FEMALE}
    if label == "Total":
        return stratum.country in cells
    if label in sex:
        return stratum.sex is sex[label] and f"{stratum.country}_{label}" in cells
    if ":" in label:
        country, _, population = label.partition(":")
        return stratum[:2] == (country, "" if population == "unrecorded" else population)
    country, _, ending = label.partition("_")
    return stratum.country == country and (not ending or stratum.sex is sex[ending])


def _groups(strata: list[Stratum]) -> Iterable[tuple[Stratum, ...]]:
    for country in sorted({stratum.country for stratum in strata}):
        mine = [stratum for stratum in strata if stratum.country == country]
        for size in range(1, len(mine) + 1):
            yield from itertools.combinations(mine, size)


def _spanned(basis: np.ndarray, wanted: np.ndarray) -> bool:
    solution, *_ = np.linalg.lstsq(basis.T, wanted, rcond=None)
    return bool(np.allclose(basis.T @ solution, wanted, atol=1e-7))
