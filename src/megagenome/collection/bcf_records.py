# SPDX-License-Identifier: Apache-2.0
"""The records of a file as BCF: of a BCF file as they stand in it, of a VCF as htslib (through pysam) turns them."""

import contextlib
import fcntl
import gzip
import io
import os
import sys
import termios
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pysam

from megagenome.standards import bcf

_PIPE_BYTES = 1 << 20
_LIMIT_BYTES = 1 << 30  # of a part of a record; what claims to be longer is no record

pysam.set_verbosity(0)  # what htslib would print, we say in one line of our own


@contextlib.contextmanager
def open_records(path: Path, header_samples: Sequence[str], samples: Sequence[str]) -> Iterator["Records"]:
    """The records of a file, whose header has `header_samples`; of all of them or, where htslib can, of `samples`."""
    with pysam.BGZFile(str(path), "rb", None) as file:
        if file.read(len(bcf.MAGIC)) == bcf.MAGIC:
            yield _read_bcf(path, file, len(header_samples))
            return
    feed = _Feed(path, samples)
    try:
        yield feed.records()
    finally:
        feed.close()


class Undeclared(Exception):
    """A VCF has records of a contig that its header does not declare and that is no chromosome."""

    def __init__(self, contig: str) -> None:
        super().__init__(contig)
        self.contig = contig


class Records(NamedTuple):
    """Records and what their numbers stand for. Reading them raises `bcf.Malformed`, `OSError` or
    `Undeclared`."""

    dictionary: bcf.Dictionary
    each: Iterator[tuple[bcf.Record, bytes]]


def _read_bcf(path: Path, file: pysam.BGZFile, samples: int) -> Records:
    """The records of a BCF file whose magic has been read. htslib says what the header's lines are numbered."""
    try:
        with pysam.VariantFile(str(path)) as opened:
            contigs, formats = opened.header.contigs, opened.header.formats
            named = {contigs[name].id: str(name) for name in contigs}
            gt = formats["GT"].id if "GT" in formats else None  # type: ignore[attr-defined]  # pysam's stubs lack it
            dictionary = bcf.Dictionary(named, gt, samples)
    except ValueError:
        raise bcf.Malformed from None
    file.read(int.from_bytes(file.read(4), "little"))
    return Records(dictionary, _parse(file.read, dictionary))


def _parse(read: Callable[[int], bytes], dictionary: bcf.Dictionary) -> Iterator[tuple[bcf.Record, bytes]]:
    size = bcf.RECORD_LENGTHS.size
    while lengths := read(size):
        if len(lengths) < size:
            raise bcf.Malformed
        shared, individual = bcf.RECORD_LENGTHS.unpack(lengths)
        if max(shared, individual) > _LIMIT_BYTES:
            raise bcf.Malformed
        body = read(shared + individual)
        if len(body) < shared + individual:
            raise bcf.Malformed
        yield bcf.parse_record(body, shared, dictionary), body


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
        self._stream = io.BufferedReader(gzip.GzipFile(fileobj=self._pipe), _PIPE_BYTES)
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

    def records(self) -> Records:
        """What comes through the pipe."""
        head = self._stream.read(len(bcf.MAGIC) + 4)
        header = self._stream.read(int.from_bytes(head[len(bcf.MAGIC) :], "little")).decode()
        dictionary = bcf.parse_dictionary(header, len(self._samples))
        return Records(dictionary, self._each(dictionary))

    def _each(self, dictionary: bcf.Dictionary) -> Generator[tuple[bcf.Record, bytes], None, None]:
        yield from _parse(self._stream.read, dictionary)
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
