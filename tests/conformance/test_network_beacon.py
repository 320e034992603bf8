# SPDX-License-Identifier: Apache-2.0
"""The network's Beacon against the schemas of Beacon v2.1.1 (v2.2 adds `countPrecision`, which they allow)."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.network import stubs
from tests.network.hub import ASK_ALLELE, node, serving

pytestmark = pytest.mark.shared


def validator(path: Path) -> Draft202012Validator:
    def retrieve(uri: str) -> Resource[Any]:
        return Resource.from_contents(json.loads(Path(uri.removeprefix("file://")).read_text()), DRAFT202012)

    registry: Registry[Any] = Registry(retrieve=retrieve)
    return Draft202012Validator({"$ref": f"file://{path}"}, registry=registry)


RESPONSES = {
    "info": "beaconInfoResponse",
    "configuration": "beaconConfigurationResponse",
    "map": "beaconMapResponse",
    "entry_types": "beaconEntryTypesResponse",
    "filtering_terms": "beaconFilteringTermsResponse",
    "datasets": "beaconCollectionsResponse",
    "g_variants": "beaconResultsetsResponse",
    "individuals": "beaconResultsetsResponse",
}


@pytest.mark.parametrize("path", RESPONSES)
def test_every_answer_is_valid(shared: Path, path: str) -> None:
    async def run() -> Any:
        async with serving(FI=node("FI"), ES=node("ES"), GB=stubs.closes) as hub:
            return await hub.get(f"/beacon/v2/{path}")

    told = asyncio.run(run())
    assert told.pop("HTTP") == 200
    validator(shared / f"specs/beacon-2.1.1/framework/responses/{RESPONSES[path]}.json").validate(told)


@pytest.mark.parametrize(
    ("granularity", "schema"), [("boolean", "Boolean"), ("count", "Count"), ("record", "Resultsets")]
)
def test_every_granularity_is_valid(shared: Path, granularity: str, schema: str) -> None:
    async def run() -> Any:
        query = {"requestParameters": {"g_variant": ASK_ALLELE}, "requestedGranularity": granularity}
        query |= {"filters": [], "pagination": {"skip": 0, "limit": 5}}
        async with serving(FI=node("FI"), GB=stubs.closes) as hub:
            return await hub.post("/beacon/v2/g_variants", {"meta": {"apiVersion": "v2.2.0"}, "query": query})

    told = asyncio.run(run())
    assert told.pop("HTTP") == 200
    specification = shared / "specs/beacon-2.1.1"
    validator(specification / f"framework/responses/beacon{schema}Response.json").validate(told)
    records = [record for each in told.get("response", {}).get("resultSets", []) for record in each["results"]]
    assert len(records) == (1 if granularity == "record" else 0)
    for record in records:
        validator(specification / "deref/genomicVariations/defaultSchema.json").validate(record)


def test_an_error_is_valid(shared: Path) -> None:
    async def run() -> Any:
        async with serving() as hub:
            return await hub.get("/beacon/v2/g_variants", start="x")

    told = asyncio.run(run())
    assert told.pop("HTTP") == 400
    validator(shared / "specs/beacon-2.1.1/framework/responses/beaconErrorResponse.json").validate(told)


def test_service_info_is_valid(shared: Path) -> None:
    async def run() -> Any:
        async with serving() as hub:
            return await hub.get("/beacon/v2/service-info")

    told = asyncio.run(run())
    del told["HTTP"]
    schema = shared / "specs/beacon-2.1.1/framework/responses/ga4gh-service-info-1-0-0-schema.json"
    validator(schema).validate(told)
