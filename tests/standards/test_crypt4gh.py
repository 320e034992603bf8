# SPDX-License-Identifier: Apache-2.0
"""Headers of Crypt4GH, good and bad."""

import contextlib
import itertools
import os
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Invalid, MegagenomeError, NotEntitled, TooLarge
from megagenome.standards.crypt4gh import MOST_KEYS, MOST_PACKETS, header_bytes, header_size, read_header, write_header
from tests.oracles.crypt4gh import data_key, edit_list, edited_header, header, packet

READER, OTHER = X25519PrivateKey.generate(), X25519PrivateKey.generate()
MINE, THEIRS = READER.public_key(), OTHER.public_key()
KEY, SECOND = bytes(range(32)), bytes(range(32, 64))

lengths = st.lists(st.integers(0, 2**64 - 1), max_size=9)


@given(
    st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=3, unique=True), st.none() | lengths, st.binary()
)
def test_what_is_written_each_recipient_reads(keys: list[bytes], edits: list[int] | None, body: bytes) -> None:
    written = write_header(keys, [THEIRS, MINE]) if edits is None else edited_header(keys, [THEIRS, MINE], edits)
    for reader in (READER, OTHER):
        read = read_header(written + body, [reader])
        assert read == (tuple(keys), None if edits is None else tuple(edits), len(written))


@pytest.mark.parametrize(("keys", "size"), [([KEY], 124), ([KEY, SECOND], 232)])
def test_how_long_a_header_for_one_recipient_is(keys: list[bytes], size: int) -> None:
    assert header_bytes(len(keys)) == len(write_header(keys, [MINE])) == size


def test_two_writings_have_nothing_in_common_but_the_beginning() -> None:
    first, second = write_header([KEY], [MINE]), write_header([KEY], [MINE])
    assert first[24:56] != second[24:56]
    assert KEY not in first


def test_a_secret_makes_the_same_header_of_the_same_contents_alone() -> None:
    one, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()

    def written(keys: list[bytes], reader: X25519PrivateKey, secret: bytes) -> bytes:
        return write_header(keys, [reader.public_key()], secret=secret)

    first = written([b"k" * 32], one, b"s" * 32)
    assert first == written([b"k" * 32], one, b"s" * 32)
    assert read_header(first, [one]).keys == (b"k" * 32,)
    others = [
        written([b"l" * 32], one, b"s" * 32),
        written([b"k" * 32], other, b"s" * 32),
        written([b"k" * 32, b"l" * 32], one, b"s" * 32),
        written([b"k" * 32], one, b"t" * 32),
    ]
    writers = {header[24:56] for header in (first, *others)}
    assert len(writers) == 5, "a writer's key is never used for two contents"
    two = written([b"k" * 32, b"l" * 32], one, b"s" * 32)
    assert two[56:68] != two[108 + 16 + 40 : 108 + 16 + 52], "nor a nonce twice"


def test_no_key_is_shown() -> None:
    shown = repr(read_header(write_header([KEY], [MINE]), [READER]))
    assert "1 keys" in shown
    assert "\\x" not in shown


def test_packets_for_others_of_other_methods_and_forged_ones_are_passed_over() -> None:
    forged = bytearray(packet(data_key(SECOND), MINE))
    forged[-1] ^= 1
    low_order = bytearray(packet(data_key(SECOND), MINE))
    low_order[8:40] = bytes(32)
    written = header(
        [
            packet(data_key(SECOND), THEIRS),
            packet(data_key(SECOND), MINE, method=1),
            bytes(forged),
            bytes(low_order),
            packet(data_key(KEY), MINE),
        ]
    )
    assert read_header(written, [READER]).keys == (KEY,)


def test_a_retired_key_still_reads() -> None:
    assert read_header(write_header([KEY], [THEIRS]), [READER, OTHER]).keys == (KEY,)


def test_what_follows_a_packet_within_its_seal_is_padding() -> None:
    written = header([packet(data_key(KEY) + bytes(9), MINE), packet(edit_list([1, 2]) + bytes(8), MINE)])
    assert read_header(written, [READER]) == ((KEY,), (1, 2), len(written))


@pytest.mark.parametrize(
    ("content", "condition", "says"),
    [
        (b"", Invalid, "cut short"),
        (b"CRYPT4GH" + bytes(8), Invalid, "does not begin"),
        (b"plain text, not sealed", Invalid, "does not begin"),
        (header([], version=0), Invalid, "version 0"),
        (header([], version=2), Invalid, "version 2"),
        (header([], version=2**32 - 1), Invalid, "version 4294967295"),
        (header([]), NotEntitled, "none of the 0 packets"),
        (header([packet(data_key(KEY), THEIRS)]), NotEntitled, "none of the 1 packets"),
        (header([], count=2**32 - 1), TooLarge, "4,294,967,295 packets"),
        (header([struct.pack("<I", 2**31)]), TooLarge, "packet 1"),
        (header([struct.pack("<I", 0)]), Invalid, "packet 1"),
        (header([struct.pack("<I", 3)]), Invalid, "packet 1"),
        (header([struct.pack("<I", 71)]), Invalid, "packet 1"),
        (header([packet(data_key(KEY), MINE)])[:-1], Invalid, "cut short"),
        (header([packet(data_key(KEY), MINE)], count=2), Invalid, "cut short"),
        (header([packet(data_key(KEY, method=1), MINE)]), Invalid, "method 1"),
        (header([packet(data_key(KEY[:31]), MINE)]), Invalid, "cut short"),
        (header([packet(struct.pack("<I", 7), MINE)]), Invalid, "type 7"),
        (header([packet(data_key(KEY), MINE), packet(edit_list([1], count=2), MINE)]), Invalid, "cut short"),
        (header([packet(data_key(KEY), MINE), packet(edit_list([], count=2**32 - 1), MINE)]), Invalid, "cut short"),
        (header([packet(data_key(KEY), MINE)] + 2 * [packet(edit_list([1]), MINE)]), Invalid, "two edit lists"),
        (header([packet(edit_list([1]), MINE)]), NotEntitled, "none of the 1"),
    ],
    ids=itertools.count(),  # what is sealed is random, and workers must agree on names
)
def test_what_is_no_header_is_refused_in_one_line(content: bytes, condition: type[MegagenomeError], says: str) -> None:
    with pytest.raises(condition, match=says) as raised:
        read_header(content, [READER])
    assert "\n" not in str(raised.value)


def test_as_many_packets_as_are_allowed_are_read() -> None:
    written = header([packet(data_key(KEY), MINE)] * MOST_PACKETS)
    assert read_header(written, [READER]).keys == (KEY,)
    with pytest.raises(TooLarge):
        read_header(header([packet(data_key(KEY), MINE)] * (MOST_PACKETS + 1)), [READER])


def test_as_many_data_keys_are_tried_as_anybody_uses() -> None:
    """A file of a GiB with a thousand took minutes: each is tried for each segment."""
    keys = [os.urandom(32) for _ in range(MOST_KEYS + 1)]
    most = header([packet(data_key(each), MINE) for each in keys[:-1]] * 2)
    assert read_header(most, [READER]).keys == tuple(keys[:-1])
    with pytest.raises(TooLarge, match="17 data keys"):
        read_header(header([packet(data_key(each), MINE) for each in keys]), [READER])


def test_a_header_is_never_guessed_from_its_beginning() -> None:
    written = edited_header([KEY], [MINE, THEIRS], [1, 2, 3])
    assert [header_size(written[:k]) for k in range(len(written))] == [None] * len(written)
    assert header_size(written + b"body") == len(written)


def test_nobody_is_no_recipient_nor_is_a_point_of_low_order() -> None:
    with pytest.raises(Invalid, match="needs a recipient"):
        write_header([KEY], [])
    with pytest.raises(Invalid, match="low order"):
        write_header([KEY], [X25519PublicKey.from_public_bytes(bytes(32))])


@given(st.binary(max_size=300), st.integers(0, 3), st.data())
def test_nonsense_is_refused_by_a_condition_of_ours(noise: bytes, where: int, data: st.DataObject) -> None:
    whole = edited_header([KEY], [MINE], [1, 2])
    place = data.draw(st.integers(0, len(whole)))
    changed = [
        noise,
        b"crypt4gh\1\0\0\0" + noise,
        whole[:place] + noise,
        whole[:place] + noise + whole[place + len(noise) :],
    ]
    with contextlib.suppress(MegagenomeError):
        read_header(changed[where], [READER])


@given(st.binary(max_size=60))
def test_nonsense_within_a_seal_is_refused_too(noise: bytes) -> None:
    for kind in (b"", struct.pack("<I", 0), struct.pack("<I", 1), struct.pack("<II", 1, 3)):
        with contextlib.suppress(MegagenomeError):
            read_header(header([packet(kind + noise, MINE)]), [READER])
