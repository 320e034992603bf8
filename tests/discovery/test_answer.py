# SPDX-License-Identifier: Apache-2.0
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from megagenome.discovery import answer as module
from megagenome.discovery import describe
from megagenome.discovery.answer import Beacon
from megagenome.discovery.count import SLICE_BASES, count_variants
from megagenome.discovery.settings import DiscoverySettings
from megagenome.discovery.wide import MOST_WIDE
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.errors import Invalid, Unavailable
from megagenome.standards.beacon import (
    BeaconRequest,
    BeaconResponse,
    CountPrecision,
    Granularity,
    Pagination,
    ResultSet,
    decode_answer,
    decode_info,
    decode_request,
    withheld_below,
)
from tests.discovery.fake import FakeCollection, Person, beacon_of, dataset
from tests.discovery.world import ABSENT, COMMON, MANY_HAVE, NOBODY_HAS, RARE, SOME_HAVE, SYMBOLIC, world


@pytest.fixture(scope="module")
def beacon() -> Beacon:
    return beacon_of(world())


def request(allele: Allele | None = None, **query: Any) -> BeaconRequest:
    parameters: dict[str, Any] = {}
    if allele is not None:
        parameters = {
            "referenceName": allele.contig,
            "start": [allele.start],
            "referenceBases": allele.ref,
            "alternateBases": allele.alt,
        }
    if "datasets" in query:
        parameters["datasets"] = query.pop("datasets")
    return decode_request(msgspec.json.encode({"query": {"requestParameters": parameters, **query}}))


def sets(answer: BeaconResponse) -> dict[str, ResultSet]:
    assert answer.response is not None
    return {each.id: each for each in answer.response.result_sets}


def test_an_allele_is_told_with_its_frequencies(beacon: Beacon) -> None:
    answer = beacon.variants(PUBLIC, request(COMMON))
    assert list(sets(answer)) == ["OPEN", "CLOSED", "SMALL"]
    record = sets(answer)["CLOSED"].results[0]
    assert record.variant_internal_id == "GRCh37-22-16050075-A-G"
    assert record.allele("GRCh37") == COMMON
    assert record.identifiers.genomic_hgvs_id == "NC_000022.10:g.16050075A>G"
    by_country = record.frequency_in_populations[0]
    labels = [cell.population for cell in by_country.frequencies]
    assert labels == ["Total", "M", "F", "ES", "ES_M", "ES_F", "FI", "FI_M", "FI_F"]
    assert by_country.source == "Dataset CLOSED"
    total = by_country.frequencies[0]
    assert (total.allele_count, total.allele_number) == tuple(
        sum(call[k] for call in world().calls["CLOSED", COMMON].values()) for k in (0, 1)
    )
    assert total.allele_frequency == (total.allele_count or 0) / (total.allele_number or 1)
    assert answer.response is not None
    assert answer.response.info.combined is not None
    assert answer.response.info.combined.frequencies[0].population == "Total"


def test_holders_populations_stand_apart(beacon: Beacon) -> None:
    divisions = sets(beacon.variants(PUBLIC, request(COMMON)))["OPEN"].results[0].frequency_in_populations
    assert [cell.population for cell in divisions[1].frequencies] == ["FI:FIN", "FI:SAA"]
    assert divisions[1].source == "Dataset OPEN, populations as the data holder states them"


def test_symbolic_alternates_are_named_by_type_and_id(beacon: Beacon) -> None:
    record = sets(beacon.variants(PUBLIC, request(SYMBOLIC)))["OPEN"].results[0]
    assert (record.variation.variant_type, record.variation.alternate_bases) == ("CN0", "")
    assert record.allele("GRCh37") == SYMBOLIC


@pytest.mark.parametrize("granularity", list(Granularity))
@pytest.mark.parametrize("included", ["ALL", "HIT", "MISS", "NONE"])
def test_withheld_and_absent_look_the_same(beacon: Beacon, granularity: Granularity, included: str) -> None:
    """But for the echo of the question. RARE has 5 copies in CLOSED and 2 in SMALL; nobody has ABSENT."""
    how: dict[str, Any] = {"requestedGranularity": granularity, "includeResultsetResponses": included}

    def answered(allele: Allele, **query: Any) -> bytes:
        answer = beacon.variants(PUBLIC, request(allele, datasets=["CLOSED", "SMALL"], **how))
        return msgspec.json.encode((answer.response_summary, answer.response))

    def counted(term: str, allele: Allele | None = None) -> bytes:
        answer = beacon.individuals(PUBLIC, request(allele, filters=[term], datasets=["CLOSED", "SMALL"], **how))
        return msgspec.json.encode((answer.response_summary, answer.response))

    assert answered(RARE) == answered(ABSENT)
    assert counted(SOME_HAVE) == counted(NOBODY_HAS)
    assert counted(MANY_HAVE, RARE) == counted(NOBODY_HAS, ABSENT)


def test_what_is_withheld_is_none_of_at_most_floor_less_one(beacon: Beacon) -> None:
    answer = beacon.variants(PUBLIC, request(RARE, datasets=["CLOSED"], includeResultsetResponses="ALL"))
    for part in (answer.response_summary, sets(answer)["CLOSED"]):
        assert (part.exists, part.count_precision, part.count_adjusted_to) == (False, CountPrecision.IMPRECISE, (9,))
        assert withheld_below(part.count_adjusted_to) == 10
    assert answer.response_summary.num_total_results == sets(answer)["CLOSED"].results_count == 0


def test_open_data_are_exact(beacon: Beacon) -> None:
    found = beacon.variants(PUBLIC, request(RARE, datasets=["OPEN"])).response_summary
    assert (found.exists, found.num_total_results, found.count_precision) == (True, 1, CountPrecision.EXACT)
    none = beacon.variants(PUBLIC, request(ABSENT, datasets=["OPEN"])).response_summary
    assert (none.exists, none.num_total_results, none.count_precision) == (False, 0, CountPrecision.EXACT)


def test_granularity_says_how_much_is_said(beacon: Beacon) -> None:
    boolean = beacon.variants(PUBLIC, request(COMMON, requestedGranularity="boolean"))
    assert msgspec.to_builtins(boolean.response_summary) == {"exists": True}
    count = beacon.variants(PUBLIC, request(COMMON, requestedGranularity="count"))
    assert (count.response_summary.num_total_results, count.response) == (1, None)
    assert beacon.variants(PUBLIC, request(COMMON)).meta.returned_granularity is Granularity.RECORD


def test_result_sets_are_included_as_asked(beacon: Beacon) -> None:
    def listed(included: str) -> list[str]:
        return list(sets(beacon.variants(PUBLIC, request(RARE, includeResultsetResponses=included))))

    assert listed("HIT") == ["OPEN"]
    assert listed("MISS") == ["CLOSED", "SMALL", "PART"]
    assert listed("ALL") == ["OPEN", "CLOSED", "SMALL", "PART"]
    assert listed("NONE") == []


def test_individuals_at_record_granularity_are_counts_by_dataset(beacon: Beacon) -> None:
    """The GDI portal's discovery service reads setType, id and resultsCount of each result set."""
    answer = beacon.individuals(PUBLIC, request(filters=["NCIT:C16576"], requestedGranularity="record"))
    women = {
        d.id: sum(world().people[n].sex == "female" for n in mine)
        for d, mine in zip(world().datasets, world().members, strict=True)
    }
    assert {k: (s.set_type, s.results_count, s.results) for k, s in sets(answer).items()} == {
        name: ("dataset", number, ()) for name, number in women.items()
    }
    assert answer.meta.returned_granularity is Granularity.COUNT
    # PART's people are CLOSED's, and are not counted twice
    total = women["OPEN"] + women["CLOSED"] + women["SMALL"]
    assert answer.response_summary.num_total_results == total
    assert answer.response_summary.count_precision is CountPrecision.IMPRECISE


def test_the_question_is_echoed_as_it_was_understood(beacon: Beacon) -> None:
    asked = request(COMMON, filters=["HP:0001275", {"id": "age", "operator": ">", "value": 30}], testMode=True)
    received = beacon.individuals(PUBLIC, asked).meta.received_request_summary
    assert received.filters == ("HP:0001275", "age>30")
    assert received.request_parameters.g_variant is not None
    assert received.request_parameters.g_variant.start == (COMMON.start,)
    assert received.test_mode
    assert received.requested_granularity is Granularity.RECORD


def test_a_hub_reads_who_and_where_the_node_is(beacon: Beacon) -> None:
    read = decode_info(msgspec.json.encode(describe.info(beacon.identity, beacon.settings)))
    assert (read.id, read.info.country, read.version) == ("org.example.node", "FI", "0.1.0")


def test_datasets_are_listed_without_counts_of_people(beacon: Beacon) -> None:
    listed = beacon.datasets(PUBLIC, BeaconRequest()).response.collections
    assert [(d.id, d.info.open, d.info.floor, d.info.assemblies) for d in listed] == [
        (name, name == "OPEN", 0 if name == "OPEN" else 10, ("GRCh37",)) for name in ("OPEN", "CLOSED", "SMALL", "PART")
    ]
    page = msgspec.structs.replace(BeaconRequest().query, pagination=Pagination(1, 2))
    answer = beacon.datasets(PUBLIC, BeaconRequest(query=page))
    assert [d.id for d in answer.response.collections] == ["CLOSED", "SMALL"]
    assert answer.response_summary.num_total_results == 4
    with pytest.raises(Invalid, match="skip and limit only"):
        beacon.datasets(PUBLIC, request(filters=["HP:0001250"]))


def test_filtering_terms_are_all_that_individuals_take(beacon: Beacon) -> None:
    answer = beacon.filtering_terms(PUBLIC, Pagination()).response
    for term in answer.filtering_terms:
        plain = term.type == "ontology"
        value = {"country": "FI", "sex": "male", "dataset": "OPEN"}.get(term.id, "30")
        filter_ = {"id": term.id} if plain else {"id": term.id, "operator": "=", "value": value}
        assert beacon.individuals(PUBLIC, request(filters=[filter_])).response_summary
    assert {resource.id: resource.version for resource in answer.resources} == {"hp": "2025-01-16", "ncit": ""}
    ids = [term.id for term in answer.filtering_terms]
    assert [t.id for t in beacon.filtering_terms(PUBLIC, Pagination(2, 3)).response.filtering_terms] == ids[2:5]


def test_a_term_that_few_have_looks_like_one_that_nobody_has(beacon: Beacon) -> None:
    listed = [term.id for term in beacon.filtering_terms(PUBLIC, Pagination()).response.filtering_terms]
    assert "ICD10:I83" in listed  # one person, in open data
    assert "ICD10:I42" not in listed
    of_one, of_nobody = (
        beacon.individuals(PUBLIC, request(filters=[term], includeResultsetResponses="ALL"))
        for term in ("ICD10:I42", "ICD10:X99")
    )
    assert (of_one.response_summary, of_one.response) == (of_nobody.response_summary, of_nobody.response)
    assert of_one.response_summary.exists is False


def test_what_a_text_names(beacon: Beacon) -> None:
    assert beacon.resolve("chr22:16050075 A>G", None).text == "22-16050075-A-G"
    assert beacon.resolve("22-16050075-A-G", "GRCh38").assembly == "GRCh38"


def test_wide_regions_leave_room_for_other_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    beacon = beacon_of(world())
    whole = {"referenceName": "22", "start": 16_000_000, "end": 16_000_000 + SLICE_BASES + 1}
    counting, count = threading.Barrier(MOST_WIDE + 1), threading.Event()

    def counted(*asked: Any) -> Any:
        if isinstance(asked[2].place, Region) and not count.is_set():
            counting.wait(10)
            count.wait(10)
        return count_variants(*asked)

    monkeypatch.setattr(module, "count_variants", counted)
    with ThreadPoolExecutor(MOST_WIDE) as threads:
        running = [threads.submit(beacon.variants, PUBLIC, request(requestParameters=whole)) for _ in range(MOST_WIDE)]
        counting.wait(10)
        try:
            with pytest.raises(Unavailable, match="wide regions"):
                beacon.variants(PUBLIC, request(requestParameters=whole))
            assert beacon.variants(PUBLIC, request(COMMON)).response_summary.exists
        finally:
            count.set()
        assert len({each.result(10).response_summary for each in running}) == 1
    assert (
        beacon.variants(PUBLIC, request(requestParameters=whole)).response_summary
        == running[0].result().response_summary
    )


def test_only_what_is_in_memory_is_at_hand() -> None:
    collection = world()
    beacon = beacon_of(collection)
    assert not beacon.at_hand(PUBLIC, request(COMMON))  # nothing is known yet
    beacon.variants(PUBLIC, request(COMMON))
    assert beacon.at_hand(PUBLIC, request(COMMON))
    assert beacon.at_hand(PUBLIC, request(ABSENT))
    region = {"referenceName": "22", "start": COMMON.start, "end": COMMON.end}
    for waits in ({}, region, {"geneId": "TBX1"}, {"geneId": "TBX1", "referenceBases": "A"}):
        assert not beacon.at_hand(PUBLIC, request(requestParameters=waits))
    collection.checked = False
    try:
        assert not beacon.at_hand(PUBLIC, request(COMMON))
    finally:
        collection.checked = True


def test_what_counts_people_one_by_one_is_not_at_hand() -> None:
    everyone = set(range(30))
    calls = {(name, COMMON): dict.fromkeys(everyone, (1, 2)) for name in ("ONE", "TWO")}
    datasets = {name: (dataset(name, is_open=True), everyone) for name in ("ONE", "TWO")}
    beacon = beacon_of(FakeCollection([Person()] * 30, datasets, calls))
    beacon.variants(PUBLIC, request(COMMON))
    assert not beacon.at_hand(PUBLIC, request(COMMON))


def test_a_changed_collection_is_noticed() -> None:
    collection = world()
    beacon = beacon_of(collection)
    before = beacon.filtering_terms(PUBLIC, Pagination()).response.filtering_terms
    terms, collection.terms = collection.terms, ()
    try:
        assert beacon.filtering_terms(PUBLIC, Pagination()).response.filtering_terms == before
        collection.version += 1
        assert len(beacon.filtering_terms(PUBLIC, Pagination()).response.filtering_terms) == len(before) - 4
    finally:
        collection.terms = terms


def test_a_node_may_raise_the_floor_and_not_lower_it() -> None:
    strict = beacon_of(world(), DiscoverySettings(floor=1000))
    assert list(sets(strict.variants(PUBLIC, request(COMMON)))) == ["OPEN"]
    with pytest.raises(msgspec.ValidationError, match=">= 10"):
        msgspec.convert({"floor": 9}, DiscoverySettings)


def test_the_client_reads_what_the_server_writes(beacon: Beacon) -> None:
    answer = beacon.variants(PUBLIC, request(COMMON))
    read = decode_answer(msgspec.json.encode(answer))
    assert read.response == answer.response
    assert msgspec.structs.asdict(read.response_summary) == msgspec.structs.asdict(answer.response_summary)
    assert read.meta.beacon_id == answer.meta.beacon_id


def test_a_node_without_datasets_answers() -> None:
    empty = beacon_of(FakeCollection([], {}, {}))
    answer = empty.variants(PUBLIC, request(COMMON._replace(contig="NC_000022.10")))
    assert msgspec.to_builtins(answer.response_summary) == {
        "exists": False, "numTotalResults": 0, "countPrecision": "exact"
    }  # fmt: skip
    assert empty.individuals(PUBLIC, request()).response_summary.num_total_results == 0
    assert empty.datasets(PUBLIC, BeaconRequest()).response.collections == ()


def test_each_answer_with_numbers_is_counted_for_the_ledger() -> None:
    counted: list[tuple[str | None, list[str]]] = []
    beacon = beacon_of(world(), count_aggregate=lambda subject, datasets: counted.append((subject, list(datasets))))
    beacon.variants(PUBLIC, request(COMMON, requestedGranularity="boolean"))
    beacon.variants(Caller("ann@x"), request(ABSENT, datasets=["CLOSED"]))
    beacon.individuals(PUBLIC, request(filters=[{"id": "HP:0001250"}]))
    everything = ["OPEN", "CLOSED", "SMALL", "PART"]
    assert counted == [(None, everything), ("ann@x", ["CLOSED"]), (None, everything)]
    with pytest.raises(Invalid):
        beacon.variants(PUBLIC, request(filters=[{"id": "nothing"}]))
    beacon.datasets(PUBLIC, request())
    beacon.filtering_terms(PUBLIC, Pagination())
    assert len(counted) == 3
