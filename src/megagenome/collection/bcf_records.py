# SPDX-License-Identifier: Apache-2.0
"""The records of a BCF file, as they stand in it."""

from collections.abc import Iterator
from typing import NamedTuple

from megagenome.collection.genome_stream import GenomeStream
from megagenome.kernel.native import library
from megagenome.standards import bcf
from megagenome.standards.bcf_scan import Finder, Records, read_records

_PART_BYTES = 1 << 20  # small enough for the processor's cache, large enough for arrays to pay


class Part(NamedTuple):
    """Some of a file's records, and the bytes in which they are."""

    records: Records
    content: bytes


def read_parts(stream: GenomeStream, dictionary: bcf.Dictionary) -> Iterator[Part]:
    """All that is left of a file, as records, some at a time. Raises `bcf.Malformed`, and what the stream raises."""
    needed, finder = _PART_BYTES, Finder(dictionary, library())
    while True:
        content = stream.content(needed)
        records, end = read_records(content, finder)
        if len(records.start):
            yield Part(records, content)
        stream.skip(end)
        left = len(content) - end
        if stream.ended:
            break
        # a record longer than a part: as much again as there is, so that joining costs no more than reading
        needed = max(_PART_BYTES, 2 * left)
    if left:
        raise bcf.Malformed
