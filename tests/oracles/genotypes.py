# SPDX-License-Identifier: Apache-2.0
"""What a genotype store must answer, by plain counting over calls, one person at a time."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

# 1-based inclusive, as the Genome Reference Consortium lists them
PSEUDOAUTOSOMAL = {
    ("GRCh37", "X"): ((60001, 2699520), (154931044, 155260560)),
    ("GRCh37", "Y"): ((10001, 2649520), (59034050, 59363566)),
    ("GRCh38", "X"): ((10001, 2781479), (155701383, 156030895)),
    ("GRCh38", "Y"): ((10001, 2781479), (56887903, 57217415)),
}


class Someone(NamedTuple):
    """A person as the oracle sees them."""

    sample: str
    sex: str
    country: str
    population: str
    consents: bool


class Record(NamedTuple):
    """One record of a file. A call is a tuple of alleles, None for one that was not called."""

    contig: str
    start: int
    ref: str
    alts: tuple[str, ...]
    calls: tuple[tuple[int | None, ...], ...]


Key = tuple[str, int, str, str]
Cell = tuple[str, str, str]
Counted = dict[Key, Mapping[Cell, tuple[int, int, int, int]]]
"""For each allele (contig, start, ref, alt), by (country, population, sex): het, hom, hemi, called alleles."""


@cache
def copies_expected(assembly: str, contig: str, start: int, sex: str) -> int:
    """How many copies of a place a person has."""
    if contig == "MT":
        return 1
    if contig not in ("X", "Y"):
        return 2
    if any(low <= start + 1 <= high for low, high in PSEUDOAUTOSOMAL[assembly, contig]):
        return 2
    if contig == "X":
        return 1 if sex == "male" else 2
    return 0 if sex == "female" else 1


@cache
def called_alleles(call: tuple[int | None, ...], copies: int) -> tuple[int, ...]:
    """The alleles that count of one call."""
    if copies == 0:
        return ()
    if copies == 1 and len(call) == 2:
        call = call[:1] if call[0] == call[1] else (None,)
    return tuple(allele for allele in call if allele is not None)


def shortest(start: int, ref: str, alt: str) -> tuple[int, str, str]:
    """The allele with as few bases as possible."""
    if not alt.isalpha():
        return start, ref, alt
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        start, ref, alt = start + 1, ref[1:], alt[1:]
    return start, ref, alt


def count(assembly: str, people: Sequence[Someone], records: Iterable[Record]) -> Counted:
    """The counts of all alleles."""
    answer: Counted = {}
    for record in records:
        for k, alt in enumerate(record.alts, 1):
            key = (record.contig, *shortest(record.start, record.ref, alt))
            if alt in ("<NON_REF>", "<*>", ".") or key in answer:
                continue
            cells: dict[Cell, list[int]] = {}
            for person, call in zip(people, record.calls, strict=True):
                if not person.consents:
                    continue
                cell = cells.setdefault((person.country, person.population, person.sex), [0, 0, 0, 0])
                copies = copies_expected(assembly, record.contig, record.start, person.sex)
                called = called_alleles(call, copies)
                cell[3] += len(called)
                mine = called.count(k)
                if mine:
                    cell[2 if len(called) == 1 else mine - 1] += 1
            answer[key] = {cell: (n[0], n[1], n[2], n[3]) for cell, n in cells.items()}
    return answer
