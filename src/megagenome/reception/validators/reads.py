# SPDX-License-Identifier: Apache-2.0
"""BAM and CRAM: every block of the file by its checksum, every read's place (BAM), header against assembly."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import numpy as np

from megagenome.collection.genome_stream import GenomeStream
from megagenome.kernel.errors import Corrupt, Invalid, MegagenomeError
from megagenome.reception.model import Indexed, Inspection, SliceFound, Task
from megagenome.reception.validators.found import Found
from megagenome.reception.validators.held_indexes import HeldIndexes
from megagenome.reference.assemblies import assembly
from megagenome.standards import bam, bgzf, cram, sam

_PART_BYTES = 1 << 20
_NO_BAM = "a BAM file is; copy it again, or make it by `samtools view -b`"


def inspect_bam(task: Task, file: BinaryIO, indexes: Mapping[str, bytes]) -> Inspection:
    """What is found of a BAM file, and of its indexes, by name, as it holds its records against them."""
    found = Found(task, "bam")
    header, walked = sam.SamHeader({}, (), False), None
    names: tuple[str, ...] = ()
    wrong: dict[str, str] = {}
    try:
        held = HeldIndexes(task.name, indexes)
        stream = GenomeStream(file, task.name, remedy=_NO_BAM, block=held.pass_block)
        header, lengths, begin = _bam_header(stream)
        names = tuple(lengths)
        _check_header(found, header)
        runs = held.runs(names, begin)
        walked = bam.Walked(np.array(list(lengths.values()), np.int64), header.is_sorted, runs, begin)
        _walk(stream, walked)
        wrong = held.wrong()
    except bam.Malformed as error:
        said = (
            "does not come after the one before it, yet the header says sorted by place" if error.unsorted else "is bad"
        )
        found.error(f"read {walked.records + 1 if walked else 1:,} {said}; `samtools quickcheck` and `sort` say more")
    except bgzf.Malformed:
        read = f" after {walked.records:,} reads" if walked else " in its header"
        found.error(f"damaged{read}: a block is not what was written; copy the file again")
    except MegagenomeError as error:
        found.refuse(error)
    counts = dict(zip(names, walked.counts.tolist(), strict=False)) if walked else {}
    indexed = Indexed(task.name, "bam", task.size_bytes, counts, names, header.contigs, held=wrong)
    return Inspection(found.report(header.samples, counts, walked.records if walked else None), indexed=indexed)


def _bam_header(stream: GenomeStream) -> tuple[sam.SamHeader, dict[str, int], int]:
    """The header, the contigs' lengths in the order of their numbers, and how many bytes it is long."""
    needed = 1 << 16
    while (parsed := bam.parse_header(stream.content(needed))) is None:
        if stream.ended or needed > 2 * bam.LARGEST_HEADER_BYTES:
            raise Corrupt("breaks off in its header; copy the file again")
        needed *= 2
    stream.skip(parsed.size)
    try:
        header = sam.parse_header(parsed.text.decode())
    except UnicodeDecodeError:
        raise Invalid("the header is not UTF-8 text") from None
    lengths = dict(parsed.contigs)
    if len(lengths) != len(parsed.contigs):
        raise Invalid("a contig stands twice in its header")
    if header.contigs and header.contigs != lengths:
        raise Invalid("the contigs of its header's text (@SQ) are not those of its table of contigs")
    return header._replace(contigs=lengths), lengths, parsed.size


def _walk(stream: GenomeStream, walked: bam.Walked) -> None:
    needed = _PART_BYTES
    while True:
        content = stream.content(needed)
        end = bam.walk(content, walked)
        stream.skip(end)
        left = len(content) - end
        if stream.ended:
            break
        needed = max(_PART_BYTES, 2 * left)
    if left:
        raise bam.Malformed


def inspect_cram(task: Task, file: BinaryIO) -> Inspection:
    """What is found of a CRAM file. Reads are counted by what their containers say; they are not decoded, which needs
    the reference."""
    found = Found(task, "cram")
    header = sam.SamHeader({}, (), False)
    counts: dict[str, int] = {}
    slices: list[SliceFound] = []
    records = 0
    try:
        version = cram.parse_definition(file.read(cram.DEFINITION_BYTES))
        containers = _containers(file, version)
        _, _, body = next(containers, (0, None, b""))
        header = sam.parse_header(cram.header_text(body, version))
        _check_header(found, header)
        names = list(header.contigs)
        for at, container, body in containers:
            if container.contig >= len(names):
                found.error(f"a container after {records:,} reads is of a contig that the header does not have")
                break
            records += container.records
            for landmark in container.landmarks:
                of = cram.parse_slice(body, landmark, version)
                slices.append(SliceFound(at, landmark, of.contig, of.start, of.end))
            if container.contig >= 0:
                name = names[container.contig]
                counts[name] = counts.get(name, 0) + container.records
    except cram.Malformed:
        found.error(f"damaged or malformed after {records:,} reads: a container or block is not what was written")
    except MegagenomeError as error:
        found.refuse(error)
    declared = tuple(header.contigs)
    indexed = Indexed(task.name, "cram", task.size_bytes, counts, declared, header.contigs, tuple(slices))
    return Inspection(found.report(header.samples, counts, records), indexed=indexed)


def _containers(file: BinaryIO, version: int) -> Iterator[tuple[int, cram.Container, bytes]]:
    """Each container with its place in the file and its body, whose checksums agree; not the one that ends the file.
    Raises `cram.Malformed`, and `Corrupt` where the end is missing."""
    at, begin, is_ended = cram.DEFINITION_BYTES, b"", False
    while True:
        if len(begin) < cram.HEAD_BYTES:
            begin += file.read(cram.HEAD_BYTES - len(begin))
        if not begin:
            break
        container = cram.parse_container(begin, version)
        size = container.head_bytes + container.body_bytes
        if len(begin) < size:
            begin += file.read(size - len(begin))
        body = begin[container.head_bytes : size]
        cram.check_blocks(body, container, version)
        if is_ended and not container.is_end:  # some programs write the end twice, none goes on after it
            raise cram.Malformed
        is_ended = container.is_end
        if not is_ended:
            yield at, container, body
        at, begin = at + size, begin[size:]
    if not is_ended:
        raise Corrupt("the end of the file is missing (no end container); copy it again")


def _check_header(found: Found, header: sam.SamHeader) -> None:
    if not header.samples:
        found.warn("names no sample (no read group, @RG, with SM), so nothing shows whose reads these are")
    if len(header.samples) > 1:
        found.warn(f"has reads of {len(header.samples)} samples")
    if not found.task.assembly:
        return
    place = assembly(found.task.assembly)
    known = {name: contig for name in header.contigs if (contig := place.find_contig(name))}
    if not known:
        found.error(f"has no contig of {place.name}; is it of another assembly?")
    for name, contig in known.items():
        if header.contigs[name] != contig.length:
            found.error(
                f"its header gives contig {name} {header.contigs[name]:,} bases, {place.name} has {contig.length:,}; "
                "is it of another assembly?",
                place=name,
            )
    if known and (others := len(header.contigs) - len(known)):
        found.note(f"{others:,} contigs that {place.name} does not have, such as decoys")
