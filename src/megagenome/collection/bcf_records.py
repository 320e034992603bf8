# SPDX-License-Identifier: Apache-2.0
"""The records of a file as BCF: of a BCF file as they stand in it, of a VCF as htslib (through pysam) turns them."""

import contextlib
import fcntl
import os
import sys
import termios
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pysam

from megagenome.kernel.native import library
from megagenome.standards import bcf, bgzf
from megagenome.standards.bcf_scan import Finder, Records, read_records

_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 18
_PART_BYTES = 1 << 20  # small enough for the processor's cache, large enough for arrays to pay

pysam.set_verbosity(0)  # what htslib would print, we say in one line of our own


@contextlib.contextmanager
def open_records(path: Path, header_samples: Sequence[str], samples: Sequence[str]) -> Iterator["Source"]:
    """The records of a file, whose header has `header_samples`; of all of them or, where htslib can, of `samples`."""
    with path.open("rb") as file:
        stream = _Stream(file)
        if stream.take(len(bcf.MAGIC)) == bcf.MAGIC:
            yield _read_bcf(path, stream, len(header_samples))
            return
    feed = _Feed(path, samples)
    try:
        yield feed.source()
    finally:
        feed.close()


class Undeclared(Exception):
    """A VCF has records of a contig that its header does not declare and that is no chromosome."""

    def __init__(self, contig: str) -> None:
        super().__init__(contig)
        self.contig = contig


class Part(NamedTuple):
    """Some of a file's records, and the bytes in which they are."""

    records: Records
    content: bytes


class Source(NamedTuple):
    """Records, some at a time, and what their numbers stand for. Reading them raises `bcf.Malformed`,
    `bgzf.Malformed`, `OSError` or `Undeclared`."""

    dictionary: bcf.Dictionary
    parts: Iterator[Part]


class _Stream:
    """What a BGZF file holds, from its begin to its end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._compressed = b""
        self._parts: list[bytes | bytearray] = []
        self._size = 0
        self._ended = False

    def take(self, size: int) -> bytes:
        """The next `size` bytes, or as many as there are."""
        self._fill(size)
        content = b"".join(self._parts)
        self._parts, self._size = [content[size:]], max(0, len(content) - size)
        return content[:size]

    def records(self, dictionary: bcf.Dictionary) -> Iterator[Part]:
        """All that is left, as records."""
        needed, finder = _PART_BYTES, Finder(dictionary, library())
        while True:
            self._fill(needed)
            content = b"".join(self._parts)
            records, end = read_records(content, finder)
            if len(records.start):
                yield Part(records, content)
            self._parts, self._size = [content[end:]], len(content) - end
            if self._ended:
                break
            # a record longer than a part: as much again as there is, so that joining costs no more than reading
            needed = max(_PART_BYTES, 2 * self._size)
        if self._size:
            raise bcf.Malformed

    def _fill(self, size: int) -> None:
        while self._size < size and not self._ended:
            inflated = bgzf.inflate(self._compressed, size - self._size)
            self._compressed = self._compressed[inflated.used :]
            self._parts += inflated.parts
            self._size += sum(map(len, inflated.parts))
            if self._size < size:
                more = self._file.read1(_READ_BYTES)  # type: ignore[attr-defined]  # what a buffered file has
                self._ended = not more
                self._compressed += more
        if self._ended and self._compressed:
            raise bgzf.Malformed


def _read_bcf(path: Path, stream: _Stream, samples: int) -> Source:
    """The records of a BCF file whose magic has been read. htslib says what the header's lines are numbered."""
    try:
        with pysam.VariantFile(str(path)) as opened:
            contigs, formats = opened.header.contigs, opened.header.formats
            named = {contigs[name].id: str(name) for name in contigs}
            gt = formats["GT"].id if "GT" in formats else None  # type: ignore[attr-defined]  # pysam's stubs lack it
            dictionary = bcf.Dictionary(named, gt, samples)
    except (ValueError, AssertionError):  # the latter for contigs whose numbers have gaps
        raise bcf.Malformed from None
    stream.take(int.from_bytes(stream.take(4), "little"))
    return Source(dictionary, stream.records(dictionary))


class _Feed:
    """htslib in a thread: reads a file and writes it as BCF into a pipe, in stored (not compressed) blocks."""

    def __init__(self, path: Path, samples: Sequence[str]) -> None:
        self._path = path
        self._samples = list(samples)
        self._failed = False
        self._undeclared = ""
        self._stopping = False
        reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._pipe = os.fdopen(reading, "rb", buffering=_PIPE_BYTES)
        self._stream = _Stream(self._pipe)
        self._thread = threading.Thread(target=self._run, args=(writing,), daemon=True)
        self._thread.start()

    def _run(self, writing: int) -> None:
        with os.fdopen(writing, "wb") as pipe:
            try:
                with pysam.VariantFile(str(self._path)) as source:
                    source.subset_samples(self._samples)
                    declared = _declare_chromosomes(source.header)
                    with pysam.VariantFile(pipe, "wb0", header=source.header) as sink:
                        try:
                            self._copy(source, sink, declared)
                        finally:
                            _wait_until_read(writing)
            except Exception:  # noqa: BLE001 - pysam has no class for its errors; whatever it is, the file cannot be read
                self._failed = True

    def _copy(self, source: pysam.VariantFile, sink: pysam.VariantFile, declared: frozenset[str]) -> None:
        for record in source:
            if record.chrom not in declared:
                self._undeclared = record.chrom
            if self._stopping or self._undeclared:
                break
            sink.write(record)

    def source(self) -> Source:
        """What comes through the pipe."""
        head = self._stream.take(len(bcf.MAGIC) + 4)
        header = self._stream.take(int.from_bytes(head[len(bcf.MAGIC) :], "little")).decode()
        dictionary = bcf.parse_dictionary(header, len(self._samples))
        return Source(dictionary, self._each(dictionary))

    def _each(self, dictionary: bcf.Dictionary) -> Generator[Part, None, None]:
        yield from self._stream.records(dictionary)
        self.close()
        if self._undeclared:
            raise Undeclared(self._undeclared)
        if self._failed:
            raise bcf.Malformed

    def close(self) -> None:
        """Stop reading and wait for the thread. What is on its way is read to its end: a pipe broken under htslib makes
        it close its file descriptor twice, and the second time it may be somebody else's."""
        self._stopping = True
        while not self._pipe.closed and self._pipe.read(_PIPE_BYTES):
            pass
        self._thread.join()
        self._pipe.close()


def _wait_until_read(pipe: int) -> None:
    """Wait until nothing is in a pipe. pysam holds Python's lock while it closes a file: if what it writes then had to
    wait for room, nobody could ever read and make any."""
    while int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder):
        time.sleep(0.001)


def _declare_chromosomes(header: pysam.VariantHeader) -> frozenset[str]:
    """Add the chromosomes that a header does not declare, as VCF allows and BCF does not; all its contigs then."""
    for chromosome in (*map(str, range(1, 23)), "X", "Y", "M", "MT"):
        for name in (chromosome, "chr" + chromosome):
            if name not in header.contigs:
                header.contigs.add(name)
    return frozenset(map(str, header.contigs))
