# SPDX-License-Identifier: Apache-2.0
"""Indexes: whether they can be read, and whether they are of the file that they stand beside, as it is now."""

from typing import BinaryIO

from megagenome.kernel.errors import MegagenomeError
from megagenome.reception.model import Indexed, Inspection, Task
from megagenome.reception.validators.found import Found
from megagenome.standards.hts_index import LIMIT_BYTES, BinIndex, CramIndex, Reference, read_index

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
    else:
        _compare(found, index, task.indexed)
    return Inspection(found.report())


def _compare(found: Found, index: BinIndex, indexed: Indexed) -> None:
    if index.kind != "csi":
        for name, length in indexed.lengths.items():
            if length > _LONGEST_WITHOUT_CSI:
                found.error(f"{index.kind.upper()} cannot index contig {name}, which is longer than 512 Mb; make a CSI")
                return
    if any(each.span().end >> 16 > indexed.size_bytes for each in index.references):
        found.error(f"points beyond the end of {indexed.name}: it is older, or of another file; index the file again")
        return
    if not all(each.can_be() for each in index.references):
        found.error(f"would hide records of {indexed.name}: its least offsets are not its chunks'; make it anew")
        return
    named = _named(index, indexed)
    if named is None:
        found.error(f"has other contigs than {indexed.name}: it is of another file; index the file again")
        return
    unknown = False
    for name, each in named:
        held = indexed.contigs.get(name, 0)
        unknown = unknown or each.records is None
        if each.records is not None and each.records != held:
            found.error(
                f"says {each.records:,} records of contig {name}, {indexed.name} has {held:,}: it is older, or of "
                "another file; index the file again",
                place=name,
            )
    if unknown:
        found.warn("does not say how many records it indexes, so only contigs and places were compared")


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
    real = {(container, landmark): contig for container, landmark, contig in indexed.slices}
    listed = {(each.container, each.landmark) for each in index.slices}
    wrong = sum(
        real.get((each.container, each.landmark), each.reference) not in (each.reference, _SEVERAL)
        for each in index.slices
    )
    if listed - set(real):
        found.error(
            f"points to {len(listed - set(real)):,} places at which {indexed.name} has no slice: it is older, or of "
            "another file; index the file again"
        )
    elif missing := len(set(real) - listed):
        found.error(f"leaves out {missing:,} slices of {indexed.name}; index the file again")
    elif wrong:
        found.error(f"gives {wrong:,} slices of {indexed.name} another contig; index the file again")
