# SPDX-License-Identifier: Apache-2.0
"""What federated studies promise: studies beside plink2, and the speed of the loops over every genotype.

People and genotypes are random, so that anybody can measure.
"""

from collections.abc import Iterator

from benchmarks.harness.claim import Claim
from benchmarks.parts import scan, studies


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    for part in (studies, scan):
        yield from part.claims(seed)
