# SPDX-License-Identifier: Apache-2.0
"""`megagenome crypt4gh`: what it writes the other program opens, and what goes wrong leaves nothing."""

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from megagenome.cli.main import main

PLAIN = os.urandom(200_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "genome.bam"
    path.write_bytes(PLAIN)
    return path


def made(tmp_path: Path, name: str = "me", *more: str) -> tuple[Path, Path]:
    assert main(["crypt4gh", "keygen", str(tmp_path / name), *more]) == 0
    return tmp_path / f"{name}.sec", tmp_path / f"{name}.pub"


def by_the_other(private: Path, sealed: Path) -> bytes:
    run = [sys.executable, "-m", "crypt4gh", "decrypt", "--sk", str(private)]
    with sealed.open("rb") as source:
        return subprocess.run(run, stdin=source, capture_output=True, check=True).stdout


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_a_file_goes_there_and_back(
    tmp_path: Path, file: Path, passphrase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEGAGENOME_PASSPHRASE", passphrase)
    private, public = made(tmp_path)
    assert main(["crypt4gh", "seal", str(file), "--to", str(public)]) == 0
    sealed = tmp_path / "genome.bam.c4gh"
    file.unlink()
    assert main(["crypt4gh", "open", str(sealed), "--key", str(private)]) == 0
    assert file.read_bytes() == PLAIN
    assert stat.S_IMODE(private.stat().st_mode) == 0o400
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_other_program_opens_it_for_each_recipient(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEGAGENOME_PASSPHRASE", raising=False)
    mine, hers = made(tmp_path, "mine", "--no-passphrase"), made(tmp_path, "hers", "--no-passphrase")
    assert main(["crypt4gh", "seal", str(file), "--to", str(mine[1]), "--to", str(hers[1])]) == 0
    for private in (mine[0], hers[0]):
        assert by_the_other(private, tmp_path / "genome.bam.c4gh") == PLAIN


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["crypt4gh", *map(str, arguments)])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return code, error


def test_what_goes_wrong_is_one_line_and_leaves_nothing(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEGAGENOME_PASSPHRASE", "right")
    private, public = made(tmp_path)
    assert main(["crypt4gh", "seal", str(file), "--to", str(public)]) == 0
    sealed, out = tmp_path / "genome.bam.c4gh", tmp_path / "out"
    assert "is not overwritten" in refused(capsys, "keygen", tmp_path / "me")[1]
    assert "is not overwritten" in refused(capsys, "seal", file, "--to", public)[1]
    assert "is not overwritten" in refused(capsys, "open", sealed, "--key", private)[1]
    assert "No such file" in refused(capsys, "seal", tmp_path / "none", "--to", public, "--out", out)[1]
    assert "no Crypt4GH public key" in refused(capsys, "seal", file, "--to", private, "--out", out)[1]
    assert "no Crypt4GH private key" in refused(capsys, "open", sealed, "--key", public, "--out", out)[1]
    assert "another key" in refused(capsys, "open", sealed, "--key", made(tmp_path, "other")[0], "--out", out)[1]
    assert "no Crypt4GH file" in refused(capsys, "open", file, "--key", private, "--out", out)[1]
    assert "does not end in .c4gh" in refused(capsys, "open", file, "--key", private)[1]
    monkeypatch.setenv("MEGAGENOME_PASSPHRASE", "wrong")
    assert "does not unlock" in refused(capsys, "open", sealed, "--key", private, "--out", out)[1]
    monkeypatch.setenv("MEGAGENOME_PASSPHRASE", "right")
    damaged = bytearray(sealed.read_bytes())
    damaged[-1] ^= 1
    sealed.write_bytes(damaged)
    code, error = refused(capsys, "open", sealed, "--key", private, "--out", out)
    assert (code, "segment 3 " in error) == (3, True)
    assert not list(tmp_path.glob("out*"))


def test_a_passphrase_is_never_guessed_where_nobody_can_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MEGAGENOME_PASSPHRASE", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert "no terminal" in refused(capsys, "keygen", tmp_path / "me")[1]
    assert not list(tmp_path.glob("me*"))


def test_programs_get_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path, "me", "--no-passphrase", "--json")
    told = json.loads(capsys.readouterr().out)
    assert sorted(told) == ["fingerprint", "private", "public"]
