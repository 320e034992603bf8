# SPDX-License-Identifier: Apache-2.0
"""Cells of counts: of whom, and only where something differs from all called, all reference."""

import numpy as np

from megagenome.collection.classify import STREAMS, Entries
from megagenome.collection.counts import Columns, count_cells, counts_header
from megagenome.collection.model import Sex, Stratum
from megagenome.kernel.ids import Country
from megagenome.reference import PloidyClass

STRATA = (Stratum(Country("EE"), "", Sex.FEMALE), Stratum(Country("EE"), "", Sex.MALE))
COLUMNS = Columns(np.array([3, 4, 9, 11]), np.array([0, 1, 1, 0]), np.array([True, True, True, False]), STRATA)


def entries(**streams: list[tuple[int, int]]) -> dict[str, Entries]:
    both = {stream: np.array(streams.get(stream, []), np.int32).reshape(-1, 2) for stream in STREAMS}
    return {stream: Entries(found[:, 0], found[:, 1]) for stream, found in both.items()}


def test_cells_by_row_and_stratum() -> None:
    found = entries(het=[(0, 0), (0, 3), (2, 1)], hom=[(2, 2)], hemi=[(2, 0)], half=[(2, 0)], missing=[(3, 0), (3, 1)])
    ploidy = np.array([PloidyClass.DIPLOID, PloidyClass.DIPLOID, PloidyClass.DIPLOID, PloidyClass.X_NONPAR])
    sizes, cells = count_cells(found, ploidy, COLUMNS)
    assert sizes.tolist() == [1, 0, 2, 2]
    assert cells.tolist() == [[0, 1, 0, 0, 0], [0, 0, 0, 1, -1], [1, 1, 1, 0, 0], [0, 0, 0, 0, -2], [1, 0, 0, 0, -1]]


def test_the_header_counts_who_is_in_the_public_numbers() -> None:
    assert counts_header(COLUMNS) == {"strata": STRATA, "people": [1, 2]}
