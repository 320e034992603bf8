# SPDX-License-Identifier: Apache-2.0
"""Manifests: what a node takes, and what it refuses before anything is written; parts' digests; receipts."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.kernel.keys import SigningKeys
from megagenome.standards.submission import (
    MOST_FILES,
    RECEIPT_TYPE,
    ROOT,
    Receipt,
    ReceivedFile,
    check_path,
    content_digest,
    digest_of_parts,
    indexed_path,
    is_part,
    read_content_digest,
    read_manifest,
    read_receipt,
)

SHA = "a" * 64


def manifest(**changed: Any) -> dict[str, Any]:
    files = [
        {"path": "a.vcf.gz", "size_bytes": 10, "sha256": SHA, "format": "vcf"},
        {"path": "a.vcf.gz.tbi", "size_bytes": 1, "sha256": SHA, "format": "tbi", "index_of": "a.vcf.gz"},
        {"path": "people.tsv", "size_bytes": 5, "sha256": SHA, "format": "people-table"},
    ]
    return {"dataset": "D-1", "assembly": "GRCh38", "files": files, "people": ["people.tsv"], **changed}


def file(**changed: Any) -> dict[str, Any]:
    return {"path": "b.bam", "size_bytes": 1, "sha256": SHA, "format": "bam", **changed}


def read(value: Any) -> Any:
    return read_manifest(msgspec.json.encode(value))


def test_a_manifest_is_read_as_it_stands() -> None:
    found = read(manifest())
    assert [each.path for each in found.files] == ["a.vcf.gz", "a.vcf.gz.tbi", "people.tsv"]
    assert read_manifest(msgspec.json.encode(found)) == found


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (manifest(dataset="../x"), "dataset id"),
        (manifest(assembly=""), "genotypes need an assembly"),
        (manifest(title="two\nlines"), "the title has a character"),
        (manifest(description="bell \a"), "the description has a character"),
        (manifest(title="x" * 10_001), "10,001 characters"),
        (manifest(collected=10**15), "collected is a year"),
        (manifest(files=[]), "1 to 1,000 files"),
        (manifest(files=[file(path=f"{n}.bam") for n in range(MOST_FILES + 1)], people=[]), "1 to 1,000 files"),
        (manifest(files=[file(), file()], people=[]), "b.bam: is named twice"),
        (manifest(files=[file(size_bytes=-1)], people=[]), "no file has -1 bytes"),
        (manifest(files=[file(sha256="A" * 64)], people=[]), "sha256 is not lower-case hexadecimal"),
        (manifest(files=[file(sha256="a" * 63)], people=[]), "sha256"),
        (manifest(files=[file(md5="a" * 31)], people=[]), "md5"),
        (manifest(files=[file(format="fastq")], people=[]), "format 'fastq' is none of"),
        (manifest(files=[file(index_of="other.bam")], people=[]), "which is not in the manifest"),
        (manifest(files=[file(), file(path="c.bai", format="bai", index_of="b.bam")], people=[]), "c.bai: an index is"),
        (manifest(files=[file(), file(path="b.bam.bai", format="bai")], people=[]), "says by index_of"),
        (manifest(files=[file()], people=["b.bam"]), "exactly the files whose format is one of people"),
        (manifest(people=[]), "exactly the files whose format is one of people"),
        (manifest(people=["nobody.tsv"]), "is none of the files"),
        (manifest(mystery=1), "not a manifest"),
        (manifest(files=[{"path": "a"}]), "not a manifest"),
        ([], "not a manifest"),
    ],
)
def test_what_no_node_takes_is_refused_with_the_file_and_the_reason(wrong: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read(wrong)


def test_a_file_without_a_checksum_is_no_submission() -> None:
    bare = file()
    del bare["sha256"]
    with pytest.raises(Invalid, match="sha256"):
        read(manifest(files=[bare], people=[]))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="not a manifest"):
        read_manifest(content)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../a.vcf",
        "a/../../b.vcf",
        "a/./b.vcf",
        "a//b.vcf",
        "a/",
        "..",
        ".",
        "a\x00.vcf",
        "a\nb.vcf",
        "a\x1b[2J.vcf",
        "..\\a.vcf",
        "a\u202egnp.vcf",
        "e\u0301.vcf",
        "é" * 513,
        "x" * 4096,
        "\ud800.vcf",
    ],
)
def test_a_path_that_leaves_its_folder_or_hides_what_it_is_is_refused(path: str) -> None:
    with pytest.raises(Invalid):
        check_path(path)


@pytest.mark.parametrize("path", ["a.vcf.gz", "reads/S 1.bam", "Tõnu/ä.tsv", "..a", "a..b/c", "-rf", "x" * 1024])
def test_a_plain_path_is_taken(path: str) -> None:
    check_path(path)


@given(st.text(max_size=40))
def test_a_path_that_is_taken_stays_below_its_folder(path: str) -> None:
    try:
        check_path(path)
    except Invalid:
        return
    folder = Path("/srv/files")
    assert Path(f"{folder}/{path}").resolve().is_relative_to(folder)
    assert Path(f"{folder}/{path}").resolve() != folder


def test_an_index_is_of_the_file_that_its_name_says() -> None:
    paths = ("a.bam", "b.bam", "c.cram", "d.vcf.gz")
    named = {
        "a.bam.bai": "a.bam",
        "b.bai": "b.bam",
        "c.cram.crai": "c.cram",
        "c.crai": "c.cram",
        "d.vcf.gz.csi": "d.vcf.gz",
    }
    assert {index: indexed_path(index, paths) for index in named} == named
    assert indexed_path("e.bam.bai", paths) is None


@given(st.binary())
def test_a_digest_is_read_as_it_was_written(content: bytes) -> None:
    sha256 = hashlib.sha256(content)
    assert read_content_digest(content_digest(sha256.digest())) == sha256.hexdigest()
    # RFC 9530 writes it so
    assert content_digest(sha256.digest()) == f"sha-256=:{base64.b64encode(sha256.digest()).decode()}:"


@pytest.mark.parametrize("value", ["", "sha-256=abc", "sha-256=:abc=:", "md5=:AAAA:", f"sha-512=:{'A' * 43}=:"])
def test_what_states_no_sha_256_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="Content-Digest"):
        read_content_digest(value)


def test_the_digest_of_parts_is_what_a_shell_makes() -> None:
    parts = [hashlib.sha256(each).hexdigest() for each in (b"a", b"b")]
    assert digest_of_parts(parts) == hashlib.sha256(bytes.fromhex("".join(parts))).hexdigest()


def test_a_receipt_is_read_by_the_nodes_keys_alone(tmp_path: Path) -> None:
    keys, others = SigningKeys.open(tmp_path / "keys"), SigningKeys.open(tmp_path / "others")
    receipt = Receipt("node.ee", 1, "MGS-A", "D-1", (ReceivedFile("a", 1, SHA, 2, SHA, "MGF-A", "now"),), SHA)
    token = keys.sign(msgspec.to_builtins(receipt), RECEIPT_TYPE)
    assert read_receipt(token, keys.key_set()) == receipt
    head, body, signature = token.split(".")
    changed = base64.urlsafe_b64encode(msgspec.json.encode({**msgspec.to_builtins(receipt), "dataset": "D-2"}))
    for wrong in (
        f"{head}.{changed.decode().rstrip('=')}.{signature}",
        keys.sign({}, RECEIPT_TYPE),
        keys.sign({}, "x"),
    ):
        with pytest.raises(Corrupt):
            read_receipt(wrong, keys.key_set())
    with pytest.raises(Corrupt):
        read_receipt(token, others.key_set())
    assert body


@pytest.mark.parametrize("path", [f"{ROOT}/MGS-A/files/0/parts/0", f"{ROOT}/MGS-A/files/12/parts/999999/"])
def test_addresses_of_parts(path: str) -> None:
    assert is_part(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        ROOT,
        f"{ROOT}/MGS-A",
        f"{ROOT}/MGS-A/cancel",
        f"{ROOT}/MGS-A/files/0/parts/0/0",
        "/submissions/MGS-A/files/0",
    ],
)
def test_other_addresses(path: str) -> None:
    assert not is_part(path)
