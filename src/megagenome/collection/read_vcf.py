# SPDX-License-Identifier: Apache-2.0
"""VCF and BCF files as streams of genotype blocks, without any stage in between."""

import contextlib
import gzip
import struct
import zlib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
import pysam.bcftools

from megagenome.collection.bcf_blocks import Blocks
from megagenome.collection.bcf_records import Undeclared, open_records
from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards import bcf, bgzf, vcf
from megagenome.standards.genotypes import Block, GenotypeSource

_HEADER_LIMIT_BYTES = 64 * 1024 * 1024


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
        if not bgzf.is_bgzf(first):
            kind = "plain gzip" if first[:2] == bgzf.GZIP_MAGIC else "not compressed"
            raise Invalid(f"{path}: {kind}; compress it with `bgzip` or convert it with `bcftools view -Ob`")
        file.seek(-min(len(bgzf.END), path.stat().st_size), 2)
        if file.read() != bgzf.END:
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
    with contextlib.closing(_blocks(path, header, samples)) as blocks:
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


def _blocks(path: Path, header: vcf.Header, samples: Sequence[str]) -> Generator[Block, None, None]:
    if not samples:
        return
    place = "before its first record"
    try:
        with open_records(path, header.samples, samples) as source:
            width = source.dictionary.samples
            kept = None if width == len(samples) else np.flatnonzero(np.isin(header.samples, samples))
            blocks = Blocks(path, source.dictionary, kept)
            for part in source.parts:
                for block in blocks.of(part):
                    yield block
                    place = f"after {block.contig}:{block.starts[-1] + 1}"
    except Undeclared as error:
        raise Invalid(
            f"{path}: no contig {error.contig!r} is declared in the header (##contig), yet it has records"
        ) from None
    except (bcf.Malformed, bgzf.Malformed, OSError) as error:
        met = getattr(error, "place", "") or place
        raise Corrupt(f"{path}: damaged or malformed {met}; `bcftools view` on it says more") from None
