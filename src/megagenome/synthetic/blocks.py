# SPDX-License-Identifier: Apache-2.0
"""Genotypes of some people as blocks, streamed from the trees: what a country's variant caller would have written."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import tskit

from megagenome.standards.genotypes import ABSENT, MISSING, Block
from megagenome.synthetic.genomes import Haplotypes
from megagenome.synthetic.people import Ints
from megagenome.synthetic.planted import Carriers

Calls = npt.NDArray[np.int8]


def read_blocks(sequences: Sequence[Haplotypes], planted: dict[str, list[Carriers]], members: Ints) -> Iterator[Block]:
    """Blocks of the people `members` (ascending places), stretch by stretch, by position.

    A file has the records in which somebody in it carries an alternate allele, and in each record those alternates
    only. Memory: one chunk of sites (`Haplotypes.sites_per_chunk`) of the members.
    """
    for sequence in sequences:
        waiting = planted[sequence.stretch.name]
        for block in _simulated(sequence, members):
            ready = [carriers for carriers in waiting if carriers.allele.start < block.starts[-1]]
            waiting = waiting[len(ready) :]
            yield from _insert(block, [_planted_block(sequence, carriers, members) for carriers in ready])
        for carriers in waiting:
            yield from _present([_planted_block(sequence, carriers, members)])


def _insert(block: Block, additions: list[Block]) -> Iterator[Block]:
    begin = 0
    for addition in additions:
        end = int(np.searchsorted(block.starts, addition.starts[0]))
        yield from _present([_rows(block, begin, end), addition])
        begin = end
    yield from _present([_rows(block, begin, len(block.starts))])


def _present(blocks: list[Block]) -> Iterator[Block]:
    return (block for block in blocks if (block.calls > 0).any())


def _rows(block: Block, begin: int, end: int) -> Block:
    return Block(
        block.contig, block.starts[begin:end], block.refs[begin:end], block.alts[begin:end], block.calls[begin:end]
    )


def _planted_block(sequence: Haplotypes, carriers: Carriers, members: Ints) -> Block:
    calls = np.zeros((1, len(members), 2), np.int8)
    calls[0, sequence.second[members] < 0, 1] = ABSENT
    _, column, carrier = np.intersect1d(members, carriers.people, assume_unique=True, return_indices=True)
    calls[0, column, 0] = 1
    calls[0, column[carriers.copies[carrier] == 2], 1] = 1
    allele = carriers.allele
    starts = np.array([allele.start], np.int64)
    return Block(sequence.stretch.contig, starts, [allele.ref], [(allele.alt,)], calls)


def _simulated(sequence: Haplotypes, members: Ints) -> Iterator[Block]:
    first, second = sequence.first[members], sequence.second[members]
    paired = second >= 0
    nodes = np.concatenate([first, second[paired]])
    variant = tskit.Variant(sequence.trees, samples=nodes)
    column = np.full(len(sequence.first), -1, np.int64)
    column[members] = np.arange(len(members))
    size = sequence.sites_per_chunk
    for chunk, begin in enumerate(range(0, len(sequence.starts), size)):
        sites = range(begin, min(begin + size, len(sequence.starts)))
        calls = np.full((len(sites), len(members), 2), ABSENT, np.int8)
        spelled = []
        for row, site in enumerate(sites):
            variant.decode(site)
            calls[row, :, 0] = variant.genotypes[: len(first)]
            calls[row, paired, 1] = variant.genotypes[len(first) :]
            spelled.append(sequence.alleles(site, tuple(str(base) for base in variant.alleles)))
        _blank(calls, sequence, chunk, begin, column)
        block = _trim(calls, sequence, begin, spelled)
        if len(block.starts):
            yield block


def _blank(calls: Calls, sequence: Haplotypes, chunk: int, begin: int, column: npt.NDArray[np.int64]) -> None:
    sites, people = sequence.missing_calls(chunk)
    here = column[people] >= 0
    rows, columns = sites[here] - begin, column[people[here]]
    missing = calls[rows, columns]
    calls[rows, columns] = np.where(missing == ABSENT, ABSENT, MISSING).astype(np.int8)


def _trim(calls: Calls, sequence: Haplotypes, begin: int, spelled: list[tuple[str, ...]]) -> Block:
    """Leave out alternates that nobody carries, then records without one."""
    widest = max(len(alleles) for alleles in spelled)
    present = np.stack([(calls == allele).any(axis=(1, 2)) for allele in range(1, widest)], axis=1)
    kept = np.flatnonzero(present.any(axis=1))
    refs, alts = [], []
    for row in kept.tolist():
        places = np.flatnonzero(present[row]) + 1
        refs.append(spelled[row][0])
        alts.append(tuple(spelled[row][place] for place in places))
        if len(places) != places[-1]:  # an alternate before the last one is gone: number the others anew
            codes = np.arange(-2, widest, dtype=np.int8)
            codes[places + 2] = np.arange(1, len(places) + 1)
            calls[row] = codes[calls[row] + 2]
    return Block(sequence.stretch.contig, sequence.starts[begin + kept], refs, alts, calls[kept])
