# SPDX-License-Identifier: Apache-2.0
"""What access promises: the clearinghouse believes nobody that it should not, and decides at once; what ends reading
ends it within seconds."""

from collections.abc import Iterator

from benchmarks.harness.claim import Claim
from benchmarks.parts import passport, way


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    yield from passport.claims(seed)
    yield from way.claims(seed)
