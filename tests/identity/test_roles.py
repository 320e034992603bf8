# SPDX-License-Identifier: Apache-2.0
from itertools import product

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from megagenome.identity.roles import (
    EVERYWHERE,
    Grant,
    Scope,
    all_grants,
    grant_role,
    grants_of,
    holds,
    revoke_role,
)
from megagenome.kernel.callers import Role
from megagenome.kernel.errors import Conflict, Invalid, NotFound

JANE, JOHN = "jane@https://a", "john@https://a"
EE = Scope("EE")


def test_roles_are_given_and_taken_and_both_is_kept(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        grant_role(connection, JANE, Role.COUNTRY_DECIDER, EE, "root")
        grant_role(connection, JANE, Role.DAC_CHAIR, EVERYWHERE, "root")
        grant_role(connection, JOHN, Role.DAC_CHAIR, EVERYWHERE, "root")
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


@pytest.mark.parametrize("scope", [EVERYWHERE, Scope("FI"), Scope("EE", dataset="X")])
def test_only_what_was_given_can_be_taken(engine: sa.Engine, scope: Scope) -> None:
    with engine.begin() as connection:
        grant_role(connection, JANE, Role.COUNTRY_DECIDER, EE, "root")
    with pytest.raises(NotFound, match="role list"), engine.begin() as connection:
        revoke_role(connection, JANE, Role.COUNTRY_DECIDER, scope, "root")


@pytest.mark.parametrize("subject", ["", "Jane Doe", "jane", "jane@https://a\n", "x@" + "y" * 800])
def test_what_can_be_no_subject_gets_no_role(engine: sa.Engine, subject: str) -> None:
    with pytest.raises(Invalid, match="no subject"), engine.begin() as connection:
        grant_role(connection, subject, Role.AUDITOR, EVERYWHERE, "root")


SCOPES = [Scope(*parts) for parts in product(("", "EE", "FI"), ("", "a.org"), ("", "D1"))]


@given(st.sampled_from(SCOPES), st.sampled_from(SCOPES))
def test_a_scope_covers_what_lies_within_it(wide: Scope, narrow: Scope) -> None:
    def places(scope: Scope) -> set[tuple[str, str, str]]:
        """All places of a small world in which the scope holds."""
        world = product(("EE", "FI"), ("a.org", "b.org"), ("D1", "D2"))
        return {
            (country, organisation, dataset)
            for country, organisation, dataset in world
            if scope.country in ("", country)
            and scope.organisation in ("", organisation)
            and scope.dataset in ("", dataset)
        }

    assert wide.covers(narrow) == (places(narrow) <= places(wide))


def test_a_role_holds_where_it_was_given_and_until_it_is_taken() -> None:
    def grant(role: Role, scope: Scope, revoked: str | None = None) -> Grant:
        return Grant(JANE, role, scope, "2026-01-01T00:00:00+00:00", "root", revoked)

    grants = [grant(Role.COUNTRY_DECIDER, EE), grant(Role.AUDITOR, EVERYWHERE, "2026-01-02T00:00:00+00:00")]
    assert holds(grants, Role.COUNTRY_DECIDER, Scope("EE", dataset="D1"))
    assert not holds(grants, Role.COUNTRY_DECIDER, Scope("FI"))
    assert not holds(grants, Role.COUNTRY_DECIDER, EVERYWHERE)
    assert not holds(grants, Role.AUDITOR, EE)
    assert not holds(grants, Role.DAC_CHAIR, EE)
