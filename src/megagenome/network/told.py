# SPDX-License-Identifier: Apache-2.0
"""What a node told: its Beacon answer, checked. A number that cannot be true makes the whole answer `Corrupt`.

A node cannot be believed in part: one that counts more alleles than it has chromosomes may be wrong in every cell, so
nothing of such an answer enters a sum.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from megagenome.kernel.coordinates import trim
from megagenome.kernel.errors import Corrupt
from megagenome.network.combine import Cell, Cells, People, add_with_totals
from megagenome.network.settings import Node
from megagenome.standards import beacon
from megagenome.standards.federation import NodeStatus

_MOST = 1 << 53
"""Counts from here on lose their last digit in JSON clients, and nobody has as many people."""
_ROUNDING = 1e-3
"""Nodes round the frequencies that they state; ours is always computed from the counts."""
_MOST_LABELS = 1000


class Place(NamedTuple):
    """An allele on a contig that the question fixed; sorts by position."""

    start: int
    end: int
    ref: str
    alt: str


ANYWHERE = Place(-1, -1, "", "")
"""The place of a record that does not say its allele: it can only be the allele that was asked for."""

Rows = dict[Place, Cells]


@dataclass(frozen=True, slots=True)
class ToldDataset:
    """One dataset's part.

    more      it has more records than it gave
    last      the start of its last record; None where its records are not in order or there are none
    unread    records that do not say their allele; `rows` has the last of them at `ANYWHERE`
    """

    id: str
    told: bool
    count: int
    rows: Rows
    more: bool
    last: int | None
    unread: int


@dataclass(frozen=True, slots=True)
class Told:
    """A node's checked answer.

    exact     its count is the truth; else something may be withheld
    count     `numTotalResults`; None when it was not said
    combined  its own sum over its datasets, each person once; None when it gave none
    shared    ids of two datasets each that have people in common
    sets      its result sets as it gave them, without records where people were asked for
    """

    exists: bool
    exact: bool
    count: int | None
    floor: int | None
    datasets: tuple[ToldDataset, ...]
    combined: Cells | None
    shared: frozenset[frozenset[str]]
    sets: tuple[beacon.ResultSet, ...]

    @property
    def status(self) -> NodeStatus:
        """ANSWERED when it told a number, an exact none included; else WITHHELD."""
        return NodeStatus.ANSWERED if self.exists or self.exact else NodeStatus.WITHHELD

    @property
    def more(self) -> bool:
        """True when it has more records than it gave."""
        given = len(self.alleles()) + sum(dataset.unread for dataset in self.datasets)
        return any(dataset.more for dataset in self.datasets) or (self.count or 0) > given

    def alleles(self) -> dict[Place, list[Cells]]:
        """Its alleles, each with what its datasets told of it; of datasets that share people the one with more of them,
        so that nobody counts twice."""
        found: dict[Place, dict[str, Cells]] = {}
        for dataset in self.datasets:
            for place, cells in dataset.rows.items():
                found.setdefault(place, {})[dataset.id] = cells
        return {
            place: list(by_id.values()) if not self.shared else self._apart(by_id) for place, by_id in found.items()
        }

    def _apart(self, by_id: dict[str, Cells]) -> list[Cells]:
        taken: list[str] = []
        for each in sorted(by_id, key=lambda id_: (-max((cell.allele_number for cell in by_id[id_]), default=0), id_)):
            if not any(frozenset((each, other)) in self.shared for other in taken):
                taken.append(each)
        return [by_id[each] for each in taken]


def read_variants(node: Node, body: bytes) -> Told:
    """A node's answer to a question about variants."""
    return _told(node, beacon.decode_answer(body), with_rows=True)


def read_allele(asked: Place, node: Node, body: bytes) -> Told:
    """A node's answer to a question about one allele: nothing else may be in it."""
    told = read_variants(node, body)
    for dataset in told.datasets:
        if set(dataset.rows) - {asked, ANYWHERE} or len(dataset.rows) > 1 or dataset.unread > 1:
            raise Corrupt(f"it was asked for one allele, and dataset {dataset.id[:100]!r} gives others")
    return told


def read_people(node: Node, body: bytes) -> Told:
    """A node's answer to a question about people: counts only, whatever records it may send."""
    return _told(node, beacon.decode_answer(body), with_rows=False)


def _told(node: Node, answer: beacon.Answer, *, with_rows: bool) -> Told:
    if answer.meta.beacon_id != node.id:
        raise Corrupt(
            f"it calls itself {answer.meta.beacon_id[:100]!r}, not {node.id!r}: another service at its address?"
        )
    summary, sets = answer.response_summary, answer.response.result_sets
    twice = [id_ for id_, times in Counter((each.set_type, each.id) for each in sets).items() if times > 1]
    if twice:
        raise Corrupt(f"it gives dataset {twice[0][1][:100]!r} twice")
    count = summary.num_total_results
    if count is not None:
        _check_count("numTotalResults", count)
    if summary.exists and count == 0:
        raise Corrupt("it says that there are results, and counts none")
    combined = answer.response.info.combined
    return Told(
        summary.exists,
        summary.count_precision in (None, beacon.CountPrecision.EXACT),
        count,
        beacon.withheld_below(summary.count_adjusted_to),
        tuple(_dataset(each, with_rows=with_rows) for each in sets),
        None if combined is None else add_with_totals([_cells(combined.frequencies)]),
        frozenset(map(frozenset, answer.response.info.shared)),
        sets if with_rows else tuple(replace(each, results=()) for each in sets),
    )


def _dataset(given: beacon.ResultSet, *, with_rows: bool) -> ToldDataset:
    _check_count(f"resultsCount of {given.id[:100]!r}", given.results_count)
    rows: Rows = {}
    starts: list[int] = []
    unread = 0
    for record in given.results if with_rows else ():
        place = _place(record)
        if place is ANYWHERE:
            unread += 1
        elif place in rows:
            raise Corrupt(f"dataset {given.id[:100]!r} gives an allele twice")
        starts.append(_start(record))
        rows[place] = _cells(cell for division in record.frequency_in_populations for cell in division.frequencies)
    return ToldDataset(
        given.id,
        given.exists,
        given.results_count,
        rows,
        with_rows and given.results_count > len(given.results),
        starts[-1] if starts and starts == sorted(starts) else None,
        unread,
    )


def _start(record: beacon.GenomicVariant) -> int:
    location = record.variation.location
    return location.interval.start.value if location is not None else -1


def _place(record: beacon.GenomicVariant) -> Place:
    allele = record.allele("")
    if allele is None:
        return ANYWHERE
    if allele.start < 0:
        raise Corrupt("it gives an allele before the contig's first base")
    return place_of(allele.start, allele.ref, allele.alt)


def place_of(start: int, ref: str, alt: str) -> Place:
    """The place of an allele, written with the fewest bases, so that every node's way of writing it is one."""
    start, ref, alt = trim(start, ref.upper(), alt.upper() if alt.isalpha() else alt)
    return Place(start, start + len(ref), ref, alt)


def _cells(given: Iterable[beacon.Frequency]) -> Cells:
    """The cells that have counts. Those that state a frequency alone cannot be summed and are left out."""
    cells: dict[str, Cell] = {}
    for stated in given:
        cell = _cell(stated)
        if cell is not None and cells.setdefault(cell.population, cell) is not cell:
            raise Corrupt(f"it gives population {cell.population!r} twice for one allele")
    if len(cells) > _MOST_LABELS:
        raise Corrupt(f"it gives more than {_MOST_LABELS} populations for one allele")
    return tuple(cells.values())


def _cell(stated: beacon.Frequency) -> Cell | None:
    label, share = stated.population, stated.allele_frequency
    count, number = stated.allele_count, stated.allele_number
    if not label or len(label) > 100 or not label.isprintable():
        raise Corrupt("it gives a population without a proper label")
    if not math.isfinite(share) or not 0 <= share <= 1:
        raise Corrupt(f"its frequency for {label!r} is not between 0 and 1")
    if count is None or number is None:
        return None
    _check_count(f"alleleCount for {label!r}", count)
    _check_count(f"alleleNumber for {label!r}", number)
    if count > number:
        raise Corrupt(f"it counts more alternate alleles than alleles for {label!r}")
    if number and abs(share - count / number) > _ROUNDING:
        raise Corrupt(f"its frequency for {label!r} is not its count by its number")
    return Cell(label, count, number, _people(label, stated, count))


def _people(label: str, stated: beacon.Frequency, copies: int) -> People | None:
    homozygous = stated.allele_count_homozygous
    heterozygous = stated.allele_count_heterozygous
    hemizygous = stated.allele_count_hemizygous
    told = [count for count in (homozygous, heterozygous, hemizygous) if count is not None]
    for count in told:
        _check_count(f"genotype count for {label!r}", count)
    # every carrier has a copy; whether a homozygous person counts once or twice differs between nodes in use
    if sum(told) > copies:
        raise Corrupt(f"it counts more carriers than copies for {label!r}")
    if homozygous is None or heterozygous is None or hemizygous is None:
        return None
    return People(homozygous, heterozygous, hemizygous)


def _check_count(what: str, count: int) -> None:
    if not 0 <= count < _MOST:
        raise Corrupt(f"its {what} cannot be a count")
