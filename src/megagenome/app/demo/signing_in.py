# SPDX-License-Identifier: Apache-2.0
"""The demo's people: a provider in a process of its own, roles at the servers where they act, passwords for one run."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.app.demo.fill import node_folder
from megagenome.app.demo.model import Login
from megagenome.app.demo.servers import HOST, Server, start_program
from megagenome.app.hub import open_hub
from megagenome.app.node import open_node
from megagenome.identity.demo_accounts import CHECKER, COLLEAGUE, Account, DemoPerson, demo_people, make_accounts
from megagenome.identity.provider import Client
from megagenome.identity.roles import Scope, grant_role
from megagenome.identity.subjects import subject_of
from megagenome.kernel.callers import Role

PROVIDER = "megagenome.app.demo.serve_provider"


class What(NamedTuple):
    """What somebody with a role does on the way, and the page on which they begin."""

    does: str
    first: str


WHAT = {
    Role.RESEARCHER: What(
        "counts a cohort, applies for it, reads by the permit at the nodes that granted, runs studies", "/cohort"
    ),
    Role.SIGNING_OFFICIAL: What("endorses it for the researcher's organisation", "/desk"),
    Role.DAC_CHAIR: What("begins the assessment, votes, recommends, asks the countries; may revoke", "/desk"),
    Role.DAC_MEMBER: What("declares interests and votes", "/desk"),
    Role.COUNTRY_DECIDER: What("grants or refuses for the country, at its own node", "/desk"),
    Role.DATA_PROVIDER: What("sends genomes and people for a new dataset, sealed", "/submissions"),
    Role.DATA_STEWARD: What(
        "puts down what people say of their consent to the contact point; decides on what was sent", "/consent"
    ),
    Role.CITIZEN: What("sees what their genome was used for, and withdraws consent", "/my-genome"),
    Role.AUDITOR: What("verifies the ledger, here and at every node", "/ledger"),
}
OTHERS = {
    COLLEAGUE: What(
        "joins the application by the researcher's invitation, and may read by the same permit", "/for-you"
    ),
    CHECKER: What("looks at results of studies that wait, releases or refuses them", "/study/waiting"),
}
"""Of those who do something else than others with their role."""


class ProviderStart(msgspec.Struct, frozen=True):
    """What the provider's process is told, by its standard input: digests of passwords, and no password."""

    issuer: str
    accounts: tuple[Account, ...]
    clients: tuple[Client, ...]


class SigningIn(NamedTuple):
    """The demo's sign-in: where, who, and their passwords, which are nowhere else."""

    issuer: str
    people: tuple[DemoPerson, ...]
    accounts: tuple[Account, ...]
    passwords: dict[str, str]

    def subject(self, role: Role) -> str:
        """Of the first with the role, as every server knows them."""
        return subject_of(next(each.username for each in self.people if each.role is role), self.issuer)


def prepare(countries: Sequence[str], port: int) -> SigningIn:
    """People and new passwords, for a provider on this port."""
    people = demo_people(countries)
    accounts, passwords = make_accounts(people)
    return SigningIn(f"http://{HOST}:{port}", people, accounts, passwords)


def settings_of(signing: SigningIn, client: str, notice: str) -> dict[str, str]:
    """The environment that lets people sign in at a server, registered as `client`, with a notice on its pages."""
    return {
        "MEGAGENOME_SERVER_NOTICE": notice,
        "MEGAGENOME_SIGNIN_ISSUER": signing.issuer,
        "MEGAGENOME_SIGNIN_CLIENT_ID": client,
        "MEGAGENOME_SIGNIN_PROVIDER": "the demo's sign-in service",
    }


def start_provider(folder: Path, signing: SigningIn, clients: Sequence[Client]) -> Server:
    """Start the provider for these clients."""
    mine = folder / "provider"
    mine.mkdir()
    started = start_program("provider", mine, signing.issuer, ["-m", PROVIDER, str(mine)], stdin=subprocess.PIPE)
    told = ProviderStart(signing.issuer, signing.accounts, tuple(clients))
    if started.process.stdin:
        started.process.stdin.write(msgspec.json.encode(told))
        started.process.stdin.close()
    return started


def grant_roles(folder: Path, signing: SigningIn, countries: Sequence[str]) -> None:
    """Give everybody their role, at the hub or at their country's node, before these are served."""
    hub = open_hub(folder / "hub")
    _grant(hub.engine, signing, "")
    hub.engine.dispose()
    for country in countries:
        node = open_node(node_folder(folder, country))
        _grant(node.collection.engine, signing, country)
        node.collection.close()


def logins(signing: SigningIn, hub_url: str, node_urls: dict[str, str]) -> tuple[Login, ...]:
    """What to show of each person: their name and password, and where they act."""
    return tuple(
        Login(
            each.username,
            signing.passwords[each.username],
            each.role.value,
            what.does,
            node_urls.get(each.country, hub_url) + what.first,
        )
        for each in signing.people
        for what in [OTHERS.get(each.username, WHAT[each.role])]
    )


def _grant(engine: sa.Engine, signing: SigningIn, country: str) -> None:
    with engine.begin() as connection:
        for person in signing.people:
            # whoever audits the hub audits its nodes
            if person.country == country or person.role is Role.AUDITOR:
                subject = subject_of(person.username, signing.issuer)
                grant_role(connection, subject, person.role, _scope(person), "megagenome demo")


def _scope(person: DemoPerson) -> Scope:
    if person.role in (Role.RESEARCHER, Role.SIGNING_OFFICIAL):
        return Scope(organisation=person.organisation)
    if person.role is Role.DATA_PROVIDER:
        return Scope(dataset=f"GDI-{person.country}-COHORT-002")  # which is not there yet
    return Scope(country=person.country) if person.role is Role.COUNTRY_DECIDER else Scope()
