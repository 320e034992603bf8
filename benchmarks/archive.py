# SPDX-License-Identifier: Apache-2.0
"""What sealed files promise: sealing and opening beside the standard's own program, keeping them, giving them out."""

from collections.abc import Iterator

from benchmarks.harness.claim import Claim
from benchmarks.parts import archiving, delivery, sealing


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    for part in (sealing, archiving, delivery):
        yield from part.claims(seed)
