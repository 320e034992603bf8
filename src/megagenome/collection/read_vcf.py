# SPDX-License-Identifier: Apache-2.0
"""VCF and BCF files as streams of genotype blocks, without any stage in between.

The same reading loads a file and validates one: what validation passes for an assembly, a load reads, and what it
refuses, a load refuses with the same words.
"""

import contextlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from megagenome.collection.bcf_blocks import Blocks
from megagenome.collection.bcf_records import read_parts
from megagenome.collection.genome_stream import GenomeStream
from megagenome.collection.vcf_blocks import Look, Odd, VcfBlocks, refuse
from megagenome.kernel.errors import Corrupt, Invalid, TooLarge
from megagenome.standards import bcf, bgzf, vcf
from megagenome.standards.genotypes import Block, GenotypeSource
from megagenome.standards.hts_index import read_bins
from megagenome.standards.vcf_lines import BadLine


class GenotypeFile:
    """A VCF or BCF file whose header has been read.

    header      samples and contigs
    text        the header as it is written
    is_bcf      whether it is BCF
    compressed  whether it is BGZF; a VCF that is plain text is taken only where `plain` allows it
    read_bytes  of the file, so far
    """

    def __init__(self, file: BinaryIO, name: str, *, plain: bool = False) -> None:
        """`file` is read once, from its begin to its end. Raises `Invalid` for what is neither, for another compression
        and for a bad header, `Corrupt` for a header that cannot be decompressed."""
        self._name = name
        self._stream = GenomeStream(file, name, plain=plain)
        self.compressed = self._stream.compressed
        try:
            self.is_bcf = self.compressed and self._stream.content(5)[:4] == vcf.BCF_MAGIC
            self.text = self._bcf_header() if self.is_bcf else self._stream.take_header().decode()
        except (bgzf.Malformed, UnicodeDecodeError):
            raise Corrupt(f"{name}: the header cannot be decompressed; copy the file again") from None
        try:
            self.header = vcf.parse_header(self.text)
            self._require_line_end()
        except vcf.BadHeader as error:
            named = vcf.BadHeader(error.reason, error.line)
            named.args = (f"{name} {error}",)
            raise named from None

    def _require_line_end(self) -> None:
        if not self.is_bcf and not self.text.endswith("\n"):
            raise vcf.BadHeader("the last line has no end; is the file whole?", self.text.count("\n") + 1)

    def _bcf_header(self) -> str:
        length = int.from_bytes(self._stream.take(9)[5:], "little")
        if length > vcf.HEADER_LIMIT_BYTES:
            raise Invalid(f"{self._name}: the header is larger than 64 MiB")
        text = self._stream.take(length)
        if len(text) < length:
            raise bgzf.Malformed
        return text.decode()

    @property
    def read_bytes(self) -> int:
        """Bytes of the file that were read so far."""
        return self._stream.read_bytes

    def source(
        self, wanted: frozenset[str] | None = None, odd: Odd = refuse, look: Look | None = None
    ) -> GenotypeSource:
        """The file as a source of blocks, once; only the samples in `wanted` when given.

        Reading its blocks raises `Corrupt` where the file breaks off or is damaged and `Invalid` for a record that is
        not what VCF says, with its line or place. `odd` is told of calls of more than two alleles and of contigs that
        are not declared: unless it raises, such a call is taken as missing. Records without genotypes come with every
        call missing. `look` is given the first megabyte or so of a VCF's record lines before they are read.
        """
        header = self.header
        samples = tuple(sample for sample in header.samples if wanted is None or sample in wanted)
        blocks = self._blocks(samples, odd, look)
        return GenotypeSource(self._name, samples, header.contig_lengths, blocks, len(header.samples) - len(samples))

    def _blocks(self, samples: tuple[str, ...], odd: Odd, look: Look | None) -> Generator[Block, None, None]:
        place = "before its first record"
        try:
            for block in self._all_blocks(samples, odd, look):
                yield block
                place = f"after {block.contig}:{block.starts[-1] + 1}"
        except BadLine as error:
            raise self._named(error) from None
        except (bcf.Malformed, bgzf.Malformed, OSError) as error:
            met = getattr(error, "place", "") or place
            raise Corrupt(f"{self._name}: damaged or malformed {met}; `bcftools view` on it says more") from None

    def _all_blocks(self, samples: tuple[str, ...], odd: Odd, look: Look | None) -> Iterator[Block]:
        header = self.header
        kept = None if len(samples) == len(header.samples) else np.flatnonzero(np.isin(header.samples, samples))
        if not self.is_bcf:
            lines = self.text.count("\n")
            yield from VcfBlocks(self._stream, header, lines, kept, lambda error: odd(self._named(error)), look)
            return
        dictionary = bcf.parse_dictionary(self.text, len(header.samples))
        blocks = Blocks(Path(self._name), dictionary, kept)
        for part in read_parts(self._stream, dictionary):
            yield from blocks.of(part)

    def _named(self, error: BadLine) -> BadLine:
        named = BadLine(error.reason, error.line, error.place)
        named.args = (f"{self._name} {named}",)
        return named


def read_header(path: Path) -> vcf.Header:
    """The header of a bgzipped VCF or a BCF file.

    Raises `Invalid` for anything else (plain text, plain gzip) and for a bad header, `Corrupt` for a file whose end is
    missing. Cost: the header's bytes.
    """
    with _opened(path) as opened:
        return opened.header


@contextlib.contextmanager
def open_vcf(path: Path, wanted: frozenset[str] | None = None) -> Iterator[GenotypeSource]:
    """The file as a source of blocks; only the samples in `wanted` when given.

    Raises as `read_header`; reading its blocks raises as `GenotypeFile.source` says, and here nothing odd is let pass.
    Cost: one pass over the file.
    """
    with _opened(path) as opened:
        source = opened.source(wanted)
        if not source.samples:
            source = source._replace(blocks=())
        yield source._replace(name=path.name)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[GenotypeFile]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror or error}") from None
    with file:
        _check_end(file, path)
        yield GenotypeFile(file, str(path))


def _check_end(file: BinaryIO, path: Path) -> None:
    """What would show only after hours of reading shows at once."""
    if not bgzf.is_bgzf(file.read(18)):
        file.seek(0)
        return
    file.seek(-min(len(bgzf.END), path.stat().st_size), 2)
    if file.read() != bgzf.END:
        raise Corrupt(f"{path}: the end of the file is missing (no BGZF end block); copy it again")
    file.seek(0)


def count_records(path: Path) -> int | None:
    """How many records the file's index says it has; None without an index."""
    for suffix in (".tbi", ".csi"):
        index = path.with_name(path.name + suffix)
        with contextlib.suppress(Invalid, Corrupt, TooLarge, OSError):
            counts = [each.records for each in read_bins(index.read_bytes()).references]
            return None if None in counts else sum(filter(None, counts))
    return None
