# SPDX-License-Identifier: Apache-2.0
"""Many BCF records at once.

Nearly all records of large files are of one form: one alternate, short alleles, diploid calls of 8 bits before all
other formats. Those are found, all at once, by what they hold: in C, or by the twin in NumPy. The others are parsed one
by one.
"""

import ctypes
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.kernel.native import Form
from megagenome.standards.bcf import (
    LIMIT_BYTES,
    LONG,
    RECORD_LENGTHS,
    TEXT,
    Dictionary,
    Malformed,
    Numbers,
    parse_record,
)

_GT_DIPLOID = b"\x11\x00\x21"  # one 8-bit integer (the key of GT) and two for each sample
_LARGEST_KEY, _LARGEST_CONTIG = 127, 2**31 - 1
_AT_ONCE = 4096


class Records(NamedTuple):
    """Records that follow one another in some bytes; the columns of `bcf.Record`.

    contig, start   int64 [records]
    refs            reference alleles [records], as written
    alts            alternate alleles [records], as written; empty for a record without one
    ploidy, width   int64 [records]
    at              int64 [records], where each record's calls begin in the bytes
    """

    contig: Numbers
    start: Numbers
    refs: list[str]
    alts: list[tuple[str, ...]]
    ploidy: Numbers
    width: Numbers
    at: Numbers


class Found(NamedTuple):
    """Records that follow one another in some bytes. All but `place` mean something only where `common` is not 0.

    place            int64 [records], where each begins
    contig, start    int64 [records]
    ref, ref_end     int64 [records], where the reference allele begins and ends; alt, alt_end the alternate
    calls            int64 [records], where the calls begin
    common           int64 [records], whether a record is of the common form
    """

    place: Numbers
    contig: Numbers
    start: Numbers
    ref: Numbers
    ref_end: Numbers
    alt: Numbers
    alt_end: Numbers
    calls: Numbers
    common: Numbers


class Finder:
    """Finds the records of one file."""

    def __init__(self, dictionary: Dictionary, native: ctypes.CDLL | None) -> None:
        """`native` is `kernel.native.library()`; where that is None, NumPy does the same, more slowly."""
        self.dictionary = dictionary
        self._native = native
        self._contigs = np.array(sorted(n for n in dictionary.contigs if n <= _LARGEST_CONTIG), np.int64)
        self._samples = dictionary.samples
        self._key = -1 if dictionary.gt is None or not 0 <= dictionary.gt <= _LARGEST_KEY else dictionary.gt
        self._form = Form(self._contigs.ctypes.data, len(self._contigs), self._samples, LIMIT_BYTES, self._key)
        self._columns = np.empty((len(Found._fields), _AT_ONCE), np.int64)
        self._columns_at = self._columns.ctypes.data

    def find(self, content: bytes) -> tuple[Found, int]:
        """The records that are whole in `content`, and where the last of them ends. Raises `Malformed` for what claims
        to be longer than any record."""
        if self._native is None:
            places, end = split(content)
            return self._by_numpy(content, places), end
        parts: list[npt.NDArray[np.int64]] = []
        at, known = ctypes.c_int64(0), _AT_ONCE
        while known == _AT_ONCE:
            known = self._native.find_records(
                content, len(content), ctypes.byref(at), ctypes.byref(self._form), _AT_ONCE, self._columns_at
            )
            if known < 0:
                raise Malformed
            parts.append(self._columns[:, :known].copy())  # what is found next is written to the same place
        return Found(*(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1))), at.value

    def _by_numpy(self, content: bytes, places: Numbers) -> Found:
        if not len(places):
            return Found(*np.empty((len(Found._fields), 0), np.int64))
        raw = np.frombuffer(content, np.uint8)
        site = raw.take(places[:, None] + np.arange(_SITE.itemsize), mode="clip").view(_SITE)[:, 0]
        shared_end = places + RECORD_LENGTHS.size + site["shared"]
        end = shared_end + site["individual"]
        _, id_end, short = _short_text(raw, places + _SITE.itemsize)
        ref, ref_end, short_ref = _short_text(raw, id_end)
        alt, alt_end, short_alt = _short_text(raw, ref_end)
        calls = shared_end + len(_GT_DIPLOID)
        begins = np.frombuffer(bytes([_GT_DIPLOID[0], max(0, self._key), _GT_DIPLOID[2]]), np.uint8)
        first_format = raw.take(shared_end[:, None] + np.arange(len(begins)), mode="clip")
        common = (
            (site["alleles"] == 2)
            & (site["samples_and_formats"] & 0xFFFFFF == self._samples)
            & (site["samples_and_formats"] > 0xFFFFFF)
            & np.isin(site["contig"], self._contigs)
            & (short & short_ref & short_alt & (alt_end <= shared_end))
            & (first_format == begins).all(axis=1)
            & (calls + 2 * self._samples <= end)
            & (self._key >= 0)
        )
        columns = (site["contig"], site["start"], ref, ref_end, alt, alt_end, calls, common)
        told = (np.where(common, column, 0).astype(np.int64) for column in columns)
        return Found(places, *told)


def read_records(content: bytes, finder: Finder) -> tuple[Records, int]:
    """The records that are whole in `content`, and where the last of them ends. Raises `Malformed` as `parse_record`
    does, with the place.

    `finder` finds those of the common form, all at once; the others are parsed one by one.
    """
    dictionary = finder.dictionary
    found, end = finder.find(content)
    ploidy, width = np.full(len(found.place), 2), np.ones(len(found.place), np.int64)
    refs = _texts(content, found.ref, found.ref_end)
    alts: list[tuple[str, ...]] = list(zip(_texts(content, found.alt, found.alt_end), strict=True))
    records = Records(found.contig, found.start, refs, alts, ploidy, width, found.calls)
    for k in np.flatnonzero(found.common == 0).tolist():
        at = int(found.place[k])
        shared, individual = RECORD_LENGTHS.unpack_from(content, at)
        at += RECORD_LENGTHS.size
        try:
            record = parse_record(content[at : at + shared + individual], shared, dictionary)
        except Malformed:
            before = f"after {dictionary.contigs[int(records.contig[k - 1])]}:{records.start[k - 1] + 1}" if k else ""
            raise Malformed(before) from None
        for column, value in zip(
            (records.contig, records.start, ploidy, width, records.at),
            (record.contig, record.start, record.ploidy, record.width, at + record.at),
            strict=True,
        ):
            column[k] = value
        refs[k], alts[k] = record.alleles[0], tuple(record.alleles[1:])
    return records, end


def _texts(content: bytes, begin: Numbers, end: Numbers) -> list[str]:
    """Texts, nearly all of which are one character."""
    if not len(begin):
        return []
    texts = list(np.frombuffer(content, np.uint8).take(begin).tobytes().decode("ascii", "replace"))
    for k in np.flatnonzero(end - begin != 1).tolist():
        texts[k] = content[begin[k] : end[k]].decode("ascii", "replace")
    return texts


def split(content: bytes) -> tuple[Numbers, int]:
    """Where the records that are whole in `content` begin, and where the last of them ends. Raises `Malformed` for what
    claims to be longer than any record."""
    places, at, end = [], 0, len(content) - RECORD_LENGTHS.size
    while at <= end:
        shared, individual = RECORD_LENGTHS.unpack_from(content, at)
        if max(shared, individual) > LIMIT_BYTES:
            raise Malformed
        after = at + RECORD_LENGTHS.size + shared + individual
        if after > len(content):
            break
        places.append(at)
        at = after
    return np.array(places, np.int64), at


_SITE = np.dtype(
    [
        ("shared", "<u4"),
        ("individual", "<u4"),
        ("contig", "<i4"),
        ("start", "<i4"),
        ("length_and_quality", "<u8"),
        ("infos", "<u2"),
        ("alleles", "<u2"),
        ("samples_and_formats", "<u4"),
    ]
)


def _short_text(raw: npt.NDArray[np.uint8], at: Numbers) -> tuple[Numbers, Numbers, npt.NDArray[np.bool_]]:
    """Where texts begin and end whose descriptors stand at `at`, and which of them are text of a length that fits into
    the descriptor."""
    descriptor = raw.take(at, mode="clip")
    length = descriptor >> 4
    begin = at + 1
    return begin, begin + length, (descriptor & 15 == TEXT) & (length < LONG)
