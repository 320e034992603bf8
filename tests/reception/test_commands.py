# SPDX-License-Identifier: Apache-2.0
"""`megagenome node validate`."""

import json
from pathlib import Path

import pytest

from megagenome import reference
from megagenome.cli.main import main
from tests.reception.written import row, small_vcf, tabix, write_vcf


def test_what_passes_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "people.tsv"
    table.write_text("individual_id\tsample_id\tsex\nP1\tS1\tfemale\nP2\tS2\tmale\n")
    arguments = ["node", "validate", str(small_vcf(tmp_path)), "--assembly", "GRCh38", "--individuals", str(table)]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "passed: 2 files" in text
    assert "call rate" in text
    assert "not isolated" not in text


def test_what_failed_is_counted_and_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vcf = small_vcf(tmp_path)
    table = tmp_path / "people.tsv"
    table.write_text("individual_id\tsample_id\tsex\nP1\tS1\tfemale\nP2\tS2\tmale\nP3\tS3\tmale\n")
    wrong = tmp_path / "wrong.tsv"
    wrong.write_text("individual_id\tsample_id\tsex\nP1\tS1\tfemail\n")
    assert main(["node", "validate", str(vcf), str(table), str(wrong)]) == 3
    text = capsys.readouterr().out
    assert "failed: 1 of 3 files" in text
    assert text.index(" error ") < text.index(" warning ")


def test_an_index_is_not_blamed_for_a_file_that_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vcf = small_vcf(tmp_path)
    tabix(vcf)
    assert main(["node", "validate", str(vcf), f"{vcf}.tbi", "--assembly", "GRCh37", "--json"]) == 3
    of_vcf, of_index = json.loads(capsys.readouterr().out)["files"]
    assert of_vcf["result"] == "failed"
    assert of_index["result"] == "passed"
    assert [each["message"] for each in of_index["messages"]] == [f"was not compared with {vcf}, which failed"]


def test_what_fails_is_3_and_json_is_gdis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_vcf(tmp_path / "a.vcf.gz", row("22", 5, ["0/1", "x"]))
    assert main(["node", "validate", str(path), "--json"]) == 3
    report = json.loads(capsys.readouterr().out)
    # GDI's result.json: result, files[].path, .result, .messages[].level, .time, .message
    assert report["result"] == "failed"
    [file] = report["files"]
    assert (file["path"], file["result"], file["format"]) == (str(path), "failed", "vcf")
    message = file["messages"][-1]
    assert (message["level"], message["line"], message["place"]) == ("error", 7, "22:5")
    assert "the genotype (GT) of sample 2 is none" in message["message"]
    assert message["time"].startswith("20")


@pytest.mark.parametrize("looked_up", [False, True])
def test_it_says_of_which_people_no_terms_were_looked_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], looked_up: bool
) -> None:
    """A node refuses what passes here without its ontologies, so whoever validates must know."""
    wrong, twice, none = tmp_path / "pp.json", tmp_path / "twice.tsv", tmp_path / "none.tsv"
    packet = {"id": "x", "subject": {"id": "P1"}, "metaData": {}}
    wrong.write_text(json.dumps(packet | {"phenotypicFeatures": [{"type": {"id": "HP:NOPE"}}]}))
    twice.write_text("individual_id\tphenotypes\nP2\tHP:0001250\nP3\tHP:0001250;HP:0000118\n")
    none.write_text("individual_id\nP4\n")
    files = [wrong, twice, none]
    (tmp_path / "node/reference").mkdir(parents=True)
    reference.build(tmp_path / "node/reference")
    folder = ["--folder", str(tmp_path / "node")] if looked_up else []
    assert main(["node", "validate", *map(str, files), "--json", *folder]) == (3 if looked_up else 0)
    report = json.loads(capsys.readouterr().out)
    told = [[(each["level"], each["message"]) for each in file.get("messages", [])] for file in report["files"]]
    if looked_up:
        assert [len(each) for each in told] == [1, 0, 0]
        assert "HP:NOPE" in told[0][0][1]
        return
    how = "not looked up: `megagenome node validate --folder DIR` does so in a node's ontologies"
    assert told == [[("info", f"1 term was {how}")], [("info", f"2 terms were {how}")], []]


def test_wrong_use_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node", "validate", str(tmp_path / "none.vcf.gz")]) == 2
    assert main(["node", "validate", str(small_vcf(tmp_path)), "--assembly", "hg17"]) == 2
    assert "unknown assembly" in capsys.readouterr().err
