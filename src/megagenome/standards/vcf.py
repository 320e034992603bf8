# SPDX-License-Identifier: Apache-2.0
"""VCF 4.1 to 4.5 and BCF 2.2: what the house needs of their headers and alternate alleles (samtools/hts-specs).

Records are parsed by htslib (`collection/read_vcf.py`); here is only what must be judged before it reads.
"""

import re
from typing import NamedTuple

from megagenome.kernel.errors import Invalid

BCF_MAGIC = b"BCF\x02"

UNSTATED_LENGTHS = frozenset({0, 2**31 - 1})
"""Lengths of ##contig lines that say nothing: some callers write the largest 32-bit integer."""

NO_ALTERNATES = frozenset({".", "<NON_REF>", "<*>"})
"""ALT entries that stand for no allele at all: a gVCF's 'anything else'."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"?')  # also one that never ends, else it were looked through from each quote
_ID = re.compile(r"[<,]ID=([^,>]+)")
_LENGTH = re.compile(r"[,<]length=(\d+)")
_FIXED = 9  # columns of the #CHROM line before the first sample


class Header(NamedTuple):
    """Samples in file order, and the contig lengths that the header states."""

    samples: tuple[str, ...]
    contig_lengths: dict[str, int]


def parse_header(text: str) -> Header:
    """The header's samples and contig lengths. Raises `Invalid` without a #CHROM line, or with a sample twice."""
    lines = text.rstrip("\0\n").split("\n")
    columns = lines[-1].rstrip("\r").split("\t")
    if columns[0] != "#CHROM":
        raise Invalid("the header has no #CHROM line")
    samples = tuple(columns[_FIXED:])
    if len(set(samples)) != len(samples):
        twice = next(sample for i, sample in enumerate(samples) if sample in samples[:i])
        raise Invalid(f"sample {twice!r} stands twice in the header")
    lengths = {}
    for line in lines:
        if line.startswith("##contig=") and (contig := id_of(line)):
            length = _LENGTH.search(unquoted(line))
            if length and int(length.group(1)) not in UNSTATED_LENGTHS:
                lengths[contig] = int(length.group(1))
    return Header(samples, lengths)


def id_of(line: str) -> str:
    """The ID of a header line, wherever among its fields it stands; "" where it has none."""
    found = _ID.search(unquoted(line))
    return found.group(1) if found else ""


def unquoted(line: str) -> str:
    """A header line without its quoted texts, which may hold anything."""
    return _QUOTED.sub("", line)
