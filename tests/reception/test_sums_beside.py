# SPDX-License-Identifier: Apache-2.0
"""Checksums beside files, as coreutils and others write them."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.reception.sums_beside import SumBeside, is_of_sums, sums_beside

CONTENTS = {"a.bam": b"reads", "sub/b.vcf.gz": b"calls", "née sous X.tsv": b"people"}
KINDS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in CONTENTS.items():
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "files"


def digest(name: str, kind: str = "sha256") -> str:
    return hashlib.new(kind, CONTENTS[name]).hexdigest()


def stated(kind: str, *, is_listed: bool = True) -> list[SumBeside]:
    return sorted(SumBeside(name, kind, digest(name, kind), is_listed) for name in CONTENTS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["--text", "--binary", "--tag"])
def test_lists_of_coreutils_are_read(folder: Path, kind: str, how: str) -> None:
    program = f"{kind}sum"
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    names = [f"./{name}" for name in CONTENTS]
    said = subprocess.run([program, how, *names], cwd=folder, capture_output=True, check=True).stdout
    (folder / f"{kind.upper()}SUMS").write_bytes(said)
    assert sorted(sums_beside(folder)) == stated(kind)


def test_a_name_that_coreutils_escaped_is_read(folder: Path) -> None:
    (folder / "a\\b\nc.bam").write_bytes(b"reads")
    said = subprocess.run(["sha256sum", "a\\b\nc.bam"], cwd=folder, capture_output=True, check=True).stdout
    assert said.startswith(b"\\")
    (folder / "SHA256SUMS").write_bytes(said)
    assert [each.of for each in sums_beside(folder)] == ["a\\b\nc.bam"]


@pytest.mark.parametrize(
    "name",
    [
        "SHA256SUMS",
        "sha256sums.txt",
        "sha256sum.txt",
        "sha256.txt",
        "checksums.sha256",
        "batch 7.SHA256",
        "delivery.sha256sum",
        "CHECKSUMS",
        "checksum.txt",
        "checksums.txt",
    ],
)
def test_any_file_of_sums_that_is_no_files_own_is_a_list(folder: Path, name: str) -> None:
    (folder / name).write_text("".join(f"{digest(each)}  {each}\n" for each in CONTENTS))
    assert sorted(sums_beside(folder)) == stated("sha256")
    assert is_of_sums(name)


@pytest.mark.parametrize("name", ["people.txt", "sha256", "md5notes.txt", "a.sha256.bam", "sums.txt", "a.crc32"])
def test_what_may_be_something_else_is_no_list(name: str) -> None:
    assert is_of_sums(name) is (name == "sha256")


@pytest.mark.parametrize("ending", ["md5", "MD5", "md5sum", "md5.txt"])
@pytest.mark.parametrize("line", ["{}", "{}\n", "{}  a.bam", "{} */archive/2019/other name.bam\r\n", "{}  -\n"])
def test_one_checksum_in_a_file_called_as_another_is_that_ones(folder: Path, ending: str, line: str) -> None:
    (folder / f"a.bam.{ending}").write_text(line.format(digest("a.bam", "md5")))
    assert sums_beside(folder) == [SumBeside("a.bam", "md5", digest("a.bam", "md5"), is_listed=False)]


def test_several_checksums_are_a_list_whatever_their_file_is_called(folder: Path) -> None:
    path = folder / "sub/b.vcf.gz.sha256"
    path.write_text(f"{digest('sub/b.vcf.gz')}  b.vcf.gz\n{digest('a.bam')}  ../a.bam\n")
    assert [each.of for each in sums_beside(folder)] == ["sub/b.vcf.gz", "a.bam"]
    path.write_text(f"{digest('sub/b.vcf.gz')}  b.vcf.gz\n{digest('a.bam')}  a.bam\n")
    with pytest.raises(Invalid, match=r"sub/b\.vcf\.gz\.sha256 line 2: lists 'a\.bam', which is not in the folder"):
        sums_beside(folder)


@pytest.mark.parametrize("name", ["./sub//b.vcf.gz", r"sub\b.vcf.gz", "sub/../sub/b.vcf.gz", "{folder}/sub/b.vcf.gz"])
def test_names_are_of_one_file_however_they_are_written(folder: Path, name: str) -> None:
    value = digest("sub/b.vcf.gz").upper()
    (folder / "SHA256SUMS").write_text(f"\ufeff# made on a desk\r\n\r\n{value} *{name.format(folder=folder)}\r\n")
    assert sums_beside(folder) == [SumBeside("sub/b.vcf.gz", "sha256", value.lower(), is_listed=True)]


def test_a_name_in_another_form_of_unicode_is_the_same(folder: Path) -> None:
    (folder / "SHA256SUMS").write_text(f"{digest('née sous X.tsv')}  ne\u0301e sous X.tsv\n")
    assert [each.of for each in sums_beside(folder)] == ["née sous X.tsv"]


@pytest.mark.parametrize("name", ["c.bam", "../outside.bam", "/etc/passwd", "-", "sub", "a.bam/", "a.bam\x85"])
def test_what_is_listed_and_not_there_is_named(folder: Path, name: str) -> None:
    (folder.parent / "outside.bam").write_bytes(b"reads")
    (folder / "SHA256SUMS").write_text(f"{digest('a.bam')}  a.bam\n{'0' * 64}  {name}\n")
    if name == "a.bam/":
        with pytest.raises(Corrupt, match=r"a\.bam: the checksums beside it differ"):
            sums_beside(folder)
        return
    with pytest.raises(Invalid) as caught:
        sums_beside(folder)
    assert str(caught.value) == f"SHA256SUMS line 2: lists {name!r}, which is not in the folder"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("SHA256SUMS", "{md5}  a.bam", r"SHA256SUMS line 1: not a checksum \(sha256\) and a name"),
        ("a.bam.md5", "{sha256}", r"a\.bam\.md5 line 1: not a checksum \(md5\)"),
        ("checksums.txt", "\n\nhello", r"checksums\.txt line 3: not a checksum and a name"),
        ("checksums.txt", "abcdef  a.bam", "line 1: not a checksum"),
        ("SHA256SUMS", "{sha256}", "line 1: says not of which file it is"),
        ("c.bam.sha256", "{sha256}", "line 1: says not of which file it is"),
        ("c.bam.sha256", "{sha256}  c.bam", r"lists 'c\.bam', which is not in the folder"),
    ],
)
def test_what_is_no_list_is_not_passed_over(folder: Path, name: str, text: str, says: str) -> None:
    (folder / name).write_text(text.format(md5=digest("a.bam", "md5"), sha256=digest("a.bam")))
    with pytest.raises(Invalid, match=says):
        sums_beside(folder)


def test_two_that_differ_are_refused_and_two_that_agree_are_one(folder: Path) -> None:
    (folder / "SHA256SUMS").write_text(f"{digest('a.bam')}  a.bam\n")
    (folder / "a.bam.sha256").write_text(digest("a.bam"))
    assert [each.of for each in sums_beside(folder)] == ["a.bam"]
    (folder / "a.bam.sha256").write_text("0" * 64)
    with pytest.raises(Corrupt, match=r"a\.bam: the checksums beside it differ among themselves"):
        sums_beside(folder)


def test_what_is_hidden_lists_nothing(folder: Path) -> None:
    (folder / ".cache").mkdir()
    for name in (".SHA256SUMS", ".cache/SHA256SUMS"):
        (folder / name).write_text("hello")
    assert sums_beside(folder) == []
