# SPDX-License-Identifier: Apache-2.0
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Invalid
from megagenome.standards.beacon import (
    BeaconQuery,
    BeaconRequest,
    DatasetSelection,
    Filter,
    Granularity,
    IncludeResultsets,
    Pagination,
    PermitSelection,
    RequestMeta,
    RequestParameters,
    VariantParameters,
    decode_request,
    request_from_parameters,
)


def decoded(query: Any) -> BeaconQuery:
    return decode_request(msgspec.json.encode({"meta": {"apiVersion": "2.0"}, "query": query})).query


def test_nothing_asks_everything() -> None:
    for body in (b"", b" ", b"{}", b'{"meta": null, "query": null}', b'{"query": {"requestParameters": []}}'):
        assert decode_request(body) == BeaconRequest()


def test_nulls_are_what_is_not_said() -> None:
    """The GDI portal's client writes them."""
    query = {
        "filters": None,
        "requestParameters": None,
        "pagination": {"skip": None, "limit": None, "currentPage": None},
        "requestedGranularity": None,
        "includeResultsetResponses": None,
        "testMode": None,
    }
    assert decoded(query) == BeaconQuery()


def test_a_request_of_the_gdi_portal() -> None:
    query = decoded(
        {
            "filters": [{"id": "NCIT:C16576", "scope": "individual"}],
            "includeResultsetResponses": "HIT",
            "pagination": {"skip": 0, "limit": 1000},
            "requestParameters": {"referenceName": "3", "start": "45823239", "end": "45823240", "assemblyId": "GRCh38"},
            "requestedGranularity": "record",
            "testMode": False,
        }
    )
    assert query == BeaconQuery(
        RequestParameters(VariantParameters("GRCh38", "3", (45823239,), (45823240,))),
        (Filter("NCIT:C16576", scope="individual"),),
        pagination=Pagination(0, 1000),
        requested_granularity=Granularity.RECORD,
    )


def test_the_example_of_the_specification() -> None:
    query = decoded(
        {
            "requestParameters": {
                "g_variant": {
                    "referenceName": "refseq:NC_000017.11",
                    "start": [5000000, 7676592],
                    "end": [7669607, 10000000],
                },
                "datasets": {"datasetIds": ["DatasetXYZ", "Dataset123"]},
            },
            "filters": [
                {"id": "MONDO:0008170", "includeDescendantTerms": False, "similarity": "low"},
                {"id": "ageAtProcedure", "operator": "<", "value": "P18Y"},
            ],
            "includeResultsetResponses": "all",
        }
    )
    assert query.request_parameters.g_variant is not None
    assert query.request_parameters.g_variant.end == (7669607, 10000000)
    assert query.request_parameters.datasets == DatasetSelection(("DatasetXYZ", "Dataset123"))
    assert query.filters[0] == Filter("MONDO:0008170", include_descendant_terms=False, similarity="low")
    assert [str(each) for each in query.filters] == ["MONDO:0008170", "ageAtProcedure<P18Y"]
    assert query.include_resultset_responses is IncludeResultsets.ALL


def test_unknown_fields_of_the_envelope_are_ignored() -> None:
    body = b'{"$schema": "x", "meta": {"apiVersion": 2, "who": 1}, "query": {"why": []}, "requestedGranularity": "x"}'
    assert decode_request(body) == BeaconRequest(RequestMeta("2"))


def test_parameters_by_get() -> None:
    request = request_from_parameters(
        [
            ("geneid", "BRAF"),
            ("allele", "NM_1:c.1A>T"),
            ("start", "5,9"),
            ("end", "10"),
            ("end", "20"),
            ("filters", "HP:1, age>=P3Y,a:b"),
            ("filters", "x!y"),
            ("datasets", "a,b"),
            ("requestedGranularity", "COUNT"),
            ("includeResultsetResponses", "miss"),
            ("skip", "3"),
            ("limit", ""),
            ("testMode", "true"),
            ("apiVersion", "v2.1"),
            ("requestedSchema", "ga4gh-beacon-variant-v2.0.0"),
        ]
    )
    assert request.meta.api_version == "v2.1"
    assert request.meta.requested_schemas[0].schema == "ga4gh-beacon-variant-v2.0.0"
    assert request.query == BeaconQuery(
        RequestParameters(
            VariantParameters(gene_id="BRAF", genomic_allele_short_form="NM_1:c.1A>T", start=(5, 9), end=(10, 20)),
            DatasetSelection(("a", "b")),
        ),
        (Filter("HP:1"), Filter("age", ">=", "P3Y"), Filter("a:b"), Filter("x", "!", "y")),
        IncludeResultsets.MISS,
        Pagination(3, None),
        Granularity.COUNT,
        test_mode=True,
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"requestParameters": {"colour": "red"}}, "unknown request parameter 'colour'; known are assemblyId"),
        ({"requestParameters": {"start": [1, 2, 3]}}, "start has 3 values"),
        ({"requestParameters": {"start": [True]}}, "not a whole number"),
        ({"requestParameters": {"start": [1e30]}}, "not a whole number"),
        ({"requestParameters": {"start": "9" * 40}}, "not a whole number"),
        ({"requestParameters": {"geneId": ["BRAF"]}}, "geneId must be a text"),
        ({"requestParameters": [{"geneId": "BRAF"}, {"geneId": "KRAS"}]}, "given twice"),
        ({"requestParameters": [5]}, "is an object such as"),
        ({"requestParameters": {"datasets": [5]}}, "datasets is a list"),
        ({"requestParameters": {"datasets": ["a"] * 1001}}, "up to 1000"),
        ({"pagination": {"limit": -1}}, "limit -1"),
        ({"pagination": {"skip": 1 << 40}}, "below 2147483648"),
        ({"requestedGranularity": "all"}, "use one of boolean, count, record"),
        ({"filters": [{"operator": "="}]}, "missing required field"),
        ({"filters": {"id": "HP:1"}}, "Expected `array"),
    ],
)
def test_what_would_be_answered_wrongly_is_refused(query: Any, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        decoded(query)


@pytest.mark.parametrize(
    ("asked", "use"),
    [
        ({"permit": "p-1"}, ""),
        ({"permit": {"id": "p-1"}}, ""),
        ({"permit": {"id": "p-1", "use": "policy"}}, "policy"),
        ([{"permit": "p-1", "use": "policy"}], "policy"),
        ({"permit": {"id": "p-1"}, "use": ""}, ""),
    ],
)
def test_a_permit_is_named_by_an_object_or_by_texts(asked: Any, use: str) -> None:
    request = decode_request(msgspec.json.encode({"query": {"requestParameters": asked}}))
    assert request.query.request_parameters == RequestParameters(permit=PermitSelection("p-1", use))
    assert request_from_parameters([("permit", "p-1"), ("use", use)]) == request


@pytest.mark.parametrize(
    "asked",
    [
        {"use": "research"},
        {"permit": 5},
        {"permit": {"id": ["p-1"]}},
        {"permit": {"id": "p-1", "for": "policy"}},
        {"permit": {"id": "p-1"}, "use": "policy"},
        {"permit": {"use": "policy"}},
        {"permit": "x" * 201},
    ],
)
def test_a_permit_that_is_named_otherwise_is_refused(asked: Any) -> None:
    with pytest.raises(Invalid, match="permit"):
        decode_request(msgspec.json.encode({"query": {"requestParameters": asked}}))


def test_no_permit_is_none() -> None:
    for asked in ({"permit": ""}, {"permit": None}, {"permit": "", "use": ""}):
        request = decode_request(msgspec.json.encode({"query": {"requestParameters": asked}}))
        assert request.query.request_parameters == RequestParameters()


def test_a_parameter_twice_in_a_get_is_refused() -> None:
    with pytest.raises(Invalid, match="'geneId' is given twice"):
        request_from_parameters([("geneId", "A"), ("geneId", "A")])


words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=10)
variants = st.builds(
    VariantParameters,
    assembly_id=words,
    reference_name=words,
    start=st.lists(st.integers(-(2**31), 2**40), max_size=2).map(tuple),
    end=st.lists(st.integers(0, 2**40), max_size=2).map(tuple),
    reference_bases=words,
    gene_id=words,
    variant_min_length=st.none() | st.integers(0, 100),
)
queries = st.builds(
    BeaconQuery,
    st.builds(
        RequestParameters,
        st.none() | variants,
        st.none() | st.builds(DatasetSelection, st.lists(words, min_size=1, max_size=3, unique=True).map(tuple)),
    ),
    st.lists(st.builds(Filter, words, words, words, words, st.booleans(), words), max_size=3).map(tuple),
    st.sampled_from(IncludeResultsets),
    st.builds(Pagination, st.integers(0, 10), st.none() | st.integers(0, 10)),
    st.none() | st.sampled_from(Granularity),
    st.booleans(),
)


@given(queries)
def test_what_the_client_writes_the_server_reads(query: BeaconQuery) -> None:
    assert decode_request(msgspec.json.encode(BeaconRequest(query=query))) == BeaconRequest(query=query)


def test_a_question_of_very_many_filters_is_refused() -> None:
    filters = [{"id": f"HP:{n:07}"} for n in range(101)]
    assert len(decode_request(msgspec.json.encode({"query": {"filters": filters[1:]}})).query.filters) == 100
    with pytest.raises(Invalid, match="101 filters"):
        decode_request(msgspec.json.encode({"query": {"filters": filters}}))
    with pytest.raises(Invalid, match="101 filters"):
        request_from_parameters([("filters", ",".join(each["id"] for each in filters))])
