# SPDX-License-Identifier: Apache-2.0
"""What federated studies promise: the speed of the loops over every genotype.

People and genotypes are random, so that anybody can measure.
"""

from collections.abc import Iterator

from benchmarks.harness.claim import Claim
from benchmarks.parts import scan


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    yield from scan.claims(seed)
