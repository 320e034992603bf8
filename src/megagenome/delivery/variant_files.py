# SPDX-License-Identifier: Apache-2.0
"""Genotypes of the collection as a VCF or BCF file, made while it is sent."""

from collections.abc import Iterator, Sequence

from megagenome.collection.genotype_slice import GenotypeSlice
from megagenome.kernel.coordinates import Region
from megagenome.kernel.errors import NotFound
from megagenome.reference import assembly
from megagenome.standards import bgzf
from megagenome.standards.htsget import Format, Slice
from megagenome.standards.vcf_write import Contig, bcf_header, bcf_record, header_text, vcf_record

_CHROMOSOMES = 25
_LINES = ("##source=Megagenome",)
_ENOUGH_BYTES = 1 << 16


def regions_of(name: str, slices: Sequence[Slice] | None) -> tuple[Region, ...]:
    """Slices as regions of an assembly, by the order of its contigs; all of its contigs for None. Contigs go by any of
    their names. Raises `NotFound` for one that it does not have."""
    genome = assembly(name)
    if slices is None:
        return tuple(Region(genome.name, contig.name, 0, contig.length) for contig in genome.contigs)
    place = {contig.name: k for k, contig in enumerate(genome.contigs)}
    found = []
    for each in slices:
        contig = genome.find_contig(each.reference)
        if contig is None:
            raise NotFound(f"{genome.name} has no reference {each.reference[:60]!r}")
        end = contig.length if each.end is None else min(each.end, contig.length)
        if each.start < end:
            found.append(Region(genome.name, contig.name, each.start, end))
    found.sort(key=lambda region: (place[region.contig], region.start))
    return tuple(_apart(found))


def _apart(regions: Sequence[Region]) -> Iterator[Region]:
    """Sorted regions of which none overlaps another: two names of one contig are one contig."""
    last: Region | None = None
    for each in regions:
        if last is not None and each.contig == last.contig and each.start <= last.end:
            last = last._replace(end=max(last.end, each.end))
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last


def variant_file(genotypes: GenotypeSlice, format: Format, regions: Sequence[Region]) -> Iterator[bytes]:  # noqa: A002 - the standard's name
    """A file of what is in some regions, in blocks of BGZF: its header and all that ends it in any case, so that a file
    of no regions is a header alone. Its memory does not grow with the regions."""
    return bgzf.compress(_plain(genotypes, format, regions))


def _plain(genotypes: GenotypeSlice, wanted: Format, regions: Sequence[Region]) -> Iterator[bytes]:
    contigs = _contigs(genotypes)
    number = {contig.name: k for k, contig in enumerate(contigs)}
    text = header_text(genotypes.assembly, contigs, genotypes.names, _LINES)
    yield text.encode() if wanted is Format.VCF else bcf_header(text)
    waiting = bytearray()
    having = [region for region in regions if region.contig in genotypes.contigs]
    for window in genotypes.windows(having):
        for allele, copies, called in window:
            if wanted is Format.VCF:
                waiting += vcf_record(allele.contig, allele, copies, called)
            else:
                waiting += bcf_record(number[allele.contig], allele, copies, called)
            if len(waiting) >= _ENOUGH_BYTES:
                yield bytes(waiting)
                waiting.clear()
    yield bytes(waiting)


def _contigs(genotypes: GenotypeSlice) -> list[Contig]:
    """The chromosomes of the assembly, and what else there are genotypes of."""
    genome = assembly(genotypes.assembly)
    return [
        Contig(contig.name, contig.length)
        for k, contig in enumerate(genome.contigs)
        if k < _CHROMOSOMES or contig.name in genotypes.contigs
    ]
