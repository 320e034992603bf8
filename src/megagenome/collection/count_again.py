# SPDX-License-Identifier: Apache-2.0
"""Counting a load's tiles anew, from their bitmaps: after a release, or after somebody's country, population or sex
changed."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from megagenome.collection import bitmap
from megagenome.collection.classify import STREAMS, Entries
from megagenome.collection.counts import Columns, add_counts, count_cells, counts_header
from megagenome.collection.manifest import pack_paths
from megagenome.collection.pack import PackWriter
from megagenome.collection.released import Census, Change
from megagenome.collection.snapshot import Snapshot
from megagenome.collection.strata import Strata
from megagenome.collection.tiles import ContigTiles, PackKey
from megagenome.kernel.durable_files import write_durably
from megagenome.kernel.errors import Conflict
from megagenome.reference import EXPECTED_PLOIDY, PloidyClass


class Recounted(NamedTuple):
    """New counts of a load's contig."""

    key: PackKey
    counts: PackWriter


def outdated_tiles(snapshot: Snapshot, changes: Sequence[Change], census: Census) -> list[tuple[ContigTiles, Columns]]:
    """The tiles whose stored counts no longer hold after these changes, and their people as they are then.

    Raises `Conflict` where somebody gets a sex of another ploidy than their calls were read with.
    """
    affected = []
    for change in changes:
        differing = change.before ^ change.after | census.moved
        counted = bitmap.to_numbers(change.after)
        for tiles in (
            each for found in snapshot.tiles.values() for each in found if each.dataset == change.dataset.number
        ):
            here = tiles.people
            if not (here & differing[: len(here)]).any():
                continue
            moved = bitmap.to_numbers(here & census.moved[: len(here)])
            _refuse_other_ploidy(tiles, moved, census.strata_before, census.strata)
            number = bitmap.to_numbers(here)
            stratum = census.strata.of[number].astype(np.int64)
            affected.append((tiles, Columns(number, stratum, np.isin(number, counted), census.strata.strata)))
    return affected


def _refuse_other_ploidy(tiles: ContigTiles, numbers: bitmap.Numbers, before: Strata, after: Strata) -> None:
    """Calls were read with the ploidy of the sex that was recorded; a tile does not keep what another would need."""
    if not len(numbers):
        return
    kinds = {int(kind) for region in tiles.regions for kind in np.unique(tiles.sites(region).ploidy)}
    for kind in map(PloidyClass, sorted(kinds)):
        was, now = (
            np.array([EXPECTED_PLOIDY[kind][stratum.sex] for stratum in each.strata], np.int8)[each.of[numbers]]
            for each in (before, after)
        )
        if others := int((was != now).sum()):
            raise Conflict(
                f"{others:,} people get another sex than they had when their genotypes of contig {tiles.key.contig} "
                "were loaded, and with it another ploidy; leave sex empty for them here, or load all of it anew with it"
            )


def write_counts(folder: Path, tiles: ContigTiles, columns: Columns, identity: str) -> Recounted:
    """Write the counts of all that `tiles` holds, for its people as `columns` (by increasing number) says they are now.
    Durable on return, and named by no manifest yet.

    Cost: reads every bitmap of the load's contig once.
    """
    key = tiles.key._replace(counted_by=identity)
    with write_durably(pack_paths(folder, *key)[1]) as file:
        return Recounted(key, _count_again(tiles, columns, file))


def _count_again(tiles: ContigTiles, columns: Columns, file: BinaryIO) -> PackWriter:
    writer = PackWriter(file)
    for region in tiles.regions:
        entries = {}
        for stream in STREAMS:
            row, number = tiles.everybody(region, stream)
            entries[stream] = Entries(row.astype(np.int32), np.searchsorted(columns.number, number).astype(np.int32))
        add_counts(writer, region, *count_cells(entries, tiles.sites(region).ploidy, columns))
    writer.finish(counts_header(columns))
    return writer
