# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.app.directory import RoleDirectory
from megagenome.identity.roles import Scope, grant_role, revoke_role
from megagenome.kernel.callers import Role
from megagenome.kernel.database import open_database, sqlite_url, upgrade

FINN = "finn@https://idp.example"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    opened = open_database(sqlite_url(tmp_path / "x.sqlite"))
    upgrade(opened)
    yield opened
    opened.dispose()


def test_a_role_is_for_the_place_that_the_operator_named(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        grant_role(connection, FINN, Role.COUNTRY_DECIDER, Scope(country="FI"), "op")
        grant_role(connection, FINN, Role.COUNTRY_DECIDER, Scope(country="EE"), "op")
        grant_role(connection, FINN, Role.DATA_STEWARD, Scope(country="SE"), "op")
        grant_role(connection, FINN, Role.RESEARCHER, Scope(organisation="Oulu"), "op")
        grant_role(connection, FINN, Role.RESEARCHER, Scope(), "op")
        revoke_role(connection, FINN, Role.COUNTRY_DECIDER, Scope(country="EE"), "op")
    directory = RoleDirectory(engine)
    assert directory.countries(FINN, Role.COUNTRY_DECIDER) == {"FI"}
    assert directory.countries(FINN, Role.DATA_STEWARD) == {"SE"}
    # a role without a place is none of any place
    assert directory.organisations(FINN, Role.RESEARCHER) == {"Oulu"}
    assert directory.organisations(FINN, Role.SIGNING_OFFICIAL) == frozenset()
    assert directory.countries("nobody@https://idp.example", Role.COUNTRY_DECIDER) == frozenset()
