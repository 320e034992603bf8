# SPDX-License-Identifier: Apache-2.0
"""`megagenome receipt`: whoever has a receipt learns whether a node signed it, and whether their files are those."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from megagenome.cli.main import main
from megagenome.kernel.keys import SigningKeys
from megagenome.standards.submission import RECEIPT_TYPE, Receipt, ReceivedFile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A provider's folder with a file and its receipt, and the node's keys beside it."""
    signing = SigningKeys.open(tmp_path / "node")
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "people.tsv").write_text("individual_id\nP1\n")
    digest = hashlib.sha256((folder / "people.tsv").read_bytes()).hexdigest()
    received = ReceivedFile("people.tsv", 17, digest, 200, "0" * 64, "MGF-ABCDEFGHIJKLMNOP", "2026-01-01T00:00:00Z")
    claims = Receipt("node.ee", 1_767_225_600, "MGS-ABCDEFGHIJKLMNOP", "GDI-EE-COHORT-001", (received,), "1" * 64)
    (folder / "receipt.jwt").write_text(signing.sign(msgspec.to_builtins(claims), RECEIPT_TYPE) + "\n")
    (folder / "keys.json").write_text(json.dumps(signing.jwks()))
    return folder


def receipt(folder: Path, *more: str) -> int:
    return main(["receipt", str(folder / "receipt.jwt"), "--keys", str(folder / "keys.json"), *more])


def test_what_was_signed_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert receipt(folder, "--folder", str(folder)) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "signed by node.ee at 2026-01-01T00:00:00+00:00: submission MGS-ABCDEFGHIJKLMNOP" in text
    assert "the files in the folder are these" in text


def test_a_file_that_is_another_or_gone_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "people.tsv").write_text("individual_id\nP2\n")
    assert receipt(folder, "--folder", str(folder)) == 3
    assert "people.tsv is not the file that the receipt is of" in capsys.readouterr().err
    (folder / "people.tsv").unlink()
    assert receipt(folder, "--folder", str(folder)) == 3
    assert receipt(folder) == 0


def test_a_receipt_of_another_key_or_changed_is_none(folder: Path, tmp_path: Path) -> None:
    token = (folder / "receipt.jwt").read_text()
    head, body, signature = token.strip().split(".")
    (folder / "receipt.jwt").write_text(f"{head}.{body[:-4]}AAAA.{signature}")
    assert receipt(folder) == 3
    (folder / "receipt.jwt").write_text(token)
    (folder / "keys.json").write_text(json.dumps(SigningKeys.open(tmp_path / "other").jwks()))
    assert receipt(folder) == 3


def test_it_must_be_said_whose_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["receipt", str(folder / "receipt.jwt")]) == 2
    assert "--node ADDRESS" in capsys.readouterr().err
