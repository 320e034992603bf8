# SPDX-License-Identifier: Apache-2.0
"""What sealed files and catalogues promise: sealing beside the standard's program, keeping, giving out, harvests."""

from collections.abc import Iterator

from benchmarks.harness.claim import Claim
from benchmarks.parts import archiving, delivery, harvest, sealing


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    for part in (sealing, archiving, delivery, harvest):
        yield from part.claims(seed)
