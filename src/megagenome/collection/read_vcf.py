# SPDX-License-Identifier: Apache-2.0
"""VCF and BCF files as streams of genotype blocks, read by htslib (through pysam), without any stage in between.

htslib reads, checks and cuts down to the wanted samples in a thread of its own, and hands plain BCF through a pipe;
here the genotypes are taken out of it, whole blocks at a time, without a Python object per call."""

import contextlib
import fcntl
import gzip
import io
import os
import struct
import threading
import zlib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pysam.bcftools

from megagenome.kernel.coordinates import is_symbolic
from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards import bcf, vcf
from megagenome.standards.genotypes import Block, Calls, GenotypeSource

RECORDS_PER_BLOCK = 512
_HEADER_LIMIT_BYTES = 64 * 1024 * 1024
_PIPE_BYTES = 1 << 20

pysam.set_verbosity(0)  # what htslib would print, we say in one line of our own


def read_header(path: Path) -> vcf.Header:
    """The header of a bgzipped VCF or a BCF file.

    Raises `Invalid` for anything else (plain text, plain gzip) and for a bad header, `Corrupt` for a file whose end is
    missing. Cost: the header's bytes.
    """
    try:
        _check_compression(path)
        text = _header_text(path)
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror or error}") from None
    except (EOFError, zlib.error, UnicodeDecodeError, struct.error):
        raise Corrupt(f"{path}: the header cannot be decompressed; copy the file again") from None
    try:
        return vcf.parse_header(text)
    except Invalid as error:
        raise Invalid(f"{path}: {error}") from None


def _check_compression(path: Path) -> None:
    with path.open("rb") as file:
        first = file.read(16)
        if not vcf.is_bgzf(first):
            kind = "plain gzip" if first[:2] == vcf.GZIP_MAGIC else "not compressed"
            raise Invalid(f"{path}: {kind}; compress it with `bgzip` or convert it with `bcftools view -Ob`")
        file.seek(-min(len(vcf.BGZF_END), path.stat().st_size), 2)
        if file.read() != vcf.BGZF_END:
            raise Corrupt(f"{path}: the end of the file is missing (no BGZF end block); copy it again")


def _header_text(path: Path) -> str:
    with gzip.open(path, "rb") as file:
        magic = file.read(5)
        if magic[:4] == vcf.BCF_MAGIC:
            (length,) = struct.unpack("<I", file.read(4))
            if length > _HEADER_LIMIT_BYTES:
                raise Invalid(f"{path}: the header is larger than 64 MiB")
            return file.read(length).decode()
        lines = [magic + file.readline()]
        while lines[-1].startswith(b"##"):
            lines.append(file.readline(_HEADER_LIMIT_BYTES))
        return b"".join(lines).decode()


@contextlib.contextmanager
def open_vcf(path: Path, wanted: frozenset[str] | None = None) -> Iterator[GenotypeSource]:
    """The file as a source of blocks; only the samples in `wanted` when given (htslib then skips the others).

    Raises as `read_header`; reading its blocks raises `Corrupt` where the file breaks off and `Invalid` for a record
    with more than two alleles per call or a call of an allele that it does not list, naming the place.
    Records without genotypes come as blocks' records with every call missing. Cost: one pass of htslib.
    """
    header = read_header(path)
    samples = tuple(sample for sample in header.samples if wanted is None or sample in wanted)
    left_out = len(header.samples) - len(samples)
    with contextlib.closing(_blocks(path, samples)) as blocks:
        yield GenotypeSource(path.name, samples, header.contig_lengths, blocks, left_out)


def count_records(path: Path) -> int | None:
    """How many records the file's index says it has; None without an index."""
    if not any(path.with_name(path.name + suffix).is_file() for suffix in (".tbi", ".csi")):
        return None
    try:
        stats = pysam.bcftools.index("--stats", str(path))
        return sum(int(line.split("\t")[2]) for line in str(stats).splitlines())
    except pysam.utils.SamtoolsError:
        return None


class _Feed:
    """htslib in a thread: reads a file and writes it as BCF into a pipe, in stored (not compressed) blocks."""

    def __init__(self, path: Path, samples: Sequence[str]) -> None:
        self._path = path
        self._samples = list(samples)
        self.failed = False
        self.undeclared = ""
        self._stopping = False
        reading, writing = os.pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._pipe = os.fdopen(reading, "rb", buffering=_PIPE_BYTES)
        self.stream = io.BufferedReader(gzip.GzipFile(fileobj=self._pipe), _PIPE_BYTES)
        self._thread = threading.Thread(target=self._run, args=(writing,), daemon=True)
        self._thread.start()

    def _run(self, writing: int) -> None:
        with os.fdopen(writing, "wb") as pipe:
            try:
                with pysam.VariantFile(str(self._path)) as source:
                    source.subset_samples(self._samples)
                    declared = _declare_chromosomes(source.header)
                    with pysam.VariantFile(pipe, "wb0", header=source.header) as sink:
                        for record in source:
                            if record.chrom not in declared:
                                self.undeclared = record.chrom
                            if self._stopping or self.undeclared:
                                break
                            sink.write(record)
            except Exception:  # noqa: BLE001 - pysam has no class for its errors; whatever it is, the file cannot be read
                self.failed = True

    def close(self) -> None:
        """Stop reading and wait for the thread. What is on its way is read to its end: a pipe broken under htslib makes
        it close its file descriptor twice, and the second time it may be somebody else's."""
        self._stopping = True
        while not self._pipe.closed and self._pipe.read(_PIPE_BYTES):
            pass
        self._thread.join()
        self._pipe.close()


def _declare_chromosomes(header: pysam.VariantHeader) -> frozenset[str]:
    """Add the chromosomes that a header does not declare, as VCF allows and BCF does not; all its contigs then."""
    for chromosome in (*map(str, range(1, 23)), "X", "Y", "M", "MT"):
        for name in (chromosome, "chr" + chromosome):
            if name not in header.contigs:
                header.contigs.add(name)
    return frozenset(map(str, header.contigs))


def _blocks(path: Path, samples: Sequence[str]) -> Generator[Block, None, None]:
    if not samples:
        return
    feed = _Feed(path, samples)
    try:
        yield from _read_blocks(path, feed)
    finally:
        feed.close()


def _read_blocks(path: Path, feed: _Feed) -> Iterator[Block]:
    stream = feed.stream
    place = "before its first record"
    waiting = _Waiting(path)
    head = stream.read(len(bcf.MAGIC) + 4)
    if len(head) == len(bcf.MAGIC) + 4:
        dictionary = bcf.parse_dictionary(stream.read(int.from_bytes(head[-4:], "little")).decode())
        while len(lengths := stream.read(bcf.RECORD_LENGTHS.size)) == bcf.RECORD_LENGTHS.size:
            shared, individual = bcf.RECORD_LENGTHS.unpack(lengths)
            body = stream.read(shared + individual)
            if len(body) < shared + individual:
                break
            record = bcf.parse_record(body, shared, dictionary.gt)
            contig = dictionary.contigs[record.contig]
            if not waiting.takes(contig, record):
                yield waiting.block()
                waiting = _Waiting(path)
            waiting.add(contig, record, body)
            place = f"after {contig}:{record.start + 1}"
    if waiting.records:
        yield waiting.block()
    feed.close()
    if feed.undeclared:
        raise Invalid(f"{path}: no contig {feed.undeclared!r} is declared in the header (##contig), yet it has records")
    if feed.failed:
        raise Corrupt(f"{path}: damaged or malformed {place}; `bcftools view` on it says more")


class _Waiting:
    """Records of one contig and one width of genotypes, that will be a block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.contig = ""
        self.records: list[bcf.Record] = []
        self._bodies: list[bytes] = []

    def takes(self, contig: str, record: bcf.Record) -> bool:
        """Whether the record can be of the same block."""
        if not self.records:
            return True
        return contig == self.contig and record.width == self.records[0].width and len(self.records) < RECORDS_PER_BLOCK

    def add(self, contig: str, record: bcf.Record, body: bytes) -> None:
        """Put a record into the block."""
        self.contig = contig
        self.records.append(record)
        self._bodies.append(body)

    def block(self) -> Block:
        """All of them as a block."""
        records = self.records
        calls = bcf.as_calls(self._raw())
        listed = np.array([len(record.alleles) - 1 for record in records])
        highest = calls.reshape(len(records), -1).max(axis=1)
        if (wrong := np.flatnonzero(highest > listed)).size:
            at = int(wrong[0])
            raise self._refused(at, f"a call of allele {highest[at]}, the record lists {listed[at]}")
        return Block(
            self.contig,
            np.array([record.start for record in records], np.int64),
            [record.alleles[0].upper() for record in records],
            [tuple(_spelled(alt) for alt in record.alleles[1:]) for record in records],
            calls,
        )

    def _raw(self) -> Calls:
        """BCF's integers, [records, samples, 2], writable; those of a haploid record have no second allele."""
        first = self.records[0]
        dtype = np.dtype(f"<i{first.width}")
        raw = bytearray().join(
            body[record.at : record.at + record.samples * record.ploidy * record.width]
            if record.ploidy == 2
            else self._as_pairs(number, record, body, dtype)
            for number, (record, body) in enumerate(zip(self.records, self._bodies, strict=True))
        )
        return np.frombuffer(raw, dtype).reshape(len(self.records), first.samples, 2)

    def _as_pairs(self, number: int, record: bcf.Record, body: bytes, dtype: "np.dtype[Any]") -> bytes:
        """The integers of a record with another ploidy than 2, as pairs."""
        absent = np.iinfo(dtype).min + 1
        pairs = np.full((record.samples, 2), absent, dtype)
        if record.ploidy == 0:
            pairs[:, 0] = 0
            return pairs.tobytes()
        called = np.frombuffer(body, dtype, record.samples * record.ploidy, record.at)
        called = called.reshape(record.samples, record.ploidy)
        if (called[:, 2:] != absent).any():
            raise self._refused(number, f"a call of {record.ploidy} alleles; at most 2 are understood")
        pairs[:, : min(2, record.ploidy)] = called[:, :2]
        return pairs.tobytes()

    def _refused(self, at: int, what: str) -> Invalid:
        return Invalid(f"{self._path}: {self.contig}:{self.records[at].start + 1}: {what}")


def _spelled(alt: str) -> str:
    """Bases in upper case; symbols and breakends as they are."""
    return alt if is_symbolic(alt) else alt.upper()
