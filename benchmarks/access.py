# SPDX-License-Identifier: Apache-2.0
"""What access promises: nobody is believed who should not be, a permit ends at once for whom it ends, desks stay fast
when they are full, and none of it slows what is public."""

from collections.abc import Iterator

from benchmarks.harness.claim import Claim
from benchmarks.parts import desks, passport, permit, signed_in, way


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    yield from passport.claims(seed)
    yield from permit.claims(seed)
    yield from way.claims(seed)
    yield from desks.claims(seed)
    yield from signed_in.claims(seed)
