# SPDX-License-Identifier: Apache-2.0
"""Record lines of VCF 4.1 to 4.5 (samtools/hts-specs), held to what the specification says of everything that is read:
CHROM, POS, REF, ALT, the number of columns, FORMAT as far as GT, and GT. QUAL, FILTER, INFO and other formats' values
are looked at only as far as they separate columns.

One line is read by `parse_line`. Nearly all lines of large files are of one form, and many at once are read in C
(`kernel/native/lines.c`): whatever is not of that form, and so whatever is refused, comes to `parse_line`.
"""

import ctypes
import math
import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid
from megagenome.kernel.native import library
from megagenome.standards.genotypes import ABSENT, MISSING, Calls

LONGEST_LINE_BYTES = 1 << 28
"""A million people with 250 characters each."""
MOST_ALTERNATES = 32_766

_AT_ONCE = 4096
_CALLS_AT_ONCE = 1 << 21
_FIXED = 8  # columns before FORMAT
_NARROW = 126  # alternates that calls of 8 bits can name
_LARGEST_POS = 2**31 - 1

# No colon separates anything in a contig's name, and `<` begins one only where it is an id of the assembly file.
_CONTIG = re.compile(r"<[0-9A-Za-z!#$%&+./;=?@^_|~-]+>|[0-9A-Za-z!#$%&+./;?@^_|~-][0-9A-Za-z!#$%&+./;=?@^_|~-]*")
_POS = re.compile(r"[0-9]{1,10}")
_BASES = re.compile(r"[ACGTNacgtn]+")
_MATE = r"(?:<[!-;=?-~]+>|[!-;=?-Z^-~]+):[0-9]+"
_ALT = re.compile(
    r"[ACGTNacgtn]+|\*|<[!-;=?-~]+>|\.[ACGTNacgtn]+|[ACGTNacgtn]+\."
    rf"|(?:[ACGTNacgtn]+|\.)(?:\[{_MATE}\[|\]{_MATE}\])|(?:\[{_MATE}\[|\]{_MATE}\])(?:[ACGTNacgtn]+|\.)"
)
_PLAIN = re.compile(r"[^\0-\x20\x7f]+")
_TEXT = re.compile(r"[^\0-\x1f\x7f]+")
_NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_QUALITY = re.compile(rf"\.|[+-]?(?:{_NUMBER}|inf(?:inity)?|nan)", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z_][0-9A-Za-z_.%]*|1000G")
_GENOTYPE = re.compile(r"[/|]?(?:\.|[0-9]+)(?:[/|](?:\.|[0-9]+))*")
_SEPARATOR = re.compile(r"[/|]")


class BadLine(Invalid):
    """A line that is not what the specification says. `line` counts from 1 over the whole file; None: unknown."""

    def __init__(self, reason: str, line: int | None = None, place: str = "") -> None:
        where = ", ".join(filter(None, (f"line {line}" if line else "", place)))
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason, self.line, self.place = reason, line, place


class Line(NamedTuple):
    """One record.

    start   0-based; -1 for the telomere, which VCF writes as position 0
    alts    alternates; none where ALT is `.`
    calls   [samples, 2] as in `genotypes.Block`; all missing where the line has no GT
    odd     what VCF allows and no collection can hold; "" for nothing. Such calls are missing in `calls`
    """

    contig: str
    start: int
    ref: str
    alts: tuple[str, ...]
    calls: list[tuple[int, int]]
    odd: str


class Lines(NamedTuple):
    """Record lines that follow one another; as `Line`, in columns. `odd` is what is odd of a line, by its number."""

    contigs: list[str]
    starts: npt.NDArray[np.int64]
    refs: list[str]
    alts: list[tuple[str, ...]]
    calls: Calls
    odd: dict[int, str]


def parse_line(line: str, samples: int, by_genotype: frozenset[str] = frozenset()) -> Line:
    """A record of a file with so many samples, without its newline. Raises `BadLine`; never with a call in it.

    by_genotype  keys of FORMAT whose values must be as many as the ploidy of the call has genotypes (Number=G)
    """
    cells = line.removesuffix("\r").split("\t")
    columns = _FIXED + (1 + samples if samples else 0)
    if len(cells) != columns:
        raise BadLine(f"{len(cells)} columns separated by tabs, where the #CHROM line has {columns}")
    contig, pos, ref, alt = cells[0], cells[1], cells[3], cells[4]
    if not _CONTIG.fullmatch(contig):
        raise BadLine(f"CHROM {_shown(contig)} cannot be the name of a contig")
    if not _POS.fullmatch(pos) or int(pos) > _LARGEST_POS:
        raise BadLine(f"POS {_shown(pos)} is no position: a whole number from 1 to {_LARGEST_POS:,}")
    place = f"{contig}:{int(pos)}"
    try:
        alts = _alleles(ref, alt)
        _check_others(cells)
        calls, odd = _calls(cells[_FIXED], cells[_FIXED + 1 :], len(alts), by_genotype) if samples else ([], "")
    except BadLine as error:
        raise BadLine(error.reason, place=place) from None
    return Line(contig, int(pos) - 1, ref, alts, calls, odd)


def _alleles(ref: str, alt: str) -> tuple[str, ...]:
    """The alternates."""
    if not _BASES.fullmatch(ref):
        raise BadLine(f"REF {_shown(ref)} is no run of the bases A, C, G, T, N")
    alts = () if alt == "." else tuple(alt.split(","))
    if "" in alts:
        raise BadLine(f"ALT {_shown(alt)} has an empty allele")
    if wrong := next((each for each in alts if not _ALT.fullmatch(each)), ""):
        raise BadLine(f"ALT {_shown(wrong)}: neither bases nor a symbol, breakend, `*` or `.`")
    if len(alts) > MOST_ALTERNATES:
        raise BadLine(f"{len(alts):,} alternates; at most {MOST_ALTERNATES:,} are understood")
    return alts


def _check_others(cells: list[str]) -> None:
    for name, cell, form in (("ID", cells[2], _PLAIN), ("FILTER", cells[6], _PLAIN), ("INFO", cells[7], _TEXT)):
        if not form.fullmatch(cell):
            raise BadLine(f"{name} is empty or holds what no text may")
    if not _QUALITY.fullmatch(cells[5]):
        raise BadLine(f"QUAL {_shown(cells[5])} is no number")


def _calls(
    formats: str, cells: list[str], listed: int, by_genotype: frozenset[str]
) -> tuple[list[tuple[int, int]], str]:
    keys = formats.split(":")
    if wrong := [key for key in keys if not _KEY.fullmatch(key)]:
        raise BadLine(f"FORMAT {_shown(formats)} has a bad key {_shown(wrong[0])}")
    if len(set(keys)) != len(keys):
        raise BadLine(f"FORMAT {_shown(formats)} has a key twice")
    if "GT" in keys[1:]:
        raise BadLine(f"FORMAT {_shown(formats)}: GT must be the first key")
    for number, cell in enumerate(cells, start=1):
        if not _PLAIN.fullmatch(cell):
            raise BadLine(f"the cell of sample {number} is empty or holds a blank")
        if cell.count(":") >= len(keys):
            raise BadLine(f"the cell of sample {number} has more values than FORMAT has keys")
    if keys[0] != "GT":
        return [(MISSING, ABSENT)] * len(cells), ""
    counted = [k for k, key in enumerate(keys) if key in by_genotype]
    calls, odd = [], ""
    for number, cell in enumerate(cells, start=1):
        genotype = cell.partition(":")[0]
        if not _GENOTYPE.fullmatch(genotype):
            raise BadLine(f"the genotype (GT) of sample {number} is none: alleles by their numbers or `.`, with / or |")
        alleles = [MISSING if each == "." else int(each[:6]) for each in _SEPARATOR.split(genotype.lstrip("/|"))]
        if max(alleles) > listed:
            if listed:
                raise BadLine(f"the genotype (GT) of sample {number} names an allele that the record does not list")
            odd = f"the genotype (GT) of sample {number} names an alternate, yet ALT is `.`"
        if counted and listed and alleles != [MISSING]:
            _check_ploidy(cell.split(":"), counted, math.comb(listed + len(alleles), len(alleles)), number)
        if len(alleles) > 2:
            odd = f"a call of {len(alleles)} alleles; at most 2 are understood"
        calls.append(
            (MISSING, MISSING) if len(alleles) > 2 or max(alleles) > listed else (alleles[0], (*alleles, ABSENT)[1])
        )
    return calls, odd


def _check_ploidy(values: list[str], counted: list[int], genotypes: int, number: int) -> None:
    for k in counted:
        if k < len(values) and values[k] != "." and values[k].count(",") + 1 != genotypes:
            raise BadLine(
                f"sample {number} has {values[k].count(',') + 1} likelihoods, which are not those of its genotype's "
                f"ploidy ({genotypes}): a call of the wrong ploidy?"
            )


def _shown(cell: str) -> str:
    return repr(cell[:30] + ("..." if len(cell) > 30 else ""))


class LineReader:
    """Reads the record lines of one file, in order; counts them, so that messages name the line."""

    def __init__(self, samples: int, header_lines: int, by_genotype: frozenset[str] = frozenset()) -> None:
        """`by_genotype` as in `parse_line`."""
        self.read = header_lines
        self._by_genotype = by_genotype
        self._names = "".join(f"{key}\t" for key in sorted(by_genotype)).encode()
        self._samples = samples
        self._native = library()
        self._most = max(1, min(_AT_ONCE, _CALLS_AT_ONCE // max(1, samples)))
        self._columns = np.empty((9, self._most), np.int64)

    def lines(self, content: bytes, at: int) -> tuple[Lines, int]:
        """Some of the lines that are whole in `content` from `at` on, and where the last of them ends; at most two
        million calls at once, none where no line is whole. Raises `BadLine`."""
        calls = np.empty((self._most, self._samples, 2), np.int8)
        if self._native is None:
            found, end = self._by_python(content, at)
        else:
            place = ctypes.c_int64(at)
            count = self._native.read_lines(
                content,
                len(content),
                ctypes.byref(place),
                self._samples,
                self._names,
                self._most,
                self._columns.ctypes.data,
                calls.ctypes.data,
            )
            found, end = self._columns[:, :count], place.value
        return self._finished(content, found, end, calls[: found.shape[1]]), end

    def _by_python(self, content: bytes, at: int) -> tuple[npt.NDArray[np.int64], int]:
        begins: list[int] = []
        while len(begins) < self._most and (end := content.find(b"\n", at)) >= 0:
            begins.append(at)
            at = end + 1
        columns = np.zeros((9, len(begins)), np.int64)
        columns[0] = begins
        return columns, at

    def _finished(self, content: bytes, found: npt.NDArray[np.int64], end: int, calls: Calls) -> Lines:
        """The lines that C has read, with those that it has left."""
        begin, contig_end, start, ref, ref_end, alt, alt_end, alternates, common = found
        contigs = _same_texts(content, begin, contig_end)
        refs = _texts(content, ref, ref_end)
        alts: list[tuple[str, ...]] = [(text,) for text in _texts(content, alt, alt_end)]
        for k in np.flatnonzero(alternates != 1).tolist():
            alts[k] = tuple(alts[k][0].split(",")) if alternates[k] else ()
        starts, odd, wide = start.copy(), dict[int, str](), dict[int, list[tuple[int, int]]]()
        for k in np.flatnonzero(common == 0).tolist():
            line = self._parse(content, int(begin[k]), int(begin[k + 1]) if k + 1 < len(begin) else end, k)
            contigs[k], starts[k], refs[k], alts[k] = line.contig, line.start, line.ref, line.alts
            if line.odd:
                odd[k] = line.odd
            if len(line.alts) > _NARROW:
                wide[k] = line.calls
            elif self._samples:
                calls[k] = line.calls
        if wide:
            calls = calls.astype(np.int16)
            for k, each in wide.items():
                calls[k] = each
        self.read += len(starts)
        return Lines(contigs, starts, refs, alts, calls, odd)

    def _parse(self, content: bytes, begin: int, end: int, k: int) -> Line:
        try:
            return parse_line(content[begin : end - 1].decode(), self._samples, self._by_genotype)
        except UnicodeDecodeError:
            raise BadLine("is not UTF-8 text", self.read + k + 1) from None
        except BadLine as error:
            raise BadLine(error.reason, self.read + k + 1, error.place) from None


def _same_texts(content: bytes, begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> list[str]:
    """Texts that are nearly all the same as the one before."""
    texts: list[str] = []
    last, text = b"\t", ""
    for first, after in zip(begin.tolist(), end.tolist(), strict=True):
        if not (after - first == len(last) and content.startswith(last, first)):
            last = content[first:after]
            text = last.decode("ascii", "replace")
        texts.append(text)
    return texts


def _texts(content: bytes, begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> list[str]:
    """Texts, nearly all of which are one character."""
    if not len(begin):
        return []
    raw = np.frombuffer(content, np.uint8)
    texts = list(raw.take(begin, mode="clip").tobytes().decode("ascii", "replace"))
    for k in np.flatnonzero(end - begin != 1).tolist():
        texts[k] = content[begin[k] : end[k]].decode("ascii", "replace")
    return texts
