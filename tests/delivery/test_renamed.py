# SPDX-License-Identifier: Apache-2.0
"""Files of reads under other names, held against what samtools reads of them."""

import gzip
import random
import struct
import subprocess
from pathlib import Path

import pysam
import pytest

from megagenome.delivery import pieces
from megagenome.delivery.layouts import Layouts
from megagenome.standards import bam, bgzf, cram
from megagenome.standards.crypt4gh_segments import SEGMENT_BYTES, Stored
from megagenome.standards.htsget import Slice
from tests.delivery.test_layouts import WHOLE, PlainFile, PlainFiles
from tests.delivery.world import CONTIGS, write_reads, write_reference

SAMPLE = "Mari Maasikas"
NAMES = {SAMPLE: "PABCDEFGHIJKLMNOP"}
EXPECTED = {
    "HD": {"VN": "1.6", "SO": "coordinate"},
    "SQ": [{"SN": name, "LN": length} for name, length in CONTIGS.items()],
    "RG": [{"ID": "lane1", "SM": NAMES[SAMPLE], "PL": "ILLUMINA"}, {"ID": "lane2"}],
    "PG": [{"ID": "bwa", "PN": "bwa", "VN": "0.7.17"}],
}
INDEX = {"BAM": "reads.bam.bai", "CRAM": "reads.cram.crai"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reads")
    reference = write_reference(folder / "reference.fa")
    write_reads(folder / "reads.bam", reference, "wb", sample=SAMPLE)
    write_reads(folder / "reads.cram", reference, "wc", sample=SAMPLE)
    return folder


def kept(content: bytes, kind: str, index: bytes = b"") -> tuple[Layouts, PlainFile]:
    files = PlainFiles()
    file = files.add(content, kind)
    if index:
        files.add(index, INDEX[kind].rpartition(".")[2].upper(), file.id)
    return Layouts(files), files.kept[file.id]


def samtools(folder: Path, *arguments: str | Path) -> str:
    command = ["samtools", *map(str, arguments), "-T", str(folder / "reference.fa")]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def header_of(path: Path) -> dict[str, object]:
    with pysam.AlignmentFile(str(path), check_sq=False) as file:
        found = file.header.to_dict()
    for line in found["SQ"]:
        line.pop("M5", None)  # which CRAM's writer adds
    return {key: value for key, value in found.items() if key in {*EXPECTED, "CO"}}


def replaced(folder: Path, kind: str, to: Path, content: bytes | None = None) -> bool:
    """Write the file with its other beginning; whether what follows moved."""
    content = (folder / f"reads{WHOLE[kind]}").read_bytes() if content is None else content
    layouts, opened = kept(content, kind)
    begins = layouts.replaced(opened.file, NAMES)
    assert layouts.replaced(opened.file, NAMES) is begins, "made once"
    assert (len(begins.content) - begins.instead_of) % SEGMENT_BYTES == 0
    to.write_bytes(begins.content + content[begins.instead_of :])
    return begins.is_moved


@pytest.mark.parametrize("kind", ["BAM", "CRAM"])
def test_a_slice_tells_of_nobody(folder: Path, tmp_path: Path, kind: str) -> None:
    whole = (folder / f"reads{WHOLE[kind]}").read_bytes()
    layouts, opened = kept(whole, kind, (folder / INDEX[kind]).read_bytes())
    part, slices = tmp_path / "part", [Slice("2", 0, 9_000_000)]
    part.write_bytes(b"".join(layouts.of(opened.file).part(opened, slices, NAMES, sealed=False).plain()))
    assert header_of(part) == EXPECTED
    assert SAMPLE.encode() not in part.read_bytes()
    fetched = samtools(folder, "view", folder / f"reads{WHOLE[kind]}", "2")
    assert fetched
    assert set(fetched.splitlines()) <= set(samtools(folder, "view", part).splitlines())


def index_into_the_header(kind: str, size: int) -> bytes:
    """An index that calls all from a file's first byte on records."""
    if kind == "CRAM":
        return gzip.compress(b"".join(b"%d\t0\t9000000\t0\t%d\t9\n" % (n, n) for n in range(len(CONTIGS))))
    reference = struct.pack("<iIiQQi", 1, 0, 1, 0, (size - len(bgzf.END)) << 16, 0)
    return b"BAI\x01" + struct.pack("<i", len(CONTIGS)) + reference * len(CONTIGS)


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("kind", ["BAM", "CRAM"])
def test_an_index_that_points_into_the_header_brings_nothing_of_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, *, sealed: bool
) -> None:
    """Whoever sends files makes their indexes, too."""
    monkeypatch.setattr(pieces, "_WORTH_BYTES", SEGMENT_BYTES)
    whole = (folder / f"reads{WHOLE[kind]}").read_bytes()
    layouts, opened = kept(whole, kind, index_into_the_header(kind, len(whole)))
    begin = layouts.of(opened.file).header.begin >> (16 if kind == "BAM" else 0)
    part = layouts.of(opened.file).part(opened, [Slice("1"), Slice("2")], NAMES, sealed=sealed)
    out = list(part.pieces)
    assert part.has_stored == sealed
    assert all(each.first * SEGMENT_BYTES >= begin for each in out if isinstance(each, Stored))
    sent = b"".join(each for each in out if isinstance(each, bytes))
    if not sealed and kind == "BAM":
        assert gzip.decompress(sent).count(b"BAM\x01") == 1
    assert whole[: begin or 100] not in sent
    assert whole[26:begin] not in sent or kind == "BAM"


@pytest.mark.parametrize("kind", ["BAM", "CRAM"])
def test_a_whole_file_tells_of_nobody_and_has_the_same_reads(folder: Path, tmp_path: Path, kind: str) -> None:
    other = tmp_path / f"other{WHOLE[kind]}"
    is_moved = replaced(folder, kind, other)
    assert header_of(other) == EXPECTED
    assert pysam.quickcheck("-u", str(other)) == ""
    assert samtools(folder, "view", other) == samtools(folder, "view", folder / f"reads{WHOLE[kind]}")
    assert is_moved is False, "such headers become shorter"
    assert other.stat().st_size == (folder / f"reads{WHOLE[kind]}").stat().st_size
    (tmp_path / INDEX[kind].replace("reads", "other")).write_bytes((folder / INDEX[kind]).read_bytes())
    region = "1:1,000,000-1,100,000"
    fetched = samtools(folder, "view", other, region)
    assert fetched
    assert fetched == samtools(folder, "view", folder / f"reads{WHOLE[kind]}", region), "by the archived index"


@pytest.mark.parametrize("kind", ["BAM", "CRAM"])
def test_a_header_that_grows_moves_what_follows_by_a_segment(folder: Path, tmp_path: Path, kind: str) -> None:
    text = "@HD\tVN:1.6\tSO:coordinate\n" + "".join(f"@SQ\tSN:{n}\tLN:{m}\n" for n, m in CONTIGS.items())
    text, content = f"{text}@RG\tID:lane1\tSM:{SAMPLE}\n", (folder / f"reads{WHOLE[kind]}").read_bytes()
    if kind == "BAM":
        begin = bam.read_header([content])
        bare = b"".join(bgzf.blocks(begin.with_text(text))) + content[begin.begin >> 16 :]
    else:
        bare = cram.write_beginning(text, (3, 0)) + content[cram.read_header([content]).begin :]
    other = tmp_path / f"other{WHOLE[kind]}"
    assert replaced(folder, kind, other, bare)
    assert other.stat().st_size == len(bare) + SEGMENT_BYTES
    assert header_of(other)["RG"] == [{"ID": "lane1", "SM": NAMES[SAMPLE]}]
    assert pysam.quickcheck("-u", str(other)) == ""
    assert samtools(folder, "view", other) == samtools(folder, "view", folder / f"reads{WHOLE[kind]}")


def test_a_file_without_reads_keeps_its_end(folder: Path, tmp_path: Path) -> None:
    """By which whoever reads it knows that it is whole."""
    content, other = (folder / "reads.bam").read_bytes(), tmp_path / "other.bam"
    assert not replaced(folder, "BAM", other, b"".join(bgzf.blocks(bam.read_header([content]).content)) + bgzf.END)
    assert other.read_bytes().endswith(bgzf.END)
    assert header_of(other) == EXPECTED
    assert samtools(folder, "view", other) == ""


def test_reads_in_the_block_of_the_header_stay_with_it(folder: Path, tmp_path: Path) -> None:
    content = (folder / "reads.bam").read_bytes()
    together = b"".join(bgzf.compress(map(bytes, bgzf.inflate(content, len(content) * 100).parts)))
    assert bam.read_header([together]).begin & 0xFFFF
    other = tmp_path / "other.bam"
    assert replaced(folder, "BAM", other, together), "an index of the file is none of this"
    assert header_of(other) == EXPECTED
    assert samtools(folder, "view", other) == samtools(folder, "view", folder / "reads.bam")


@pytest.mark.parametrize("before", ["the file", "the header's last block"])
def test_blocks_of_nothing_lose_no_reads(folder: Path, tmp_path: Path, before: str) -> None:
    """In front of the block in which both the header ends and the reads begin."""
    content = (folder / "reads.bam").read_bytes()
    plain = b"".join(map(bytes, bgzf.inflate(content, len(content) * 100).parts))
    nothing, cut = bgzf.block(b""), 0 if before == "the file" else 10
    first = bgzf.block(plain[:cut]) if cut else b""
    odd = first + nothing + b"".join(bgzf.blocks(plain[cut:])) + bgzf.END
    assert bam.read_header([odd]).begin & 0xFFFF
    other = tmp_path / "other.bam"
    assert replaced(folder, "BAM", other, odd)
    assert samtools(folder, "view", other) == samtools(folder, "view", folder / "reads.bam")


@pytest.mark.parametrize("kind", ["BAM", "CRAM"])
def test_a_header_that_was_blown_up_is_not_made_as_long_again(folder: Path, tmp_path: Path, kind: str) -> None:
    """It would take gigabytes, or for ever: there is not enough in it to be filled."""
    content = (folder / f"reads{WHOLE[kind]}").read_bytes()
    comments = "".join(f"@CO\t{random.Random(k).randbytes(30_000).hex()}\n" for k in range(600))
    text = f"@HD\tVN:1.6\n@SQ\tSN:1\tLN:100\n@RG\tID:lane1\tSM:{SAMPLE}\n{comments}"
    if kind == "BAM":
        begin = bam.read_header([content])
        long = b"".join(bgzf.blocks(begin.with_text(text))) + content[begin.begin >> 16 :]
    else:
        long = cram.write_beginning(text, (3, 0)) + content[cram.read_header([content]).begin :]
    layouts, opened = kept(long, kind)
    begins = layouts.replaced(opened.file, NAMES)
    assert begins.instead_of > 16 << 20
    assert len(begins.content) < 2 * SEGMENT_BYTES
    assert (begins.is_moved, (len(begins.content) - begins.instead_of) % SEGMENT_BYTES) == (True, 0)
    other = tmp_path / f"other{WHOLE[kind]}"
    assert replaced(folder, kind, other, long)
    with pysam.AlignmentFile(str(other), check_sq=False) as file:
        assert file.header.to_dict()["RG"] == [{"ID": "lane1", "SM": NAMES[SAMPLE]}]
