# SPDX-License-Identifier: Apache-2.0
"""`megagenome passport explain`: what people read, what programs read, and how it ends."""

import io
import json
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from benchmarks.parts.passports.world import FINLAND, HUB, ME, NOW, Mint, Signer, sign, sign_passport
from megagenome.cli.main import main
from megagenome.kernel import clock

DATASET = f"{FINLAND.iss}datasets/1"
TOML = f"""
[policy]
audiences = ["{ME}"]
[[brokers]]
issuer = "{HUB.iss}"
jwks_file = "hub.json"
[[issuers]]
issuer = "{HUB.iss}"
jku = "{HUB.jku}"
jwks_file = "hub.json"
linking = true
[[issuers.sources]]
source = "{HUB.iss}"
[[issuers]]
issuer = "{FINLAND.iss}"
jku = "{FINLAND.jku}"
jwks_file = "fi.json"
types = ["ControlledAccessGrants"]
[[issuers.sources]]
source = "{FINLAND.iss}dac"
values = ["{FINLAND.iss}datasets/"]
[[issuers.sources]]
source = "{FINLAND.iss}dacs/"
values = ["{FINLAND.iss}datasets/"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(NOW, UTC))
    (tmp_path / "trust.toml").write_text(TOML)
    for name, signer in (("hub", HUB), ("fi", FINLAND)):
        (tmp_path / f"{name}.json").write_bytes(published(signer))
    mint = Mint(random.Random(3))
    visas = [mint.link(HUB, "h-1", FINLAND.identity("p-1")), mint.grant(FINLAND, "p-1", DATASET)]
    text = sign_passport(mint.passport(HUB, "h-1"), [sign(visa) for visa in visas])
    (tmp_path / "passport.jwt").write_text(text + "\n")
    return tmp_path


def published(signer: Signer) -> bytes:
    keys = [dict(key.as_dict(private=False)) | {"kid": kid} for kid, key in signer.keys]
    return msgspec.json.encode({"keys": keys})


def explain(folder: Path, *words: str, file: str = "") -> int:
    return main(
        ["passport", "explain", file or str(folder / "passport.jwt"), "--trust", str(folder / "trust.toml"), *words]
    )


def test_an_accepted_passport_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(folder, "--dataset", DATASET) == 0
    shown = capsys.readouterr().out
    for words in (
        "ACCEPTED (granted)",
        "h-1@https://hub.example/",
        "p-1@https://fi.example/",
        DATASET,
        "Visa 1",
        " met ",
    ):
        assert words in shown
    assert "refused" not in shown


def test_a_refused_passport_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(folder, "--dataset", "https://ee.example/datasets/1") == 3
    shown = capsys.readouterr().out
    assert "REFUSED (not-granted): No visa that counts grants 'https://ee.example/datasets/1'." in shown


def test_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(folder, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["accepted"] is True
    assert [grant["dataset"] for grant in told["grants"]] == [DATASET]
    assert told["visas"][1]["steps"][0] == {
        "rule": "form",
        "asks": "One signed token within the size that is read, which can be read in one way only.",
        "result": "met",
    }


def test_from_standard_input(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    content = (folder / "passport.jwt").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert explain(folder, file="-") == 0
    assert "ACCEPTED" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a.b.c", b"x" * 1_000_000])
def test_what_is_no_passport_is_refused(folder: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "passport.jwt").write_bytes(content)
    assert explain(folder) == 3
    assert "REFUSED" in capsys.readouterr().out


def test_wrong_use_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(folder, file=str(folder / "none.jwt")) == 2
    assert "cannot be read" in capsys.readouterr().err
    (folder / "trust.toml").write_text("[[broker]]\n")
    assert explain(folder) == 2
    assert "did you mean 'brokers'" in capsys.readouterr().err
    assert main(["passport", "explain", "x"]) == 2
    assert explain(folder, "--datset", "x") == 2
