# SPDX-License-Identifier: Apache-2.0
"""Parts of BAM and CRAM files, held against what htslib fetches."""

import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pysam
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from megagenome.collection.file_admission import FileAdmission
from megagenome.delivery import layouts, pieces
from megagenome.delivery.layouts import Layouts, require_references
from megagenome.delivery.pieces import Names
from megagenome.kernel.errors import Corrupt, Invalid, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.ledger import Kind
from megagenome.kernel.sealed_files import ArchivedFile, FileId, FileState, new_file_id
from megagenome.standards.crypt4gh_segments import SEGMENT_BYTES, Stored
from megagenome.standards.hts_index import read_bins
from megagenome.standards.htsget import Slice
from tests.delivery.world import CONTIGS, write_reads, write_reference

WHOLE = {"BAM": ".bam", "CRAM": ".cram"}


class PlainFile:
    """`needs.Sealed` of a file on the disk."""

    def __init__(self, file: ArchivedFile, content: bytes) -> None:
        self.file, self._content = file, content

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        part = self._content[start:end]
        return (part[at : at + 70_000] for at in range(0, len(part), 70_000))

    def header(self, _recipient: X25519PublicKey, /) -> bytes:
        raise NotImplementedError

    def headed(self, _recipient: X25519PublicKey, _beginning: bytes, /) -> bytes:
        raise NotImplementedError

    def body(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        raise NotImplementedError

    def composed(
        self, _recipient: X25519PublicKey, _pieces: Iterable[bytes | Stored], /, *, has_stored: bool
    ) -> Iterator[bytes]:
        raise NotImplementedError


class PlainFiles:
    """`needs.Files` of some of these; counts what was opened."""

    def __init__(self) -> None:
        self.kept: dict[FileId, PlainFile] = {}
        self.opened: list[FileId] = []

    def add(self, content: bytes, kind: str, index_of: FileId | None = None) -> ArchivedFile:
        kept = ArchivedFile(
            new_file_id(),
            DatasetId("D"),
            "",
            kind,
            ("S",),
            index_of,
            len(content),
            "",
            None,
            None,
            FileState.READY,
            "",
            None,
        )
        self.kept[kept.id] = PlainFile(kept, content)
        return kept

    def find(self, file: FileId, /) -> ArchivedFile | None:
        return self.kept[file].file

    def index_of(self, file: FileId, /) -> ArchivedFile | None:
        return next((each.file for each in self.kept.values() if each.file.index_of == file), None)

    def files_of(self, _dataset: DatasetId | None = None, /) -> list[ArchivedFile]:
        return [each.file for each in self.kept.values()]

    def open(self, file: FileId, _admission: FileAdmission, _kind: Kind, /) -> PlainFile:
        return self.kept[file]

    def open_inside(self, file: FileId, _purpose: str, /, *, often: bool = False) -> PlainFile:
        assert often, "whoever asks for many files brings this about"
        self.opened.append(file)
        return self.kept[file]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reads")
    reference = write_reference(folder / "reference.fa")
    write_reads(folder / "reads.bam", reference, "wb")
    write_reads(folder / "reads.cram", reference, "wc")
    pysam.index("-c", "-m", "12", str(folder / "reads.bam"), str(folder / "coarse.csi"))
    return folder


def kept(folder: Path, kind: str, index: str) -> tuple[Layouts, PlainFiles, ArchivedFile]:
    files = PlainFiles()
    file = files.add((folder / f"reads{WHOLE[kind]}").read_bytes(), kind)
    files.add((folder / index).read_bytes(), index.rpartition(".")[2].upper(), file.id)
    return Layouts(files), files, file


KINDS = [("BAM", "reads.bam.bai"), ("BAM", "coarse.csi"), ("CRAM", "reads.cram.crai")]


def sliced(layouts: Layouts, files: PlainFiles, file: ArchivedFile, slices: Sequence[Slice]) -> bytes:
    return b"".join(layouts.of(file).part(files.kept[file.id], slices, None, sealed=False).plain())


def sealed(
    layouts: Layouts, files: PlainFiles, file: ArchivedFile, slices: Sequence[Slice], names: Names | None = None
) -> tuple[bytes, int]:
    """What a part that may be sealed holds, and how many bytes of it as they are stored."""
    out, stored = bytearray(), 0
    pieces, has_stored = layouts.of(file).part(files.kept[file.id], slices, names, sealed=True)
    for piece in pieces:
        if isinstance(piece, Stored):
            assert has_stored
            assert len(out) % SEGMENT_BYTES == 0
            assert piece.first < piece.last <= file.size_bytes // SEGMENT_BYTES
            run = b"".join(files.kept[file.id].read(piece.first * SEGMENT_BYTES, piece.last * SEGMENT_BYTES))
            out, stored = out + run, stored + len(run)
        else:
            out += piece
    return bytes(out), stored


def records(path: Path, folder: Path) -> list[str]:
    with pysam.AlignmentFile(str(path), reference_filename=str(folder / "reference.fa"), check_sq=False) as file:
        return [str(read) for read in file.fetch(until_eof=True)]


def fetched(folder: Path, kind: str, slices: Sequence[Slice]) -> set[str]:
    found = set()
    with pysam.AlignmentFile(
        str(folder / f"reads{WHOLE[kind]}"), reference_filename=str(folder / "reference.fa")
    ) as file:
        for each in slices:
            found |= {str(read) for read in file.fetch(each.reference, each.start, each.end)}
    return found


@pytest.mark.parametrize(("kind", "index"), KINDS)
def test_a_part_has_all_that_overlaps_each_once_in_the_files_order(
    folder: Path,
    tmp_path: Path,
    kind: str,
    index: str,
) -> None:
    layouts, files, file = kept(folder, kind, index)
    whole = records(folder / f"reads{WHOLE[kind]}", folder)
    place = {text: k for k, text in enumerate(whole)}
    chance = random.Random(index)
    for turn in range(12):
        slices = []
        for _ in range(1 if turn < 8 else 3):
            contig = chance.choice(list(CONTIGS))
            start = chance.randrange(CONTIGS[contig])
            end = chance.choice([start + 1, start + 20_000, CONTIGS[contig], None, 4_000_000_000])
            slices.append(Slice(contig, start, end))
        (tmp_path / f"part{turn}").write_bytes(sliced(layouts, files, file, slices))
        (tmp_path / f"sealed{turn}").write_bytes(sealed(layouts, files, file, slices)[0])
        assert records(tmp_path / f"part{turn}", folder) == records(tmp_path / f"sealed{turn}", folder)
        mine = records(tmp_path / f"part{turn}", folder)
        bounded = [each._replace(end=None if (each.end or 0) > 1 << 30 else each.end) for each in slices]
        assert fetched(folder, kind, bounded) <= set(mine)
        places = [place[text] for text in mine]
        assert places == sorted(set(places))
    assert len(files.opened) == 2, "header and index were read once"


@pytest.mark.parametrize("names", [None, {"S": "person-00000001"}])
@pytest.mark.parametrize(("kind", "index"), KINDS)
def test_what_is_sealed_has_most_segments_as_they_are_stored(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, index: str, names: Names | None
) -> None:
    """And holds the same records; blocks that fill up to a segment's begin are passed over by whoever reads."""
    monkeypatch.setattr(pieces, "_WORTH_BYTES", SEGMENT_BYTES)
    layouts, files, file = kept(folder, kind, index)
    wanted = [[Slice("1")], [Slice("1", 1_000_001)], [Slice("1", 5_000, 900_000), Slice("1", 2_000_000, 2_900_000)]]
    wanted += [[Slice("1", 0, 100), Slice("1", 600_000)]]
    for turn, slices in enumerate(wanted):
        content, stored = sealed(layouts, files, file, slices, names)
        assert stored >= max(turn == 0, len(content) - 6 * SEGMENT_BYTES)
        for name, part in ((f"sealed{turn}", content), (f"plain{turn}", sliced(layouts, files, file, slices))):
            (tmp_path / name).write_bytes(part)
        assert records(tmp_path / f"sealed{turn}", folder) == records(tmp_path / f"plain{turn}", folder) != []
        assert pysam.quickcheck("-u", str(tmp_path / f"sealed{turn}")) == ""


@pytest.mark.parametrize(("kind", "index"), KINDS)
def test_a_header_alone_is_a_whole_file(folder: Path, tmp_path: Path, kind: str, index: str) -> None:
    layouts, files, file = kept(folder, kind, index)
    path = tmp_path / "header"
    path.write_bytes(sliced(layouts, files, file, []))
    assert records(path, folder) == []
    with (
        pysam.AlignmentFile(str(path), check_sq=False) as header,
        pysam.AlignmentFile(str(folder / f"reads{WHOLE[kind]}"), check_sq=False) as expected,
    ):
        assert header.header.to_dict() == expected.header.to_dict()
    assert pysam.quickcheck("-u", str(path)) == ""


@pytest.mark.parametrize(("kind", "index"), KINDS)
def test_reads_without_a_place_come_by_their_own_name(
    folder: Path,
    tmp_path: Path,
    kind: str,
    index: str,
) -> None:
    layouts, files, file = kept(folder, kind, index)
    (tmp_path / "part").write_bytes(sliced(layouts, files, file, [Slice("*")]))
    mine = records(tmp_path / "part", folder)
    assert [text for text in mine if text.startswith("u")] == [
        text for text in records(folder / f"reads{WHOLE[kind]}", folder) if text.startswith("u")
    ]
    assert len(mine) < 1000


def test_what_is_far_from_the_region_stays_here(folder: Path, tmp_path: Path) -> None:
    """No more comes than what the index puts together with the region."""
    layouts, files, file = kept(folder, "BAM", "reads.bam.bai")
    (tmp_path / "part").write_bytes(sliced(layouts, files, file, [Slice("1", 0, 1000)]))
    with pysam.AlignmentFile(str(tmp_path / "part")) as part:
        starts = [read.reference_start for read in part.fetch(until_eof=True)]
    assert starts
    assert max(starts) < 1 << 20  # of three million


def test_a_file_without_an_index_is_given_whole_or_not_at_all(folder: Path) -> None:
    files = PlainFiles()
    file = files.add((folder / "reads.bam").read_bytes(), "BAM")
    known = Layouts(files)
    assert list(known.of(file).numbers) == list(CONTIGS)
    assert sliced(known, files, file, []) != b"", "its header comes alone all the same"
    with pytest.raises(Invalid, match="has no index"):
        sliced(known, files, file, [Slice("1")])


def test_an_index_of_another_file_gives_nothing_that_is_no_file(folder: Path, tmp_path: Path) -> None:
    files = PlainFiles()
    other = write_reads(tmp_path / "other.bam", folder / "reference.fa", "wb", reads=50)
    file = files.add((tmp_path / "other.bam").read_bytes(), "BAM")
    files.add((folder / "reads.bam.bai").read_bytes(), "BAI", file.id)
    assert other is None
    with pytest.raises(Corrupt, match="not of this file"):
        sliced(Layouts(files), files, file, [Slice("1", 2_500_000, 2_600_000)])


def test_unknown_references_are_not_found(folder: Path) -> None:
    layouts, _, file = kept(folder, "BAM", "reads.bam.bai")
    require_references(layouts.of(file), [Slice("1"), Slice("*")])
    for name in ("chr1", "22", ""):
        with pytest.raises(NotFound, match="has no reference"):
            require_references(layouts.of(file), [Slice(name)])


def test_an_index_is_looked_for_each_time(folder: Path) -> None:
    """It may be shredded, or come back, while what was read of it is kept."""
    files = PlainFiles()
    file = files.add((folder / "reads.bam").read_bytes(), "BAM")
    known, wanted = Layouts(files), [Slice("2", 0, 9_000_000)]
    with pytest.raises(Invalid, match="has no index"):
        sliced(known, files, file, wanted)
    index = files.add((folder / "reads.bam.bai").read_bytes(), "BAI", file.id)
    part = sliced(known, files, file, wanted)
    assert len(part) > 1000
    del files.kept[index.id]
    with pytest.raises(Invalid, match="has no index"):
        sliced(known, files, file, wanted)


def test_what_was_used_last_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as there is room, which is counted as memory; one that is larger than all of it is not kept."""
    files = PlainFiles()
    content, index = (folder / "reads.bam").read_bytes(), (folder / "reads.bam.bai").read_bytes()
    both = [files.add(content, "BAM") for _ in range(2)]
    for each in both:
        files.add(index, "BAI", each.id)
    known = Layouts(files)
    held = known.of(both[0]).held_bytes
    bins = sum(len(each.bins) for each in read_bins(index).references)
    assert held > len(index) + 100 * bins > len(index)
    monkeypatch.setattr(layouts, "MOST_KEPT_BYTES", held)
    files.opened.clear()
    known = Layouts(files)
    for each, opened in ((both[0], 2), (both[0], 2), (both[1], 4), (both[0], 6)):
        known.of(each)
        assert len(files.opened) == opened
    monkeypatch.setattr(layouts, "MOST_KEPT_BYTES", held - 1)
    for opened in (8, 10):
        known.of(both[1])
        assert len(files.opened) == opened
    with pytest.raises(Invalid, match="no file of reads"):
        known.of(files.add(b"", "VCF"))
