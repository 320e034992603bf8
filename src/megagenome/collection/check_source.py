# SPDX-License-Identifier: Apache-2.0
"""Whether what a source of genotypes says of places fits an assembly: one judge for loads and for validation."""

import numpy as np

from megagenome.kernel.errors import Conflict, Invalid
from megagenome.reference import Assembly
from megagenome.standards.genotypes import Block, GenotypeSource


def check_lengths(place: Assembly, source: GenotypeSource) -> None:
    """Raise `Conflict` where the source's header gives a contig of the assembly another length."""
    for name, length in source.contig_lengths.items():
        contig = place.find_contig(name)  # None: it matters only once it has records
        if contig is not None and length != contig.length:
            raise Conflict(
                f"{source.name}: its header gives contig {name} {length:,} bases, {place.name} has {contig.length:,}; "
                "is it of another assembly (--assembly)?"
            )


def find_contig(place: Assembly, source: GenotypeSource, name: str) -> str:
    """The assembly's name of a contig; `Invalid` where it has none such."""
    try:
        return place.contig(name).name
    except Invalid as error:
        raise Invalid(f"{source.name}: {error}") from None


def check_order(source: GenotypeSource, block: Block, last: int, length: int) -> None:
    """Raise `Invalid` unless a block's records are sorted, come after `last` and lie within the contig's `length`."""
    starts = np.concatenate(([last], block.starts))
    if block.starts[0] < 0:
        raise Invalid(f"{source.name}: {block.contig}:0 is before the contig's first base, which is 1")
    if (back := np.flatnonzero(np.diff(starts) < 0)).size:
        place = f"{block.contig}:{block.starts[back[0]] + 1}"
        raise Invalid(f"{source.name}: not sorted: {place} comes after {starts[back[0]] + 1}; sort it (bcftools sort)")
    if block.starts[-1] >= length:
        raise Invalid(f"{source.name}: {block.contig}:{block.starts[-1] + 1} is beyond the contig's {length:,} bases")
