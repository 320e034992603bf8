# SPDX-License-Identifier: Apache-2.0
"""`megagenome ask`: what people read, what programs read, and how it ends."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from megagenome.cli.main import main
from megagenome.network.combine import Cell, People, with_intervals
from megagenome.standards.federation import (
    CohortAnswer,
    NodeAnswer,
    NodeStatus,
    RegionAnswer,
    Resolved,
    VariantAnswer,
    VariantRow,
)
from tests.network import stubs
from tests.network.stubs import Behaviour, routes, running, says

FREQUENCIES = with_intervals([Cell("Total", 42, 300, People(2, 38, 0)), Cell("FI", 30, 200)])
NODES = (
    NodeAnswer("FI", "Finland", "FI", "http://fi", NodeStatus.ANSWERED, 12.3, "", FREQUENCIES, 54),
    NodeAnswer("ES", "Spain", "ES", "http://es", NodeStatus.WITHHELD, 5.0, floor=10),
    NodeAnswer("GB", "\x1b[31mBritain", "GB", "http://gb", NodeStatus.LATE, 5000.0, "no whole answer within 5 s"),
)
ALLELE = Resolved("allele", "22-100-A-G", "GRCh37", "22", 99, 100, "A", "G")
REGION = Resolved("gene", "BRCA2", "GRCh38", "13", 32315085, 32400268, gene="BRCA2")
VARIANT = VariantAnswer(ALLELE, True, FREQUENCIES, NODES)
ROWS = (VariantRow("13-32315086-A-G", 32315085, 32315086, "A", "G", 2, FREQUENCIES),)
API: dict[str, Any] = {
    "/api/variant": VARIANT,
    "/api/region": RegionAnswer(REGION, 7, False, 0, 1, ROWS, NODES),
    "/api/cohort": CohortAnswer("sex=female", True, 54, NODES),
}
HUB = routes({path: msgspec.to_builtins(answer) for path, answer in API.items()})


def ask(*words: str, behave: Behaviour = HUB) -> tuple[int, list[stubs.Asked]]:
    async def run() -> tuple[int, list[stubs.Asked]]:
        async with running(behave) as stub:
            return await asyncio.to_thread(main, ["ask", *words, "--hub", stub.url]), stub.asked

    return asyncio.run(run())


def test_a_variant_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    code, asked = ask("variant", "22-100-A-G", "--assembly", "GRCh37")
    shown = capsys.readouterr().out
    assert code == 0
    assert asked[0].path == "/api/variant?q=22-100-A-G&assembly=GRCh37"
    for word in ("22-100-A-G", "GRCh37", "0.140000", "Finland", "late", "no whole answer", "none, or fewer than 10"):
        assert word in shown
    assert "\x1b" not in shown


def test_a_region_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    code, asked = ask("region", "BRCA2")
    shown = capsys.readouterr().out
    assert code == 0
    assert asked[0].path == "/api/region?q=BRCA2&skip=0&limit=1000"
    assert "BRCA2 13:32315086-32400268 (GRCh38): 1 to 1 of at least 7 alleles; a node has more" in shown
    assert "13-32315086-A-G" in shown


def test_a_cohort_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    code, asked = ask("cohort", "sex=female age>=40")
    shown = capsys.readouterr().out
    assert code == 0
    assert asked[0].path == "/api/cohort?q=sex%3Dfemale+age%3E%3D40"
    assert "54 people told of: sex=female" in shown


def test_a_count_that_nobody_told_is_not_zero(capsys: pytest.CaptureFixture[str]) -> None:
    silent = tuple(msgspec.structs.replace(each, count=None) for each in NODES)
    answer = msgspec.to_builtins(CohortAnswer("sex=female", False, 0, silent))
    ask("cohort", "sex=female", behave=routes({"/api/cohort": answer}))
    assert "no count told of: sex=female" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["variant", "region", "cohort"])
def test_json_for_programs_is_the_hubs_answer(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = ask(what, "22-100-A-G", "--json")
    assert code == 0
    assert json.loads(capsys.readouterr().out) == json.loads(msgspec.json.encode(API[f"/api/{what}"]))


def test_nobody_answering_fails_though_it_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    nobody = msgspec.structs.replace(VARIANT, exists=False, frequencies=(), nodes=NODES[2:])
    code, _ = ask("variant", "22-100-A-G", behave=routes({"/api/variant": msgspec.to_builtins(nobody)}))
    assert code == 1
    assert "22-100-A-G (GRCh37): no node tells of it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("behave", "code", "message"),
    [
        (
            says({"title": "Invalid request", "status": 400, "detail": "'x' is no allele"}, status=400),
            2,
            "'x' is no allele",
        ),
        (says({"title": "Too large", "status": 413, "detail": "too long"}, status=413), 3, "too long"),
        (says({}, status=404), 1, "is no hub: name one with --hub"),
        (says({}, status=500), 1, "answers 500"),
        (says({}), 1, "is not the API of a hub of this version"),
        (says(b"<html>", kind="text/html"), 1, "is not the API of a hub"),
        (stubs.closes, 1, "does not answer"),
    ],
    ids=["400", "413", "404", "500", "shape", "HTML", "closes"],
)
def test_what_goes_wrong_is_one_line_and_a_code(
    behave: Behaviour, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("variant", "22-100-A-G", behave=behave)[0] == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("hub", "code", "message"),
    [
        ("http://127.0.0.1:1", 1, "start it with `megagenome hub serve`, or name one with --hub"),
        ("nonsense", 2, "is no address"),
        ("ftp://example.org", 2, "is no address"),
    ],
)
def test_a_hub_that_is_not_there(hub: str, code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "cohort", "sex=female", "--hub", hub]) == code
    captured = capsys.readouterr().err
    assert message in captured
    assert len(captured.splitlines()) == 1
