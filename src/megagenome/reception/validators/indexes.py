# SPDX-License-Identifier: Apache-2.0
"""Indexes: whether they can be read, and whether they are of the file that they stand beside, as it is now."""

from typing import BinaryIO

from megagenome.kernel.errors import MegagenomeError
from megagenome.reception.model import Indexed, Inspection, SliceFound, Task
from megagenome.reception.validators.found import Found
from megagenome.standards.hts_index import LIMIT_BYTES, BinIndex, CramIndex, CramSlice, Reference, read_index

_OF = {"tbi": ("vcf",), "csi": ("vcf", "bcf", "bam"), "bai": ("bam",), "crai": ("cram",)}
_LONGEST_WITHOUT_CSI = 1 << 29
_SEVERAL = -2  # contigs, in one slice of a CRAM


def inspect_index(task: Task, file: BinaryIO, format: str) -> Inspection:  # noqa: A002 - the field's word
    """What is found of an index."""
    found = Found(task, format)
    try:
        index = read_index(file.read(LIMIT_BYTES + 1))
    except MegagenomeError as error:
        found.refuse(error)
        return Inspection(found.report())
    if task.indexed is None:
        found.warn("the file of which this is the index was not submitted with it, so they were not compared")
    elif task.indexed.format not in _OF[index.kind]:
        found.error(f"{index.kind.upper()} is no index of {task.indexed.format.upper()}, as {task.indexed.name} is")
    elif not task.indexed.is_whole:
        found.note(f"was not compared with {task.indexed.name}, which failed")
    elif isinstance(index, CramIndex):
        _compare_slices(found, index, task.indexed)
    elif _agrees(found, index, task.indexed):
        _compare_records(found, index, task.indexed)
    return Inspection(found.report())


def _agrees(found: Found, index: BinIndex, indexed: Indexed) -> bool:
    """Whether it is of this file, by contigs, counts and places."""
    if index.kind != "csi":
        for name, length in indexed.lengths.items():
            if length > _LONGEST_WITHOUT_CSI:
                found.error(f"{index.kind.upper()} cannot index contig {name}, which is longer than 512 Mb; make a CSI")
                return False
    if any(each.span().end >> 16 > indexed.size_bytes for each in index.references):
        found.error(f"points beyond the end of {indexed.name}: it is older, or of another file; index the file again")
        return False
    named = _named(index, indexed)
    if named is None:
        found.error(f"has other contigs than {indexed.name}: it is of another file; index the file again")
        return False
    agrees, unknown = True, False
    for name, each in named:
        held = indexed.contigs.get(name, 0)
        unknown = unknown or each.records is None
        if each.records is not None and each.records != held:
            agrees = False
            found.error(
                f"says {each.records:,} records of contig {name}, {indexed.name} has {held:,}: it is older, or of "
                "another file; index the file again",
                place=name,
            )
    if unknown:
        found.warn("does not say how many records it indexes, so these were not compared")
    return agrees


def _compare_records(found: Found, index: BinIndex, indexed: Indexed) -> None:
    """Whether it would hide records."""
    wrong = indexed.held.get(found.task.name)
    if wrong:
        found.error(wrong)
    elif wrong is None and not all(each.can_be() for each in index.references):
        found.error(f"would hide records of {indexed.name}: its least offsets are not its chunks'; make it anew")


def _named(index: BinIndex, indexed: Indexed) -> list[tuple[str, Reference]] | None:
    """Each reference with its contig; None where they do not fit."""
    if index.references and not index.names:
        if len(index.references) != len(indexed.declared):
            return None
        return list(zip(indexed.declared, index.references, strict=True))
    held = [name for name, count in indexed.contigs.items() if count]
    if not set(held) <= set(index.names) or not set(index.names) <= set(indexed.contigs):
        return None
    return list(zip(index.names, index.references, strict=True))


def _compare_slices(found: Found, index: CramIndex, indexed: Indexed) -> None:
    real = {(each.container, each.landmark): each for each in indexed.slices}
    lines = {(each.container, each.landmark, each.reference): each for each in index.slices}
    listed = {(container, landmark) for container, landmark, _ in lines}
    if listed - set(real):
        found.error(
            f"points to {len(listed - set(real)):,} places at which {indexed.name} has no slice: it is older, or of "
            "another file; index the file again"
        )
        return
    if missing := len(set(real) - listed):
        found.error(f"leaves out {missing:,} slices of {indexed.name}; index the file again")
        return
    # of a slice of several contigs only its reads say which
    wrong = sum(
        real[container, landmark].contig not in (reference, _SEVERAL) for container, landmark, reference in lines
    )
    if wrong:
        found.error(f"gives {wrong:,} slices of {indexed.name} another contig; index the file again")
        return
    narrow = [each for at, each in real.items() if each.contig >= 0 and not _is_within(each, lines[*at, each.contig])]
    if narrow:
        first = narrow[0]
        found.error(
            f"would hide reads of {len(narrow):,} slices of {indexed.name}, the first of them from "
            f"{indexed.declared[first.contig]}:{first.start + 1} on: it gives them fewer bases than they cover; index "
            "the file again"
        )


def _is_within(found: SliceFound, line: CramSlice) -> bool:
    return line.start <= found.start and line.end >= found.end
