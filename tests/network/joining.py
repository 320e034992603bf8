# SPDX-License-Identifier: Apache-2.0
"""Hubs and nodes that join: a database and a key of their own, at addresses where nobody listens."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from megagenome.kernel.keys import SigningKeys
from megagenome.network.invitations import invite
from megagenome.network.joined_nodes import JoinedNode
from megagenome.standards.descriptor import DescribedService, sign_descriptor
from megagenome.standards.joining import Invitation, JoinRequest
from megagenome.standards.service_info import ServiceType
from tests.kernel.records import open_records

HUB_URL = "https://hub.example"
BEACON = ServiceType("org.ga4gh", "beacon", "v2.2.0")


class Server:
    """A hub or a node as far as joining goes."""

    def __init__(self, folder: Path, identity: str, country: str, url: str) -> None:
        folder.mkdir(parents=True)
        self.folder, self.id, self.country, self.url = folder, identity, country, url
        self.engine = open_records(folder / "records.db")
        self.keys = SigningKeys.open(folder / "keys")
        self.signed = 1_000_000

    def described(self, keys: SigningKeys | None = None, **other: Any) -> str:
        """Its descriptor, signed one second later than the one before."""
        self.signed += 1
        fields: dict[str, Any] = {
            "id": self.id,
            "kind": "node" if self.country else "hub",
            "name": f"{self.id} itself",
            "country": self.country,
            "url": self.url,
            "version": "1",
            "services": (DescribedService(BEACON, self.url + "/beacon/v2"),),
            "iat": self.signed,
        }
        return sign_descriptor(keys or self.keys, **{**fields, **other})

    def replace_key(self) -> None:
        self.keys = SigningKeys.replace(self.folder / "keys")

    def write(self) -> Any:
        return self.engine.begin()


@contextmanager
def server(folder: Path, identity: str, country: str = "", url: str = "") -> Iterator[Server]:
    """One server; a hub where it has no country."""
    opened = Server(folder / identity, identity, country, url or f"https://{identity}.example")
    try:
        yield opened
    finally:
        opened.engine.dispose()


def invited(hub: Server, country: str = "FI", days: int = 7) -> Invitation:
    """An invitation that the hub made."""
    with hub.write() as connection:
        return invite(connection, HUB_URL, hub.keys.kid, country, days)


def request(invitation: Invitation, descriptor: str) -> JoinRequest:
    """What a node sends."""
    return JoinRequest(invitation.secret, descriptor)


def joined_ids(nodes: tuple[JoinedNode, ...]) -> list[str]:
    """Whom a hub has."""
    return [each.node.id for each in nodes]


def rows(engine: sa.Engine, table: sa.Table) -> list[Any]:
    """All of a table."""
    with engine.connect() as connection:
        return list(connection.execute(sa.select(table)))
