# SPDX-License-Identifier: Apache-2.0
"""Whole files of Crypt4GH, held against PyPI's `crypt4gh` and the standard's rules."""

import hashlib
import io
import itertools
import logging
import os
from collections.abc import Iterator, Sequence

import pytest
from crypt4gh import lib
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards.crypt4gh import write_header
from megagenome.standards.crypt4gh_segments import SEALED_SEGMENT_BYTES, SEGMENT_BYTES, BodyKey, Places
from megagenome.standards.crypt4gh_stream import edited, seal, split, unseal
from tests.oracles.crypt4gh import data_key, edit_list, edited_header, header, kept, packet, segment

READER = X25519PrivateKey.generate()
MINE = READER.public_key()
RAW, PUBLIC = READER.private_bytes_raw(), MINE.public_bytes_raw()
ONE, TWO = bytes(range(32)), bytes(range(32, 64))

logging.getLogger("crypt4gh").setLevel(logging.CRITICAL)  # it logs keys


def chunked(content: bytes, size: int) -> Iterator[bytes]:
    return (content[k : k + size] for k in range(0, len(content), size))


def opened(content: bytes, size: int = 10_007) -> bytes:
    return b"".join(unseal(chunked(content, size), [READER]))


def by_the_other(content: bytes) -> bytes:
    out = io.BytesIO()
    lib.decrypt([(0, RAW, None)], io.BytesIO(content), out)
    return out.getvalue()


sizes = st.sampled_from([0, 1, 65_535, 65_536, 65_537, 131_072, 1 << 20, (1 << 20) + 1]) | st.integers(0, 300_000)


@settings(max_examples=40, deadline=None)
@given(sizes, st.integers(1000, 200_000))
def test_random_files_go_both_ways(size: int, chunk: int) -> None:
    plain = os.urandom(size)
    sealed = b"".join(map(bytes, seal(chunked(plain, chunk), [MINE])))
    assert by_the_other(sealed) == plain == opened(sealed, chunk)
    theirs = io.BytesIO()
    lib.encrypt([(0, RAW, PUBLIC)], io.BytesIO(plain), theirs)
    assert opened(theirs.getvalue(), chunk) == plain


@given(st.lists(st.binary(max_size=30), max_size=6), st.lists(st.integers(0, 25) | st.just(2**64 - 1), max_size=8))
def test_edit_lists_keep_what_the_standard_says(chunks: list[bytes], lengths: list[int]) -> None:
    assert b"".join(edited(iter(chunks), lengths)) == kept(b"".join(chunks), lengths)


def test_the_edit_list_that_the_standard_has_as_its_example() -> None:
    lengths = [0, 7853, 71721, 307929, 51299, 38]
    plain = os.urandom(sum(lengths) + 500)
    sealed = edited_header([ONE], [MINE], lengths) + b"".join(
        segment(ONE, part) for part in chunked(plain, SEGMENT_BYTES)
    )
    assert opened(sealed) == kept(plain, lengths) == by_the_other(sealed)
    assert len(opened(sealed)) == 7853 + 307929 + 38


@pytest.mark.parametrize("lengths", [[], [0, 0], [5, 0, 5], [3, 0, 0, 4], [0, 10**9], [10**9]])
def test_edit_lists_that_others_stumble_over(lengths: list[int]) -> None:
    plain = os.urandom(SEGMENT_BYTES + 100)
    body = segment(ONE, plain[:SEGMENT_BYTES]) + segment(ONE, plain[SEGMENT_BYTES:])
    assert opened(edited_header([ONE], [MINE], lengths) + body) == kept(plain, lengths)


def test_segments_of_two_keys_by_turns() -> None:
    parts = [os.urandom(SEGMENT_BYTES), os.urandom(SEGMENT_BYTES), os.urandom(9)]
    body = b"".join(segment(key, part) for key, part in zip(itertools.cycle([TWO, ONE]), parts, strict=False))
    sealed = header([packet(data_key(ONE), MINE), packet(data_key(TWO), MINE), packet(edit_list([1]), MINE)]) + body
    assert opened(sealed) == b"".join(parts)[1:]


@pytest.mark.parametrize("left", [1, 12, 28])
def test_a_last_segment_without_a_byte_is_damage(left: int) -> None:
    sealed = b"".join(map(bytes, seal([os.urandom(2 * SEGMENT_BYTES)], [MINE])))
    with pytest.raises(Corrupt, match="segment 1 of the body is cut short"):
        opened(sealed[: 124 + SEALED_SEGMENT_BYTES + left])


def test_damage_is_named_by_its_segment() -> None:
    sealed = bytearray(b"".join(map(bytes, seal([os.urandom(40 * SEGMENT_BYTES)], [MINE]))))
    sealed[124 + 33 * SEALED_SEGMENT_BYTES + 5000] ^= 1
    with pytest.raises(Corrupt, match="segment 33 "):
        opened(bytes(sealed))


def reordered(order: Sequence[int], sealed: bytes, begin: int = 124) -> bytes:
    """A file with these of its segments, in this order."""
    body = sealed[begin:]
    parts = [body[at : at + SEALED_SEGMENT_BYTES] for at in range(0, len(body), SEALED_SEGMENT_BYTES)]
    return sealed[:begin] + b"".join(parts[k] for k in order)


ORDERS = [
    ((1, 0, 2, 3, 4), 0),  # exchanged
    ((0, 2, 1, 3, 4), 1),
    ((0, 1, 2, 4, 3), 3),
    ((0, 0, 1, 2, 3, 4), 1),  # repeated
    ((0, 1, 2, 2, 3, 4), 3),
    ((0, 1, 2, 3, 4, 1), 5),
    ((0, 2, 3, 4), 1),  # left out
    ((0, 1, 3, 4), 2),
]
"""Segments of five in another order, and the first that is wrong."""


@pytest.mark.parametrize(("order", "wrong"), ORDERS)
def test_segments_of_a_file_like_ours_are_held_to_their_places(order: Sequence[int], wrong: int) -> None:
    sealed = b"".join(map(bytes, seal([os.urandom(5 * SEGMENT_BYTES)], [MINE])))
    assert opened(reordered(range(5), sealed)) == opened(sealed)
    with pytest.raises(Corrupt, match=f"segment {wrong} of the body is not in its place"):
        opened(reordered(order, sealed))
    assert by_the_other(reordered(order, sealed))  # each of them opens: only its place tells


def test_a_segment_of_another_file_with_the_same_key_is_not_in_its_place() -> None:
    plain = os.urandom(3 * SEGMENT_BYTES)
    mine, other = (bytes(BodyKey(ONE, prefix).seal(plain, 0)) for prefix in (b"mine", b"else"))
    at = 2 * SEALED_SEGMENT_BYTES
    assert opened(write_header([ONE], [MINE]) + mine) == plain
    with pytest.raises(Corrupt, match="segment 2 of the body is not in its place"):
        opened(write_header([ONE], [MINE]) + mine[:at] + other[at:])


@pytest.mark.parametrize("order", [(1, 2, 3, 4), (2, 3, 4), (3, 4), (1, 2, 4), (1, 2, 2)])
def test_a_file_like_ours_without_its_beginning_is_refused(order: Sequence[int]) -> None:
    sealed = b"".join(map(bytes, seal([os.urandom(5 * SEGMENT_BYTES)], [MINE])))
    with pytest.raises(Corrupt, match="segment 0 of the body is missing"):
        opened(reordered(order, sealed))
    assert by_the_other(reordered(order, sealed))


def test_what_was_cut_out_by_an_edit_list_needs_no_beginning() -> None:
    """As `crypt4gh rearrange` does it, which keeps the segments as they are."""
    plain = os.urandom(5 * SEGMENT_BYTES)
    sealed, cut = b"".join(map(bytes, seal([plain], [MINE]))), io.BytesIO()
    lib.rearrange([(0, RAW, PUBLIC)], io.BytesIO(sealed), cut, offset=70_000, span=150_000)
    assert opened(cut.getvalue()) == plain[70_000:220_000]


def nonces_of(how: str, start: int, count: int) -> list[bytes]:
    """Nonces of another's file."""
    if how == "random":
        return [hashlib.sha256(b"%d/%d" % (start, k)).digest()[:12] for k in range(count)]
    if how == "one prefix and random numbers":
        return [start.to_bytes(12, "big")[:4] + hashlib.sha256(b"%d" % k).digest()[:8] for k in range(count)]
    return [((start + k) % 2**96).to_bytes(12, "big" if how == "big-endian" else "little") for k in range(count)]


starts = st.integers(1, 2**96 - 1) | st.integers(1, 2**64 - 1) | st.integers(1, 2**33) | st.integers(1, 3)


@given(st.sampled_from(["random", "one prefix and random numbers", "big-endian", "little-endian"]), starts)
@example("big-endian", 2**32 - 1)
@example("big-endian", 2**64 - 1)
@example("big-endian", (7 << 64) + 2**32)
@example("little-endian", 2**32 - 1)
@example("little-endian", 2**96 - 1)
def test_nonces_that_do_not_count_as_ours_are_held_to_nothing(how: str, start: int) -> None:
    assume(how != "big-endian" or start < 2**64 or start % 2**64 >= 2**32)  # one random start of 2^32
    places = Places()
    for number, nonce in enumerate(nonces_of(how, start, 5)):
        places.require(ONE, nonce, number)


@given(st.binary(min_size=4, max_size=4).filter(any), st.integers(1, 2**32 - 2))
def test_nonces_that_count_as_ours_and_begin_later_are_refused(prefix: bytes, missing: int) -> None:
    places = Places()
    places.require(ONE, prefix + missing.to_bytes(8, "big"), 0)
    with pytest.raises(Corrupt, match="segment 0 of the body is missing"):
        places.require(ONE, prefix + (missing + 1).to_bytes(8, "big"), 1)


@pytest.mark.parametrize("how", ["random", "one prefix and random numbers", "big-endian", "little-endian"])
def test_whose_nonces_do_not_count_as_ours_is_read_as_the_standard_says(how: str) -> None:
    parts = [os.urandom(SEGMENT_BYTES) for _ in range(3)]
    cipher, nonces = ChaCha20Poly1305(ONE), nonces_of(how, 1, 3)
    body = b"".join(nonce + cipher.encrypt(nonce, part, None) for nonce, part in zip(nonces, parts, strict=True))
    assert opened(write_header([ONE], [MINE]) + body) == b"".join(parts)


@pytest.mark.parametrize(("order", "wrong"), ORDERS)
def test_segments_of_two_keys_are_held_to_their_places(order: Sequence[int], wrong: int) -> None:
    """Of one that counts from 0, and of another body's, which comes between."""
    plain = os.urandom(5 * SEGMENT_BYTES)
    sealed = write_header([TWO, ONE], [MINE])
    for key, prefix, first, last, number in ((ONE, b"head", 0, 2, 0), (TWO, b"body", 2, 4, 7), (ONE, b"head", 4, 5, 4)):
        sealed += bytes(BodyKey(key, prefix).seal(plain[first * SEGMENT_BYTES : last * SEGMENT_BYTES], number))
    assert opened(sealed) == plain
    with pytest.raises(Corrupt, match=f"segment [{wrong}-5] of the body is not in its place"):
        opened(reordered(order, sealed, 232))


@pytest.mark.parametrize("second", [8, 9])
def test_another_bodys_segments_ascend(second: int) -> None:
    """They may come in several runs."""
    parts = [os.urandom(SEGMENT_BYTES) for _ in range(4)]
    numbered = [(ONE, b"head", 0), (TWO, b"body", 7), (ONE, b"head", 2), (TWO, b"body", second)]
    body = b"".join(
        bytes(BodyKey(key, prefix).seal(part, n)) for (key, prefix, n), part in zip(numbered, parts, strict=True)
    )
    assert opened(write_header([ONE, TWO], [MINE]) + body) == b"".join(parts)


def test_a_file_that_ends_within_its_header_is_refused() -> None:
    with pytest.raises(Invalid, match="cut short"):
        opened(write_header([ONE], [MINE])[:50])
    with pytest.raises(Invalid, match="cut short"):
        opened(b"")


def test_the_body_follows_the_header_whatever_the_pieces() -> None:
    sealed = write_header([ONE], [MINE]) + b"body"
    for size in (1, 5, 124, 125, 1000):
        found, rest = split(chunked(sealed, size), [READER])
        assert (found.keys, b"".join(rest)) == ((ONE,), b"body")
