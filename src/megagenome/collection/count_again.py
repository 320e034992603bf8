# SPDX-License-Identifier: Apache-2.0
"""Counting a load's tiles anew, from their bitmaps: after somebody's consent, country, population or sex changed."""

from typing import BinaryIO

import numpy as np

from megagenome.collection.classify import STREAMS, Entries
from megagenome.collection.pack import PackWriter
from megagenome.collection.tiles import ContigTiles
from megagenome.collection.write_tiles import Columns, add_counts, counts_header


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
