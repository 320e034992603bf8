# SPDX-License-Identifier: Apache-2.0
"""The people of `megagenome demo`: who they are, what they may do, and passwords that exist for one run only."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from megagenome.kernel.callers import Role

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what looks alike, for passwords that are read from a terminal."""
COLLEAGUE = "colleague"
"""Who is invited to the researcher's application."""

CHECKER = "checker"
"""The hub's data steward, who looks at results that wait."""


class Account(msgspec.Struct, frozen=True):
    """Somebody who can sign in. `password_scrypt` is of `digest_password`."""

    username: str
    name: str
    organisation: str
    affiliations: tuple[str, ...]
    salt: bytes
    password_scrypt: bytes


class DemoPerson(NamedTuple):
    """One of the demo's people.

    role     what they may do
    country  at the node of which country; empty: at the hub
    """

    username: str
    name: str
    role: Role
    organisation: str
    affiliations: tuple[str, ...]
    country: str = ""


def demo_people(countries: Sequence[str]) -> tuple[DemoPerson, ...]:
    """The people of a demo with nodes in these countries: those of the whole way from a question to a permit.

    The first three countries decide, or as many as there are; steward, provider and citizen belong to the first.
    """
    home = "university.example"
    committee = "dac.example"
    first = countries[0]
    health, hospital = f"health.{first.lower()}.example", f"hospital.{first.lower()}.example"
    deciders = [
        DemoPerson(
            f"decider-{country.lower()}",
            name,
            Role.COUNTRY_DECIDER,
            f"health.{country.lower()}.example",
            (f"staff@health.{country.lower()}.example",),
            country,
        )
        for country, name in zip(countries, ("Dana Decider", "Dimitri Decider", "Delia Decider"), strict=False)
    ]
    return (
        DemoPerson("researcher", "Rosa Researcher", Role.RESEARCHER, home, (f"faculty@{home}",)),
        DemoPerson(COLLEAGUE, "Cora Colleague", Role.RESEARCHER, home, (f"faculty@{home}",)),
        DemoPerson("official", "Olav Official", Role.SIGNING_OFFICIAL, home, (f"staff@{home}",)),
        DemoPerson("chair", "Carla Chair", Role.DAC_CHAIR, committee, (f"member@{committee}",)),
        DemoPerson("member", "Milan Member", Role.DAC_MEMBER, committee, (f"member@{committee}",)),
        *deciders,
        DemoPerson("provider", "Paula Provider", Role.DATA_PROVIDER, hospital, (f"staff@{hospital}",), first),
        DemoPerson("steward", "Sofia Steward", Role.DATA_STEWARD, health, (f"staff@{health}",), first),
        DemoPerson(CHECKER, "Chiara Checker", Role.DATA_STEWARD, committee, (f"staff@{committee}",)),
        DemoPerson("citizen", "Ciara Citizen", Role.CITIZEN, "", (), first),
        DemoPerson("auditor", "Aino Auditor", Role.AUDITOR, "audit.example", ("staff@audit.example",)),
    )


def make_accounts(people: Sequence[DemoPerson]) -> tuple[tuple[Account, ...], dict[str, str]]:
    """An account for each, with a new random password; and the passwords by user name, to be shown once."""
    passwords = {person.username: new_password() for person in people}
    accounts = tuple(
        make_account(each.username, each.name, each.organisation, each.affiliations, passwords[each.username])
        for each in people
    )
    return accounts, passwords


def new_password() -> str:
    """A random password of 59 bits, to be read from a screen and typed."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))


def make_account(username: str, name: str, organisation: str, affiliations: tuple[str, ...], password: str) -> Account:
    """An account with this password, of which only a digest is kept."""
    salt = secrets.token_bytes(16)
    return Account(username, name, organisation, affiliations, salt, digest_password(password, salt))


def digest_password(password: str, salt: bytes) -> bytes:
    """scrypt (RFC 7914) with 16 MB; some 50 ms."""
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1)
