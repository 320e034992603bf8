# SPDX-License-Identifier: Apache-2.0
"""What sealed files and catalogues promise: sealing and opening beside the standard's own program, and harvests."""

from collections.abc import Iterator

from benchmarks.harness.claim import Claim
from benchmarks.parts import harvest, sealing


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    for part in (sealing, harvest):
        yield from part.claims(seed)
