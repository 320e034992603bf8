# SPDX-License-Identifier: Apache-2.0
"""Counting a load's tiles anew, from their bitmaps: after somebody's consent, country, population or sex changed."""

from typing import BinaryIO

import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap
from megagenome.collection.classify import STREAMS, Entries
from megagenome.collection.collection import Collection
from megagenome.collection.consent import read_consenting
from megagenome.collection.enrol import Enrolment
from megagenome.collection.pack import PackWriter
from megagenome.collection.strata import Strata, read_strata
from megagenome.collection.tiles import ContigTiles
from megagenome.collection.write_tiles import Columns, add_counts, counts_header
from megagenome.kernel.errors import Conflict
from megagenome.reference import EXPECTED_PLOIDY, PloidyClass


def outdated_tiles(
    connection: sa.Connection, collection: Collection, enrolment: Enrolment
) -> list[tuple[ContigTiles, Columns]]:
    """The earlier tiles whose stored counts no longer hold after an enrolment, and their people as they are now.

    `connection` is in the enrolment's transaction. Raises `Conflict` where somebody gets a sex of another ploidy than
    their calls were read with.
    """
    if not enrolment.changed.size:
        return []
    snapshot = collection.snapshot()
    with collection.engine.connect() as outside:  # of the rehearsal: people as they were
        before = read_strata(outside)
    changed = bitmap.from_numbers(enrolment.changed, snapshot.batches)
    consenting = bitmap.to_numbers(read_consenting(connection, bitmap.batches_for(len(enrolment.strata.of))))
    affected = []
    for tiles in (each for found in snapshot.tiles.values() for each in found):
        if (tiles.people & changed).any():
            _refuse_other_ploidy(tiles, bitmap.to_numbers(tiles.people & changed), before, enrolment.strata)
            number = bitmap.to_numbers(tiles.people)
            stratum = enrolment.strata.of[number].astype(np.int64)
            columns = Columns(number, stratum, np.isin(number, consenting), enrolment.strata.strata)
            affected.append((tiles, columns))
    return affected


def _refuse_other_ploidy(tiles: ContigTiles, numbers: bitmap.Numbers, before: Strata, after: Strata) -> None:
    """Calls were read with the ploidy of the sex that was recorded; a tile does not keep what another would need."""
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


def count_again(tiles: ContigTiles, columns: Columns, file: BinaryIO) -> PackWriter:
    """Write the counts of all that `tiles` holds, for its people as `columns` (by increasing number) says they are now.

    Cost: reads every bitmap of the load's contig once.
    """
    writer = PackWriter(file)
    for region in tiles.regions:
        entries = {}
        for stream in STREAMS:
            row, number = tiles.everybody(region, stream)
            entries[stream] = Entries(row.astype(np.int32), np.searchsorted(columns.number, number).astype(np.int32))
        add_counts(writer, region, tiles.sites(region).ploidy, entries, columns)
    writer.finish(counts_header(columns))
    return writer
