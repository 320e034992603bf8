# SPDX-License-Identifier: Apache-2.0
"""Who is which individual: by the operator's word alone, one to one."""

import pytest
import sqlalchemy as sa

from megagenome.collection import tables
from megagenome.collection.citizens import individual_of, link_citizen, part_of, unlink_citizen
from megagenome.kernel.errors import Conflict, NotFound
from megagenome.kernel.ids import IndividualId

ADA, BEN = "ada@https://idp", "ben@https://idp"
ONE, TWO = IndividualId("P-1"), IndividualId("P-2")


@pytest.fixture
def people(connection: sa.Connection) -> sa.Connection:
    columns = {column.name for column in tables.individual.c}
    for number, name in enumerate((ONE, TWO)):
        row = {"number": number, "id": name, "sex": "unknown", "country": "EE", "population": ""}
        connection.execute(sa.insert(tables.individual).values({k: v for k, v in row.items() if k in columns}))
    return connection


def test_a_link_holds_until_it_is_taken_back(people: sa.Connection) -> None:
    link_citizen(people, ADA, ONE, "root")
    link_citizen(people, ADA, ONE, "root")  # again is as once
    assert individual_of(people, ADA) == ONE
    unlink_citizen(people, ADA)
    with pytest.raises(NotFound, match="does not know which genome is yours"):
        individual_of(people, ADA)
    with pytest.raises(NotFound):
        unlink_citizen(people, ADA)


@pytest.mark.parametrize(("subject", "individual"), [(ADA, TWO), (BEN, ONE)])
def test_nobody_is_two_people_and_no_genome_of_two(
    people: sa.Connection, subject: str, individual: IndividualId
) -> None:
    link_citizen(people, ADA, ONE, "root")
    with pytest.raises(Conflict, match="unlink that first"):
        link_citizen(people, subject, individual, "root")
    assert individual_of(people, ADA) == ONE


def test_nobody_here_cannot_be_linked_or_shown(people: sa.Connection) -> None:
    with pytest.raises(NotFound, match="check the id"):
        link_citizen(people, ADA, IndividualId("P-3"), "root")
    with pytest.raises(NotFound, match="check the id"):
        part_of(people, IndividualId("P-3"))
    assert part_of(people, ONE) == ((), frozenset(), ())
