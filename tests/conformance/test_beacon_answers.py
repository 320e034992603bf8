# SPDX-License-Identifier: Apache-2.0
"""Every answer of the Beacon, and every request of its client, against the schemas of Beacon v2.1.1.

Of v2.2 we add `countPrecision` and `countAdjustedTo`, which those schemas allow as they allow other properties. The
dereferenced model has VRS 1.3 inside, so nothing is fetched.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from litestar import Litestar
from litestar.testing import TestClient
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from megagenome.discovery.routes import discovery_router
from megagenome.kernel.coordinates import Allele
from megagenome.standards import beacon
from tests.discovery import permitted
from tests.discovery.fake import beacon_of
from tests.discovery.world import ABSENT, COMMON, DELETION, MANY_HAVE, RARE, SYMBOLIC, world

pytestmark = pytest.mark.shared
Client = TestClient[Litestar]
Check = Callable[[str, Any], None]
ROOT = "https://beacon.invalid/"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with TestClient(Litestar([discovery_router(beacon_of(world()))], openapi_config=None)) as client:
        yield client


@pytest.fixture(scope="session")
def check(shared: Path) -> Check:
    """Check a document against a schema by its path below `framework` or `deref`."""
    folder = shared / "specs/beacon-2.1.1"
    contents = {
        f"{ROOT}{path.relative_to(folder)}": json.loads(path.read_text(encoding="utf-8"))
        for part in ("framework", "deref")
        for path in (folder / part).rglob("*.json")
        if "example" not in str(path)
    }
    resources = [
        (uri, Resource.from_contents(content, default_specification=DRAFT202012)) for uri, content in contents.items()
    ]
    registry: Registry[Any] = Registry().with_resources(resources)

    @cache
    def validator(name: str) -> Draft202012Validator:
        assert f"{ROOT}{name.partition('#')[0]}" in contents, name
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": f"{ROOT}{name}"}
        return Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())

    def check(name: str, document: Any) -> None:
        errors = [f"{error.json_path}: {error.message[:300]}" for error in validator(name).iter_errors(document)]
        assert not errors

    return check


def answered(client: Client, path: str, parameters: Any = None, **query: Any) -> Any:
    answer = client.post(
        f"/beacon/v2/{path}", json={"meta": {"apiVersion": "2"}, "query": {"requestParameters": parameters, **query}}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def exactly(allele: Allele) -> dict[str, Any]:
    return {"referenceName": "22", "start": [allele.start], "referenceBases": allele.ref, "alternateBases": allele.alt}


RESPONSES = {"boolean": "Boolean", "count": "Count", "record": "Resultsets"}
QUESTIONS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "allele": ("g_variants", exactly(COMMON), {}),
    "deletion": ("g_variants", exactly(DELETION), {}),
    "symbolic": ("g_variants", exactly(SYMBOLIC), {}),
    "rare": ("g_variants", exactly(RARE), {"includeResultsetResponses": "ALL"}),
    "absent": ("g_variants", exactly(ABSENT), {"includeResultsetResponses": "ALL"}),
    "region": ("g_variants", {"referenceName": "22", "start": [16050000], "end": [16051000], "datasets": ["OPEN"]}, {}),
    "gene": ("g_variants", {"geneId": "BRCA2"}, {"testMode": True, "pagination": {"skip": 1, "limit": 0}}),
    "on X": ("g_variants", {"referenceName": "X", "start": [0], "end": [6_000_000]}, {}),
    "people": ("individuals", None, {"filters": [{"id": MANY_HAVE}, {"id": "age", "operator": ">", "value": "P20Y"}]}),
    "carriers": ("individuals", exactly(COMMON), {"filters": ["NCIT:C16576"], "includeResultsetResponses": "ALL"}),
}


@pytest.mark.parametrize("granularity", RESPONSES)
@pytest.mark.parametrize("name", QUESTIONS)
def test_answers(client: Client, check: Check, name: str, granularity: str) -> None:
    path, parameters, query = QUESTIONS[name]
    document = answered(client, path, parameters, requestedGranularity=granularity, **query)
    check(f"framework/responses/beacon{RESPONSES[granularity]}Response.json", document)


@pytest.mark.parametrize("name", ["allele", "deletion", "symbolic", "region", "on X"])
def test_records(client: Client, check: Check, name: str) -> None:
    path, parameters, query = QUESTIONS[name]
    document = answered(client, path, parameters, **query)
    records = [record for each in document["response"]["resultSets"] for record in each["results"]]
    assert records
    for record in records:
        check("deref/genomicVariations/defaultSchema.json", record)


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/info", "beaconInfoResponse"),
        ("/", "beaconInfoResponse"),
        ("/configuration", "beaconConfigurationResponse"),
        ("/map", "beaconMapResponse"),
        ("/entry_types", "beaconEntryTypesResponse"),
        ("/filtering_terms", "beaconFilteringTermsResponse"),
        ("/datasets", "beaconCollectionsResponse"),
        ("/service-info", "ga4gh-service-info-1-0-0-schema"),
    ],
)
def test_descriptions(client: Client, check: Check, path: str, schema: str) -> None:
    check(f"framework/responses/{schema}.json", client.get(f"/beacon/v2{path}").json())


def test_datasets(client: Client, check: Check) -> None:
    datasets = client.get("/beacon/v2/datasets").json()["response"]["collections"]
    assert datasets
    for dataset in datasets:
        check("deref/datasets/defaultSchema.json", dataset)


@pytest.mark.parametrize("path", ["/g_variants", "/g_variants?colour=red", "/biosamples"])
def test_errors(client: Client, check: Check, path: str) -> None:
    check("framework/responses/beaconErrorResponse.json", client.get(f"/beacon/v2{path}").json())


def test_requests_that_the_client_writes(check: Check) -> None:
    variant = beacon.VariantParameters("GRCh37", "22", (16050074,), reference_bases="A", alternate_bases="G")
    asked = beacon.RequestParameters(variant, beacon.DatasetSelection(("A", "B")))
    filters = (beacon.Filter("HP:0001250"), beacon.Filter("age", ">=", "P30Y", "individual"))
    for query in (
        beacon.BeaconQuery(),
        beacon.BeaconQuery(asked, requested_granularity=beacon.Granularity.COUNT),
        beacon.BeaconQuery(filters=filters, pagination=beacon.Pagination(10, 0), test_mode=True),
    ):
        written = msgspec.json.encode(beacon.BeaconRequest(query=query))
        check("framework/requests/beaconRequestBody.json", json.loads(written))
        assert beacon.decode_request(written).query == query


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[permitted.Asker]:
    collection = permitted.make_world(tmp_path_factory.mktemp("permitted") / "node")
    with permitted.asking(collection) as asker:
        yield asker
    collection.close()


@pytest.mark.parametrize("granularity", RESPONSES)
@pytest.mark.parametrize("path", ["individuals", "g_variants/GRCh37-22-16050075-A-G", "g_variants/X/individuals"])
def test_answers_by_permit(asker: permitted.Asker, check: Check, path: str, granularity: str) -> None:
    document = asker.answered(path.replace("/X/", "/GRCh37-X-5000001-C-A/"), requestedGranularity=granularity)
    check(f"framework/responses/beacon{RESPONSES[granularity]}Response.json", document)


@pytest.mark.parametrize("allele", ["GRCh37-22-16050075-A-G", "GRCh37-X-5000001-C-A"])
def test_carriers_by_permit(asker: permitted.Asker, check: Check, allele: str) -> None:
    records = records_of(asker.answered(f"g_variants/{allele}"))
    assert all(record["caseLevelData"] for record in records)
    for record in records:
        check("deref/genomicVariations/defaultSchema.json", record)


def test_individuals_by_permit(asker: permitted.Asker, check: Check) -> None:
    records = records_of(asker.answered("individuals", pagination={"limit": 0}))
    measures = [each for record in records for each in record.pop("measures")]
    for record in records:
        check("deref/individuals/defaultSchema.json", record)
    # the schema wants one of two forms of a value, and a quantity as the model describes it is of both, because the
    # other requires nothing: so its measures are held to the form that they have
    item = "deref/individuals/defaultSchema.json#/properties/measures/items/properties"
    assert measures
    for each in measures:
        check(f"{item}/assayCode", each["assayCode"])
        check(f"{item}/measurementValue/oneOf/0", each["measurementValue"])
        check(f"{item}/date", each["date"])


def records_of(document: Any) -> list[Any]:
    found = [record for each in document["response"]["resultSets"] for record in each["results"]]
    assert found
    return found


def test_a_request_by_permit(check: Check) -> None:
    asked = beacon.RequestParameters(permit=beacon.PermitSelection("permit-1", "research"))
    written = msgspec.json.encode(beacon.BeaconRequest(query=beacon.BeaconQuery(asked)))
    check("framework/requests/beaconRequestBody.json", json.loads(written))
    assert beacon.decode_request(written).query.request_parameters == asked


def test_what_breaks_a_schema_is_found(check: Check) -> None:
    empty = {"source": "a", "sourceReference": "b"}
    with pytest.raises(AssertionError, match="frequencies"):
        check(
            "deref/genomicVariations/defaultSchema.json",
            {"variantInternalId": "x", "variation": {}, "frequencyInPopulations": [empty]},
        )
