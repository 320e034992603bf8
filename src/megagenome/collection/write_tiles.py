# SPDX-License-Identifier: Apache-2.0
"""One contig of a load, streamed into a pack of genotypes and a pack of counts.

Rows wait until their 1 Mb region is complete, are then sorted, split into batches of 65,536 people and written. Memory
is bounded by one region's entries.

Arrays of a region in the pack of genotypes:
    start, end       <u4 [rows]; sorted by (start, ref, alt), each once
    alleles          text `ref TAB alt` of each row, one after another; allele_at <u4 [rows + 1] where each begins
    ploidy           u1 [rows], the place's `PloidyClass`
    origin_row       <u4: rows that stand otherwise in the file (split or trimmed); origin, origin_at: `pos1 ref alts k`
    {stream}/{batch}/row      <u4 [r], rows that have members; /at <u8 [r + 1]; /members: each in the bitmap codec
Arrays of a region in the pack of counts (people who are in the public numbers only):
    at               <u4 [rows + 1]
    cell             <i4 [cells, 5]: stratum, het, hom, hemi, and called alleles less those if all had been called
"""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.collection import bitmap
from megagenome.collection.classify import STREAMS, Classifier, Entries, Int32, Int64, concatenate
from megagenome.collection.model import Stratum
from megagenome.collection.pack import PackWriter
from megagenome.kernel.coordinates import is_symbolic, trim
from megagenome.kernel.native import library
from megagenome.reference import EXPECTED_PLOIDY, Assembly, PloidyClass
from megagenome.standards.genotypes import Block
from megagenome.standards.vcf import NO_ALTERNATES

REGION = 1_000_000
"""Bases in a region."""

COUNTED = ("het", "hom", "hemi")


class Columns(NamedTuple):
    """Who the columns of a load's blocks are.

    number    int64 [columns], the individuals' numbers
    stratum   int64 [columns], index in `strata`
    counted   bool [columns], True for people who are in the public numbers
    strata    the strata of these people
    """

    number: Int64
    stratum: Int64
    counted: npt.NDArray[np.bool_]
    strata: tuple[Stratum, ...]

    def expected_ploidy(self) -> npt.NDArray[np.int8]:
        """int8 [ploidy classes, strata]."""
        return np.array([[EXPECTED_PLOIDY[kind][s.sex] for s in self.strata] for kind in PloidyClass], np.int8)


class Tally(NamedTuple):
    """What was met while writing, in numbers of records, alleles or calls."""

    records: int = 0
    alleles: int = 0
    split: int = 0  # alleles of records with several alternates
    trimmed: int = 0  # alleles written with fewer bases than in the file
    symbolic: int = 0
    repeated: int = 0  # alleles that the file has a second time: only the first counts
    without_alternate: int = 0  # records with nothing but the reference
    haploid_homozygous: int = 0
    haploid_heterozygous: int = 0
    unexpected: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """The sums."""
        return Tally(*(a + b for a, b in zip(self, other, strict=True)))


class _Row(NamedTuple):
    start: int
    ref: str
    alt: str
    record: int  # breaks ties: of the same allele twice, the first in the file stays
    ploidy: int
    origin: str


def _split(start: int, ref: str, alts: tuple[str, ...], record: int, ploidy: int) -> Iterator[_Row]:
    """A record's alleles, each with as few bases as say the same."""
    for k, alt in enumerate(alts, 1):
        trimmed = trim(start, ref, alt)
        changed = len(alts) > 1 or trimmed[1] != ref
        yield _Row(*trimmed, record, ploidy, f"{start + 1} {ref} {','.join(alts)} {k}" if changed else "")


class ContigWriter:
    """Takes a contig's blocks in order and writes its regions; `finish` writes what waits.

    The header of the genotypes is `longest`, bases of the longest reference allele.
    """

    def __init__(
        self, genotypes: BinaryIO, counts: BinaryIO, columns: Columns, assembly: Assembly, contig: str
    ) -> None:
        self.genotypes, self.counts = PackWriter(genotypes), PackWriter(counts)
        self._longest = 1
        self._columns = columns
        self._assembly, self._contig = assembly, contig
        self._classifier = Classifier(columns.expected_ploidy()[:, columns.stratum], library())
        self._rows: list[_Row] = []
        self._entries: dict[str, list[Entries]] = {stream: [] for stream in STREAMS}
        self.tally = Tally()

    def add(self, block: Block) -> None:
        """Take the next block. Its records are sorted and begin where the last block's end, or later."""
        classes = self._assembly.ploidy_classes(self._contig, block.starts)
        base = len(self._rows)
        first_row = base + np.concatenate(([0], np.cumsum([len(alts) for alts in block.alts])))
        streams, odd = self._classifier.classify(block, first_row, classes)
        self._take_rows(block, classes)
        for stream, entries in streams.items():
            self._entries[stream].append(entries)
        self.tally = self.tally.plus(Tally(records=len(block.refs), **odd._asdict()))
        self._flush(int(block.starts[-1]) // REGION)

    def finish(self) -> None:
        """Write the last regions and both indexes."""
        self._flush(None)
        self.genotypes.finish({"longest": self._longest})
        self.counts.finish(counts_header(self._columns))

    def _take_rows(self, block: Block, classes: npt.NDArray[np.int8]) -> None:
        record = self.tally.records
        starts, ploidies = block.starts.tolist(), classes.tolist()
        split = without = 0
        for start, ref, alts, ploidy in zip(starts, block.refs, block.alts, ploidies, strict=True):
            if len(alts) == 1 and len(ref) == 1:  # nothing to split, nothing to trim: nearly all there are
                self._rows.append(_Row(start, ref, alts[0], record, ploidy, ""))
            else:
                self._rows += _split(start, ref, alts, record, ploidy)
                split += len(alts) if len(alts) > 1 else 0
                without += not alts
            record += 1
        self.tally = self.tally._replace(
            split=self.tally.split + split, without_alternate=self.tally.without_alternate + without
        )

    def _flush(self, before: int | None) -> None:
        """Write the regions that are complete: those before region `before`, or all."""
        if not self._rows or (before is not None and self._rows[0].start // REGION >= before):
            return
        regions = [row.start // REGION for row in self._rows]
        ready = sorted({region for region in regions if before is None or region < before})
        entries = {stream: concatenate(parts) for stream, parts in self._entries.items()}
        for region in ready:
            self._write(region, [i for i, r in enumerate(regions) if r == region], entries)
        later = [i for i, region in enumerate(regions) if region not in ready]
        place = _places(later, len(self._rows))
        self._entries = {stream: [_moved(found, place)] for stream, found in entries.items()}
        self._rows = [self._rows[i] for i in later]

    def _write(self, region: int, chosen: list[int], entries: dict[str, Entries]) -> None:
        rows = self._rows
        order: list[int] = []
        repeated = dropped = 0
        for i in sorted(chosen, key=lambda i: rows[i][:4]):
            if rows[i].alt in NO_ALTERNATES:
                dropped += 1
            elif order and rows[order[-1]][:3] == rows[i][:3]:
                repeated += 1
            else:
                order.append(i)
        if not order:
            return
        place = _places(order, len(rows))
        self._write_sites(region, [rows[i] for i in order])
        ploidy = np.array([rows[i].ploidy for i in order], np.uint8)
        moved = {stream: _moved(found, place) for stream, found in entries.items()}
        add_counts(self.counts, region, ploidy, moved, self._columns)
        for stream, found in moved.items():
            self._write_stream(region, stream, found)
        self.tally = self.tally.plus(
            Tally(
                alleles=len(order),
                repeated=repeated,
                symbolic=sum(is_symbolic(rows[i].alt) for i in order),
                trimmed=sum(bool(row.origin) and row.origin.split()[1] != row.ref for row in (rows[i] for i in order)),
            )
        )

    def _write_sites(self, region: int, rows: Sequence[_Row]) -> None:
        add = self.genotypes.add
        self._longest = max(self._longest, *(len(row.ref) for row in rows))
        add(region, "start", np.array([row.start for row in rows], "<u4"))
        add(region, "end", np.array([row.start + len(row.ref) for row in rows], "<u4"))
        add(region, "ploidy", np.array([row.ploidy for row in rows], np.uint8))
        self._add_texts(region, "alleles", "allele_at", [f"{row.ref}\t{row.alt}" for row in rows])
        changed = [i for i, row in enumerate(rows) if row.origin]
        if changed:
            add(region, "origin_row", np.array(changed, "<u4"))
            self._add_texts(region, "origin", "origin_at", [rows[i].origin for i in changed])

    def _add_texts(self, region: int, name: str, at: str, texts: list[str]) -> None:
        stored = [text.encode() for text in texts]
        self.genotypes.add(region, name, b"".join(stored))
        self.genotypes.add(region, at, np.cumsum([0, *map(len, stored)]).astype("<u4"))

    def _write_stream(self, region: int, stream: str, entries: Entries) -> None:
        batch = self._columns.number // bitmap.BATCH
        member = (self._columns.number % bitmap.BATCH).astype(np.uint16)
        batches = np.unique(batch).tolist()
        for which in batches:
            inside = entries if len(batches) == 1 else entries.where(batch[entries.column] == which)
            if not len(inside.row):
                continue
            row, members = _sorted(inside.row, member[inside.column])
            sizes = np.bincount(row)
            rows = np.flatnonzero(sizes)
            stored, at = bitmap.encode_sets(members, np.append(0, np.cumsum(sizes[rows])))
            name = f"{stream}/{which}"
            self.genotypes.add(region, f"{name}/row", rows.astype("<u4"))
            self.genotypes.add(region, f"{name}/at", at.astype("<u8"))
            self.genotypes.add(region, f"{name}/members", stored)


def add_counts(
    counts: PackWriter, region: int, ploidy: npt.NDArray[np.uint8], entries: dict[str, Entries], columns: Columns
) -> None:
    """Write the counts of a region's rows, whose places have `ploidy`, from its entries by stream."""
    rows, strata = len(ploidy), len(columns.strata)
    everybody = bool(columns.counted.all())
    people = {}
    for stream, found in entries.items():
        counted = found if everybody else found.where(columns.counted[found.column])
        cell = counted.row * np.int64(strata) + columns.stratum[counted.column]
        people[stream] = np.bincount(cell, minlength=rows * strata).reshape(rows, strata)
    called = -people["missing"] * columns.expected_ploidy()[ploidy] - people["half"]
    cells = np.stack([*(people[stream] for stream in COUNTED), called], axis=-1)
    row, stratum = np.nonzero(cells.any(axis=-1))
    counts.add(region, "at", np.searchsorted(row, np.arange(rows + 1)).astype("<u4"))
    counts.add(region, "cell", np.column_stack((stratum, cells[row, stratum])).astype("<i4"))


def counts_header(columns: Columns) -> dict[str, Any]:
    """The header of a pack of counts: `strata`, and `people`, how many of each consent."""
    people = np.bincount(columns.stratum[columns.counted], minlength=len(columns.strata))
    return {"strata": columns.strata, "people": people.tolist()}


def _sorted(row: Int32, member: npt.NDArray[np.uint16]) -> tuple[Int32, npt.NDArray[np.uint16]]:
    """Entries by row, then by member. As a rule they are so already: people are numbered as the file has them."""
    later = row[1:] > row[:-1]
    if (later | ((row[1:] == row[:-1]) & (member[1:] > member[:-1]))).all():
        return row, member
    order = np.argsort(row.astype(np.int64) * bitmap.BATCH + member)
    return row.take(order), member.take(order)


def _places(order: list[int], rows: int) -> Int32:
    """For each row its place in `order`, -1 where it is not in it."""
    place = np.full(rows, -1, np.int32)
    place[order] = np.arange(len(order))
    return place


def _moved(entries: Entries, place: Int32) -> Entries:
    """The entries of the rows that have a place, at that place."""
    if (place == np.arange(len(place))).all():
        return entries
    if (place < 0).all():
        return Entries(entries.row[:0], entries.column[:0])
    moved = Entries(place[entries.row], entries.column)
    return moved if (place >= 0).all() else moved.where(moved.row >= 0)
