# SPDX-License-Identifier: Apache-2.0
"""VCF and BCF files as streams of genotype blocks, read by htslib (through cyvcf2) without any stage in between."""

import gzip
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cyvcf2
import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards import vcf
from megagenome.standards.genotypes import ABSENT, Block, Calls, GenotypeSource

RECORDS_PER_BLOCK = 512
_INT8_ALTERNATES = 126
_HEADER_LIMIT_BYTES = 64 * 1024 * 1024

_SILENT = 0
cyvcf2.cyvcf2.set_htslib_log_level(_SILENT)  # what htslib would print, we say in one line of our own


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


def open_vcf(path: Path, wanted: frozenset[str] | None = None) -> GenotypeSource:
    """The file as a source of blocks; only the samples in `wanted` when given (htslib then skips the others).

    Raises as `read_header`; reading its blocks raises `Corrupt` where the file breaks off and `Invalid` for a record
    with more than two alleles per call or a call of an allele that it does not list, naming the place.
    Records without genotypes come as blocks' records with every call missing. Cost: one pass of htslib.
    """
    header = read_header(path)
    samples = tuple(sample for sample in header.samples if wanted is None or sample in wanted)
    left_out = len(header.samples) - len(samples)
    return GenotypeSource(path.name, samples, header.contig_lengths, _blocks(path, samples), left_out)


def count_records(path: Path) -> int | None:
    """How many records the file's index says it has; None without an index."""
    if not any(path.with_name(path.name + suffix).is_file() for suffix in (".tbi", ".csi")):
        return None
    try:
        return int(cyvcf2.VCF(str(path)).num_records)
    except (ValueError, OSError):
        return None


class _Record(NamedTuple):
    start: int
    ref: str
    alts: tuple[str, ...]


def _blocks(path: Path, samples: Sequence[str]) -> Iterator[Block]:
    if not samples:
        return
    reader = cyvcf2.VCF(str(path), samples=list(samples))
    calls = np.empty((RECORDS_PER_BLOCK, len(samples), 2), np.int16)
    records: list[_Record] = []
    contig = ""
    for variant in _variants(path, reader):
        if contig != variant.CHROM or len(records) == RECORDS_PER_BLOCK:
            if records:
                yield _block(path, contig, records, calls)
            contig, records = variant.CHROM, []
        record = _Record(variant.start, variant.REF.upper(), tuple(alt.upper() for alt in variant.ALT))
        _take_calls(path, variant, calls[len(records)])
        records.append(record)
    if records:
        yield _block(path, contig, records, calls)


def _variants(path: Path, reader: Any) -> Iterator[Any]:
    place = "before its first record"
    records = iter(reader)
    while True:
        try:
            variant = next(records)
        except StopIteration:
            return
        except Exception:  # noqa: BLE001 - cyvcf2 raises plain Exception for whatever htslib could not read
            raise Corrupt(f"{path}: damaged or malformed {place}; `bcftools view` on it says more") from None
        place = f"after {variant.CHROM}:{variant.start + 1}"
        yield variant


def _take_calls(path: Path, variant: Any, calls: npt.NDArray[np.int16]) -> None:
    try:
        called = variant.genotype.array()
    except Exception:  # noqa: BLE001 - cyvcf2's plain Exception for a record without GT
        calls[:] = -1
        return
    ploidy = called.shape[1] - 1  # the last column is the phase
    if ploidy > 2 and (called[:, 2:ploidy] != ABSENT).any():
        raise Invalid(
            f"{path}: {variant.CHROM}:{variant.start + 1}: a call of {ploidy} alleles; at most 2 are understood"
        )
    if ploidy > 1:
        calls[:] = called[:, :2]
    else:
        calls[:, 0], calls[:, 1] = called[:, 0], ABSENT


def _block(path: Path, contig: str, records: list[_Record], calls: npt.NDArray[np.int16]) -> Block:
    calls = calls[: len(records)]
    listed = np.array([len(record.alts) for record in records])
    highest = calls.reshape(len(records), -1).max(axis=1)
    if (wrong := np.flatnonzero(highest > listed)).size:
        place = f"{contig}:{records[wrong[0]].start + 1}"
        raise Invalid(f"{path}: {place}: a call of allele {highest[wrong[0]]}, the record lists {listed[wrong[0]]}")
    stored: Calls = calls.astype(np.int8) if listed.max() <= _INT8_ALTERNATES else calls.copy()
    return Block(
        contig,
        np.array([record.start for record in records], np.int64),
        [record.ref for record in records],
        [record.alts for record in records],
        stored,
    )
