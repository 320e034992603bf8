# SPDX-License-Identifier: Apache-2.0
import contextlib
from itertools import product

import pytest
import sqlalchemy as sa

from megagenome.identity.roles import (
    Scope,
    all_grants,
    grant_role,
    grants_of,
    has_role,
    revoke_role,
)
from megagenome.kernel.callers import Role
from megagenome.kernel.errors import Conflict, Invalid, NotFound

pytestmark = pytest.mark.usefixtures("database")

JANE, JOHN = "jane@https://a", "john@https://a"
EE = Scope("EE")


def test_roles_are_given_and_taken_and_both_is_kept(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        grant_role(connection, JANE, Role.COUNTRY_DECIDER, EE, "root")
        grant_role(connection, JANE, Role.DAC_CHAIR, Scope(), "root")
        grant_role(connection, JOHN, Role.DAC_CHAIR, Scope(), "root")
        revoke_role(connection, JANE, Role.COUNTRY_DECIDER, EE, "admin")
        grant_role(connection, JANE, Role.COUNTRY_DECIDER, EE, "admin")
        assert [grant.role for grant in grants_of(connection, JANE)] == [Role.DAC_CHAIR, Role.COUNTRY_DECIDER]
        assert len(all_grants(connection)) == 3
        first, *_ = history = all_grants(connection, history=True)
    assert len(history) == 4
    assert (first.granted_by, first.revoked_by, first.revoked is None) == ("root", "admin", False)


def test_a_role_is_given_once_in_one_scope(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        grant_role(connection, JANE, Role.COUNTRY_DECIDER, EE, "root")
        grant_role(connection, JANE, Role.COUNTRY_DECIDER, Scope("FI"), "root")
    with pytest.raises(Conflict, match="already"), engine.begin() as connection:
        grant_role(connection, JANE, Role.COUNTRY_DECIDER, EE, "root")


@pytest.mark.parametrize("scope", [Scope(), Scope("FI"), Scope("EE", dataset="X")])
def test_only_what_was_given_can_be_taken(engine: sa.Engine, scope: Scope) -> None:
    with engine.begin() as connection:
        grant_role(connection, JANE, Role.COUNTRY_DECIDER, EE, "root")
    with pytest.raises(NotFound, match="role list"), engine.begin() as connection:
        revoke_role(connection, JANE, Role.COUNTRY_DECIDER, scope, "root")


@pytest.mark.parametrize("subject", ["", "Jane Doe", "jane", "jane@https://a\n", "x@" + "y" * 800])
def test_what_can_be_no_subject_gets_no_role(engine: sa.Engine, subject: str) -> None:
    with pytest.raises(Invalid, match="no subject"), engine.begin() as connection:
        grant_role(connection, subject, Role.AUDITOR, Scope(), "root")


ALL_SCOPES = [Scope(*parts) for parts in product(("", "EE"), ("", "a.org"), ("", "D1"))]
GRANTED = {
    Role.SIGNING_OFFICIAL: [Scope(organisation="a.org")],
    Role.COUNTRY_DECIDER: [EE],
    Role.RESEARCHER: [Scope(), Scope(organisation="a.org")],
    Role.DATA_STEWARD: [Scope(), EE],
    Role.DATA_PROVIDER: [Scope(dataset="D1")],
}


@pytest.mark.parametrize("role", Role)
def test_a_role_has_the_place_that_limits_it_and_no_other(engine: sa.Engine, role: Role) -> None:
    taken = []
    for scope in ALL_SCOPES:
        with contextlib.suppress(Invalid), engine.begin() as connection:
            grant_role(connection, JANE, role, scope, "root")
            taken.append(scope)
    assert sorted(map(str, taken)) == sorted(map(str, GRANTED.get(role, [Scope()])))


def test_who_grants_is_told_which_place_is_missing_or_too_many(engine: sa.Engine) -> None:
    for role, scope, says in (
        (Role.SIGNING_OFFICIAL, EE, "name it with --organisation"),
        (Role.COUNTRY_DECIDER, Scope(), "name it with --country"),
        (Role.DAC_MEMBER, Scope(dataset="D1"), "leave --dataset out"),
    ):
        with pytest.raises(Invalid, match=says), engine.begin() as connection:
            grant_role(connection, JANE, role, scope, "root")


def test_a_provider_is_one_for_their_dataset_and_until_it_is_taken(engine: sa.Engine) -> None:
    def may(dataset: str) -> bool:
        with engine.connect() as connection:
            return has_role(connection, JANE, Role.DATA_PROVIDER, dataset=dataset)

    assert not may("D1")
    with engine.begin() as connection:
        grant_role(connection, JANE, Role.DATA_PROVIDER, Scope(dataset="D1"), "root")
    assert may("D1")
    assert not may("D2")
    assert not may("")
    with engine.begin() as connection:
        revoke_role(connection, JANE, Role.DATA_PROVIDER, Scope(dataset="D1"), "root")
    assert not may("D1")
