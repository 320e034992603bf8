# SPDX-License-Identifier: Apache-2.0
"""What sealed files promise: sealing and opening beside the standard's own program, and keeping them."""

from collections.abc import Iterator

from benchmarks.harness.claim import Claim
from benchmarks.parts import archiving, sealing


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    for part in (sealing, archiving):
        yield from part.claims(seed)
