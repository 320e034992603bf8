# SPDX-License-Identifier: Apache-2.0
"""The one bitmap codec: sets of people, per batch of 65,536.

Stored, a batch of a set is either its members' 16-bit numbers within the batch, sorted (2 bytes each), or a plane of
one bit per person (8 KiB), whichever is smaller; the length tells which. In memory a set is `Planes`: the planes of
all its batches.

In a plane person i is bit i % 8 of byte i // 8 (little endian throughout).
"""

import numpy as np
import numpy.typing as npt

BATCH = 65_536
"""People in a batch."""
PLANE_BYTES = BATCH // 8
SPARSE_LIMIT = PLANE_BYTES // 2
"""From this many members on, a plane is not larger."""

Planes = npt.NDArray[np.uint8]
"""uint8 [batches, PLANE_BYTES]: a set of people of the node."""
Numbers = npt.NDArray[np.int64]


def batches_for(people: int) -> int:
    """How many batches hold `people` people; at least one."""
    return max(1, -(-people // BATCH))


def encode(members: npt.NDArray[np.uint16]) -> bytes:
    """The stored form of one batch of a set. `members` are strictly increasing numbers within the batch."""
    if len(members) < SPARSE_LIMIT:
        return members.astype("<u2").tobytes()
    plane = np.zeros(BATCH, np.uint8)
    plane[members] = 1
    return np.packbits(plane, bitorder="little").tobytes()


def encode_sets(members: npt.NDArray[np.uint16], bounds: npt.NDArray[np.int64]) -> tuple[bytes, npt.NDArray[np.int64]]:
    """The stored forms of one batch of many sets, one after another, and where each begins and the last ends. Set k's
    are `members[bounds[k]:bounds[k + 1]]`, as for `encode`."""
    sizes = np.diff(bounds)
    dense = sizes >= SPARSE_LIMIT
    at = np.append(0, np.cumsum(np.where(dense, PLANE_BYTES, 2 * sizes)))
    parts, done = [], 0
    for k in np.flatnonzero(dense).tolist():
        begin, end = bounds[k : k + 2].tolist()
        parts += [members[done:begin].astype("<u2").tobytes(), encode(members[begin:end])]
        done = end
    parts.append(members[done:].astype("<u2").tobytes())
    return b"".join(parts), at


def decode(stored: bytes | memoryview) -> npt.NDArray[np.uint16]:
    """The members of a stored batch, strictly increasing."""
    if len(stored) < PLANE_BYTES:
        return np.frombuffer(stored, "<u2")
    return np.flatnonzero(np.unpackbits(np.frombuffer(stored, np.uint8), bitorder="little")).astype(np.uint16)


def decode_plane(stored: bytes | memoryview) -> npt.NDArray[np.uint8]:
    """A stored batch as a plane, uint8 [PLANE_BYTES]."""
    if len(stored) == PLANE_BYTES:
        return np.frombuffer(stored, np.uint8)
    bits = np.zeros(BATCH, np.uint8)
    bits[np.frombuffer(stored, "<u2")] = 1
    return np.packbits(bits, bitorder="little")


def nobody(batches: int) -> Planes:
    """The empty set."""
    return np.zeros((batches, PLANE_BYTES), np.uint8)


def from_numbers(numbers: Numbers, batches: int) -> Planes:
    """The set of these people (any order, repeats allowed); all below `batches * BATCH`."""
    bits = np.zeros(batches * BATCH, np.uint8)
    bits[numbers] = 1
    return np.packbits(bits, bitorder="little").reshape(batches, PLANE_BYTES)


def distinct(numbers: Numbers) -> Numbers:
    """The numbers, increasing, each once. (`numpy.unique` imports `numpy.ma`, which takes 15 ms.)"""
    ordered = np.sort(numbers)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def to_numbers(planes: Planes) -> Numbers:
    """The members' numbers, increasing."""
    return np.flatnonzero(np.unpackbits(planes.reshape(-1), bitorder="little"))


def count(planes: Planes) -> int:
    """How many members."""
    return int(np.bitwise_count(planes.view(np.uint64)).sum())


def contains(plane: npt.NDArray[np.uint8], members: npt.NDArray[np.uint16]) -> npt.NDArray[np.bool_]:
    """For each number within a batch, whether the plane has it."""
    held: npt.NDArray[np.uint8] = plane[members >> 3] >> (members & 7).astype(np.uint8) & 1
    return held.view(np.bool_)
