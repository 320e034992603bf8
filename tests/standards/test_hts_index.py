# SPDX-License-Identifier: Apache-2.0
"""Indexes that htslib wrote, held against what htslib fetches by them, and damaged ones."""

import contextlib
import gzip
import itertools
import random
import struct
import time
from pathlib import Path
from typing import NamedTuple

import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Corrupt, Invalid, MegagenomeError, TooLarge
from megagenome.standards import hts_index
from megagenome.standards.hts_index import Chunk, CramIndex, merged, read_bins, read_crai, read_index
from tests.reception.written import csi, index_reads, small_vcf, tabix, write_reads

SHORT, LONG = 100_000, 200_000_000
UNPLACED = 20


class Aligned(NamedTuple):
    """A BAM of random reads, some of which span introns, on two contigs of one length."""

    path: Path
    length: int


def write_bam(path: Path, length: int, seed: int) -> Aligned:
    draw = random.Random(seed)
    places = sorted((draw.randrange(2), draw.randrange(length - 6000)) for _ in range(8000))
    names = [{"SN": name, "LN": length} for name in ("1", "2")]
    with pysam.AlignmentFile(str(path), "wb", header={"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": names}) as out:
        for number, (reference, start) in enumerate(places):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.reference_id, read.reference_start = f"r{number}", reference, start
            read.cigarstring = draw.choice(["100M", "50M5000N50M"])
            read.query_sequence = "".join(draw.choices("ACGT", k=100))
            out.write(read)
        for number in range(UNPLACED):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.flag, read.query_sequence = f"u{number}", 4, "ACGT"
            out.write(read)
    pysam.index(str(path), str(path) + ".bai")
    pysam.index("-c", "-m", "12", str(path), str(path) + ".csi")
    return Aligned(path, length)


@pytest.fixture(scope="module", params=[SHORT, LONG])
def aligned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Aligned:
    return write_bam(tmp_path_factory.mktemp("bam") / "reads.bam", request.param, request.param)


def regions(length: int) -> list[tuple[int, int, int]]:
    draw = random.Random(length)
    starts = [(draw.randrange(2), draw.randrange(length)) for _ in range(60)]
    return [(r, s, min(length, s + draw.choice([1, 100, 16_384, length]))) for r, s in starts]


@pytest.mark.parametrize("suffix", [".bai", ".csi"])
def test_chunks_hold_all_that_overlaps_each_once_and_in_order(aligned: Aligned, suffix: str) -> None:
    index = read_bins(Path(f"{aligned.path}{suffix}").read_bytes())
    assert index.names == ()
    with pysam.AlignmentFile(str(aligned.path)) as reads:
        for reference, start, end in regions(aligned.length):
            wanted = [read.query_name for read in reads.fetch(reads.get_reference_name(reference), start, end)]
            overlapping = set(wanted)
            found = []
            for chunk in index.chunks(reference, start, end):
                reads.seek(chunk.begin)
                while reads.tell() < chunk.end:
                    found.append(next(reads))
            names = [read.query_name for read in found]
            assert [name for name in names if name in overlapping] == wanted
            assert len(set(names)) == len(names)
            if aligned.length == LONG and end - start < 20_000:
                assert len(found) <= len(wanted) + 600  # of 8,000: what a large bin or a block has beside


@pytest.mark.parametrize("suffix", [".bai", ".csi"])
def test_what_has_no_place_follows_what_has_one(aligned: Aligned, suffix: str) -> None:
    unplaced = read_bins(Path(f"{aligned.path}{suffix}").read_bytes()).unplaced()
    assert unplaced is not None
    with pysam.AlignmentFile(str(aligned.path)) as reads:
        reads.seek(unplaced)
        assert [read.query_name for read in reads] == [f"u{number}" for number in range(UNPLACED)]


def test_there_is_nothing_where_nothing_is(aligned: Aligned) -> None:
    index = read_bins(Path(f"{aligned.path}.bai").read_bytes())
    assert index.chunks(0, 5, 5) == index.chunks(7, 0, 100) == []
    with pytest.raises(Invalid, match="must not end before it starts"):
        index.chunks(0, 6, 5)


@pytest.mark.parametrize("csi", [False, True])
def test_text_has_the_names_of_its_contigs(tmp_path: Path, csi: bool) -> None:
    draw, plain = random.Random(5), tmp_path / "sites.vcf"
    contigs = ["chr1", "weird_name", "X"]
    head = ["##fileformat=VCFv4.3", *(f"##contig=<ID={each},length=300000000>" for each in contigs)]
    rows = [
        f"{contig}\t{pos1}\t.\tA\tC\t.\t.\t."
        for contig in contigs
        for pos1 in sorted(draw.sample(range(1, 300_000_000), 400))
    ]
    plain.write_text("\n".join([*head, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", *rows]) + "\n")
    path = pysam.tabix_index(str(plain), preset="vcf", force=True, csi=csi)
    index = read_bins(Path(path + (".csi" if csi else ".tbi")).read_bytes())
    assert index.names == tuple(contigs)
    with pysam.TabixFile(path, index=path + (".csi" if csi else ".tbi")) as tabix, pysam.BGZFile(path) as lines:
        for _ in range(60):
            number, start = draw.randrange(3), draw.randrange(300_000_000)
            end = start + draw.choice([1, 10_000, 10_000_000])
            wanted = list(tabix.fetch(contigs[number], start, end))
            found = []
            for chunk in index.chunks(number, start, end):
                lines.seek(chunk.begin)
                while lines.tell() < chunk.end:
                    found.append(lines.readline().decode())
            assert [line for line in found if line in wanted] == wanted


def test_containers_of_a_cram_hold_all_that_overlaps(tmp_path: Path) -> None:
    reference, draw = tmp_path / "ref.fa", random.Random(6)
    reference.write_text("".join(f">{name}\n{''.join(draw.choices('ACGT', k=SHORT))}\n" for name in "12"))
    pysam.faidx(str(reference))
    bam = write_bam(tmp_path / "reads.bam", SHORT, 3).path
    cram = tmp_path / "reads.cram"
    options = ["-C", "-T", str(reference), "--output-fmt-option", "seqs_per_slice=300"]
    pysam.view(*options, "-o", str(cram), str(bam), catch_stdout=False)
    pysam.index(str(cram))
    raw = cram.read_bytes()
    index = read_crai(Path(f"{cram}.crai").read_bytes())
    assert len({each.container for each in index.slices}) > 10
    first, last = (
        min(each.container for each in index.slices),
        len(raw) - 38,
    )  # the container that ends a file of version 3
    with pysam.AlignmentFile(str(cram), reference_filename=str(reference)) as reads:
        for number, start, end in [*regions(SHORT)[:25], (-1, 0, 0)]:
            at = ("*",) if number == -1 else (reads.get_reference_name(number), start, end)
            wanted = [read.query_name for read in reads.fetch(*at)]
            overlapping = set(wanted)
            ranges = index.containers(last, [(number, start, end)])
            part = tmp_path / "part.cram"
            part.write_bytes(raw[:first] + b"".join(raw[a:b] for a, b in ranges) + raw[last:])
            with pysam.AlignmentFile(str(part), reference_filename=str(reference), check_sq=False) as found:
                names = [read.query_name for read in found.fetch(until_eof=True)]
            assert [name for name in names if name in overlapping] == wanted
            assert all(one.end < other.start for one, other in itertools.pairwise(ranges))
    assert index.containers(last, [(0, 0, SHORT)])[0].start == first


def test_chunks_of_one_block_are_one() -> None:
    block = 1 << 16
    assert merged([Chunk(9, 20), Chunk(5, 9), Chunk(30, block * 3), Chunk(block * 3 + 5, block * 4), Chunk(7, 7)]) == [
        Chunk(5, block * 4)
    ]
    assert merged([Chunk(block, block * 2), Chunk(block * 5, block * 6)]) == [
        Chunk(block, block * 2),
        Chunk(block * 5, block * 6),
    ]


@given(st.binary(max_size=300), st.integers(0, 5), st.data())
def test_damage_is_refused_by_a_condition_of_ours(noise: bytes, kind: int, data: st.DataObject) -> None:
    magic = [b"", b"BAI\1", b"CSI\1", b"TBI\1", b"CSI\1\x0e\0\0\0\5\0\0\0\0\0\0\0", b"BAI\1\1\0\0\0\1\0\0\0"][kind]
    content = magic + noise
    for each in (content, gzip.compress(content), gzip.compress(content)[: data.draw(st.integers(0, 40))]):
        for read in (read_index, read_bins, read_crai):
            try:
                read(each)
            except MegagenomeError as error:
                assert "\n" not in str(error)  # noqa: PT017 - whether it is raised depends on what was drawn


def test_a_count_of_a_strangers_takes_no_memory() -> None:
    for content in (
        b"BAI\1" + struct.pack("<i", 2**31 - 1),
        b"BAI\1" + struct.pack("<iiIi", 1, 1, 0, 2**31 - 1),
        b"CSI\1" + struct.pack("<4i", 14, 9, 0, 2**31 - 1),
        b"CSI\1" + struct.pack("<4i", 60, 90, 0, 0),
        b"TBI\1" + struct.pack("<8i", -5, 2, 1, 2, 0, 35, 0, -9),
    ):
        with pytest.raises(Corrupt):
            read_index(content)


def make(folder: Path, kind: str) -> Path:
    if kind in ("tbi", "csi"):
        return {"tbi": tabix, "csi": csi}[kind](small_vcf(folder))
    name = "a.bam" if kind == "bai" else "a.cram"
    return index_reads(write_reads(folder / name, "wb" if kind == "bai" else "wc"))


@pytest.mark.parametrize("kind", ["tbi", "csi"])
def test_indexes_of_variants(tmp_path: Path, kind: str) -> None:
    index = read_bins(make(tmp_path, kind).read_bytes())
    assert index.kind == kind
    assert (index.names, [each.records for each in index.references]) == (("21", "22"), [10, 5])
    spans = [each.span() for each in index.references]
    assert 0 < spans[0].begin < spans[0].end <= spans[1].begin < spans[1].end
    assert spans[1].end >> 16 <= (tmp_path / "a.vcf.gz").stat().st_size


def test_an_index_of_reads(tmp_path: Path) -> None:
    index = read_bins(make(tmp_path, "bai").read_bytes())
    assert (index.kind, index.names, [each.records for each in index.references]) == ("bai", (), [25, 25, 0])
    assert index.references[2].span() == (0, 0)


def test_an_index_of_cram(tmp_path: Path) -> None:
    index = read_index(make(tmp_path, "crai").read_bytes())
    assert isinstance(index, CramIndex)
    assert index.kind == "crai"
    assert {each.reference for each in index.slices} == {0, 1}
    assert all(0 < each.container < (tmp_path / "a.cram").stat().st_size for each in index.slices)


@pytest.mark.parametrize("kind", ["tbi", "csi", "bai", "crai"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.8])
def test_what_breaks_off_is_corrupt(tmp_path: Path, kind: str, share: float) -> None:
    content = make(tmp_path, kind).read_bytes()
    with pytest.raises((Corrupt, Invalid)):
        read_index(content[: int(share * len(content))])


@pytest.mark.parametrize("content", [b"", b"BAI\x01", b"hello", b"BAI\x01\xff\xff\xff\x7f", b"BAI\x01\xff\xff\xff\xff"])
def test_what_is_none_is_refused(content: bytes) -> None:
    with pytest.raises((Corrupt, Invalid)):
        read_index(content)


def test_random_damage_does_nothing_else(tmp_path: Path) -> None:
    content, chance = make(tmp_path, "bai").read_bytes(), random.Random(5)
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[chance.randrange(4, len(damaged))] = chance.choice([0, 1, 0x7F, 0xFF, chance.randrange(256)])
        with contextlib.suppress(Corrupt):
            read_index(bytes(damaged))


def test_each_kind_is_only_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no CRAM index"):
        read_crai(make(tmp_path, "bai").read_bytes())
    with pytest.raises(Invalid, match="no BAI, CSI or tabix"):
        read_bins(make(tmp_path, "crai").read_bytes())


def test_a_bin_twice_or_of_no_place_is_damage() -> None:
    once = struct.pack("<IiQQ", 4681, 1, 0, 1 << 16)
    whole = struct.pack("<4sii", b"BAI\1", 1, 1) + once + struct.pack("<i", 0)
    assert read_bins(whole).references[0].chunks(4681) == [Chunk(0, 1 << 16)]
    for bins in (once + once, once + struct.pack("<IiQQ", 37_449, 1, 0, 1), once + struct.pack("<Ii", 37_450, 0)):
        with pytest.raises(Corrupt):
            read_index(struct.pack("<4sii", b"BAI\1", 1, 2) + bins + struct.pack("<i", 0))


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hts_index, "LIMIT_BYTES", 1 << 16)
    with pytest.raises(TooLarge, match="larger than"):
        read_index(gzip.compress(b"BAI\1" + bytes(1 << 20)))


def test_an_index_of_many_empty_bins_takes_no_time() -> None:
    one = struct.pack("<IQiQQ", 0, 0, 1, 1 << 16, 2 << 16)
    index = read_index(b"CSI\1" + struct.pack("<3i", 14, 9, 0) + struct.pack("<2i", 1, 1) + one)
    before = time.process_time()
    assert index.chunks(0, 0, 1 << 40) == [Chunk(1 << 16, 2 << 16)]
    assert time.process_time() - before < 1


def lines_of(*lines: tuple[int, int, int, int]) -> bytes:
    """A CRAM index; lines of reference, first position, span and container."""
    return gzip.compress(b"".join(b"%d\t%d\t%d\t%d\t9\t50\n" % line for line in lines))


def test_a_line_twice_is_damage() -> None:
    assert len(list(read_crai(lines_of((0, 1, 10, 100), (1, 1, 10, 100))).slices)) == 2
    with pytest.raises(Corrupt, match="two lines of one slice"):
        read_crai(lines_of((0, 1, 10, 100), (1, 1, 10, 100), (0, 1, 10, 100)))


def test_many_regions_of_a_cram_cost_one_pass() -> None:
    """The same as a look at each line for each region says; some slices are long and hold others."""
    chance = random.Random(8)
    lines = [
        (chance.randrange(3), chance.randrange(1, 5000), chance.choice([1, 30, 3000]), 100 + 60 * k) for k in range(400)
    ]
    index = read_crai(lines_of(*lines, (-1, 0, 0, 90_000)))
    ends = [*(line[3] for line in lines[1:]), 90_000]
    for _ in range(100):
        regions = [
            (k, start := chance.randrange(6000), start + chance.choice([1, 100])) for k in chance.choices(range(4), k=3)
        ]
        found = {at for one in index.containers(99_000, regions) for at in range(one.start, one.end)}
        wanted = [
            (line[3], end)
            for line, end in zip(lines, ends, strict=True)
            for k, start, stop in regions
            if line[0] == k and line[1] - 1 < stop and start < line[1] - 1 + line[2]
        ]
        assert found == {at for begin, end in wanted for at in range(begin, end)}
    assert index.containers(99_000, [(-1, 0, 5)]) == [(90_000, 99_000)]
    assert index.containers(99_000, []) == []
