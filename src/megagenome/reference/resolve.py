# SPDX-License-Identifier: Apache-2.0
"""What a text names: an allele, a region or a gene. Serves `GET /resolve`, the search box and Beacon's `geneId`.

Positions in texts count from 1, as in VCF and HGVS. Only what has one meaning is taken; whatever else is refused with a
line that says why. Nothing here knows whether an allele exists or a reference base is right.
"""

import re

import msgspec

from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.errors import Invalid, TooLarge
from megagenome.reference import genes
from megagenome.reference.assemblies import ASSEMBLIES, Assembly, Contig
from megagenome.reference.assemblies import assembly as known_assembly
from megagenome.standards.federation import Resolved

MAX_TEXT = 10_000
"""Characters of the longest text that is looked at; long insertions need room."""

EXAMPLES = "write an allele as 22-16050075-A-G, a region as 22:16050000-16060000, a gene as BRCA2"

# Runs of whitespace are single spaces before these are used, and no two unbounded repeats that can match the same
# characters stand next to each other, so that no text takes long to refuse.
_CONTIG = r"(?P<contig>[A-Z0-9][A-Z0-9_.-]{0,59}?)"
_NUMBER = r"[0-9]{1,3}(?:,[0-9]{3}){1,5}|[0-9]{1,18}"
_BETWEEN = r"(?: ?[-:_] ?| )"
_BRACKETED = r"[][][A-Z0-9_.:*<>-]+[][]"
_ALT = rf"[A-Z]+|<[A-Z0-9_.:*-]+>|\*|[ACGTN]+{_BRACKETED}|{_BRACKETED}[ACGTN]+|[ACGTN]+\.|\.[ACGTN]+"
_ALLELE = re.compile(
    rf"{_CONTIG}{_BETWEEN}(?:(?P<hgvs>[gm])\.)?(?P<pos1>{_NUMBER}){_BETWEEN}?(?P<ref>[A-Z]+)"
    rf"(?:{_BETWEEN}| ?[>/] ?)(?P<alt>{_ALT})",
    re.IGNORECASE | re.ASCII,
)
_REGION = re.compile(
    rf"{_CONTIG}(?: ?: ?(?P<pos1>{_NUMBER})(?: ?(?:-|–|\.\.) ?(?P<last>{_NUMBER}))?"
    rf"|-(?P<first_dashed>{_NUMBER})-(?P<last_dashed>{_NUMBER}))",
    re.IGNORECASE | re.ASCII,
)
_SPDI = re.compile(r"[A-Z]{2}_[0-9]+\.[0-9]+:[0-9]+:[A-Z]+:[A-Z]+", re.IGNORECASE | re.ASCII)
_RSID = re.compile(r"rs[0-9]+", re.IGNORECASE | re.ASCII)
_HGVS = re.compile(r":[cgmnopr]\.", re.IGNORECASE | re.ASCII)
_GENE_NAME = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,39}", re.IGNORECASE | re.ASCII)
_BASES = re.compile(r"[ACGTN]+")
_IN_BRACKETS = re.compile(r"([][].*[][]|<.*>)")


def resolve(text: str, assembly: str | None = None, *, default: str | None = None) -> Resolved:
    """What `text` names. `assembly`, by any of its names, is the one that it must be on; `default` is the one to take
    where neither the text nor `assembly` says (None and empty say nothing). An accession with version, such as
    `NC_000022.10`, says by itself.

    Alleles come out parsimonious, contigs as the assembly names them, and `text` as the one text for the same thing:
    `resolve(found.text, found.assembly) == found`. A start without end is one base, a contig alone is all of it, and a
    gene has its Ensembl id for a label. Symbolic alternates and breakends stay as written, for exact matches.

    Raises `Invalid` with one line that says what was not understood, or what is wrong with it; `TooLarge` over 10,000
    characters; no other condition. Under 0.1 ms; the first gene takes some 90 ms more.
    """
    if len(text) > MAX_TEXT:
        raise TooLarge(f"a text of {len(text)} characters is too long to look up: at most {MAX_TEXT}")
    text = " ".join(text.split())
    if _assemblies_with(text):
        on, contig = _place(text, assembly, default)
        return _found("region", Region(on.name, contig.name, 0, contig.length))
    match = _ALLELE.fullmatch(text) or _REGION.fullmatch(text)
    # some genes have names like alleles and regions of contigs that there are not: H3-3A-DT, IGHV1-69-2
    if not match or (not _assemblies_with(match["contig"]) and genes.ids(text)):
        return _gene(text, assembly, default)
    return _allele(match, assembly, default) if match.re is _ALLELE else _region(match, assembly, default)


def _allele(match: re.Match[str], assembly: str | None, default: str | None) -> Resolved:
    text = match[0][:60]
    if _SPDI.fullmatch(match[0]):
        raise Invalid(f"{text!r} reads as SPDI, which counts from 0: write it as 22-16050075-A-G, counting from 1")
    on, contig = _place(match["contig"], assembly, default)
    if match["hgvs"] in {"m", "M"} and contig.name != "MT":
        raise Invalid(f"{text!r}: m. is for the contig MT only, write g.")
    ref, alt = match["ref"].upper(), _upper(match["alt"])
    for bases in filter(str.isalpha, (ref, alt)):
        if not _BASES.fullmatch(bases):
            raise Invalid(f"{bases[:20]!r} in {text!r} is not made of the bases A, C, G, T and N")
    if ref == alt:
        raise Invalid(f"reference and alternate of {text!r} are the same")
    start = _within(match["pos1"], on, contig) - 1
    _within(str(start + len(ref)), on, contig)
    allele = Allele(on.name, contig.name, start, ref, alt).parsimonious()
    return msgspec.structs.replace(_found("allele", allele), ref=allele.ref, alt=allele.alt)


def _upper(alt: str) -> str:
    """The bases of an alternate in upper case; what brackets enclose is a name and stays as it is."""
    return "".join(part if _IN_BRACKETS.fullmatch(part) else part.upper() for part in _IN_BRACKETS.split(alt))


def _region(match: re.Match[str], assembly: str | None, default: str | None) -> Resolved:
    on, contig = _place(match["contig"], assembly, default)
    first = match["pos1"] or match["first_dashed"]
    last = match["last"] or match["last_dashed"] or first
    start, end = _within(first, on, contig) - 1, _within(last, on, contig)
    if end <= start:
        raise Invalid(f"the region {match[0]!r} ends before it starts")
    return _found("region", Region(on.name, contig.name, start, end))


def _gene(text: str, assembly: str | None, default: str | None) -> Resolved:
    if _HGVS.search(text):
        raise Invalid(f"{text[:60]!r}: of HGVS only genomic substitutions are read, such as 22:g.16050075A>G")
    if not _GENE_NAME.fullmatch(text):
        raise Invalid(f"{text[:60]!r} is not understood: {EXAMPLES}")
    if _RSID.fullmatch(text) and not genes.ids(text):  # RS1 is a gene
        raise Invalid(f"{text} is an rsID, and rsIDs are not looked up here: {EXAMPLES}")
    on = assembly or default
    if not on:
        raise Invalid(f"{text}: say on which assembly, {' or '.join(genes.ASSEMBLIES)}")
    gene = genes.find(text, on)
    name = gene.symbol if genes.ids(gene.symbol) == (gene.ensembl_id,) else gene.ensembl_id
    return Resolved(
        kind="gene",
        text=name,
        assembly=gene.assembly,
        contig=gene.contig,
        start=gene.start,
        end=gene.end,
        gene=gene.symbol,
        label=gene.ensembl_id,
    )


def _found(kind: str, place: Allele | Region) -> Resolved:
    return Resolved(kind, str(place), place.assembly, place.contig, place.start, place.end)


def _place(name: str, assembly: str | None, default: str | None) -> tuple[Assembly, Contig]:
    """The assembly and contig that `name` means: the one asked for, else the only one that has it, else the default."""
    if assembly:
        on = known_assembly(assembly)
        return on, on.contig(name)
    having = _assemblies_with(name)
    if not having:
        raise Invalid(f"no assembly has a contig {name[:60]!r}: {EXAMPLES}")
    if len(having) > 1:
        if not default or (on := known_assembly(default)) not in having:
            raise Invalid(f"contig {name}: say on which assembly, {' or '.join(each.name for each in having)}")
        having = [on]
    return having[0], having[0].contig(name)


def _assemblies_with(name: str) -> list[Assembly]:
    return [each for each in map(known_assembly, ASSEMBLIES) if each.find_contig(name)]


def _within(number: str, on: Assembly, contig: Contig) -> int:
    pos1 = int(number.replace(",", ""))
    if pos1 == 0:
        raise Invalid("there is no position 0: positions in texts count from 1")
    if pos1 > contig.length:
        raise Invalid(f"position {pos1} is beyond the end of {contig.name} on {on.name}, {contig.length}")
    return pos1
