# SPDX-License-Identifier: Apache-2.0
"""What a tier hides is to a Beacon's caller as if it did not exist, but that it is in the list of datasets, and that
what the whole node tells is no whole."""

import itertools
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from megagenome.collection.collection import Collection
from megagenome.collection.load import load
from megagenome.collection.model import Tier
from megagenome.collection.people import YES, Fact, FactKind, People
from megagenome.discovery import DiscoverySettings
from megagenome.discovery.answer import Beacon
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import DatasetId
from megagenome.standards.beacon import CountPrecision, Pagination, ResponseSummary, decode_request
from tests.collection import clocks
from tests.discovery.fake import IDENTITY, FakeReference

REGISTERED = Caller("carol", registered=True)
SEEN = {PUBLIC: {Tier.PUBLIC}, REGISTERED: {Tier.PUBLIC, Tier.REGISTERED}}
PAIRS = list(itertools.product(Tier, Tier))
ABSENT = {
    "assemblyId": "GRCh38", "referenceName": "22", "start": [100], "referenceBases": "A", "alternateBases": "T",
}  # fmt: skip
REGION = {"assemblyId": "GRCh38", "referenceName": "22", "start": [50], "end": [200]}
ALLELE = {
    "assemblyId": "GRCh38", "referenceName": "22", "start": [100], "referenceBases": "A", "alternateBases": "C",
}  # fmt: skip


def name(alleles: Tier, people: Tier) -> str:
    return f"{alleles}-{people}"


@pytest.fixture(scope="module")
def beacon(tmp_path_factory: pytest.TempPathFactory) -> Beacon:
    """Over an open dataset of other people for each pair of tiers."""
    collection = Collection.create(tmp_path_factory.mktemp("tiers"), lambda _: None)
    for k, (alleles, people) in enumerate(PAIRS):
        stated = msgspec.structs.replace(
            clocks.statement(clocks.OPEN), id=DatasetId(name(alleles, people)), alleles_tier=alleles, people_tier=people
        )
        mine = range(7 * k, 7 * k + 7)
        column = Fact(FactKind.CUSTOM, f"in_{alleles}_{people}", value="yes")
        persons = [msgspec.structs.replace(clocks.as_person(n, YES), facts=(column,)) for n in mine]
        load(collection, stated, People(persons, {}, {}), [clocks.source_of(mine)], "GRCh38")
    return Beacon(collection, FakeReference(), IDENTITY, DiscoverySettings())


def asked(**query: object) -> object:
    return decode_request(msgspec.json.encode({"query": {"includeResultsetResponses": "ALL", **query}}))


@pytest.mark.parametrize("caller", list(SEEN), ids=["public", "registered"])
@pytest.mark.parametrize("allele", [False, True])
def test_people_are_counted_where_the_caller_may_see_all_that_is_asked(
    beacon: Beacon, caller: Caller, allele: bool
) -> None:
    parameters = {"requestParameters": {"g_variant": ALLELE}} if allele else {}
    answer = beacon.individuals(caller, asked(**parameters))
    seen = SEEN[caller]
    expected = {name(a, p) for a, p in PAIRS if p in seen and (a in seen or not allele)}
    assert answer.response is not None
    assert {each.id for each in answer.response.result_sets} == expected


@pytest.mark.parametrize("caller", list(SEEN), ids=["public", "registered"])
def test_alleles_are_told_where_the_caller_may_see_alleles(beacon: Beacon, caller: Caller) -> None:
    question = asked(requestParameters={"g_variant": ALLELE})
    for _ in range(2):  # the second answer is from memory
        answer = beacon.variants(caller, question)
        assert answer.response is not None
        assert {each.id for each in answer.response.result_sets} == {name(a, p) for a, p in PAIRS if a in SEEN[caller]}


def test_a_hidden_dataset_is_refused_as_one_that_does_not_exist(beacon: Beacon) -> None:
    asks = [
        lambda it: beacon.individuals(PUBLIC, asked(requestParameters={"datasets": [it]})),
        lambda it: beacon.individuals(PUBLIC, asked(filters=[{"id": "dataset", "operator": "=", "value": it}])),
        lambda it: beacon.variants(PUBLIC, asked(requestParameters={"g_variant": ALLELE, "datasets": [it]})),
    ]
    for ask in asks:
        messages = []
        for dataset in ("controlled-controlled", "nothing-nothing"):
            with pytest.raises(Invalid) as error:
                ask(dataset)
            messages.append(str(error.value).replace(dataset, "X"))
        assert messages[0] == messages[1]


def test_everybody_is_told_what_there_is_and_what_it_needs(beacon: Beacon) -> None:
    for caller in SEEN:
        listed = {each.id: each.info for each in beacon.datasets(caller, asked()).response.collections}
        assert set(listed) == {name(a, p) for a, p in PAIRS}
        for alleles, people in PAIRS:
            told = listed[name(alleles, people)]
            assert (told.alleles, told.people) == (alleles, people)
            assert ("Allele frequencies need" in told.access) == (alleles is not Tier.PUBLIC)
            assert ("Counts of people need registered access" in told.access) == (people is Tier.REGISTERED)
            assert told.access.endswith("Individual records need a permit: apply for access to this dataset.")


def test_terms_are_those_of_people_whom_the_caller_may_count(beacon: Beacon) -> None:
    for caller, seen in SEEN.items():
        listed = {term.id for term in beacon.filtering_terms(caller, Pagination()).response.filtering_terms}
        assert {term for term in listed if term.startswith("in_")} == {
            f"in_{alleles}_{people}" for alleles, people in PAIRS if people in seen
        }


def told(beacon: Beacon, caller: Caller, **query: object) -> list[object]:
    """The summaries of both questions about an allele and of one about people."""
    parameters = {"g_variant": ALLELE, **query}
    answers = (
        beacon.variants(caller, asked(requestParameters=parameters)),
        beacon.variants(caller, asked(requestParameters={**parameters, "g_variant": ABSENT})),
        beacon.individuals(caller, asked(requestParameters=query)),
    )
    return [answer.response_summary for answer in answers]


def test_a_sum_beside_hidden_data_is_no_whole_and_states_no_bound(beacon: Beacon) -> None:
    for caller, seen in SEEN.items():
        allele, absent, people = told(beacon, caller)
        assert allele == ResponseSummary(True, 1, CountPrecision.EXACT)  # it is one allele, wherever else it is
        assert absent == ResponseSummary(False, 0, CountPrecision.IMPRECISE)
        assert people == ResponseSummary(True, 7 * len(Tier) * len(seen), CountPrecision.IMPRECISE)
        named = [name(a, p) for a, p in PAIRS if {a, p} <= seen]
        allele, absent, people = told(beacon, caller, datasets=named)
        assert absent == ResponseSummary(False, 0, CountPrecision.EXACT)
        assert people == ResponseSummary(True, 7 * len(named), CountPrecision.EXACT)


STATES = {
    "nobody who carries it": (range(100, 107), Tier.CONTROLLED, True),
    "few": (range(7), Tier.CONTROLLED, True),
    "many": (range(60), Tier.CONTROLLED, True),
    "of registered access": (range(60), Tier.REGISTERED, True),
}
"""What is in a dataset that is hidden from the public: its people, its tier, and whether it is published."""


def node_with(folder: Path, people: Iterable[int], tier: Tier, published: bool) -> Beacon:
    """A node with one dataset."""
    collection = Collection.create(folder, lambda _: None)
    mine = list(people)
    stated = msgspec.structs.replace(
        clocks.statement(clocks.CLOSED), alleles_tier=tier, people_tier=tier, publish=published
    )
    persons = [clocks.as_person(number, YES) for number in mine]
    load(collection, stated, People(persons, {}, {}), [clocks.source_of(mine)], "GRCh38")
    return Beacon(collection, FakeReference(), IDENTITY, DiscoverySettings())


def everything_told(beacon: Beacon) -> list[bytes]:
    """Each answer to the public, to the byte."""
    variant = {"g_variant": ALLELE}
    requests = [asked(requestParameters={"g_variant": place}) for place in (ALLELE, ABSENT, REGION)]
    filters = [{"id": "sex", "operator": "=", "value": "female"}]
    people = [asked(), asked(filters=filters), asked(requestParameters=variant), asked(requestedGranularity="boolean")]
    answers = [
        *(beacon.variants(PUBLIC, each) for each in requests),
        *(beacon.individuals(PUBLIC, each) for each in people),
    ]
    return [msgspec.json.encode(each) for each in answers]


def test_nothing_that_is_told_depends_on_who_is_in_hidden_data(tmp_path: Path) -> None:
    nodes = {says: node_with(tmp_path / str(k), *state) for k, (says, state) in enumerate(STATES.items())}
    answers = {says: everything_told(node) for says, node in nodes.items()}
    assert len({tuple(each) for each in answers.values()}) == 1, list(answers)
    assert all(b'"countPrecision":"imprecise"' in each for each in answers["few"][:-1])


def test_unpublished_data_change_nothing_at_all(tmp_path: Path) -> None:
    empty = Collection.create(tmp_path / "empty", lambda _: None)
    none = Beacon(empty, FakeReference(), IDENTITY, DiscoverySettings())
    draft = node_with(tmp_path / "draft", range(60), Tier.CONTROLLED, False)
    assert everything_told(draft) == everything_told(none)
