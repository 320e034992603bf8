# SPDX-License-Identifier: Apache-2.0
"""One contig of a load, streamed into a pack of genotypes and a pack of counts.

Rows wait until their 1 Mb region is complete, are then sorted and written. Memory is bounded by one region's people as
they are stored.

Arrays of a region in the pack of genotypes:
    start, end       <u4 [rows]; sorted by (start, ref, alt), each once
    alleles          text `ref TAB alt` of each row, one after another; allele_at <u4 [rows + 1] where each begins
    ploidy           u1 [rows], the place's `PloidyClass`
    origin_row       <u4: rows that stand otherwise in the file (split or trimmed); origin, origin_at: `pos1 ref alts k`
    {stream}/{batch}/row      <u4 [r], rows that have members; /at <u8 [r + 1]; /members: each in the bitmap codec
Arrays of a region in the pack of counts (people who are in the public numbers only): `counts.py` has them.
"""

from typing import BinaryIO, NamedTuple

import numpy as np

from megagenome.collection.classify import Int64, Oddities
from megagenome.collection.collect import Alleles, Collector, Waiting
from megagenome.collection.counts import Columns, add_counts, counts_header
from megagenome.collection.pack import PackWriter
from megagenome.collection.waiting_sites import Sites, WaitingSites
from megagenome.kernel.coordinates import is_symbolic
from megagenome.kernel.native import library
from megagenome.reference import Assembly
from megagenome.standards.genotypes import Block

REGION = 1_000_000
"""Bases in a region."""


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
        self._collector, self._sites = Collector(columns, library()), WaitingSites()
        self._next_region: int | None = None  # no row that waits is in an earlier one
        self.tally = Tally()

    def add(self, block: Block) -> None:
        """Take the next block. Its records are sorted and begin where the last block's end, or later."""
        classes = self._assembly.ploidy_classes(self._contig, block.starts)
        alleles = self._sites.add(block, classes)
        self._tally(alleles, self._collector.add(block.calls, alleles))
        if self._next_region is None:
            self._next_region = int(block.starts[0]) // REGION
        if (region := int(block.starts[-1]) // REGION) > self._next_region:
            self._flush(region)

    def _tally(self, alleles: Alleles, odd: Oddities) -> None:
        records = len(alleles.class_of)
        added = Tally(records=records, **odd._asdict())
        if len(alleles.record) != records or alleles.allele.max(initial=1) > 1:  # else each record has one allele
            each = np.bincount(alleles.record, minlength=records)
            split, without = int(each[each > 1].sum()), int(np.count_nonzero(each == 0))
            added = added._replace(split=split, without_alternate=without)
        self.tally = self.tally.plus(added)

    def finish(self) -> None:
        """Write the last regions and both indexes."""
        self._flush(None)
        self.genotypes.finish({"longest": self._longest})
        self.counts.finish(counts_header(self._columns))

    def _flush(self, before: int | None) -> None:
        """Write the regions that are complete: those before region `before`, or all."""
        sites, waiting = self._sites.sites(), self._collector.waiting()
        regions = sites.start // REGION
        later = np.zeros(len(regions), np.bool_) if before is None else regions >= before
        for region in sorted(set(regions[~later].tolist())):
            self._write(region, sites, waiting, np.flatnonzero(regions == region))
        kept = np.flatnonzero(later)
        self._sites.keep(kept)
        self._collector.keep(kept)
        self._next_region = before

    def _write(self, region: int, all_sites: Sites, waiting: Waiting, rows: Int64) -> None:
        order, repeated = all_sites.order(rows)
        self.tally = self.tally.plus(Tally(alleles=len(order), repeated=repeated))
        if not len(order):
            return
        self._write_sites(region, all_sites.take(order))
        add_counts(self.counts, region, *waiting.cells(order))
        for name, stored in waiting.people(order):
            self.genotypes.add(region, f"{name}/row", stored.rows.astype("<u4"))
            self.genotypes.add(region, f"{name}/at", stored.at.astype("<u8"))
            self.genotypes.add(region, f"{name}/members", stored.content)

    def _write_sites(self, region: int, sites: Sites) -> None:
        add, refs, alts = self.genotypes.add, sites.refs, sites.alts
        bases = np.fromiter(map(len, refs), np.int64, len(refs))
        self._longest = max(self._longest, int(bases.max()))
        add(region, "start", sites.start.astype("<u4"))
        add(region, "end", (sites.start + bases).astype("<u4"))
        add(region, "ploidy", sites.ploidy.astype(np.uint8))
        self._add_texts(region, "alleles", "allele_at", list(map("\t".join, zip(refs, alts, strict=True))))
        if changed := sorted(sites.origins):
            add(region, "origin_row", np.array(changed, "<u4"))
            self._add_texts(region, "origin", "origin_at", [sites.origins[row] for row in changed])
        trimmed = sum(sites.origins[row].split()[1] != refs[row] for row in changed)
        self.tally = self.tally.plus(Tally(symbolic=sum(map(is_symbolic, alts)), trimmed=trimmed))

    def _add_texts(self, region: int, name: str, at: str, texts: list[str]) -> None:
        stored = [text.encode() for text in texts]
        self.genotypes.add(region, name, b"".join(stored))
        self.genotypes.add(region, at, np.cumsum([0, *map(len, stored)]).astype("<u4"))
