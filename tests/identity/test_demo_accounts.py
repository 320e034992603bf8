# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from megagenome.identity.demo_accounts import demo_people, digest_password, make_accounts, new_password
from megagenome.kernel.callers import Role


@pytest.mark.parametrize(("countries", "deciders"), [(["EE"], 1), (["EE", "FI"], 2), (["EE", "FI", "SE", "GB"], 3)])
def test_the_demo_has_everybody_of_the_way(countries: list[str], deciders: int) -> None:
    people = demo_people(countries)
    roles = [person.role for person in people]
    assert roles.count(Role.COUNTRY_DECIDER) == deciders
    assert set(roles) == set(Role)
    assert len({person.username for person in people}) == len(people) == 10 + deciders
    assert {person.country for person in people} <= {"", *countries}


def test_passwords_are_new_each_time_and_kept_as_digests_only() -> None:
    people = demo_people(["EE", "FI"])
    accounts, passwords = make_accounts(people)
    _, again = make_accounts(people)
    assert not set(passwords.values()) & set(again.values())
    for account in accounts:
        password = passwords[account.username]
        assert password.encode() not in account.password_scrypt + account.salt
        assert digest_password(password, account.salt) == account.password_scrypt
    assert len({account.salt for account in accounts}) == len(accounts)


def test_a_password_has_no_letters_that_look_alike() -> None:
    passwords = {new_password() for _ in range(100)}
    assert len(passwords) == 100
    assert all(re.fullmatch(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", password) for password in passwords)
    assert not set("".join(passwords)) & set("il1o0")
