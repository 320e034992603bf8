# SPDX-License-Identifier: Apache-2.0
"""VCF 4.1 to 4.5 and BCF 2.2: what the house needs of their headers and alternate alleles (samtools/hts-specs).

Record lines are read in `vcf_lines`, BCF's records in `bcf` and `bcf_scan`.
"""

import re
from typing import NamedTuple

from megagenome.kernel.errors import Invalid

BCF_MAGIC = b"BCF\x02"

UNSTATED_LENGTHS = frozenset({0, 2**31 - 1})
"""Lengths of ##contig lines that say nothing: some callers write the largest 32-bit integer."""

NO_ALTERNATES = frozenset({".", "<NON_REF>", "<*>"})
"""ALT entries that stand for no allele at all: a gVCF's 'anything else'."""

FIXED_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
"""Of the #CHROM line; FORMAT and the samples follow, or neither."""

HEADER_LIMIT_BYTES = 1 << 26
"""Room for a million contigs."""

CHROMOSOMES = frozenset(
    prefix + name for prefix in ("", "chr") for name in (*map(str, range(1, 23)), "X", "Y", "M", "MT")
)
"""Contigs that everybody knows, declared or not."""

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_FORMAT_LINE = re.compile(r"##fileformat=VCFv4\.[1-9]")
_EARLIER = re.compile(r"##fileformat=VCFv4\.[12]")
_BY_GENOTYPE = re.compile(r"##FORMAT=<(?:.*,)?Number=G[,>]")
_KEY = re.compile(r"[0-9A-Za-z_.]+")
_RESERVED_BY_GENOTYPE = ("GL", "GP", "PL")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"?')  # also one that never ends, else it were looked through from each quote
_ID = re.compile(r"[<,]ID=([^,>]+)")
_LENGTH = re.compile(r"[,<]length=(\d{1,18})(?!\d)")
_SAMPLE_LIMIT = 200


class Header(NamedTuple):
    """Samples in file order, the contig lengths that the header states, and all contigs that it declares, in order.

    by_genotype  FORMAT keys with a value for each genotype (Number=G), of files of version 4.3 and later: earlier ones
                 are often written with the values of diploid calls where the call is haploid
    """

    samples: tuple[str, ...]
    contig_lengths: dict[str, int]
    contigs: tuple[str, ...] = ()
    by_genotype: frozenset[str] = frozenset()


class BadHeader(Invalid):
    """A header that is not what the specification says. `line` counts from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(f"line {line}: {reason}")
        self.reason, self.line = reason, line


def parse_header(text: str) -> Header:
    """The header's samples and contigs. Raises `BadHeader` without ##fileformat or #CHROM line, for a column that is
    not as VCF names it, for a sample without a printable name or with one that stands twice."""
    lines = text.rstrip("\0\n").split("\n")
    _check_first(lines[0])
    for number, line in enumerate(lines[:-1], start=1):
        if not line.startswith("##"):
            raise BadHeader("the header has no #CHROM line before this one, which does not begin with ##", number)
    lengths: dict[str, int] = {}
    contigs: dict[str, None] = {}
    for line in lines:
        if line.startswith("##contig=") and (contig := id_of(line)):
            contigs[contig] = None
            length = _LENGTH.search(unquoted(line))
            if length and int(length.group(1)) not in UNSTATED_LENGTHS:
                lengths[contig] = int(length.group(1))
    return Header(_samples(lines[-1].rstrip("\r"), len(lines)), lengths, tuple(contigs), _keys_by_genotype(lines))


def _keys_by_genotype(lines: list[str]) -> frozenset[str]:
    if _EARLIER.match(lines[0]):
        return frozenset()
    declared = {id_of(line): line for line in lines if line.startswith("##FORMAT=")}
    reserved = {key for key in _RESERVED_BY_GENOTYPE if key not in declared}
    keys = {key for key, line in declared.items() if _BY_GENOTYPE.match(unquoted(line)) and _KEY.fullmatch(key)}
    return frozenset(keys | reserved)


def _check_first(line: str) -> None:
    if line.startswith(_BOM):
        raise BadHeader("begins with a byte order mark (UTF-8 BOM); save the file without", 1)
    if not _FORMAT_LINE.fullmatch(line.rstrip("\r")):
        raise BadHeader("is no VCF 4: the first line must be such as ##fileformat=VCFv4.3", 1)


def _samples(line: str, number: int) -> tuple[str, ...]:
    columns = line.split("\t")
    if columns[0] != "#CHROM":
        raise BadHeader("the header has no #CHROM line", number)
    fixed = len(FIXED_COLUMNS)
    for place, (found, named) in enumerate(zip(columns, (*FIXED_COLUMNS, "FORMAT"), strict=False), start=1):
        if found != named:
            raise BadHeader(f"column {place} of the #CHROM line is {found[:30]!r}; it must be {named}", number)
    samples = tuple(columns[fixed + 1 :])
    if len(columns) < fixed or (len(columns) == fixed + 1):
        missing = "the columns of VCF" if len(columns) < fixed else "samples after FORMAT"
        raise BadHeader(f"the #CHROM line has {len(columns)} columns, which is not all: {missing} are missing", number)
    met: set[str] = set()
    for sample in samples:
        if not sample or not sample.isprintable() or sample != sample.strip() or len(sample) > _SAMPLE_LIMIT:
            raise BadHeader(f"sample {sample[:30]!r} is no name: 1 to {_SAMPLE_LIMIT} printable characters", number)
        if sample in met:
            raise BadHeader(f"sample {sample!r} stands twice in the header", number)
        met.add(sample)
    return samples


def id_of(line: str) -> str:
    """The ID of a header line, wherever among its fields it stands; "" where it has none."""
    found = _ID.search(unquoted(line))
    return found.group(1) if found else ""


def unquoted(line: str) -> str:
    """A header line without its quoted texts, which may hold anything."""
    return _QUOTED.sub("", line)
