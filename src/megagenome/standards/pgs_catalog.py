# SPDX-License-Identifier: Apache-2.0
"""Scoring files of the PGS Catalog, format 2.0 (https://www.pgscatalog.org/downloads/): weights of effect alleles.

Also files harmonised to an assembly, whose `hm_chr` and `hm_pos` are then the place. Rows that name no place or only
one allele are counted and left out; dominant and recessive weights, interactions and haplotypes are refused.
"""

import gzip
import math
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, NamedTuple

from megagenome.kernel.errors import Invalid
from megagenome.standards.study import MOST_WEIGHTS, Assembly, Weight

LARGEST_BYTES = 4 << 30
"""Of the text, unzipped."""
_LONGEST_LINE = 1 << 20
_ASSEMBLIES: Mapping[Assembly, tuple[str, ...]] = {"GRCh37": ("grch37", "hg19"), "GRCh38": ("grch38", "hg38")}
_SPECIAL = ("is_interaction", "is_haplotype", "is_diplotype", "is_dominant", "is_recessive")


class ScoringFile(NamedTuple):
    """A score.

    id        `pgs_id`, or "" where the file has none
    assembly  `GRCh37` or `GRCh38`, of the places
    left_out  rows that were not used, by why
    """

    id: str
    assembly: Assembly
    weights: tuple[Weight, ...]
    left_out: dict[str, int]


def read_scoring_file(file: IO[bytes], assembly: str = "") -> ScoringFile:
    """A scoring file, gzipped or not, from its beginning; `assembly` is of a file that does not say it.

    Raises `Invalid`, naming the line. It is read line by line and no further than a study has weights: memory is that
    of the weights, however large the file.
    """
    lines = _lines(file)
    header, names, number = _header(lines)
    harmonised = "hm_chr" in names
    place = ("hm_chr", "hm_pos") if harmonised else ("chr_name", "chr_position")
    for column in (*place, "effect_allele", "effect_weight"):
        if column not in names:
            columns = ", ".join(names)[:80]
            raise Invalid(f"a scoring file without the column {column}; of columns between tabs it has {columns}")
    stated = _assembly(header.get("HmPOS_build" if harmonised else "genome_build") or assembly)
    if assembly and stated != _assembly(assembly):
        raise Invalid(f"the scoring file says that its places are of {stated}, not {assembly}")
    weights, left_out = [], {"no place is given": 0, "no other allele is given": 0}
    for line in lines:
        number += 1
        if not line.strip():
            continue
        row = dict(zip(names, line.split("\t"), strict=False))
        special = any(row.get(column, "").lower() in ("true", "1") for column in _SPECIAL)
        if special or row.get("effect_type", "additive") != "additive":
            raise Invalid(f"line {number}: only additive weights of single alleles are understood")
        other = row.get("other_allele") or row.get("reference_allele") or row.get("hm_inferOtherAllele") or ""
        if not row.get(place[0]) or not row.get(place[1]):
            left_out["no place is given"] += 1
        elif not other or "/" in other:
            left_out["no other allele is given"] += 1
        else:
            weights.append(_weight(row, place, other, number))
            if len(weights) > MOST_WEIGHTS:
                raise Invalid(f"line {number}: a study takes {MOST_WEIGHTS:,} weights, and this score has more")
    return ScoringFile(header.get("pgs_id", ""), stated, tuple(weights), left_out)


def _weight(row: dict[str, str], place: tuple[str, str], other: str, number: int) -> Weight:
    try:
        pos1, weight = int(row[place[1]]), float(row["effect_weight"])
    except (KeyError, ValueError):
        raise Invalid(f"line {number}: the position or the weight is no number") from None
    alleles = row["effect_allele"].upper(), other.upper()
    if pos1 < 1 or not math.isfinite(weight) or not all(each.isalpha() and each.isascii() for each in alleles):
        raise Invalid(f"line {number}: use a position from 1, a finite weight, and alleles of letters")
    return Weight(row[place[0]].removeprefix("chr"), pos1 - 1, *alleles, weight)


def _header(lines: Iterator[str]) -> tuple[dict[str, str], list[str], int]:
    header: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.startswith("#"):
            return header, line.split("\t"), number
        name, is_pair, value = line.lstrip("#").partition("=")
        if is_pair:
            header[name.strip()] = value.strip()
    raise Invalid("a scoring file without a row of column names")


def _assembly(written: str) -> Assembly:
    for assembly, names in _ASSEMBLIES.items():
        if written.lower() in names:
            return assembly
    raise Invalid(f"a scoring file on assembly {written[:40]!r}: GRCh37 and GRCh38 are understood")


def _lines(file: IO[bytes]) -> Iterator[str]:
    file.seek(0)
    is_zipped = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    opened, read = gzip.GzipFile(fileobj=file, mode="rb") if is_zipped else file, 0
    try:
        while line := opened.readline(_LONGEST_LINE + 1):
            read += len(line)
            if len(line) > _LONGEST_LINE or read > LARGEST_BYTES:
                raise Invalid(f"a scoring file of more than {LARGEST_BYTES:,} bytes, or {_LONGEST_LINE:,} in a line")
            yield line.decode("utf-8").rstrip("\r\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        raise Invalid("not a scoring file: neither text nor gzip") from None
