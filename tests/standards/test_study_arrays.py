# SPDX-License-Identifier: Apache-2.0
"""Arrays and lists of alleles on the wire."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Invalid
from megagenome.standards.study_arrays import AlleleList, Array, list_alleles, pack, read_alleles, unite, unpack

_KINDS = st.sampled_from(["<f8", "<i8", "<u8", "<u4", "|u1", "|i1"])


@given(st.dictionaries(st.text(max_size=5), hn.arrays(_KINDS, hn.array_shapes(min_dims=0, min_side=0)), max_size=3))
def test_arrays_come_as_they_went(arrays: dict[str, np.ndarray]) -> None:
    found = unpack(pack(arrays))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()
        assert not found[name].flags.writeable


def test_a_part_of_an_array_goes_as_itself() -> None:
    array = np.arange(12.0).reshape(3, 4)
    assert np.array_equal(unpack(pack({"x": array[:, 1:3]}))["x"], array[:, 1:3])
    assert np.array_equal(unpack(pack({"x": array.T}))["x"], array.T)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"\x81",
        msgspec.msgpack.encode({"x": Array("<f8", (2,), bytes(15))}),
        msgspec.msgpack.encode({"x": Array("<f8", (2**40, 2**40), b"")}),
        msgspec.msgpack.encode({"x": {"kind": "|O", "shape": [1], "content": bytes(8)}}),
        msgspec.msgpack.encode({"x": {"kind": "<f8", "shape": [-1], "content": bytes(8)}}),
        msgspec.msgpack.encode({"x": {"kind": "<f8", "shape": [1] * 5, "content": bytes(8)}}),
        b"\x91" * 100_000,
    ],
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        unpack(content)


def test_alleles_by_index() -> None:
    alleles = AlleleList(
        "GRCh37",
        ("21", "22"),
        np.array([0, 1, 1], np.uint32),
        np.array([5, 7, 7], np.int64),
        (b"A\tG", b"A\tAT", b"C\tT"),
    )
    assert len(alleles) == 3
    assert list(alleles) == [
        Allele("GRCh37", "21", 5, "A", "G"),
        Allele("GRCh37", "22", 7, "A", "AT"),
        Allele("GRCh37", "22", 7, "C", "T"),
    ]
    assert list(alleles.take(np.array([2]))) == [Allele("GRCh37", "22", 7, "C", "T")]


def test_contigs_are_in_the_order_that_people_know() -> None:
    listed = list_alleles("GRCh38", {(name, 5, b"A", b"G") for name in ("X", "10", "2", "MT", "1", "22")})
    assert listed.contigs == ("1", "2", "10", "22", "MT", "X")
    assert list(read_alleles("GRCh38", listed.to_arrays())) == list(listed)
    assert list(unite([listed.take(np.array([0, 3])), listed.take(np.array([1, 3]))])) == [
        listed.allele(k) for k in (0, 1, 3)
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"contigs": b"22\n1"},
        {"contigs": b"1"},
        {"contigs": b"1\n\xff"},
        {"contig": np.array([0], np.uint32)},
        {"contig": np.array([1, 0], np.uint32)},
        {"start": np.array([-1, 5], np.int64)},
        {"start": np.array([[5, 5]], np.int64)},
        {"text": b"A\tG"},
        {"text": b"AG\nA\tG"},
    ],
)
def test_what_is_no_list_of_alleles_is_refused(change: dict[str, Any]) -> None:
    arrays = list_alleles("GRCh38", {("1", 5, b"A", b"G"), ("22", 5, b"A", b"G")}).to_arrays()
    changed = {k: np.frombuffer(v, np.uint8) if isinstance(v, bytes) else v for k, v in change.items()}
    with pytest.raises(Invalid):
        read_alleles("GRCh38", {**arrays, **changed})
    del arrays["text"]
    with pytest.raises(Invalid):
        read_alleles("GRCh38", arrays)


@pytest.mark.parametrize("shape", [(0, 1 << 62, 1 << 62), (1 << 70, 0), (0, 1 << 40)])
def test_lengths_beyond_all_bounds_are_refused_where_nothing_is_sent(shape: tuple[int, ...]) -> None:
    with pytest.raises(Invalid, match=r"not of shape|not arrays"):
        unpack(
            msgspec.msgpack.encode({"x": {"kind": "<f8", "shape": [min(n, 2**64 - 1) for n in shape], "content": b""}})
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": np.array(5, np.int64)},
        {"contig": np.array(0, np.uint32), "start": np.array(5, np.int64)},
        {"text": np.frombuffer(b"A\tC\tG", np.uint8)},
        {"text": np.frombuffer(b"AC", np.uint8)},
    ],
)
def test_a_list_that_is_none_is_refused_before_it_is_united(wrong: Any) -> None:
    alleles = list_alleles("GRCh38", {("22", 5, b"A", b"C")}).to_arrays()
    with pytest.raises(Invalid, match="list of alleles"):
        read_alleles("GRCh38", {**alleles, **wrong})
