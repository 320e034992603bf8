# SPDX-License-Identifier: Apache-2.0
"""VCF and BCF: read exactly as a load reads them (`collection.read_vcf`), and counted for quality on the way."""

from collections.abc import Iterator
from typing import BinaryIO

from megagenome.collection.check_source import check_lengths, check_order, find_contig
from megagenome.collection.read_vcf import GenotypeFile
from megagenome.collection.vcf_blocks import refuse
from megagenome.kernel.errors import Conflict, MegagenomeError
from megagenome.reception.model import Indexed, Inspection, Task
from megagenome.reception.validators.found import Found
from megagenome.reception.validators.quality_counter import QualityCounter
from megagenome.reference.assemblies import ASSEMBLIES, Assembly, assembly
from megagenome.standards.genotypes import GenotypeSource
from megagenome.standards.vcf import Header
from megagenome.standards.vcf_meta import Fault, declarations, meta_faults
from megagenome.standards.vcf_values import ValueCheck

_ENDLESS = 1 << 62


def inspect_genotypes(task: Task, file: BinaryIO, format: str) -> Inspection:  # noqa: A002 - the field's word
    """What is found of a VCF or BCF file."""
    found = Found(task, format)
    place = assembly(task.assembly) if task.assembly else None
    try:
        opened = GenotypeFile(file, task.name, plain=place is None)
    except MegagenomeError as error:
        found.refuse(error)
        return Inspection(found.report())
    if not opened.compressed:
        found.warn("not compressed; a load takes files that `bgzip` has compressed, or BCF")
    header = opened.header
    guessed = place or guess_assembly(header)
    if place is None and guessed is not None:
        found.note(f"its contigs have the lengths of {guessed.name}")
    if place is not None and not header.contig_lengths:
        found.warn(f"states no contig's length, so nothing shows that it is of {place.name}")
    counter = QualityCounter(header.samples, guessed)
    odd = refuse if place else lambda error: found.warn(error.reason, error.line, error.place)
    begin: list[bytes] = []
    source = opened.source(odd=odd, look=begin.append)
    records = dict.fromkeys(header.contigs, 0)
    faults = list(meta_faults(opened.text))
    try:
        _read(found, source, place, guessed, counter, records)
        faults += _value_faults(opened.text, b"".join(begin))
    except MegagenomeError as error:
        found.refuse(error)
    for fault in sorted({each.about: each for each in reversed(faults)}.values()):
        found.warn(fault.reason, fault.line)
    indexed = Indexed(task.name, format, task.size_bytes, records, header.contigs, header.contig_lengths)
    report = found.report(header.samples, records, sum(records.values()))
    return Inspection(report, indexed=indexed, quality=counter.counted() if header.samples else None)


def _value_faults(header: str, begin: bytes) -> Iterator[Fault]:
    """Of the record lines that a file begins with, all of which were read, what no collection reads of them."""
    check, first = ValueCheck(declarations(header)), header.count("\n") + 1
    lines = begin[: begin.rfind(b"\n") + 1].decode().splitlines()
    return (fault for number, line in enumerate(lines, start=first) for fault in check.faults(line, number))


def guess_assembly(header: Header) -> Assembly | None:
    """The one assembly all of whose contigs in a header have the lengths that it states; None if not exactly one."""
    fits = []
    for name in ASSEMBLIES:
        known = assembly(name)
        pairs = [(known.find_contig(contig), length) for contig, length in header.contig_lengths.items()]
        same = [contig.length == length for contig, length in pairs if contig is not None]
        if same and all(same):
            fits.append(known)
    return fits[0] if len(fits) == 1 else None


def _read(
    found: Found,
    source: GenotypeSource,
    place: Assembly | None,
    guessed: Assembly | None,
    counter: QualityCounter,
    records: dict[str, int],
) -> None:
    if place is not None:
        check_lengths(place, source)
    met: set[str] = set()
    contig = name = ""
    last, length = 0, _ENDLESS
    for block in source.blocks:
        if block.contig != contig:
            contig, before = block.contig, name
            name = find_contig(place, source, contig) if place else _usual_name(contig, guessed)
            if name in met and (place is not None or name != before):
                raise Conflict(f"contig {contig} comes a second time; sort the file (bcftools sort)")
            met.add(name)
            last = 0 if name != before else last
            length = place.contig(contig).length if place else _ENDLESS
        if place is not None or found.format == "bcf":
            check_order(source, block, last, length)
        last = int(block.starts[-1])
        records[contig] = records.get(contig, 0) + len(block.starts)
        counter.add(block, name)


def _usual_name(contig: str, guessed: Assembly | None) -> str:
    known = guessed.find_contig(contig.strip("<>")) if guessed else None
    return known.name if known else contig.strip("<>")
