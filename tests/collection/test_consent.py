# SPDX-License-Identifier: Apache-2.0
"""Who consents, when several datasets speak of the same people."""

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection import bitmap
from megagenome.collection.consent import read_consenting
from megagenome.collection.enrol import Enrolment, enrol
from megagenome.collection.people import YES
from megagenome.collection.tables import individual
from tests.collection.memory import empty_tables
from tests.collection.nodes import add_dataset, ontology_for, people, person

CONSENTS = {True: YES, False: frozenset(), None: None}
Words = dict[str, bool | None]
"""What a dataset's table says, by individual."""


def state(connection: sa.Connection, dataset: int, words: Words) -> Enrolment:
    persons = [person(name, consent=CONSENTS[word], sample_id=None) for name, word in words.items()]
    return enrol(connection, dataset, people(*persons), ontology_for)


def consenting(connection: sa.Connection) -> set[str]:
    """The ids of those who consent, to either of the uses that a plain yes is about."""
    names = dict(map(tuple, connection.execute(sa.select(individual.c.number, individual.c.id))))
    counted, studied = (
        {names[number] for number in bitmap.to_numbers(read_consenting(connection, use, 1)).tolist()} for use in YES
    )
    assert counted == studied
    return counted


def test_only_a_yes_is_consent(connection: sa.Connection) -> None:
    done = state(connection, add_dataset(connection, 1, "ONE"), {"A": True, "B": False, "C": None})
    assert consenting(connection) == {"A"}
    assert (done.consenting, done.overruled, done.withdrawn) == (1, 0, 0)


def test_another_datasets_no_or_silence_is_not_turned_into_yes(connection: sa.Connection) -> None:
    one, two = add_dataset(connection, 1, "ONE"), add_dataset(connection, 2, "TWO")
    state(connection, one, {"A": True, "B": False, "C": None})
    done = state(connection, two, {"A": True, "B": True, "C": True, "D": True})
    assert consenting(connection) == {"A", "D"}
    assert (done.consenting, done.overruled, done.withdrawn) == (2, 2, 0)
    assert done.moved.tolist() == []


def test_a_no_takes_effect_whichever_table_brings_it(connection: sa.Connection) -> None:
    one, two = add_dataset(connection, 1, "ONE"), add_dataset(connection, 2, "TWO")
    state(connection, one, {"A": True, "B": True, "C": True})
    done = state(connection, two, {"B": False, "C": None})
    assert consenting(connection) == {"A"}
    assert (done.consenting, done.overruled, done.withdrawn) == (0, 0, 2)


def test_a_dataset_may_correct_its_own_word(connection: sa.Connection) -> None:
    one, two = add_dataset(connection, 1, "ONE"), add_dataset(connection, 2, "TWO")
    state(connection, one, {"A": None, "B": True})
    state(connection, two, {"A": True})
    state(connection, one, {"A": True})
    assert consenting(connection) == {"A", "B"}  # B, whom the new table does not name, stays
    assert state(connection, one, {"B": False}).withdrawn == 1
    assert consenting(connection) == {"A"}


@given(st.lists(st.dictionaries(st.sampled_from("ABCD"), st.sampled_from([True, False, None]), min_size=1), max_size=4))
def test_consent_is_a_yes_of_every_dataset_whatever_the_order(tables: list[Words]) -> None:
    with empty_tables() as connection:
        for dataset, words in enumerate(tables):
            state(connection, add_dataset(connection, dataset, f"D{dataset}"), words)
        everybody = {name for words in tables for name in words}
        refused = {name for words in tables for name, word in words.items() if word is not True}
        assert consenting(connection) == everybody - refused


def test_what_it_takes_to_settle_does_not_grow_with_datasets_of_others(connection: sa.Connection) -> None:
    asked: list[str] = []
    sa.event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2]))
    statements = []
    for number in range(12):
        asked.clear()
        state(connection, add_dataset(connection, number, f"D{number}"), {f"P{number}": True})
        statements.append(len(asked))
    assert max(statements[2:]) == min(statements[2:])  # the first finds nobody there
    assert consenting(connection) == {f"P{number}" for number in range(12)}
