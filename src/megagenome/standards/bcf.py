# SPDX-License-Identifier: Apache-2.0
"""BCF 2.2 records (samtools/hts-specs, BCFv2): place, alleles and the bytes of the genotypes.

Records come as they stand in files of others: no length and no number in them is trusted.
"""

import re
import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.kernel.native import library
from megagenome.standards.genotypes import ABSENT, Calls
from megagenome.standards.vcf import id_of, unquoted

MAGIC = b"BCF\x02\x02"
RECORD_LENGTHS = struct.Struct("<II")
"""Lengths of a record's two parts: what all samples share, and what each has."""
LIMIT_BYTES = 1 << 30
"""Of a part of a record."""
TEXT = 7
"""The type of texts in a descriptor byte, below their length."""
LONG = 15
"""A length that does not fit into the descriptor byte: an integer of its own follows."""
_FIXED = struct.Struct("<iiifII")
_INTEGERS = {1: struct.Struct("<b"), 2: struct.Struct("<h"), 3: struct.Struct("<i")}
_SIZES = {0: 0, 1: 1, 2: 2, 3: 4, 5: 4, 7: 1}
_IN_CACHE = 1 << 18  # as many values at a time are changed in place: three passes from memory take ten times as long
_KIND = re.compile(r"##(contig|FILTER|INFO|FORMAT)=<")
_NUMBER = re.compile(r"[,<]IDX=(\d{1,9})(?!\d)")


Numbers = npt.NDArray[np.int64]


class Malformed(Exception):
    """A record is not BCF. `place` is where it was met, if that is known: `after CONTIG:POS`."""

    def __init__(self, place: str = "") -> None:
        super().__init__(place)
        self.place = place


class Dictionary(NamedTuple):
    """What numbers in records stand for: contigs by number, and the number of the format GT (None: undeclared); and of
    how many samples each record must be."""

    contigs: dict[int, str]
    gt: int | None
    samples: int


class Record(NamedTuple):
    """One record. `calls` are bytes in `body` from `at` on: of each sample `ploidy` integers of `width` bytes; ploidy 0
    where the record has no genotypes."""

    contig: int
    start: int
    alleles: list[str]
    ploidy: int
    width: int
    at: int


def parse_dictionary(header: str, samples: int) -> Dictionary:
    """The dictionary of a header: what a line states as its IDX, else its place among the contigs, or the place of its
    ID among those of FILTER, INFO and FORMAT, of which PASS is always the first (BCFv2, section 6.2.1)."""
    contigs: dict[int, str] = {}
    texts = {"PASS": 0}
    gt = None
    for line in header.split("\n"):
        if not (kind := _KIND.match(line)):
            continue
        numbers, name = _NUMBER.findall(unquoted(line)), id_of(line)
        if kind[1] == "contig":
            contigs[int(numbers[-1]) if numbers else len(contigs)] = name
            continue
        number = texts.setdefault(name, int(numbers[-1]) if numbers else len(texts))
        if (kind[1], name) == ("FORMAT", "GT"):
            gt = number
    return Dictionary(contigs, gt, samples)


def parse_record(body: bytes, shared_length: int, dictionary: Dictionary) -> Record:
    """A record from its two parts, one after the other. Raises `Malformed` where it contradicts itself, the dictionary
    or the number of samples; what is not returned (INFO, other formats' values) is not looked into."""
    try:
        contig, start, _, _, alleles_and_infos, formats_and_samples = _FIXED.unpack_from(body)
        _, at = _text(body, _FIXED.size)  # the ID
        alleles = []
        for _ in range(alleles_and_infos >> 16):
            allele, at = _text(body, at)
            alleles.append(allele)
        if at > shared_length or not alleles or contig not in dictionary.contigs:
            raise Malformed
        ploidy, width, at = _find_genotypes(body, shared_length, formats_and_samples, dictionary)
    except (IndexError, KeyError, struct.error):
        raise Malformed from None
    return Record(contig, start, alleles, ploidy, width, at)


def _find_genotypes(body: bytes, at: int, formats_and_samples: int, dictionary: Dictionary) -> tuple[int, int, int]:
    """Ploidy, width and place of GT among the formats, which begin at `at`."""
    samples = formats_and_samples & 0xFFFFFF
    for _ in range(formats_and_samples >> 24):
        key, at = _integer(body, at)
        kind, each, at = _descriptor(body, at)
        after = at + samples * each * _SIZES[kind]
        if each < 0 or after > len(body):
            raise Malformed
        if key == dictionary.gt:
            if samples != dictionary.samples or kind not in _INTEGERS:
                raise Malformed
            return each, _SIZES[kind], at
        at = after
    return 0, 1, at


def as_calls(raw: Calls) -> Calls:
    """Turn BCF's integers of any width into called alleles, in place; `decode_calls` is the same for nearly all there
    are. BCF has (allele + 1) * 2 + phased, 0 or 1 for a missing allele, and a very negative number after the last of a
    shorter call, which becomes ABSENT."""
    flat = raw.reshape(-1)
    for first in range(0, len(flat), _IN_CACHE):
        part = flat[first : first + _IN_CACHE]
        part >>= 1
        part -= 1
        np.maximum(part, ABSENT, out=part)
    return raw


def decode_calls(content: bytes, at: Numbers, samples: int) -> tuple[Calls, npt.NDArray[np.int8]]:
    """Called alleles, int8 [records, samples, 2], of records whose diploid 8-bit calls begin at `at`; and the highest
    allele of each record, int8 [records]."""
    native = library()
    if native is None:
        raw = bytearray().join(content[a : a + 2 * samples] for a in at.tolist())
        called = as_calls(np.frombuffer(raw, np.int8).reshape(len(at), samples, 2))
        return called, called.reshape(len(at), -1).max(axis=1)
    calls, highest = np.empty((len(at), samples, 2), np.int8), np.empty(len(at), np.int8)
    places = np.ascontiguousarray(at)
    native.decode_calls(content, places.ctypes.data, len(at), 2 * samples, calls.ctypes.data, highest.ctypes.data)
    return calls, highest


def _descriptor(body: bytes, at: int) -> tuple[int, int, int]:
    """Type and number of the values that follow, and where they begin."""
    descriptor = body[at]
    number = descriptor >> 4
    if number == LONG:
        number, at = _integer(body, at + 1)
        return descriptor & 15, number, at
    return descriptor & 15, number, at + 1


def _integer(body: bytes, at: int) -> tuple[int, int]:
    form = _INTEGERS[body[at] & 15]
    return form.unpack_from(body, at + 1)[0], at + 1 + form.size


def _text(body: bytes, at: int) -> tuple[str, int]:
    kind, length, at = _descriptor(body, at)
    if length < 0 or (kind != TEXT and length):
        raise Malformed
    return body[at : at + length].decode("ascii", "replace"), at + length
