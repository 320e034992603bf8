# SPDX-License-Identifier: Apache-2.0
"""The header of SAM, which BAM and CRAM carry (SAM specification, section 1.3): contigs, samples and the order."""

from collections.abc import Mapping
from typing import NamedTuple

from megagenome.kernel.errors import Invalid

_LEAVING = {
    "@HD": {"VN", "SO", "GO", "SS"},
    "@SQ": {"SN", "LN", "AH", "AN", "AS", "M5", "SP", "TP"},
    "@RG": {"ID", "SM", "PL"},
    "@PG": {"ID", "PN", "PP", "VN"},
}
"""What of a header tells of sequences, order, instruments and programs, and not of people or places."""


class SamHeader(NamedTuple):
    """contigs  length by name, in order
    samples     those of the read groups (SM), each once, in order
    is_sorted   whether it says that reads are sorted by place
    """

    contigs: dict[str, int]
    samples: tuple[str, ...]
    is_sorted: bool


def parse_header(text: str) -> SamHeader:
    """The header. Raises `Invalid`, naming the line, for a contig without name or length or one that stands twice."""
    contigs: dict[str, int] = {}
    samples: dict[str, None] = {}
    is_sorted = False
    for number, line in enumerate(text.rstrip("\0\n").split("\n"), start=1):
        kind, *fields = line.rstrip("\r").split("\t")
        tags = dict(field.split(":", 1) for field in fields if ":" in field)
        if kind == "@SQ":
            name, length = tags.get("SN", ""), tags.get("LN", "")
            if not name or not length.isdecimal() or not 0 < int(length[:19]) < 2**63:
                raise Invalid(f"line {number} of the header: @SQ needs a name (SN) and a length (LN)")
            if name in contigs:
                raise Invalid(f"line {number} of the header: contig {name[:60]!r} stands twice")
            contigs[name] = int(length)
        elif kind == "@RG" and tags.get("SM"):
            samples[tags["SM"]] = None
        elif kind == "@HD":
            is_sorted = tags.get("SO") == "coordinate"
        elif line and (len(kind) != 3 or not kind.startswith("@")):
            raise Invalid(f"line {number} of the header begins with no record type such as @SQ")
    return SamHeader(contigs, tuple(samples), is_sorted)


def without_names(text: str, names: Mapping[str, str]) -> str:
    """A header that tells of nobody: samples go by these `names` (a read group of any other has none), and comments,
    command lines, descriptions, libraries, addresses of files and all fields that only some programs know are gone.

    Ids of read groups and programs stay, for the reads refer to them.
    """
    lines = []
    for line in text.rstrip("\0\n").split("\n"):
        kind, *fields = line.rstrip("\r").split("\t")
        known = _LEAVING.get(kind)
        if known is None:
            continue
        tags = [field.split(":", 1) for field in fields if ":" in field]
        told = [(tag, names.get(value) if tag == "SM" else value) for tag, value in tags if tag in known]
        lines.append("\t".join([kind, *(f"{tag}:{value}" for tag, value in told if value is not None)]))
    return "".join(f"{line}\n" for line in lines)
