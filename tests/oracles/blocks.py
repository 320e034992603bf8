# SPDX-License-Identifier: Apache-2.0
"""Checks that blocks keep the contract that `standards.genotypes` states, record by record."""

from collections.abc import Iterator

import numpy as np

from megagenome.standards.genotypes import ABSENT, MISSING, Block, GenotypeSource


def check_block(block: Block, samples: int) -> None:
    """Assert everything that the docstring of `Block` promises."""
    records = len(block.starts)
    assert 0 < records <= 512
    assert block.starts.dtype == np.int64
    assert (np.diff(block.starts) >= 0).all()
    assert block.starts[0] >= 0
    assert len(block.refs) == len(block.alts) == records
    assert block.calls.shape == (records, samples, 2)
    assert block.calls.flags.c_contiguous
    for ref, alts, calls in zip(block.refs, block.alts, block.calls, strict=True):
        assert all(allele and set(allele) <= set("ACGT") for allele in (ref, *alts))
        assert len({ref, *alts}) == 1 + len(alts)
        assert block.calls.dtype == (np.int16 if len(alts) > 126 else np.int8)
        assert set(np.unique(calls[:, 0])) <= set(range(MISSING, len(alts) + 1))
        assert set(np.unique(calls[:, 1])) <= set(range(ABSENT, len(alts) + 1))


def checked(source: GenotypeSource) -> Iterator[Block]:
    """The blocks of a source, each checked, and the order of all of them."""
    assert len(set(source.samples)) == len(source.samples)
    seen: dict[str, int] = {}
    current = None
    for block in source.blocks:
        check_block(block, len(source.samples))
        if block.contig != current:
            assert block.contig not in seen, f"{block.contig} comes in two parts"
            current = block.contig
        assert int(block.starts[0]) >= seen.get(block.contig, 0)
        seen[block.contig] = int(block.starts[-1])
        if block.contig in source.contig_lengths:
            last = max(int(start) + len(ref) for start, ref in zip(block.starts, block.refs, strict=True))
            assert last <= source.contig_lengths[block.contig]
        yield block
