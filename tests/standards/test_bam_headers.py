# SPDX-License-Identifier: Apache-2.0
"""Headers of BAM files that are longer than a block."""

import struct
from unittest.mock import patch

import pytest

from megagenome.standards import bam, bgzf
from megagenome.standards.bam import read_header

RECORDS = b"what follows the header, as long as it may be" * 5000


def header_of(references: int) -> bytes:
    names = b"".join(struct.pack("<i", 8) + b"%07d\0" % n + struct.pack("<i", 1000) for n in range(references))
    return b"BAM\1" + struct.pack("<i", 0) + struct.pack("<i", references) + names


@pytest.mark.parametrize("references", [0, 1, 4095, 5000, 100_000])
@pytest.mark.parametrize("chunk", [1000, 1 << 20])
def test_the_first_record_is_found_behind_any_header(references: int, chunk: int) -> None:
    header = header_of(references)
    file = b"".join(bgzf.compress(iter([header, RECORDS])))
    found = read_header(file[at : at + chunk] for at in range(0, len(file), chunk))
    assert found.content == header
    assert len(found.references) == references
    place, within = divmod(found.begin, 1 << 16)
    assert bytes(bgzf.inflate(file[place : place + (1 << 17)], 1).parts[0])[within:].startswith(RECORDS[:45])


def test_a_header_of_many_references_is_not_read_again_at_each_block() -> None:
    file = b"".join(bgzf.compress(iter([header_of(400_000)])))
    with patch.object(bam, "parse_header", wraps=bam.parse_header) as read:
        read_header([file])
    assert read.call_count < 15
