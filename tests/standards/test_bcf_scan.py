# SPDX-License-Identifier: Apache-2.0
"""Many BCF records at once are what they are one by one; in C as in NumPy."""

import ctypes
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.native import library
from megagenome.standards import bcf
from megagenome.standards.bcf_scan import Finder, read_records

DICTIONARY = bcf.Dictionary({0: "22", 7: "X"}, gt=1, samples=3)
SHARED = struct.pack("<iiifII", 7, 99, 1, 0.0, 2 << 16, 2 << 24 | 3) + b"\x07" + b"\x17A" + b"\x27GT" + b"\x00"
GENOTYPES = b"\x11\x01" + b"\x21" + bytes([2, 4, 0, 1, 4, 0x81])
OTHER = SHARED, b"\x11\x02" + b"\x12" + struct.pack("<3h", 30, 31, 32) + GENOTYPES
COMMON = struct.pack("<iiifII", 0, 99, 1, 0.0, 2 << 16, 1 << 24 | 3) + b"\x07\x17A\x37GTA\x00", GENOTYPES
"""The form of nearly all records, in its two parts; and another."""

by_each = pytest.mark.parametrize(
    "native",
    [pytest.param(None, id="numpy"), pytest.param(library(), id="c", marks=pytest.mark.native)],
)


def laid_out(bodies: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(bcf.RECORD_LENGTHS.pack(len(one), len(other)) + one + other for one, other in bodies)


def one_by_one(content: bytes) -> list[tuple[object, ...]]:
    found, place = [], 0
    while place < len(content):
        shared, individual = bcf.RECORD_LENGTHS.unpack_from(content, place)
        body = content[place + 8 : place + 8 + shared + individual]
        contig, start, (ref, *alts), ploidy, width, at = bcf.parse_record(body, shared, DICTIONARY)
        found.append((contig, start, ref, tuple(alts), ploidy, width, at + place + 8 if ploidy else 0))
        place += 8 + len(body)
    return found


def all_at_once(content: bytes, native: ctypes.CDLL | None) -> list[tuple[object, ...]]:
    records, end = read_records(content, Finder(DICTIONARY, native))
    assert end == len(content)
    rows = zip(*(column if isinstance(column, list) else column.tolist() for column in records), strict=True)
    return [(*row[:-1], row[-1] if row[4] else 0) for row in rows]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Records, a byte of one of which is another."""
    chosen = draw(st.lists(st.sampled_from([COMMON, OTHER]), min_size=1, max_size=5))
    which, part = draw(st.integers(0, len(chosen) - 1)), draw(st.integers(0, 1))
    parts = list(chosen[which])
    at, value = draw(st.integers(0, len(parts[part]) - 1)), draw(st.integers(0, 255))
    parts[part] = parts[part][:at] + bytes([value]) + parts[part][at + 1 :]
    chosen[which] = (parts[0], parts[1])
    return laid_out(chosen)


@by_each
@given(content=damaged())
def test_many_records_are_what_they_are_one_by_one(native: ctypes.CDLL | None, content: bytes) -> None:
    """Either both refuse, or both say the same."""
    try:
        expected = one_by_one(content)
    except bcf.Malformed:
        with pytest.raises(bcf.Malformed):
            all_at_once(content, native)
    else:
        assert all_at_once(content, native) == expected


@pytest.mark.native
@given(content=damaged(), cut=st.integers(0, 40), fill=st.binary(max_size=60))
def test_what_is_found_in_c_is_what_numpy_finds(content: bytes, cut: int, fill: bytes) -> None:
    """Also where records break off, and where whatever follows them."""
    content = content[: len(content) - cut] + fill
    finders = Finder(DICTIONARY, library()), Finder(DICTIONARY, None)
    try:
        expected, end = finders[1].find(content)
    except bcf.Malformed:
        with pytest.raises(bcf.Malformed):
            finders[0].find(content)
    else:
        found, found_end = finders[0].find(content)
        assert found_end == end
        assert [column.tolist() for column in found] == [column.tolist() for column in expected]


@by_each
@pytest.mark.parametrize("gt", [None, -1, 128, 2**31])
def test_a_key_of_more_than_a_byte_is_no_common_one(native: ctypes.CDLL | None, gt: int | None) -> None:
    found, _ = Finder(DICTIONARY._replace(gt=gt), native).find(laid_out([COMMON]))
    assert found.common.tolist() == [0]


@by_each
def test_more_records_than_are_found_at_once(native: ctypes.CDLL | None) -> None:
    content = laid_out([COMMON, OTHER]) * 5_000
    assert all_at_once(content, native) == one_by_one(content)


@by_each
def test_records_end_where_the_last_whole_one_ends(native: ctypes.CDLL | None) -> None:
    content, finder = laid_out([OTHER, COMMON]), Finder(DICTIONARY, native)
    first = 8 + len(b"".join(OTHER))
    for cut in range(len(content) + 1):
        found, end = finder.find(content[:cut])
        whole = (cut >= first) + (cut == len(content))
        assert (found.place.tolist(), end) == ([0, first][:whole], [0, first, len(content)][whole])


@by_each
def test_a_record_longer_than_any_is_not_waited_for(native: ctypes.CDLL | None) -> None:
    with pytest.raises(bcf.Malformed):
        Finder(DICTIONARY, native).find(laid_out([COMMON]) + bcf.RECORD_LENGTHS.pack(10, 2**31) + bytes(100))
