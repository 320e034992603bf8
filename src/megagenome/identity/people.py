# SPDX-License-Identifier: Apache-2.0
"""People who signed in here: what their provider says of them, and the terms that they accepted."""

import msgspec
import sqlalchemy as sa

from megagenome.identity.subjects import Profile
from megagenome.identity.tables import person
from megagenome.kernel import clock
from megagenome.kernel.errors import NotFound


class Person(msgspec.Struct, frozen=True):
    """One who signed in at least once. `terms` is the address of the terms that they accepted, empty for none."""

    subject: str
    name: str
    email: str
    organisation: str
    affiliations: tuple[str, ...]
    first_seen: str
    last_seen: str
    terms: str = ""
    terms_accepted: str | None = None

    @property
    def is_faculty(self) -> bool:
        """Whether their organisation, by the provider, says that they do research there."""
        return is_faculty(" ".join(self.affiliations))


def remember(connection: sa.Connection, profile: Profile) -> None:
    """Keep who signed in, as the provider says it today. Terms that were accepted stay accepted."""
    now = timestamp()
    said = {
        "name": profile.name,
        "email": profile.email,
        "organisation": profile.organisation,
        "affiliations": " ".join(profile.affiliations),
        "last_seen": now,
    }
    known = connection.execute(sa.update(person).where(person.c.subject == profile.subject).values(said))
    if not known.rowcount:
        new = {**said, "subject": profile.subject, "first_seen": now, "terms": "", "terms_accepted": None}
        connection.execute(sa.insert(person).values(new))


def accept_terms(connection: sa.Connection, subject: str, terms: str) -> None:
    """Note that they accepted the terms at this address, now."""
    accepted = {"terms": terms, "terms_accepted": timestamp()}
    connection.execute(sa.update(person).where(person.c.subject == subject).values(accepted))


def find_person(connection: sa.Connection, subject: str) -> Person:
    """Who signed in as `subject`. Raises `NotFound` for one who never did."""
    row = connection.execute(sa.select(person).where(person.c.subject == subject)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"nobody signed in here as {subject[:300]!r}")
    return _person(row)


def list_people(connection: sa.Connection) -> list[Person]:
    """Everybody who signed in, last seen first."""
    ordered = sa.select(person).order_by(person.c.last_seen.desc(), person.c.subject)
    return [_person(row) for row in connection.execute(ordered).mappings()]


def is_faculty(affiliations: str) -> bool:
    """Whether one of these blank-separated affiliations is eduPerson's `faculty`."""
    return any(affiliation.startswith("faculty@") for affiliation in affiliations.split())


def timestamp() -> str:
    """Now, as identity's tables have it."""
    return clock.now().isoformat(timespec="seconds")


def _person(row: sa.RowMapping) -> Person:
    return Person(**{**row, "affiliations": tuple(row["affiliations"].split())})
