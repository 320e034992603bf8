# SPDX-License-Identifier: Apache-2.0
"""CRAM's containers: as htslib wrote them, and every changed byte is met."""

import random
import struct
import zlib
from pathlib import Path

import pysam
import pytest

from megagenome.kernel.errors import Invalid, MegagenomeError, TooLarge
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


def pieces(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


@pytest.mark.parametrize("version", ["2.1", "3.0", "3.1"])
@pytest.mark.parametrize("piece", [9, 100, 1 << 20])
def test_a_header_in_pieces_and_how_a_file_ends(tmp_path: Path, version: str, piece: int) -> None:
    bam, path = write_reads(tmp_path / "a.bam"), tmp_path / "a.cram"
    options = ["-C", "--output-fmt-option", f"version={version}", "--output-fmt-option", "no_ref=1"]
    pysam.view(*options, "-o", str(path), str(bam), catch_stdout=False)
    content = path.read_bytes()
    header = cram.read_header(pieces(content, piece))
    assert header.references == tuple(CONTIGS)
    assert content.endswith(header.end)
    major = cram.parse_definition(content)
    first = cram.parse_container(content[header.begin :], major)
    assert first.records > 0
    assert cram.parse_container(header.end, major).is_end


def test_a_header_that_breaks_off_or_is_damaged(tmp_path: Path) -> None:
    content = write_reads(tmp_path / "a.cram", "wc").read_bytes()
    begin = cram.read_header([content]).begin
    for size in (0, 3, 26, 30, begin - 1):
        with pytest.raises(Invalid, match="ends within its header"):
            cram.read_header(pieces(content[:size], 7))
    for at in range(cram.DEFINITION_BYTES, begin, 5):
        damaged = bytearray(content)
        damaged[at] ^= 0x10
        with pytest.raises(MegagenomeError):
            cram.read_header([bytes(damaged[:begin])])
    with pytest.raises(Invalid, match="no CRAM"):
        cram.read_header([b"BAM\1" + bytes(30)])


@pytest.mark.parametrize("landmarks", [b"\xff\xff\xff\xff\x0f", b"\xf7\xff\xff\xff\x0f"])
def test_a_count_of_a_strangers_takes_no_memory(landmarks: bytes) -> None:
    definition = b"CRAM\3\0" + bytes(20)
    with pytest.raises(Invalid):
        cram.read_header([definition + struct.pack("<i", 100) + bytes(7) + landmarks + bytes(cram.HEAD_BYTES)])
    head = struct.pack("<i", cram.LARGEST_HEADER_BYTES + 1) + bytes(8)
    with pytest.raises(TooLarge):
        cram.read_header([definition + head + struct.pack("<I", zlib.crc32(head))])


@pytest.mark.parametrize("version", [(2, 1), (3, 0), (3, 1)])
@pytest.mark.parametrize("comment_bytes", [0, 100, 300_000])
def test_a_beginning_is_as_long_as_asked_or_whole_steps_longer(version: tuple[int, int], comment_bytes: int) -> None:
    text = f"@HD\tVN:1.6\n@CO\t{random.Random(1).randbytes(comment_bytes // 2).hex()}\n"
    least = len(cram.write_beginning(text, version))
    for size in [0, 26, 1000, *range(least - 5, least + 400, 7), least + 200_000]:
        found = cram.fitted_beginning(text, version, size, 4_096)
        assert len(found) >= size
        assert (len(found) - size) % 4_096 == 0
        assert len(found) < max(size, least) + 2 * 4_096
        header = cram.read_header([found])
        assert (header.text, header.begin) == (text, len(found))
