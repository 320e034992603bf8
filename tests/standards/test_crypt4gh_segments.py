# SPDX-License-Identifier: Apache-2.0
"""Segments that know their places."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards.crypt4gh_segments import (
    AT_ONCE,
    SEALED_SEGMENT_BYTES,
    SEGMENT_BYTES,
    BodyKey,
    open_segment,
    plain_size,
    sealed_size,
    segments_of,
    whole_segments,
)

KEY, PREFIX = bytes(range(32)), b"\1\2\3\4"
PLAIN = os.urandom(3 * SEGMENT_BYTES + 1000)
SEALED = bytes(BodyKey(KEY, PREFIX).seal(PLAIN, 0))


def pieces(body: bytes) -> list[bytes]:
    return [body[k : k + SEALED_SEGMENT_BYTES] for k in range(0, len(body), SEALED_SEGMENT_BYTES)]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073])
def test_what_is_sealed_opens(size: int) -> None:
    plain, body = os.urandom(size), BodyKey(KEY, PREFIX)
    sealed = body.seal(plain, 7)
    assert len(sealed) == sealed_size(size)
    assert plain_size(len(sealed)) == size
    assert body.open(sealed, 7) == plain


def test_nonces_are_the_prefix_and_the_place() -> None:
    keys = [bytes(32), KEY]
    for number, segment in enumerate(pieces(SEALED)):
        assert segment[:12] == PREFIX + number.to_bytes(8, "big")
        assert open_segment(keys, segment, number) == PLAIN[number * SEGMENT_BYTES :][:SEGMENT_BYTES]


@given(st.integers(0, len(SEALED) - 1), st.integers(0, 7))
def test_each_changed_bit_is_found_in_its_segment(byte: int, bit: int) -> None:
    changed = bytearray(SEALED)
    changed[byte] ^= 1 << bit
    with pytest.raises(Corrupt, match=f"segment {byte // SEALED_SEGMENT_BYTES} "):
        BodyKey(KEY, PREFIX).open(changed, 0)


def test_segments_out_of_their_places_are_found_though_each_opens_by_itself() -> None:
    first, second, third, last = pieces(SEALED)
    body = BodyKey(KEY, PREFIX)
    for moved, place in [
        (second + first + third + last, 0),
        (first + first + third + last, 1),
        (first + third + last, 1),
        (first + second + third + third + last, 3),
        (bytes(BodyKey(KEY, b"abcd").seal(PLAIN, 0)), 0),
    ]:
        with pytest.raises(Corrupt, match=f"segment {place} is not in its place"):
            body.open(moved, 0)
    with pytest.raises(Corrupt, match="segment 0 was changed"):
        BodyKey(bytes(32), PREFIX).open(SEALED, 0)


@given(st.integers(0, 40 * SEALED_SEGMENT_BYTES))
def test_sizes_agree(sealed: int) -> None:
    rest = sealed % SEALED_SEGMENT_BYTES
    if 0 < rest <= 28:
        with pytest.raises(Corrupt):
            plain_size(sealed)
    else:
        assert sealed_size(plain_size(sealed)) == sealed


def test_sizes_beyond_32_bits() -> None:
    assert sealed_size(5 * 2**40) == 5 * 2**24 * SEALED_SEGMENT_BYTES
    assert plain_size(sealed_size(5 * 2**40 + 17)) == 5 * 2**40 + 17


@given(st.integers(0, len(PLAIN)), st.integers(0, len(PLAIN)))
def test_a_range_is_in_its_segments(one: int, other: int) -> None:
    start, end = sorted((one, other))
    found = segments_of(start, end)
    sealed = b"".join(pieces(SEALED)[found.first : found.last])
    plain = BodyKey(KEY, PREFIX).open(sealed, found.first)
    assert plain[found.skip_bytes :][: found.size_bytes] == PLAIN[start:end]
    assert (found.last - found.first) <= (end - start) // SEGMENT_BYTES + 2


@given(st.lists(st.binary(max_size=90), max_size=40), st.integers(1, 7))
def test_pieces_of_any_size_become_whole_ones(chunks: list[bytes], size: int) -> None:
    whole = [bytes(piece) for piece in whole_segments(iter(chunks), size)]
    assert b"".join(whole) == b"".join(chunks)
    assert all(len(piece) == size * AT_ONCE for piece in whole[:-1])
    assert all(whole)


def test_a_prefix_has_four_bytes_and_new_keys_are_new() -> None:
    with pytest.raises(Invalid):
        BodyKey(KEY, b"123")
    assert BodyKey.new() != BodyKey.new()
