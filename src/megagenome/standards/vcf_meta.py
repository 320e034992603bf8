# SPDX-License-Identifier: Apache-2.0
"""Meta lines of a VCF header and what they declare (VCFv4.3, sections 1.4 and 1.6, tables 1 and 2; samtools/hts-specs,
https://samtools.github.io/hts-specs/VCFv4.3.pdf).

A collection reads few of them, so what is wrong here is told and nothing is refused for it. What the specification
reserves is compared in files of version 4.3 and later; earlier ones are often written otherwise.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

_EARLIER = re.compile(r"##fileformat=VCFv4\.[12]")
_FIELD = re.compile(r'([^=,<>"\s]+)=("(?:[^"\\]|\\.)*+"|\[[^\]"]*\]|(?!["\[])[^\s,<>]*)(,|$)')
_NUMBER = re.compile(r"[0-9]+|[ARG.]")
_TYPES = frozenset({"Integer", "Float", "Flag", "Character", "String"})
_ALT = re.compile(r"(?:DEL|INS|DUP|INV|CNV|BND):.+|[^:]+")
_URL = re.compile(r"<?[a-z]+://(?=[^/:]*[A-Za-z.])[^\s<>]+>?")
_PLAIN = re.compile(r"[0-9A-Za-z_.-]+")
_MOST_LINES = 100_000
_WITH_ID = ("INFO", "FORMAT", "FILTER", "ALT", "contig", "SAMPLE", "META")
_ORDER = ("ID", "Number", "Type", "Description")


class Declared(NamedTuple):
    """How many values a key has (a number, A, R, G or `.`), and of which type; `.` for any."""

    number: str
    type: str


class Declarations(NamedTuple):
    """By key, what INFO and FORMAT hold: what the header says, and what the specification reserves."""

    info: Mapping[str, Declared]
    formats: Mapping[str, Declared]


class Fault(NamedTuple):
    """Something that is not as the specification says, on a line that counts from 1; `about` is what it is about, the
    same for each line that has the same fault."""

    line: int
    about: str
    reason: str


def _reserved(text: str) -> dict[str, Declared]:
    return {key: Declared(*declared) for key, *declared in (each.split(":") for each in text.split())}


_COUNTS = "AD:R:Integer ADF:R:Integer ADR:R:Integer DP:1:Integer "
RESERVED_INFO = _reserved(
    _COUNTS + "AA:1:String AC:A:Integer AF:A:Float AN:1:Integer BQ:1:Float CIGAR:A:String DB:0:Flag END:1:Integer "
    "H2:0:Flag H3:0:Flag MQ:1:. MQ0:1:Integer NS:1:Integer SOMATIC:0:Flag VALIDATED:0:Flag 1000G:0:Flag"
)
RESERVED_FORMAT = _reserved(
    _COUNTS + "EC:A:Integer FT:1:String GL:G:Float GP:G:Float GQ:1:Integer GT:1:String HQ:2:Integer MQ:1:Integer "
    "PL:G:Integer PQ:1:Integer PS:1:Integer"
)
_RESERVED = {"INFO": RESERVED_INFO, "FORMAT": RESERVED_FORMAT}


def declarations(text: str) -> Declarations:
    """What a header declares, as far as it is written rightly, and what is reserved where it says nothing."""
    found = {"INFO": dict(RESERVED_INFO), "FORMAT": dict(RESERVED_FORMAT)}
    for _, line in _lines(text):
        key, _, value = line.removeprefix("##").partition("=")
        if key in found and (fields := _fields(value)) and not _wrong_definition(key, fields):
            found[key][fields["ID"]] = Declared(fields["Number"], fields["Type"])
    return Declarations(found["INFO"], found["FORMAT"])


def meta_faults(text: str) -> Iterator[Fault]:
    """What is wrong in the meta lines of a header, in order."""
    is_strict = not _EARLIER.match(text)
    for number, line in _lines(text):
        if reason := _wrong(line, is_strict=is_strict):
            yield Fault(number, reason, reason)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The meta lines, by number; of the million that a header may have those that somebody could look at."""
    lines = enumerate(text.splitlines(), start=1)
    return ((number, line) for number, line in islice(lines, _MOST_LINES) if line.startswith("##"))


def _wrong(line: str, *, is_strict: bool) -> str:
    key, equals, value = line.removeprefix("##").partition("=")
    if not (key and equals and value):
        return "is no meta line: ##KEY=VALUE"
    if key in ("assembly", "pedigreeDB") and not _URL.fullmatch(value):
        return f"{key} is no address of a file"
    with_id = (*_WITH_ID, "PEDIGREE") if is_strict else _WITH_ID
    if key == "pedigreeDB" or not (value.startswith("<") or key in with_id):
        return ""
    fields = _fields(value)
    if fields is None:
        return f'{key} is not written as <ID=NAME,KEY=VALUE,KEY="TEXT">'
    if key not in with_id:
        return ""
    if next(iter(fields)) != "ID" or not fields["ID"]:
        return f"{key} does not begin with its ID"
    return _wrong_definition(key, fields) or (_unlike_reserved(key, fields) if is_strict else "")


def _fields(value: str) -> dict[str, str] | None:
    """KEY=VALUE between angle brackets, in order; None where that is not what stands there."""
    if not (value.startswith("<") and value.endswith(">")):
        return None
    inner, at, found = value[1:-1], 0, dict[str, str]()
    while at < len(inner):
        field = _FIELD.match(inner, at)
        if field is None:
            return None
        found[field[1]], at = field[2], field.end()
    return found or None


def _wrong_definition(key: str, fields: Mapping[str, str]) -> str:
    known = [name for name in fields if name in _ORDER]
    if key in ("INFO", "FORMAT") and tuple(fields)[:4] != _ORDER:
        return f"{key} has ID, Number, Type and Description, in this order"
    if key != "META" and known != sorted(known, key=_ORDER.index):
        return f"{key} has its fields in another order than {', '.join(_ORDER)}"
    if not _NUMBER.fullmatch(fields.get("Number", ".")):
        return f"{key} has a Number that is none"
    if fields.get("Type", "String") not in _TYPES or (key == "FORMAT" and fields.get("Type") == "Flag"):
        return f"{key} has a Type that is none"
    if not fields.get("Description", '"').startswith('"'):
        return f"{key} has a Description without quotes"
    if key == "META" and not fields.get("Values", "[").startswith("["):
        return "META has Values without square brackets"
    if key == "PEDIGREE" and not all(map(_PLAIN.fullmatch, fields.values())):
        return "PEDIGREE names somebody as nobody is called"
    if key == "ALT" and not _ALT.fullmatch(fields["ID"]):
        return "ALT is a kind of none of DEL, INS, DUP, INV, CNV, BND"
    return ""


def _unlike_reserved(key: str, fields: Mapping[str, str]) -> str:
    reserved = _RESERVED.get(key, {}).get(fields["ID"])
    if reserved is None or (fields["Number"] == reserved.number and reserved.type in (".", fields["Type"])):
        return ""
    return f"{key} {fields['ID']} is reserved for Number={reserved.number},Type={reserved.type}"
