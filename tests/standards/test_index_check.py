# SPDX-License-Identifier: Apache-2.0
"""Indexes held against the records of their files: those of htslib always pass; of the mutated ones each is found by
which a plain query loses a record."""

import gzip
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from megagenome.kernel.errors import MegagenomeError
from megagenome.standards import bam, bgzf
from megagenome.standards.hts_index import BinIndex, read_bins
from megagenome.standards.index_check import IndexCheck

LENGTH = 3_000_000
CIGARS = ("10M", "4M20000N6M", "2M400000N8M", "5M2000000N5M", "3S7M", "10I", "4=3D1X5M")
STRIDE = 16_384
PASSES = (True, True, None, None)
RESET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Read(NamedTuple):
    reference: int
    start: int
    cigar: str
    is_unmapped: bool


starts = st.one_of(
    st.integers(0, LENGTH - 1),
    st.integers(0, 5 * STRIDE),
    st.builds(lambda window, off: max(0, window * STRIDE + off), st.integers(0, 180), st.integers(-11, 1)),
)
reads = st.lists(st.builds(Read, st.integers(0, 2), starts, st.sampled_from(CIGARS), st.booleans()), max_size=40)


def write(path: Path, found: list[Read], unplaced: int, stuffing: int) -> Path:
    """A sorted BAM, of reads whose tags are so long that a block holds few of them."""
    contigs = [{"SN": f"c{number}", "LN": LENGTH} for number in range(3)]
    with pysam.AlignmentFile(str(path), "wb", header={"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": contigs}) as out:
        for number, each in enumerate([*sorted(found), *[None] * unplaced]):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.query_sequence, read.flag = f"r{number}", "ACGTACGTAC", 4
            if each is not None:
                read.reference_id, read.reference_start, read.cigarstring = each.reference, each.start, each.cigar
                read.flag = 4 if each.is_unmapped else 0
            read.set_tag("XX", "".join(chr(48 + (number * 7 + k * k) % 70) for k in range(stuffing)))
            out.write(read)
    return path


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten reads, of all sizes of bins."""
    found = [Read(k % 2, 70_000 * k, CIGARS[k % len(CIGARS)], False) for k in range(10)]
    return write(tmp_path_factory.mktemp("few") / "a.bam", found, 2, 30_000)


def index(path: Path, kind: str) -> bytes:
    if kind == "bai":
        pysam.index(str(path))
        return Path(f"{path}.bai").read_bytes()
    pysam.index("-c", "-m", kind, str(path))
    return Path(f"{path}.csi").read_bytes()


class Opened(NamedTuple):
    """A BAM file: its records, its blocks (place, length, plain), and its content without compression."""

    records: list[bam.Record]
    blocks: list[tuple[int, int, int]]
    content: bytes
    begin: int
    size: int


def open_bam(path: Path) -> Opened:
    raw, at, blocks, plain = path.read_bytes(), 0, [], b""
    while at < len(raw):
        found = bgzf.inflate(raw[at:], 1) if raw[at:] != bgzf.END else bgzf.Inflated([bytearray()], len(bgzf.END))
        blocks.append((at, found.used, len(found.parts[-1])))
        plain += found.parts[-1]
        at += found.used
    parsed = bam.parse_header(plain)
    assert parsed is not None
    return Opened(list(bam.records(plain[parsed.size :], parsed.size)), blocks, plain, parsed.size, len(raw))


class Checked(NamedTuple):
    """Whether all places are of the file, and none is in its header; where the first record begins that is hidden, and
    the first that is cut."""

    is_of_file: bool
    spares_header: bool
    hidden: int | None
    cut: int | None


def check(opened: Opened, found: BinIndex, shift: int | None = None) -> Checked:
    """What is found block by block, by runs of windows of 2**shift bases; C and NumPy say the same."""
    held, hidden, cut, passed, spares = IndexCheck(found), None, None, 0, None
    shift = found.shift if shift is None else shift
    walked = bam.Walked(np.full(3, LENGTH), True, read=opened.begin)

    def look(runs: np.ndarray, content: bytes, begin: int) -> None:
        nonlocal hidden, cut
        bad = held.hidden(runs, shift)
        assert bad == held.hidden_slowly(runs, shift)
        if hidden is None and bad is not None:
            hidden = int(runs[bad, 3])
        within = held.cut(runs, content, begin)
        cut = within if cut is None else cut

    walked.runs = bam.Runs(shift, look)
    for _, length, plain in opened.blocks:
        held.pass_block(length, plain)
        passed += plain
        if spares is None and passed >= opened.begin:
            spares = held.pass_header(opened.begin)
        if walked.read < passed:
            bam.walk(opened.content[walked.read : passed], walked)
    held.pass_end()
    return Checked(held.is_of_file, spares is True, hidden, cut)


def places(opened: Opened) -> Callable[[int], int | None]:
    """Where a virtual offset is without compression; None for one that is none of the file."""
    starts = {place: begin for (place, _, _), begin in zip(opened.blocks, plain_begins(opened), strict=True)}
    starts[opened.size] = len(opened.content)
    sizes = {place: plain for place, _, plain in opened.blocks} | {opened.size: 0}

    def linear(offset: int) -> int | None:
        place, within = offset >> 16, offset & 0xFFFF
        return starts[place] + within if place in starts and within <= sizes[place] else None

    return linear


def lost(opened: Opened, found: BinIndex) -> list[bam.Record]:
    """The plain query: of all records, those that one of many regions which they overlap does not give."""
    linear, missing = places(opened), []
    for each in opened.records:
        if each.reference < 0:
            begin = found.unplaced()
            if begin is not None and ((place := linear(begin)) is None or place > each.begin):
                missing.append(each)
            continue
        for start, end in regions(each):
            chunks = [(linear(chunk.begin), linear(chunk.end)) for chunk in found.chunks(each.reference, start, end)]
            if not holds(chunks, each.begin, each.begin + each.size):
                missing.append(each)
                break
    return missing


def plain_begins(opened: Opened) -> Iterator[int]:
    at = 0
    for _, _, plain in opened.blocks:
        yield at
        at += plain


def holds(chunks: list[tuple[int | None, int | None]], begin: int, end: int) -> bool:
    for first, last in chunks:
        if first is not None and last is not None and first <= begin < last:
            begin = last
    return begin >= end


def regions(record: bam.Record) -> Iterator[tuple[int, int]]:
    """Regions that overlap a record: of one base, of its windows, and from and to all borders of bins."""
    last = record.end - 1
    windows = {record.start, last, *range(record.start, last, STRIDE)}
    yield from ((each, each + 1) for each in windows)
    yield from ((max(0, begin), last + 1) for begin in range(0, record.start, 10 * STRIDE))
    yield from ((record.start, end) for end in range(last + 2, LENGTH, 10 * STRIDE))
    yield 0, LENGTH


@pytest.mark.parametrize("kind", ["bai", "14", "12", "9"])
@given(found=reads, unplaced=st.integers(0, 3), stuffing=st.sampled_from([1, 3000, 40_000, 65_000]))
@RESET
def test_indexes_of_htslib_pass(
    tmp_path_factory: pytest.TempPathFactory, kind: str, found: list[Read], unplaced: int, stuffing: int
) -> None:
    path = write(tmp_path_factory.mktemp("bam") / "a.bam", found, unplaced, stuffing)
    opened, true = open_bam(path), read_bins(index(path, kind))
    assert check(opened, true) == PASSES
    assert check(opened, true, 7) == PASSES


@pytest.mark.parametrize("threads", ["0", "3"])
@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_indexes_that_are_written_with_the_file_pass(few: Path, tmp_path: Path, kind: str, threads: str) -> None:
    """Whose offsets htslib puts together from its threads'."""
    path = tmp_path / "b.bam"
    out = f"{path}##idx##{path}.{kind}"
    pysam.samtools.view("-b", "-@", threads, "--write-index", "-o", out, str(few), catch_stdout=False)
    content = Path(f"{path}.{kind}").read_bytes()
    found = read_bins(gzip.decompress(content) if kind == "csi" else content)
    assert check(open_bam(path), found) == PASSES


def offsets_at(found: BinIndex) -> tuple[list[int], list[int]]:
    """Where in the content of an index its chunks' begins and ends stand, and its least offsets."""
    chunks: list[int] = []
    least: list[int] = []
    for each in found.references:
        for number, at in each.bins.items():
            chunks += [at + 8 * k for k in range(len(each.offsets(number)))]
            least += [at - 12] if each.is_csi else []
        begin = each.lowest.ctypes.data - np.frombuffer(each.content, np.uint8).ctypes.data
        least += [begin + 8 * k for k in range(len(each.lowest))]
    return chunks, least


def mutated(content: bytes, opened: Opened, draw: st.DataObject) -> BinIndex:
    """Another index: with a bin less, a chunk that is shorter or elsewhere, or another least offset."""
    found, changed = read_bins(content), bytearray(content)
    chunks, least = offsets_at(found)
    known = {struct.unpack_from("<Q", content, at)[0] for at in chunks}
    virtual = [place << 16 | within for place, _, plain in opened.blocks for within in (0, plain // 2, plain)]
    values = st.sampled_from(sorted(known)) | st.sampled_from(virtual)
    what = draw.draw(st.sampled_from(["chunk", "least", "move", "bin"]))
    if what == "move":
        at = draw.draw(st.sampled_from(chunks[::2]))
        struct.pack_into("<2Q", changed, at, *sorted(draw.draw(st.tuples(values, values))))
    elif what == "least" or what == "chunk":
        at = draw.draw(st.sampled_from(least if what == "least" else chunks))
        struct.pack_into("<Q", changed, at, draw.draw(values))
    found = read_bins(bytes(changed))
    if what != "bin":
        return found
    number = draw.draw(st.sampled_from([k for k, each in enumerate(found.references) if each.bins]))
    reference = found.references[number]
    without = draw.draw(st.sampled_from(sorted(reference.bins)))
    less = reference._replace(bins={each: at for each, at in reference.bins.items() if each != without})
    return found._replace(references=(*found.references[:number], less, *found.references[number + 1 :]))


@pytest.mark.parametrize("kind", ["bai", "14", "12"])
@given(found=reads.filter(len), unplaced=st.integers(0, 2), stuffing=st.sampled_from([1, 3000, 40_000]), draw=st.data())
@RESET
def test_an_index_by_which_a_query_loses_a_record_is_found(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    found: list[Read],
    unplaced: int,
    stuffing: int,
    draw: st.DataObject,
) -> None:
    path = write(tmp_path_factory.mktemp("bam") / "a.bam", found, unplaced, stuffing)
    content = index(path, kind)
    opened = open_bam(path)
    other = mutated(gzip.decompress(content) if kind != "bai" else content, opened, draw)
    is_of_file, _, hidden, _ = check(opened, other)
    if missing := lost(opened, other):
        event("lost")
        assert hidden is not None or not is_of_file, (missing, other)
    if hidden is not None:
        event("hidden")


@pytest.mark.parametrize("kind", ["bai", "12"])
@given(damage=st.lists(st.tuples(st.floats(0, 0.999), st.sampled_from([0, 1, 9, 0x7F, 0xFF])), min_size=1, max_size=4))
@settings(RESET, max_examples=100)
def test_whatever_an_index_says_it_hides_nothing_unseen(few: Path, kind: str, damage: list[tuple[float, int]]) -> None:
    content = index(few, kind)
    changed = bytearray(gzip.decompress(content) if kind != "bai" else content)
    for place, value in damage:
        changed[8 + int(place * (len(changed) - 8))] = value
    try:
        other = read_bins(bytes(changed))
    except MegagenomeError:
        event("damaged")
        return
    opened = open_bam(few)
    found = check(opened, other)
    assert not lost(opened, other) or found.hidden is not None or not found.is_of_file
    assert not astray(opened, other) or found != PASSES


def astray(opened: Opened, found: BinIndex) -> list[int]:
    """The plain question: of all offsets of an index by which a slice is cut, those where no record begins or ends."""
    chunks, least = offsets_at(found)
    content = next((each.content for each in found.references), b"")
    read = {at: struct.unpack_from("<Q", content, at)[0] for at in (*chunks, *least)}
    borders = {opened.begin, *(each.begin + each.size for each in opened.records)}
    linear = places(opened)
    return [offset for at, offset in read.items() if linear(offset) not in borders and (offset or at in chunks[::2])]


@pytest.mark.parametrize("kind", ["bai", "14", "9"])
@given(
    found=reads.filter(len),
    unplaced=st.integers(0, 2),
    stuffing=st.sampled_from([1, 3000, 65_000]),
    by=st.one_of(st.integers(1, 300), st.integers(-300, -1), st.sampled_from([-65_000, -3000, 3000, 65_000])),
    shift=st.sampled_from([None, 6]),
    draw=st.data(),
)
@RESET
def test_a_chunk_that_begins_or_ends_within_a_record_or_the_header_is_found(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    found: list[Read],
    unplaced: int,
    stuffing: int,
    by: int,
    shift: int | None,
    draw: st.DataObject,
) -> None:
    """By so many bytes, without compression, from where it was."""
    path = write(tmp_path_factory.mktemp("bam") / "a.bam", found, unplaced, stuffing)
    content, opened = index(path, kind), open_bam(path)
    changed = bytearray(gzip.decompress(content) if kind != "bai" else content)
    at = draw.draw(st.sampled_from(offsets_at(read_bins(bytes(changed)))[0]))
    place = places(opened)(struct.unpack_from("<Q", changed, at)[0])
    assert place is not None
    place = min(max(0, place + by), len(opened.content))
    number = max(k for k, begin in enumerate(plain_begins(opened)) if begin <= place)
    within = place - list(plain_begins(opened))[number]
    struct.pack_into("<Q", changed, at, opened.blocks[number][0] << 16 | within)
    other = read_bins(bytes(changed))
    checked = check(opened, other, shift)
    borders = {opened.begin, *(each.begin + each.size for each in opened.records)}
    if place < opened.begin:
        event("header")
        assert not checked.spares_header
    elif place not in borders:
        event("cut")
        assert checked.cut == max(each.begin for each in opened.records if each.begin < place)
    else:
        event("border")
        assert (checked.spares_header, checked.cut) == (True, None)
