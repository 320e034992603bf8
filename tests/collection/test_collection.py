# SPDX-License-Identifier: Apache-2.0
"""The one door without a permit: tiers of alleles and of people."""

import itertools

import msgspec
import pytest

from megagenome.collection.cohort import EVERYONE, Carries, Cohort, HasSex, Not
from megagenome.collection.collection import Collection
from megagenome.collection.datasets import set_tiers
from megagenome.collection.load import load
from megagenome.collection.model import Asked, Sex, Tier, Use
from megagenome.collection.people import YES
from megagenome.collection.tables import tier_change
from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Conflict, NotEntitled, NotFound
from megagenome.kernel.ids import DatasetId
from tests.collection import clocks

REGISTERED = Caller("carol", registered=True)
SIGNED_IN = Caller("dave", roles=frozenset(Role))
ALLELE = Allele("GRCh38", "22", 100, "A", "C")
COHORTS: dict[str, tuple[Cohort, Asked]] = {
    "everyone": (EVERYONE, Asked(0)),
    "women": (HasSex(Sex.FEMALE), Asked.PEOPLE),
    "not carriers": (Not(Carries(ALLELE)), Asked.BOTH),
}
"""Each cohort, and what it asks for besides."""


def name(alleles: Tier, people: Tier) -> str:
    return f"{alleles}-{people}"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """A dataset for each pair of tiers."""
    collection = Collection.create(tmp_path_factory.mktemp("tiers"), lambda _: None)
    for alleles, people in itertools.product(Tier, Tier):
        stated = clocks.statement(name(alleles, people))
        stated = msgspec.structs.replace(stated, alleles_tier=alleles, people_tier=people)
        load(collection, stated, clocks.table(dict.fromkeys(range(12), YES)), [clocks.source_of(range(12))], "GRCh38")
    return collection


@pytest.mark.parametrize("cohort", COHORTS)
@pytest.mark.parametrize("asked", list(Asked))
@pytest.mark.parametrize("caller", [PUBLIC, SIGNED_IN, REGISTERED], ids=["public", "signed in", "registered"])
def test_a_tier_hides_all_that_a_question_would_tell(
    node: Collection, caller: Caller, asked: Asked, cohort: str
) -> None:
    allowed = {Tier.PUBLIC, Tier.REGISTERED} if caller.registered else {Tier.PUBLIC}
    needed = asked | COHORTS[cohort][1]
    expected = {
        name(alleles, people)
        for alleles, people in itertools.product(Tier, Tier)
        if (Asked.ALLELES not in needed or alleles in allowed) and (Asked.PEOPLE not in needed or people in allowed)
    }
    reading = node.open(caller, Use.AGGREGATES, COHORTS[cohort][0], asked=asked)
    assert {each.id for each in reading.datasets} == expected
    if Asked.ALLELES in needed:
        counts = reading.count_alleles(ALLELE)
        assert {reading.datasets[k].id for k in counts.dataset.tolist()} == expected
    if Asked.PEOPLE in needed:
        assert len(reading.count_people().members) == len(expected)


def test_a_reading_answers_only_what_it_was_opened_for(node: Collection) -> None:
    alleles, people = (node.open(PUBLIC, Use.AGGREGATES, asked=asked) for asked in (Asked.ALLELES, Asked.PEOPLE))
    for ask in (alleles.count_people, alleles.terms, lambda: people.count_alleles(ALLELE)):
        with pytest.raises(NotEntitled, match="opened for"):
            ask()
    with pytest.raises(NotEntitled):
        people.count_alleles_once(ALLELE)


def test_that_datasets_exist_is_told_to_everybody(node: Collection) -> None:
    assert len(node.published) == 9
    assert {name(each.alleles_tier, each.people_tier) for each in node.published} == {
        each.id for each in node.published
    }


def test_what_is_not_open_begins_at_registered_for_people(collection: Collection) -> None:
    for dataset in (clocks.OPEN, clocks.CLOSED):
        load(collection, clocks.statement(dataset), clocks.table({}))
    tiers = {each.id: (each.alleles_tier, each.people_tier) for each in collection.published}
    assert tiers == {
        clocks.OPEN: (Tier.PUBLIC, Tier.PUBLIC),
        clocks.CLOSED: (Tier.PUBLIC, Tier.REGISTERED),
    }
    with pytest.raises(Conflict, match="people_tier is recorded as 'registered'"):
        load(
            collection,
            msgspec.structs.replace(clocks.statement(clocks.CLOSED), people_tier=Tier.PUBLIC),
            clocks.table({}),
        )


def test_a_tier_is_changed_at_once_and_who_did_it_is_kept(collection: Collection) -> None:
    load(collection, clocks.statement(clocks.CLOSED), clocks.table({}))
    one = DatasetId(clocks.CLOSED)
    with collection.engine.begin() as connection:
        assert set_tiers(connection, one, "dora", people=Tier.CONTROLLED) == (Tier.PUBLIC, Tier.CONTROLLED)
        assert set_tiers(connection, one, "emil", alleles=Tier.REGISTERED) == (Tier.REGISTERED, Tier.CONTROLLED)
        kept = connection.execute(tier_change.select()).all()
        with pytest.raises(NotFound):
            set_tiers(connection, DatasetId("NONE"), "dora", people=Tier.PUBLIC)
    assert [(row.by, row.alleles_tier, row.people_tier) for row in kept] == [
        ("dora", "public", "controlled"),
        ("emil", "registered", "controlled"),
    ]
    collection.refresh()
    assert collection.open(REGISTERED, Use.AGGREGATES, asked=Asked.PEOPLE).datasets == ()
    assert len(collection.open(REGISTERED, Use.AGGREGATES, asked=Asked.ALLELES).datasets) == 1
