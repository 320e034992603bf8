# SPDX-License-Identifier: Apache-2.0
"""What access promises: the clearinghouse believes nobody that it should not, and decides at once."""

from collections.abc import Iterator

from benchmarks.harness.claim import Claim
from benchmarks.parts import passport


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    yield from passport.claims(seed)
