# SPDX-License-Identifier: Apache-2.0
"""What record lines of VCF hold beside places, alleles and genotypes: ID, QUAL, FILTER, INFO and the other values of
FORMAT, against what the header declares (VCFv4.3, section 1.6; samtools/hts-specs). And alleles that stand twice.

A collection reads none of it, so what is wrong here is told and nothing is refused for it. Lines are those that
`vcf_lines` has accepted.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from megagenome.standards.vcf_meta import Declarations, Declared, Fault

_LEAST, _MOST = -(2**31) + 8, 2**31 - 1
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_FLOAT = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)", re.IGNORECASE)
_CIGAR = re.compile(r"(?:[0-9]+[MIDNSHPX=])+")
_KEY = re.compile(r"[A-Za-z_][0-9A-Za-z_.]*|1000G")
_NOT_NEGATIVE = frozenset({"AC", "AF", "AN", "DP", "END", "MQ0", "NS"})


def _is_integer(value: str) -> bool:
    return bool(_INTEGER.fullmatch(value)) and _LEAST <= int(value) <= _MOST


_IS: dict[str, Callable[[str], object]] = {
    "Integer": _is_integer,
    "Float": _FLOAT.fullmatch,
    "Character": lambda value: len(value) == 1,
}


class ValueCheck:
    """Looks at the lines of one file, in order."""

    def __init__(self, declared: Declarations) -> None:
        self._declared = declared
        self._met: dict[tuple[str, int, str, str], int] = {}

    def faults(self, line: str, number: int) -> Iterator[Fault]:
        """What is wrong on the line of this number."""
        cells = line.rstrip("\r\n").split("\t")
        alts = [] if cells[4] == "." else cells[4].split(",")
        told = [*_names(cells), *_info(cells[7], self._declared.info, len(alts))]
        if len(cells) > 9:
            told += _formats(cells[8].split(":"), cells[9:], self._declared.formats, len(alts))
        told += self._twice(cells, alts, number)
        return (Fault(number, about, reason) for about, reason in told)

    def _twice(self, cells: Sequence[str], alts: Sequence[str], number: int) -> Iterator[tuple[str, str]]:
        for alt in filter(str.isalpha, alts):  # symbols are no sequence
            allele = _shortest(cells[0], int(cells[1]), cells[3].upper(), alt.upper())
            before = self._met.setdefault(allele, number)
            if before != number:
                yield "twice", f"an allele stands on line {before:,} already; its calls there and here become one"


def _shortest(contig: str, pos1: int, ref: str, alt: str) -> tuple[str, int, str, str]:
    """The allele without the bases that reference and alternate have in common."""
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while ref and alt and ref[0] == alt[0]:
        pos1, ref, alt = pos1 + 1, ref[1:], alt[1:]
    return contig, pos1, ref, alt


def _names(cells: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name, cell in (("ID", cells[2]), ("FILTER", cells[6])):
        each = cell.split(";")
        if "" in each or len(set(each)) != len(each):
            yield name, f"{name} has an empty name, or one twice"
        elif len(each) > 1 and "." in each:
            yield name, f"{name} has `.` beside others"
        elif name == "FILTER" and "0" in each:
            yield name, "FILTER has the name 0, which is reserved"
    if cells[5].startswith("-"):
        yield "QUAL", "QUAL is negative"


def _info(cell: str, declared: Mapping[str, Declared], alternates: int) -> Iterator[tuple[str, str]]:
    if cell == ".":
        return
    met = set[str]()
    for entry in cell.split(";"):
        key, equals, value = entry.partition("=")
        if not _KEY.fullmatch(key) or key in met:
            yield "INFO", f"INFO has {_shown(key)}, which is no key or stands twice"
            continue
        met.add(key)
        how = declared.get(key)
        quoted = value.startswith('"')
        values = [value] if quoted else value.split(",") if equals else []
        if how is not None and (wrong := _wrong(key, values, how, alternates)):
            yield f"INFO {key}", f"INFO {key} {wrong}"


def _formats(
    keys: Sequence[str], cells: Sequence[str], declared: Mapping[str, Declared], alternates: int
) -> Iterator[tuple[str, str]]:
    if not all(map(_KEY.fullmatch, keys)) or len(set(keys)) != len(keys):
        yield "FORMAT", f"FORMAT {_shown(':'.join(keys))} has a key that is none, or one twice"
    looked = [(k, key, declared[key]) for k, key in enumerate(keys) if key in declared and key != "GT"]
    for number, cell in enumerate(cells, start=1):
        values = cell.split(":")
        for k, key, how in looked:
            if k < len(values) and (wrong := _wrong(key, values[k].split(","), how, alternates)):
                yield f"FORMAT {key}", f"FORMAT {key} of sample {number} {wrong}"


def _wrong(key: str, values: Sequence[str], how: Declared, alternates: int) -> str:
    """What is wrong with the values of a key; `.` stands for any of them, or for all."""
    if how.type == "Flag" or how.number == "0":
        return "is a flag and has a value" if values and values not in (["0"], ["1"]) else ""
    if not values:
        return f"has no value, where {how.number} are declared"
    if list(values) == ["."]:
        return ""
    # a value for the alternate that `.` stands for is often written, too
    count = {"A": alternates or len(values), "R": alternates + 1 if alternates else len(values)}.get(
        how.number, how.number
    )
    if str(count).isdigit() and len(values) != int(count):
        return f"has {len(values)} values, where Number={how.number} is {count}"
    given = [value for value in values if value != "."]
    fits = _IS.get(how.type)
    if fits is not None and not all(map(fits, given)):
        return f"is not of the type {how.type}"
    if key in _NOT_NEGATIVE and any(value.startswith("-") for value in given):
        return "is negative"
    return "is no CIGAR" if key == "CIGAR" and not all(map(_CIGAR.fullmatch, given)) else ""


def _shown(text: str) -> str:
    return repr(text[:30] + ("..." if len(text) > 30 else ""))
