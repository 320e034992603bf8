# SPDX-License-Identifier: Apache-2.0
"""DRS from a real node: every answer fits the standard's own schemas, and leads to the bytes that it states."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

from benchmarks.parts.passports.world import sign_passport
from megagenome.standards.crypt4gh_stream import unseal
from tests.delivery.world import World, paths
from tests.journeys.network import Served
from tests.journeys.permit_node import draft

DRS = "/ga4gh/drs/v1"
UNKNOWN = "MGF-AAAAAAAAAAAAAAAA"


@pytest.fixture
def schemas(shared: Path) -> Path:
    return shared / "specs/drs-1.5/components"


def schema_of(path: Path, within: tuple[Path, ...] = ()) -> Any:
    """A schema with what it refers to put in its place; what refers to itself may be anything there."""

    def resolve(node: Any) -> Any:
        if isinstance(node, list):
            return [resolve(each) for each in node]
        if not isinstance(node, dict):
            return node
        if isinstance(ref := node.get("$ref"), str):
            if ref.startswith("http") or (target := (path.parent / ref).resolve()) in within:
                return {}
            return schema_of(target, (*within, target))
        return {key: resolve(value) for key, value in node.items()}

    return resolve(yaml.safe_load(path.read_text()))


def fits(answer: httpx.Response, schemas: Path, name: str) -> Any:
    """The answer, which is what the specification says of this response."""
    response = schema_of(schemas / "responses" / f"{name}.yaml")
    found = answer.json()
    jsonschema.validate(found, response["content"]["application/json"]["schema"], jsonschema.Draft202012Validator)
    return found


def passport(served: Served, who: str = "h-1") -> str:
    return sign_passport(draft(served.url, who), [])


def fetch(served: Served, access: dict[str, Any]) -> bytes:
    """What an access URL brings."""
    headers = dict(field.split(": ", 1) for field in access["headers"])
    answer = served.client.get(access["url"], headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.content


def test_an_open_object_is_anybodys(delivering: Served, world: World, schemas: Path) -> None:
    client, file = delivering.client, world.opened["BAM"]
    found = fits(client.get(f"{DRS}/objects/{file}"), schemas, "200OkDrsObject")
    assert found["self_uri"] == f"drs://{delivering.url.removeprefix('http://')}/{file}"
    ways = {way["type"]: way for way in found["access_methods"]}
    assert ways["https"]["authorizations"] == {"supported_types": ["None"]}
    access = fits(client.get(f"{DRS}/objects/{file}/access/{ways['https']['access_id']}"), schemas, "200OkAccess")
    assert "eyJ" not in access["url"]
    content = fetch(delivering, access)
    assert len(content) == found["size"]
    assert found["checksums"] == [{"checksum": hashlib.sha256(content).hexdigest(), "type": "sha-256"}]
    assert client.get(ways["htsget"]["access_url"]["url"]).status_code == 200


def test_a_closed_object_is_for_whom_a_passport_names(
    delivering: Served, world: World, schemas: Path, delivery_world: tuple[Path, World]
) -> None:
    client, file = delivering.client, world.mine["CRAM"]
    path = f"{DRS}/objects/{file}"
    assert fits(client.get(path), schemas, "401Unauthorized")["status_code"] == 401
    fits(client.post(path, json={"passports": [passport(delivering, "somebody-else")]}), schemas, "403Forbidden")
    fits(client.post(path, json={"passports": ["a.b.c"]}), schemas, "401Unauthorized")
    mine = [passport(delivering)]
    by_body = fits(client.post(path, json={"passports": ["x", *mine]}), schemas, "200OkDrsObject")
    by_header = fits(client.get(path, headers={"authorization": f"Bearer {mine[0]}"}), schemas, "200OkDrsObject")
    assert by_body == by_header
    access = fits(client.post(f"{path}/access/https", json={"passports": mine}), schemas, "200OkAccess")
    plain = b"".join(unseal([fetch(delivering, access)], [world.key]))
    archived = (paths(delivery_world[0]) / "reads.cram").read_bytes()
    assert by_body["size"] == len(plain) == len(archived)
    command = ["samtools", "view", "-H", "-"]
    told = [subprocess.run(command, input=each, capture_output=True, check=True).stdout for each in (archived, plain)]
    assert [b"/hospital/" in each for each in told] == [True, False]
    assert [each["type"] for each in by_body["checksums"]] == ["etag"]
    assert hashlib.sha256(archived).hexdigest() not in str(by_body), "it is the same for every permit"
    assert by_body["name"] == f"{file}.cram", "not what its provider calls it"
    how = fits(client.options(path), schemas, "200OkAuthorizations")
    assert how["supported_types"] == ["BearerAuth", "PassportAuth"]
    assert how["drs_object_id"] == file


def test_many_objects_at_once(delivering: Served, world: World, schemas: Path) -> None:
    client, mine, ours = delivering.client, world.mine["BAM"], world.opened["BAM"]
    ids = [mine, ours, UNKNOWN, world.theirs["BAM"]]
    asked = {"passports": [passport(delivering)], "bulk_object_ids": ids}
    found = fits(client.post(f"{DRS}/objects", json=asked), schemas, "200OkDrsObjects")
    assert found["summary"] == {"requested": 4, "resolved": 2, "unresolved": 2}
    assert found["unresolved_drs_objects"] == [{"error_code": 404, "object_ids": ids[2:]}]
    assert [each["id"] for each in found["resolved_drs_object"]] == [mine, ours]
    how = fits(
        client.request("OPTIONS", f"{DRS}/objects", json={"bulk_object_ids": ids}), schemas, "200OkBulkAuthorizations"
    )
    assert how["summary"]["resolved"] == 3
    wanted = [{"bulk_object_id": each, "bulk_access_ids": ["https", "ftp"]} for each in ids[:2]]
    asked = {"passports": [passport(delivering)], "bulk_object_access_ids": wanted}
    access = fits(client.post(f"{DRS}/objects/access", json=asked), schemas, "200OkAccesses")
    assert access["summary"] == {"requested": 4, "resolved": 2, "unresolved": 2}
    assert [len(fetch(delivering, each)) > 0 for each in access["resolved_drs_object_access_urls"]] == [True, True]
    many = {"bulk_object_ids": [UNKNOWN] * 1001}
    fits(client.post(f"{DRS}/objects", json=many), schemas, "413RequestTooLarge")


@pytest.mark.parametrize("content", ["[", "{}", '{"bulk_object_ids":[]}', '{"bulk_object_ids":"x"}', "[" * 100_000])
def test_bad_bodies_are_refused(delivering: Served, schemas: Path, content: str) -> None:
    fits(delivering.client.post(f"{DRS}/objects", content=content), schemas, "400BadRequest")


def test_a_heap_of_passports_is_refused_before_any_is_looked_at(
    delivering: Served, world: World, schemas: Path
) -> None:
    path = f"{DRS}/objects/{world.mine['CRAM']}"
    heap = [*(["a.b.c"] * 10), passport(delivering)]
    fits(delivering.client.post(path, json={"passports": heap}), schemas, "413RequestTooLarge")


def test_what_is_not_there_is_not_found(delivering: Served, world: World, schemas: Path) -> None:
    client = delivering.client
    answers = [
        client.get(f"{DRS}/objects/{identity}", headers={"authorization": f"Bearer {passport(delivering)}"})
        for identity in (UNKNOWN, "nonsense", world.theirs["BAM"])
    ]
    for answer in answers:
        assert fits(answer, schemas, "404NotFoundDrsObject")["status_code"] == 404
    fits(client.get(f"{DRS}/objects/{world.opened['BAM']}/access/s3"), schemas, "404NotFoundAccess")
    fits(client.options(f"{DRS}/objects/{UNKNOWN}"), schemas, "404NotFoundDrsObject")


def test_the_service_says_what_it_is(delivering: Served, schemas: Path) -> None:
    found = fits(delivering.client.get(f"{DRS}/service-info"), schemas, "200ServiceInfo")
    assert found["type"] == {"group": "org.ga4gh", "artifact": "drs", "version": "1.5.0"}
    assert found["maxBulkRequestLength"] == found["drs"]["maxBulkRequestLength"] == 1000
    assert found["drs"]["objectCount"] == 4, "of open data alone"
