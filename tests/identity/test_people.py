# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from megagenome.identity.people import accept_terms, find_person, list_people, remember
from megagenome.identity.subjects import Profile
from megagenome.kernel.errors import NotFound

pytestmark = pytest.mark.usefixtures("database")

JANE = Profile("jane@https://a", "Jane", "jane@x.org", "x.org", ("faculty@x.org", "member@x.org"))


def test_people_are_remembered_as_their_provider_says_last(engine: sa.Engine, wait: Callable[[float], None]) -> None:
    with engine.begin() as connection:
        remember(connection, JANE)
        accept_terms(connection, JANE.subject, "https://terms")
    wait(10)
    with engine.begin() as connection:
        remember(connection, Profile("john@https://a", "John"))
    wait(10)
    with engine.begin() as connection:
        remember(connection, JANE._replace(name="Jane Smith"))
        jane, john = list_people(connection)
        assert find_person(connection, JANE.subject) == jane
    assert (jane.name, jane.affiliations, jane.terms) == ("Jane Smith", JANE.affiliations, "https://terms")
    assert jane.first_seen < john.first_seen < jane.last_seen
    assert (john.terms, john.terms_accepted, john.affiliations) == ("", None, ())


@pytest.mark.parametrize(
    ("affiliations", "faculty"),
    [((), False), (("faculty@x.org",), True), (("member@x.org", "faculty@y.org"), True), (("faculty-x@x.org",), False)],
)
def test_faculty_is_what_the_organisation_says(engine: sa.Engine, affiliations: tuple[str, ...], faculty: bool) -> None:
    with engine.begin() as connection:
        remember(connection, JANE._replace(affiliations=affiliations))
        assert find_person(connection, JANE.subject).is_faculty == faculty


def test_who_never_signed_in_is_nobody(engine: sa.Engine) -> None:
    with engine.connect() as connection, pytest.raises(NotFound, match="nobody signed in"):
        find_person(connection, "x")
