# SPDX-License-Identifier: Apache-2.0
"""CRAM's containers: as htslib wrote them, and every changed byte is met."""

from pathlib import Path

import pytest

from megagenome.standards import cram
from tests.reception.written import CONTIGS, write_reads


def walk(content: bytes) -> list[cram.Container]:
    version, at, found = cram.parse_definition(content), cram.DEFINITION_BYTES, []
    while at < len(content):
        container = cram.parse_container(content[at:], version)
        end = at + container.head_bytes + container.body_bytes
        cram.check_blocks(content[at + container.head_bytes : end], container, version)
        found.append(container)
        at = end
    return found


def test_containers_and_header(tmp_path: Path) -> None:
    content = write_reads(tmp_path / "a.cram", "wc").read_bytes()
    containers = walk(content)
    assert sum(each.records for each in containers) == 50
    assert [each.is_end for each in containers] == [False] * (len(containers) - 1) + [True]
    first = containers[0]
    body = content[cram.DEFINITION_BYTES + first.head_bytes :][: first.body_bytes]
    text = cram.header_text(body, 3)
    assert all(f"SN:{name}\tLN:{length}" in text for name, length in CONTIGS.items())


def test_every_changed_byte_is_met(tmp_path: Path) -> None:
    content = write_reads(tmp_path / "a.cram", "wc", reads=4).read_bytes()
    for at in range(cram.DEFINITION_BYTES, len(content), 3):
        damaged = bytearray(content)
        damaged[at] ^= 0x10
        with pytest.raises(cram.Malformed):
            walk(bytes(damaged))


@pytest.mark.parametrize("content", [b"", b"CRAM", b"CRAM\x09" + bytes(30), b"BAM\x01" + bytes(30)])
def test_what_is_no_cram(content: bytes) -> None:
    with pytest.raises(cram.Malformed):
        cram.parse_definition(content)
