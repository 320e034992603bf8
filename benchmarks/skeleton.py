# SPDX-License-Identifier: Apache-2.0
"""The skeleton's claims: loading beside bcftools, a node's start, memory and answers, what a hub adds to its nodes.

People and genotypes are random, so that anybody can measure.
"""

from collections.abc import Iterator

from benchmarks.harness.claim import Claim
from benchmarks.parts import hub, load, node


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    for part in (load, node, hub):
        yield from part.claims(seed)
