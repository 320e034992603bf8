# SPDX-License-Identifier: Apache-2.0
"""What is computed over a part of a scan, in this process or another: functions of plain arrays that open packs by
their paths."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from megagenome.collection import bitmap
from megagenome.collection.model import GenotypeCounts, Projection
from megagenome.collection.pack import Pack
from megagenome.collection.scan_plan import Batch, Part, Run
from megagenome.collection.set_sums import (
    StoredSets,
    Table,
    add_to_members,
    count_within,
    empty_table,
    members_of,
    sums,
)
from megagenome.kernel.errors import Corrupt
from megagenome.reference import PloidyClass

Floats = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
GoOn = Callable[[], None]

NOT_CALLED = -1
NO_RECORD = -2
_PACKS_KEPT = 64
_open_pack = lru_cache(_PACKS_KEPT)(Pack)


def no_check() -> None:
    """Where somebody else looks whether the work may go on."""


def stored_sets(pack: Pack, region: int, row: Int64, stream: str, batch: int) -> tuple[Int64, StoredSets]:
    """The sets of a stream at those of some rows (increasing) that have members in a batch, and which of them these
    are."""
    name = f"{stream}/{batch}"
    try:
        present = pack.array(region, f"{name}/row", "<u4")
        at = pack.array(region, f"{name}/at", "<u8").view(np.int64)
        stored = pack.array(region, f"{name}/members", "u1")
    except (KeyError, ValueError):
        raise Corrupt(f"{pack.path}: region {region} is damaged; restore it from the backup") from None
    if not len(present):
        return np.zeros(0, np.int64), StoredSets(stored, row[:0], row[:0])
    if len(at) != len(present) + 1:
        raise Corrupt(f"{pack.path}: region {region} is damaged; restore it from the backup")
    index = np.minimum(np.searchsorted(present, row.astype(np.uint32)), len(present) - 1)
    which = np.flatnonzero(present[index] == row)
    index = index[which]
    return which, StoredSets(stored, at[index], at[index + 1])


def _streams(
    batch: Batch, runs: list[Run], streams: tuple[str, ...], go_on: GoOn
) -> Iterator[tuple[Run, str, Int64, StoredSets]]:
    """Each run's and stream's sets that are not empty, and the places of their alleles."""
    for run in runs:
        pack = _open_pack(*run.pack)
        for stream in streams:
            which, sets = stored_sets(pack, run.region, run.row, stream, batch.number)
            if len(which):
                for some, kind in sets.apart():
                    go_on()
                    yield run, stream, run.place[which[some]], kind


def _copies(batch: Batch, runs: list[Run], go_on: GoOn) -> Iterator[tuple[Run, float, bool, Int64, StoredSets]]:
    """The sets of who has copies, how many a member has (twice those of the haploid), and whether only of the haploid.

    Where two alleles are expected, `hemi` are half calls: of these people not every allele is known.
    """
    for run, stream, place, sets in _streams(batch, runs, ("het", "hom", "hemi"), go_on):
        if stream != "hemi":
            yield run, 1.0 if stream == "het" else 2.0, False, place, sets
        elif run.ploidy is not PloidyClass.DIPLOID:
            yield run, 2.0, True, place, sets


def _table(batch: Batch, values: Floats) -> Table:
    """The values of the batch's people, zero of all others."""
    table = _zeros(batch, values.shape[1])
    table.rows[batch.within, : values.shape[1]] = values[batch.place]
    return table


def _zeros(batch: Batch, columns: int) -> Table:
    return Table(empty_table(bitmap.BATCH, columns), int(batch.within.max()) + 1)


def _of_ploidy(part: Part, batch: Batch, kind: PloidyClass, ploidy: int) -> Batch:
    return batch.where(part.ploidy[kind][batch.place] == ploidy)


def project(
    part: Part, copies_of: Floats, missing_of: Floats, squares_of: Floats, go_on: GoOn = no_check
) -> Projection:
    """`Scan.project` for a part."""
    alleles, c, d = part.high - part.low, copies_of.shape[1], missing_of.shape[1]
    carriers_of = np.hstack((copies_of, squares_of))
    copies, missing, squares = (np.zeros((alleles, each.shape[1])) for each in (copies_of, missing_of, squares_of))
    for batch, runs in part.by_people():
        table = _table(batch, carriers_of)
        haploid = {
            kind: _table(mine, carriers_of)
            for kind in _haploid_kinds(runs)
            if len((mine := _of_ploidy(part, batch, kind, 1)).place)
        }
        for run, each, of_haploid, place, sets in _copies(batch, runs, go_on):
            if chosen := haploid.get(run.ploidy) if of_haploid else table:
                of_carriers = sums(sets, chosen)
                copies[place] += each * of_carriers[:, :c]
                squares[place] += each**2 * of_carriers[:, c : carriers_of.shape[1]]
        if d:
            table = _table(batch, missing_of)
            for _, _, place, sets in _streams(batch, runs, ("missing", "half"), go_on):
                missing[place] += sums(sets, table)[:, :d]
            for run, nobody in _without_the_place(part, batch, runs):
                missing[run.place] += missing_of[nobody].sum(axis=0)
    return Projection(copies, missing, squares)


def _haploid_kinds(runs: list[Run]) -> set[PloidyClass]:
    return {run.ploidy for run in runs} - {PloidyClass.DIPLOID}


def _without_the_place(part: Part, batch: Batch, runs: list[Run]) -> Iterator[tuple[Run, Int64]]:
    """Runs on Y, and the people who have none: nothing can be called of them."""
    for run in runs:
        if run.ploidy is PloidyClass.Y_NONPAR:
            yield run, _of_ploidy(part, batch, run.ploidy, 0).place


def spread(part: Part, weights: Floats, missing: Floats | None, people: int, go_on: GoOn = no_check) -> Floats:
    """`Scan.spread` for a part: float64 [people, c]. `weights` and `missing` are those of the part's alleles."""
    columns = weights.shape[1]
    spread = np.zeros((people, columns))
    for batch, runs in part.by_people():
        table = _zeros(batch, columns)
        haploid = {kind: _zeros(batch, columns) for kind in _haploid_kinds(runs)}
        for run, weight, of_haploid, place, sets in _copies(batch, runs, go_on):
            add_to_members(sets, _padded(weight * weights[place]), haploid[run.ploidy] if of_haploid else table)
        for kind, added in haploid.items():
            mine = _of_ploidy(part, batch, kind, 1)
            spread[mine.place] += added.rows[mine.within, :columns]
        if missing is not None:
            for _, _, place, sets in _streams(batch, runs, ("missing", "half"), go_on):
                add_to_members(sets, _padded(missing[place]), table)
            for run, nobody in _without_the_place(part, batch, runs):
                spread[nobody] += missing[run.place].sum(axis=0)
        spread[batch.place] += table.rows[batch.within, :columns]
    return spread


def _padded(values: Floats) -> Floats:
    rows = empty_table(*values.shape)
    rows[:, : values.shape[1]] = values
    return rows


def count(part: Part, go_on: GoOn = no_check) -> GenotypeCounts:
    """`Scan.count` for a part."""
    het, hom, hemi, missing, called = np.zeros((5, part.high - part.low), np.int64)
    into = {"het": het, "hom": hom, "missing": missing, "half": missing}
    for batch, runs in part.by_people():
        plane = batch.plane
        by_ploidy = {
            (kind, ploidy): _of_ploidy(part, batch, kind, ploidy)
            for kind in {run.ploidy for run in runs}
            for ploidy in (0, 1, 2)
        }
        for run in runs:
            for ploidy in (1, 2):
                called[run.place] += ploidy * len(by_ploidy[run.ploidy, ploidy].place)
            missing[run.place] += len(by_ploidy[run.ploidy, 0].place)
        haploid = {kind: mine.plane for (kind, ploidy), mine in by_ploidy.items() if ploidy == 1}
        for run, stream, place, sets in _streams(batch, runs, ("het", "hom", "hemi", "missing", "half"), go_on):
            if stream == "hemi":
                if run.ploidy is not PloidyClass.DIPLOID:
                    hemi[place] += count_within(sets, haploid[run.ploidy])
                continue
            number = count_within(sets, plane)
            into[stream][place] += number
            if stream == "missing":
                called[place] -= 2 * number
                if run.ploidy is not PloidyClass.DIPLOID:
                    called[place] += count_within(sets, haploid[run.ploidy])
            elif stream == "half":
                called[place] -= 2 * number
    return GenotypeCounts(het, hom, hemi, missing, called)


def calls(part: Part, people: int, go_on: GoOn = no_check) -> npt.NDArray[np.int8]:
    """int8 [alleles of the part, people]: copies, twice those of the haploid; NOT_CALLED; NO_RECORD."""
    calls = np.full((part.high - part.low, people), NO_RECORD, np.int8)
    for batch, runs in part.by_people():
        place_of = np.full(bitmap.BATCH, -1, np.int64)
        place_of[batch.within] = batch.place
        for run in runs:
            calls[np.ix_(run.place, batch.place)] = 0
        for run, nobody in _without_the_place(part, batch, runs):
            calls[np.ix_(run.place, nobody)] = NOT_CALLED
        for run, stream, place, sets in _streams(batch, runs, ("het", "hom", "hemi", "missing", "half"), go_on):
            of, members = members_of(sets)
            person = place_of[members]
            held = person >= 0
            if stream == "hemi":
                held &= part.ploidy[run.ploidy][person] == 1
            value = {"het": 1, "hom": 2, "hemi": 2}.get(stream, NOT_CALLED)
            calls[place[of[held]], person[held]] = value
    return calls
