# SPDX-License-Identifier: Apache-2.0
"""Bytes on their way: opened piece by piece, held against what is stated of them, and what is wrong is remembered."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Conflict, Unavailable
from megagenome.reception.contents import Content, as_file, joined
from megagenome.standards.crypt4gh import MOST_KEYS, write_header
from megagenome.standards.crypt4gh_segments import BodyKey
from megagenome.standards.crypt4gh_stream import seal
from megagenome.standards.submission import SubmittedFile
from tests.oracles.crypt4gh import edited_header

KEY = X25519PrivateKey.generate()
PLAIN = hashlib.shake_128(b"x").digest(200_000)


class Keys:
    def readers(self) -> tuple[X25519PrivateKey, ...]:
        return (KEY,)


def stated(**changed: Any) -> SubmittedFile:
    fields: dict[str, Any] = {"size_bytes": len(PLAIN), "sha256": hashlib.sha256(PLAIN).hexdigest()}
    return SubmittedFile("a.bam", format="bam", **(fields | changed))


def content(file: SubmittedFile, sealed: bytes | None = None, require: Any = lambda: None) -> Content:
    whole = b"".join(map(bytes, seal([PLAIN], [KEY.public_key()]))) if sealed is None else sealed
    return Content(file, lambda: iter([whole]), Keys(), require)


def test_what_is_as_it_is_stated_has_no_problem() -> None:
    found = content(stated())
    assert b"".join(found()) == PLAIN
    assert (found.problem, found.cut) == ("", False)


def test_a_checksum_and_a_size_are_compared_at_the_end() -> None:
    for changed, says in (({"sha256": "0" * 64}, "has the SHA-256"), ({"size_bytes": 10**6}, "it was cut short")):
        found = content(stated(**changed))
        assert b"".join(found()) == PLAIN
        assert says in found.problem
        assert not found.cut


def test_what_is_too_long_is_not_read_to_its_end() -> None:
    found = content(stated(size_bytes=70_000))
    assert len(b"".join(found())) <= 70_000
    assert found.cut
    assert "holds more than the 70,000 bytes" in found.problem


def test_whoever_reads_what_keeps_nothing_is_asked_on() -> None:
    """An edit list that discards everything gives no byte for as long as a file is sent."""

    def require() -> None:
        raise Conflict("is to end now")

    key, prefix = BodyKey.new()
    sealed = edited_header([key], [KEY.public_key()], [2**60]) + bytes(BodyKey(key, prefix).seal(PLAIN, 0))
    with pytest.raises(Conflict, match="is to end now"):
        list(content(stated(), sealed, require)())


def test_a_header_that_nobody_needs_is_the_providers_fault() -> None:
    keys = [BodyKey.new()[0] for _ in range(MOST_KEYS + 1)]
    found = content(stated(), write_header(keys, [KEY.public_key()]))
    assert list(found()) == []
    assert (found.cut, "17 data keys" in found.problem) == (True, True)


def test_a_reader_who_leaves_early_is_told_nothing() -> None:
    found = content(stated(sha256="0" * 64))
    reading = found()
    next(reading)
    reading.close()
    assert found.problem == ""


def test_what_fails_here_is_no_fault_of_the_sender() -> None:
    def broken() -> Iterator[bytes]:
        raise Unavailable("input/output error")
        yield b""

    found = Content(stated(), broken, Keys(), lambda: None)
    with pytest.raises(Unavailable):
        list(found())
    assert found.problem == ""


def test_reading_ends_when_nobody_needs_it() -> None:
    def over() -> None:
        raise Conflict("stopped")

    found = content(stated(), require=over)
    with pytest.raises(Conflict):
        list(found())
    assert found.problem == ""


@given(st.lists(st.binary(max_size=50), max_size=20), st.lists(st.integers(1, 64), min_size=1))
def test_pieces_are_one_file(pieces: list[bytes], reads: list[int]) -> None:
    whole = b"".join(pieces)
    assert as_file(iter(pieces)).read() == whole
    file, found = as_file(iter(pieces)), b""
    for size in reads:
        found += file.read(size)
    assert found == whole[: len(found)]
    assert found + file.read() == whole


def test_blobs_are_joined_in_order_each_time_anew() -> None:
    blobs = {"a": [b"1", b"2"], "b": [b"3"]}
    source = joined(lambda key: iter(blobs[key]), ["a", "b"])
    assert b"".join(source()) == b"".join(source()) == b"123"
