# SPDX-License-Identifier: Apache-2.0
"""BCF 2.2 records (samtools/hts-specs, BCFv2): place, alleles and the bytes of the genotypes.

Only what htslib has written is given to it (`collection/read_vcf.py`), so records are whole and lengths are true.
"""

import re
import struct
from typing import NamedTuple

import numpy as np

from megagenome.standards.genotypes import ABSENT, Calls

MAGIC = b"BCF\x02\x02"
RECORD_LENGTHS = struct.Struct("<II")
"""Lengths of a record's two parts: what all samples share, and what each has."""
_FIXED = struct.Struct("<iiifII")
_INTEGERS = {1: struct.Struct("<b"), 2: struct.Struct("<h"), 3: struct.Struct("<i")}
_SIZES = {0: 0, 1: 1, 2: 2, 3: 4, 5: 4, 7: 1}
_LONG = 15  # a length that does not fit into the descriptor byte: an integer of its own follows
_NAMED = re.compile(r"##(contig|FORMAT)=<(?:[^\"]*,)?ID=([^,>]+).*[,<]IDX=(\d+)")


class Dictionary(NamedTuple):
    """What numbers in records stand for: contigs by number, and the number of the format GT (None: undeclared)."""

    contigs: dict[int, str]
    gt: int | None


class Record(NamedTuple):
    """One record. `calls` are bytes in `body` from `at` on: of each sample `ploidy` integers of `width` bytes; ploidy 0
    where the record has no genotypes."""

    contig: int
    start: int
    alleles: list[str]
    samples: int
    ploidy: int
    width: int
    at: int


def parse_dictionary(header: str) -> Dictionary:
    """The dictionary of a header that htslib wrote: every line states its IDX."""
    named = [match.groups() for match in map(_NAMED.match, header.split("\n")) if match]
    contigs = {int(number): name for kind, name, number in named if kind == "contig"}
    return Dictionary(contigs, next((int(n) for kind, name, n in named if (kind, name) == ("FORMAT", "GT")), None))


def parse_record(body: bytes, shared_length: int, gt: int | None) -> Record:
    """A record from its two parts, one after the other."""
    contig, start, _, _, alleles_and_infos, formats_and_samples = _FIXED.unpack_from(body)
    _, at = _text(body, _FIXED.size)  # the ID
    alleles = []
    for _ in range(alleles_and_infos >> 16):
        allele, at = _text(body, at)
        alleles.append(allele)
    samples = formats_and_samples & 0xFFFFFF
    at = shared_length
    for _ in range(formats_and_samples >> 24):
        key, at = _integer(body, at)
        width, each, at = _descriptor(body, at)
        if key == gt:
            return Record(contig, start, alleles, samples, each, width, at)
        at += samples * each * width
    return Record(contig, start, alleles, samples, 0, 1, at)


def as_calls(raw: Calls) -> Calls:
    """Turn BCF's integers into called alleles, in place. BCF has (allele + 1) * 2 + phased, 0 or 1 for a missing
    allele, and a very negative number after the last of a shorter call, which becomes ABSENT."""
    raw >>= 1
    raw -= 1
    return np.maximum(raw, ABSENT, out=raw)


def _descriptor(body: bytes, at: int) -> tuple[int, int, int]:
    """Width in bytes and number of the values that follow, and where they begin."""
    descriptor = body[at]
    number = descriptor >> 4
    if number == _LONG:
        number, at = _integer(body, at + 1)
        return _SIZES[descriptor & 15], number, at
    return _SIZES[descriptor & 15], number, at + 1


def _integer(body: bytes, at: int) -> tuple[int, int]:
    form = _INTEGERS[body[at] & 15]
    return form.unpack_from(body, at + 1)[0], at + 1 + form.size


def _text(body: bytes, at: int) -> tuple[str, int]:
    _, length, at = _descriptor(body, at)
    return body[at : at + length].decode("ascii", "replace"), at + length
