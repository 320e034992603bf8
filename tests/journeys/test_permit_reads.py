# SPDX-License-Identifier: Apache-2.0
"""A permit's first use, over real processes: what it lets read, to whom, until when; and what the ledger says of it."""

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from benchmarks.parts.passports import FORGERIES, world
from benchmarks.parts.passports.world import sign_passport
from tests.journeys.network import Served, megagenome
from tests.journeys.permit_node import (
    DATASET,
    PERMIT,
    POSITIONS,
    READER,
    SEIZURE,
    Reader,
    calls,
    draft,
    grant,
    make_permit_node,
    permitted,
    revoke,
    serving_at_its_address,
    table,
)
from tests.oracles.ledger import is_fine

AT_ONCE_S = 1.0
"""The promise: a withdrawal and a revocation have reached every reading by permit by then."""

NOT_FORGED_HERE = {"expired", "from the future", "another person"}
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "requested_token_type": "urn:ga4gh:params:oauth:token-type:passport",
    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    make_permit_node(tmp_path / "node")
    with serving_at_its_address(tmp_path / "node") as served:
        yield served


def place(at: int) -> dict[str, Any]:
    return {"referenceName": "22", "start": [at - 1], "referenceBases": "A", "alternateBases": "G"}


def visas(served: Served, proof: str, **more: str) -> list[dict[str, Any]]:
    """What the visas say that a proof is exchanged for; verified with the node's published keys."""
    answer = served.client.post("/visas/token", data=EXCHANGE | {"subject_token": proof} | more)
    assert answer.status_code == 200, answer.text
    keys = KeySet.import_key_set(served.get("/visas/jwks"))
    passport = jwt.decode(answer.json()["access_token"], keys, algorithms=["ES256"]).claims
    return [jwt.decode(visa, keys, algorithms=["ES256"]).claims for visa in passport["ga4gh_passport_v1"]]


def seconds_until(holds: Callable[[], bool]) -> float:
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < 10, "it never came to hold"
    return time.monotonic() - start


@pytest.mark.promise
def test_what_a_permit_lets_read_is_what_is_true_until_it_ends(served: Served) -> None:
    reader = Reader(served)
    assert reader.ask("individuals").status_code == 403, "no permit yet"
    grant(served.folder)
    assert Reader(served, "").ask("individuals").status_code == 401
    stranger = Reader(served, sign_passport(draft(served.url, "somebody-else"), []))
    assert stranger.ask("individuals").status_code == 403

    right = permitted()
    count = reader.read("individuals", requestedGranularity="count")["responseSummary"]
    assert count == {"exists": True, "numTotalResults": len(right), "countPrecision": "exact"}
    assert len(right) < 40
    records = reader.records()
    people = {record["info"]["columns"]["code"]: name for name, record in records.items()}
    assert sorted(people) == sorted(row["code"] for row in right)
    for row in right:
        record = records[people[row["code"]]]
        assert record["sex"]["label"] == row["sex"]
        assert [(f["featureType"]["id"], f.get("excluded")) for f in record["phenotypicFeatures"]] == [(SEIZURE, None)]
    assert not any(row["individual_id"] in str(records) for row in table())

    carry_same = 0
    for at in list(POSITIONS)[:5]:
        mine = {row["code"]: calls()[at][int(row["code"][1:])] for row in right}
        answer = reader.read("g_variants", place(at))
        [result] = answer["response"]["resultSets"]
        [record] = result["results"]
        [total] = [f for f in record["frequencyInPopulations"][0]["frequencies"] if f["population"] == "Total"]
        assert total["alleleCount"] == sum(call.count("1") for call in mine.values())
        assert total["alleleNumber"] == sum(2 for call in mine.values() if call != "./.")
        named = {case["individualId"]: case["zygosity"]["label"] for case in record["caseLevelData"]}
        words = {"0/1": "heterozygous", "1/1": "homozygous"}
        assert named == {people[code]: words[call] for code, call in mine.items() if "1" in call}
        carry_same += len(named)
    assert carry_same

    gone = right[0]
    megagenome("node", "consent", served.folder, gone["individual_id"], "withdraw", "--use", "research")
    name = people[gone["code"]]
    assert seconds_until(lambda: reader.ask(f"individuals/{name}").status_code == 404) < AT_ONCE_S
    assert sorted(reader.records()) == sorted(set(people.values()) - {name})

    revoke(served.folder)
    assert seconds_until(lambda: reader.ask("individuals").status_code == 403) < AT_ONCE_S
    assert "the study has ended" in reader.ask("individuals").text
    assert reader.ask("individuals").status_code == 403
    assert "ended" not in stranger.ask("individuals").text


def test_each_reading_is_in_the_ledger_which_verifies(served: Served) -> None:
    grant(served.folder)
    reader = Reader(served)
    reader.read("individuals", requestedGranularity="count")
    reader.records()
    reader.read("g_variants", place(POSITIONS[0]), requestedGranularity="boolean")
    refused = Reader(served, sign_passport(draft(served.url, "somebody-else"), []))
    refused.ask("individuals")
    export = megagenome("node", "ledger", served.folder, "export").stdout
    lines = [line + b"\n" for line in export.encode().splitlines()]
    read = [entry for entry in map(json.loads, lines[1:-1]) if entry["kind"] == "read"]
    right = len(permitted())
    pages = [min(7, right - skip) for skip in range(0, right, 7)]
    # a count before each page of records, which states the total
    assert [entry["count"] for entry in read] == [1, *(n for page in pages for n in (1, page)), 1]
    assert {(entry["dataset"], entry["permit"], entry["detail"]) for entry in read} == {(DATASET, PERMIT, "research")}
    assert len({entry["actor"] for entry in read}) == 1
    assert is_fine(lines, served.get("/.well-known/jwks.json"))
    assert READER not in export
    assert "16050" not in export
    assert "all" in megagenome("node", "ledger", served.folder, "verify").stdout


def test_a_permit_appears_as_visas_and_its_end_ends_them(served: Served) -> None:
    proof = sign_passport(draft(served.url), [])
    assert visas(served, proof) == []
    grant(served.folder)
    [visa] = visas(served, proof)
    assert 0 < visa["exp"] - visa["iat"] <= 3600
    assert (visa["iss"], visa["sub"]) == (served.url, READER)
    stated = visa["ga4gh_visa_v1"]
    assert stated["value"] == f"{served.url}/datasets/{DATASET}"
    assert (stated["type"], stated["source"], stated["by"]) == (
        "ControlledAccessGrants",
        f"{served.url}/dac",
        "dac",
    )
    own = served.client.post("/visas/token", data=EXCHANGE | {"subject_token": proof}).json()["access_token"]
    assert Reader(served, own).records() == Reader(served).records()
    revoke(served.folder)
    assert visas(served, proof) == []
    assert Reader(served, own).ask("individuals").status_code == 403, "a visa that is left opens nothing here"


def test_forged_and_stolen_passports_are_refused(served: Served) -> None:
    grant(served.folder)
    assert Reader(served).ask("individuals").status_code == 200
    stolen = served.client.post(
        "/visas/token",
        data=EXCHANGE | {"subject_token": sign_passport(draft(served.url), []), "audience": "https://spe.example"},
    ).json()["access_token"]
    assert Reader(served, stolen).ask("individuals").status_code == 401
    assert Reader(served, sign_passport(draft("https://fi.example"), [])).ask("individuals").status_code == 401
    random_ = random.Random(7)
    kinds = [each for each in FORGERIES if each.done_to in ("any", "passport") and each.name not in NOT_FORGED_HERE]
    statuses: dict[int, int] = {}
    tried: set[str] = set()
    while sum(statuses.values()) < 500:
        kind = random_.choice(kinds)
        forged = kind.forge(draft(served.url), random_)
        text = forged if isinstance(forged, str) else "" if forged is None else world.sign(forged)
        # what no header can carry cannot come as a bearer token
        if not text.isascii() or not text.isprintable() or not 0 < len(text) < 30_000 or text != text.strip():
            continue
        status = Reader(served, text).ask("individuals").status_code
        statuses[status] = statuses.get(status, 0) + 1
        tried.add(kind.name)
    assert statuses == {401: 500}
    assert len(tried) > 20
