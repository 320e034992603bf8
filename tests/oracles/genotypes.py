# SPDX-License-Identifier: Apache-2.0
"""What a genotype store must answer, by plain counting over calls; people of a stratum with the same call at once."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
    strata = [(one.country, one.population, one.sex) if one.consents else None for one in people]
    for record in records:
        alike = Counter(zip(strata, record.calls, strict=True))
        for k, alt in enumerate(record.alts, 1):
            key = (record.contig, *shortest(record.start, record.ref, alt))
            if alt in ("<NON_REF>", "<*>", ".") or key in answer:
                continue
            cells: dict[Cell, list[int]] = {}
            for (stratum, call), number in alike.items():
                if stratum is None:
                    continue
                cell = cells.setdefault(stratum, [0, 0, 0, 0])
                copies = copies_expected(assembly, record.contig, record.start, stratum[2])
                called = called_alleles(call, copies)
                cell[3] += number * len(called)
                mine = called.count(k)
                if mine:
                    cell[2 if len(called) == 1 else mine - 1] += number
            answer[key] = {cell: (n[0], n[1], n[2], n[3]) for cell, n in cells.items()}
    return answer
