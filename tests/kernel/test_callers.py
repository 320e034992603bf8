# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.kernel.errors import NotEntitled, Unauthenticated


def test_public_is_nobody_in_particular() -> None:
    assert Caller() == PUBLIC
    assert PUBLIC.subject is None
    assert Caller("https://idp.example|1") != PUBLIC


def test_caller_cannot_be_changed_on_its_way() -> None:
    with pytest.raises(AttributeError):
        PUBLIC.subject = "me"


def test_the_public_must_say_who_they_are() -> None:
    with pytest.raises(Unauthenticated, match="sign in first"):
        PUBLIC.require_subject()
    assert Caller("ada@idp").require_subject() == "ada@idp"


@pytest.mark.parametrize("role", Role)
def test_a_role_is_required_of_who_is_known(role: Role) -> None:
    others = frozenset(Role) - {role}
    assert Caller("ada@idp", roles=frozenset({role})).require(role) == "ada@idp"
    with pytest.raises(NotEntitled, match=f"the role {role.called}, which this server's operator"):
        Caller("ada@idp", roles=others).require(role)
    with pytest.raises(Unauthenticated):
        Caller(roles=frozenset(Role)).require(role)


def test_roles_are_called_as_people_call_them() -> None:
    assert [role.called for role in (Role.AUDITOR, Role.SIGNING_OFFICIAL, Role.DAC_MEMBER, Role.DAC_CHAIR)] == [
        "auditor",
        "signing official",
        "DAC member",
        "DAC chair",
    ]
