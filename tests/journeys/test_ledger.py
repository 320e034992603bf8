# SPDX-License-Identifier: Apache-2.0
"""A node that is served says who it is under its own key, and enters what it told the public in its ledger."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

from megagenome.kernel.public_keys import read_public_keys
from megagenome.standards.descriptor import Descriptor, read_descriptor
from tests.journeys.network import Served, beacon_query, megagenome, serving
from tests.journeys.small import make_small
from tests.oracles.ledger import is_fine

LEDGER_PAGE = Path(__file__).parents[2] / "docs" / "ledger.md"
"""It has a program for auditors, which must work."""

ALLELE: dict[str, str | int] = {
    "assemblyId": "GRCh37",
    "referenceName": "22",
    "start": 16050074,
    "referenceBases": "A",
    "alternateBases": "G",
}


def stop(served: Served) -> None:
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(30) == 0


def described(served: Served, jwks: bytes) -> Descriptor:
    answer = served.client.get("/.well-known/megagenome")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jwt")
    return read_descriptor(answer.content, read_public_keys(jwks))


def test_what_the_public_was_told_is_in_the_ledger_and_an_auditor_verifies_it(tmp_path: Path) -> None:
    folder = make_small(tmp_path / "node", "EE")
    pinned = megagenome("node", "keys", folder, "--json").stdout.encode()
    with serving("node", [folder]) as [served]:
        found = described(served, pinned)
        assert (found.id, found.kind, found.country) == ("node.ee", "node", "EE")
        [beacon] = found.services
        assert (beacon.type.artifact, beacon.url) == ("beacon", f"{found.url}/beacon/v2")
        assert served.get("/.well-known/jwks.json") == json.loads(pinned)
        for _ in range(3):
            served.get("/beacon/v2/g_variants", **ALLELE)
        served.post("/beacon/v2/individuals", beacon_query("count", filters=[{"id": "HP:0001250"}]))
        assert served.client.get("/beacon/v2/g_variants?assemblyId=nothing").status_code == 400
        stop(served)

    export = megagenome("node", "ledger", folder, "export").stdout
    lines = [line + b"\n" for line in export.encode().splitlines()]
    entries = [json.loads(line) for line in lines[1:-1]]
    assert (entries[0]["kind"], entries[0]["detail"]) == ("publication", "new:published")  # by the load
    told = entries[1:]
    assert {(entry["kind"], entry["actor"], entry["dataset"]) for entry in told} == {("aggregate", "", "EE-SMALL")}
    assert sum(entry["count"] for entry in told) == 4
    assert "16050075" not in export
    assert "HP:" not in export
    assert is_fine(lines, json.loads(pinned))

    (tmp_path / "ledger.jsonl").write_text(export)
    (tmp_path / "jwks.json").write_bytes(pinned)
    verdict = megagenome("node", "ledger", tmp_path / "ledger.jsonl", "verify", "--keys", tmp_path / "jwks.json")
    assert verdict.stdout.startswith(f"node.ee: all {len(entries)} entries are as they were written")

    [program] = re.findall(r"^```python\n(.*?)^```", LEDGER_PAGE.read_text(), re.MULTILINE | re.DOTALL)
    command = [sys.executable, "-c", program, tmp_path / "ledger.jsonl", tmp_path / "jwks.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"node.ee: {len(entries)} entries are as they were signed\n"
    (tmp_path / "ledger.jsonl").write_text(export.replace('"count":', '"count":1', 1))
    assert b"was changed" in subprocess.run(command, capture_output=True, check=False).stderr


def test_who_pinned_a_key_knows_a_node_after_it_was_replaced(tmp_path: Path) -> None:
    folder = make_small(tmp_path / "node", "EE")
    pinned = megagenome("node", "keys", folder, "--json").stdout.encode()
    megagenome("node", "ledger", folder, "head")
    replaced = json.loads(megagenome("node", "keys", folder, "--replace", "--json").stdout)
    with serving("node", [folder]) as [served]:
        found = described(served, pinned)
        assert found.keys == replaced
        assert found.keys["keys"][0]["kid"] != json.loads(pinned)["keys"][0]["kid"]
    megagenome("node", "ledger", folder, "head")
    assert json.loads(megagenome("node", "ledger", folder, "verify", "--json").stdout)["heads"] == 2
