# SPDX-License-Identifier: Apache-2.0
"""What access promises: nobody is believed who should not be, and a permit ends at once for whom it ends."""

from collections.abc import Iterator

from benchmarks.harness.claim import Claim
from benchmarks.parts import passport, permit, way


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    yield from passport.claims(seed)
    yield from permit.claims(seed)
    yield from way.claims(seed)
