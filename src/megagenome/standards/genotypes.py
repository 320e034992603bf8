# SPDX-License-Identifier: Apache-2.0
"""Genotype blocks: how called genotypes travel inside the house, from any source to the collection.

Our own format. A source (a VCF, a simulation) yields `Block`s in file order; `collection.load` takes any iterable.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

MISSING = -1
"""An allele that was not called (`.` in VCF)."""
ABSENT = -2
"""No second allele: the call is haploid."""

Calls = npt.NDArray[np.int8] | npt.NDArray[np.int16]
"""Called alleles; the wider only for records with more than 126 alternates."""


class Block(NamedTuple):
    """Some records of one contig, with one call per sample.

    contig   the contig's name as the source writes it
    starts   int64 [records], 0-based, not decreasing within a contig over all blocks
    refs     upper-case reference alleles [records]
    alts     alternate alleles [records], in the record's order; empty for a record without one
    calls    int8 [records, samples, 2], C order: index of the allele (0 reference, 1.. the alternates), MISSING, or
             ABSENT in the second place of a haploid call; int16 when a record has more than 126 alternates, and wider
             where a BCF was written so
    """

    contig: str
    starts: npt.NDArray[np.int64]
    refs: list[str]
    alts: list[tuple[str, ...]]
    calls: Calls


class GenotypeSource(NamedTuple):
    """A file or simulation ready to be read once.

    name            what messages call it (a file name)
    samples         sample ids in the order of `Block.calls`; no id twice
    contig_lengths  lengths that the source states; contigs without a statement are not in it
    blocks          the blocks; a contig's blocks are consecutive
    left_out        further samples that the file has and the blocks have not
    """

    name: str
    samples: tuple[str, ...]
    contig_lengths: dict[str, int]
    blocks: Iterable[Block]
    left_out: int = 0
