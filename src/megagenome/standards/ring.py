# SPDX-License-Identifier: Apache-2.0
"""Numbers as integers modulo 2**64, in which secure sums are made. Our own format.

A number v is the integer nearest to v * 2**bits, in two's complement. A sum of `sites` of them is exact as long as none
reaches 2**62 / sites; it differs from the sum of the numbers by at most sites * 2**-(bits + 1), of integers by nothing.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid

Ring = npt.NDArray[np.uint64]

_LIMIT = 2.0**62
MOST_BITS = 60


def encode(values: npt.NDArray[Any], bits: int, sites: int, name: str = "a value") -> Ring:
    """`values` (float64, or integers with `bits` 0) in the ring, of the same shape.

    Raises `Invalid` where one is not finite or too large for the sum of `sites` of them; it says which array, not which
    value.
    """
    if values.dtype.kind in "iub":
        if bits or (values.size and int(np.abs(values.astype(np.float64)).max()) * sites >= _LIMIT):
            raise Invalid(f"{name} is too large for a sum of {sites}")
        return values.astype(np.int64).view(np.uint64)
    scaled = np.rint(np.ldexp(values.astype(np.float64), bits))
    # NaN compares false, so it is refused too
    if not bool(np.all(np.abs(scaled) * sites < _LIMIT)):
        raise Invalid(f"{name} is not finite, or too large for a sum of {sites} with {bits} digits after the point")
    return scaled.astype(np.int64).view(np.uint64)


def add(parts: Iterable[Ring]) -> Ring:
    """The sum, modulo 2**64, of arrays of one shape."""
    parts = iter(parts)
    total = next(parts).copy()
    for part in parts:
        total += part
    return total


def decode(total: Ring, bits: int) -> npt.NDArray[Any]:
    """The numbers of a sum: int64 where `bits` is 0, else float64 (to 53 binary digits)."""
    whole = total.view(np.int64)
    return whole if bits == 0 else np.ldexp(whole.astype(np.float64), -bits)


def bits_for(bound: float, sites: int) -> int:
    """The most digits after the point with which numbers of at most `bound` can be summed over `sites`."""
    return min(MOST_BITS, 61 - math.ceil(math.log2(max(bound, 1.0) * sites)))
