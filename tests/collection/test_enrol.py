# SPDX-License-Identifier: Apache-2.0
"""Enrolment: what it says it did, the sets it makes, and that doing it twice or in parts is the same."""

from collections.abc import Iterable

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.collection.enrol import enrol
from megagenome.collection.model import Sex, Stratum
from megagenome.collection.people import FactKind, Person, Status
from megagenome.collection.tables import individual, member_set
from megagenome.kernel.errors import Conflict
from megagenome.kernel.ids import Country
from tests.collection.memory import empty_tables
from tests.collection.nodes import HP, add_dataset, excluded, observed, ontology_for, people, person, persons

Sets = dict[tuple[str, str], set[str]]


def stored_sets(connection: sa.Connection) -> Sets:
    """All sets, as ids of individuals, decoded without the codec."""
    names = dict(map(tuple, connection.execute(sa.select(individual.c.number, individual.c.id))))
    found: Sets = {}
    for kind, key, batch, members in connection.execute(sa.select(member_set)):
        if len(members) == 8_192:
            numbers = [i for i in range(65_536) if members[i // 8] >> i % 8 & 1]
        else:
            numbers = [int.from_bytes(members[i : i + 2], "little") for i in range(0, len(members), 2)]
        found.setdefault((kind, key), set()).update(names[65_536 * batch + number] for number in numbers)
    return found


def expected_sets(who: Iterable[Person], dataset: str) -> Sets:
    """The sets that these people, all of one dataset, make."""
    found: Sets = {}
    for one in who:
        keys = [("dataset", dataset)]
        for use in one.consent or ():
            keys += [("consented", f"{use}/{dataset}"), ("consent", use)]
        for kind, value, empty in (
            ("sex", one.sex.value, "unknown"),
            ("country", one.country, "ZZ"),
            ("population", one.population, ""),
        ):
            if value != empty:
                keys += [(kind, value), ("recorded", kind)]
        if one.birth_year is not None:
            keys.append(("birth_year", str(one.birth_year)))
        for fact in one.facts:
            if fact.kind is FactKind.CUSTOM:
                keys += [("custom", fact.term), ("custom", f"{fact.term}={fact.value}")]
            elif fact.status is Status.EXCLUDED:
                keys.append(("excluded", fact.term))
            else:
                above = HP.ancestors(fact.term) if fact.term.startswith("HP:") else {fact.term}
                keys += [("observed", fact.term), *(("folded", term) for term in above)]
        for key in keys:
            found.setdefault(key, set()).add(one.individual_id)
    return found


@settings(max_examples=40)
@given(persons(), st.data())
def test_sets_are_those_of_the_people_however_they_come(who: list[Person], draw: st.DataObject) -> None:
    with empty_tables() as connection:
        one = add_dataset(connection, 1, "ONE")
        first = draw.draw(st.lists(st.sampled_from(who), unique=True))
        bare = [Person(individual_id=each.individual_id) for each in first]
        enrol(connection, one, people(*bare), ontology_for)
        enrol(connection, one, people(*who), ontology_for)
        found = stored_sets(connection)
        assert found == expected_sets(who, "ONE")
        again = enrol(connection, one, people(*who), ontology_for)
        assert stored_sets(connection) == found
        assert (again.added, again.withdrawn, again.overruled, again.moved.tolist()) == (0, 0, 0, [])


def test_people_of_several_datasets_are_one_individual(connection: sa.Connection) -> None:
    one, two = add_dataset(connection, 1, "ONE"), add_dataset(connection, 2, "TWO")
    first = enrol(connection, one, people(person("A", sex=Sex.FEMALE), person("B")), ontology_for)
    assert (first.numbers, first.added, first.consenting) == ({"A": 0, "B": 1}, 2, 2)
    second = enrol(
        connection,
        two,
        people(person("C", sample_id=None), person("A", country="EE", sample_id="T"), person("B", sex=Sex.MALE)),
        ontology_for,
    )
    assert (second.numbers, second.added, second.consenting) == ({"T": 0, "B": 1}, 1, 3)
    assert second.moved.tolist() == [0, 1]  # both are in another stratum now
    assert second.strata.strata == (
        Stratum(Country("EE"), "", Sex.FEMALE),
        Stratum(Country("ZZ"), "", Sex.MALE),
        Stratum(Country("ZZ"), "", Sex.UNKNOWN),
    )
    assert second.strata.of.tolist() == [0, 1, 2]
    found = stored_sets(connection)
    assert found["dataset", "ONE"] == {"A", "B"}
    assert found["dataset", "TWO"] == {"A", "B", "C"}


def test_a_sample_that_is_known_already_need_not_be_named_again(connection: sa.Connection) -> None:
    one = add_dataset(connection, 1, "ONE")
    enrol(connection, one, people(person("A", sample_id="S")), ontology_for)
    assert enrol(connection, one, people(person("A", sample_id=None)), ontology_for).numbers == {"S": 0}


def test_other_facts_and_years_of_birth_do_not_change_strata(connection: sa.Connection) -> None:
    one = add_dataset(connection, 1, "ONE")
    enrol(connection, one, people(person("A")), ontology_for)
    more = person("A", *observed("HP:0000005"), birth_year=1950)
    assert enrol(connection, one, people(more), ontology_for).moved.tolist() == []


def test_a_contradiction_leaves_nothing_behind(connection: sa.Connection) -> None:
    one = add_dataset(connection, 1, "ONE")
    enrol(connection, one, people(person("A", *observed("HP:0000005"))), ontology_for)
    before = stored_sets(connection)
    with pytest.raises(Conflict, match="individual A: HP:0000005 is both"), connection.begin_nested():
        enrol(connection, one, people(person("B"), person("A", *excluded("HP:0000005"))), ontology_for)
    assert stored_sets(connection) == before


def test_more_people_than_a_batch_holds(connection: sa.Connection) -> None:
    one, size = add_dataset(connection, 1, "ONE"), 65_536 + 5
    herd = [person(f"P{i}", sex=(Sex.MALE, Sex.FEMALE)[i % 2]) for i in range(size)]
    done = enrol(connection, one, people(*herd), ontology_for)
    assert (done.added, done.consenting, len(done.numbers), done.numbers["P65540"]) == (size, size, size, 65_540)
    assert [done.strata.strata[k].sex for k in done.strata.of[-2:]] == [Sex.FEMALE, Sex.MALE]
    found = stored_sets(connection)
    assert found["consent", "research"] == {f"P{i}" for i in range(size)}
    assert found["sex", "male"] == {f"P{i}" for i in range(0, size, 2)}
    withdrawn = [msgspec.structs.replace(herd[i], consent=frozenset()) for i in (0, 65_540)]
    assert enrol(connection, one, people(*withdrawn), ontology_for).withdrawn == 2
    assert stored_sets(connection)["consent", "research"] == {f"P{i}" for i in range(1, size - 1)}
