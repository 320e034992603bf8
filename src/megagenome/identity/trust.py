# SPDX-License-Identifier: Apache-2.0
"""Whom we believe, and in what: brokers and visa issuers with their keys, ready for decisions."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from megagenome.identity.trust_settings import BrokerSettings, IssuerSettings, SourceSettings, TrustSettings
from megagenome.kernel.errors import Corrupt, Invalid, TooLarge
from megagenome.kernel.public_keys import PublicKeys, read_public_keys
from megagenome.kernel.settings import load_settings
from megagenome.standards.passport import VisaType

_CLIMBS = re.compile(r"(?:/|%2f)(?:\.|%2e){1,2}(?:[/?#]|%2f|\Z)", re.IGNORECASE)


class Broker(NamedTuple):
    """Who may sign passports. `keys` is None while they cannot be had; `jwks_url` is empty for keys brought by hand.

    `whole_subjects`: it writes as `sub` what is a subject already, of people who signed in there elsewhere, as this
    server and hubs do. Whoever has its key can pass for anybody.
    """

    issuer: str
    keys: PublicKeys | None
    jwks_url: str = ""
    needs_audience: bool = True
    whole_subjects: bool = False


class Issuer(NamedTuple):
    """Who may sign visas; `IssuerSettings` has the meaning of each. `types` has LinkedIdentities where it may link."""

    issuer: str
    jku: str
    keys: PublicKeys | None
    types: frozenset[str]
    sources: tuple[SourceSettings, ...]


class Trust:
    """All whom we believe at one moment. Immutable; decisions read nothing else about trust."""

    def __init__(self, brokers: Iterable[Broker], issuers: Iterable[Issuer]) -> None:
        self._brokers = {broker.issuer: broker for broker in brokers}
        self._issuers = {(issuer.issuer, issuer.jku): issuer for issuer in issuers}
        self._named = frozenset(iss for iss, _jku in self._issuers)

    def broker(self, iss: str) -> Broker | None:
        """The broker of this exact `iss`."""
        return self._brokers.get(iss)

    def issuer(self, iss: str, jku: str) -> Issuer | None:
        """The visa issuer of this exact `iss` whose visas name this exact `jku`."""
        return self._issuers.get((iss, jku))

    def names_issuer(self, iss: str) -> bool:
        """Whether this is a visa issuer, under whichever `jku`."""
        return iss in self._named

    def joined_with(self, brokers: Iterable[Broker] = (), issuers: Iterable[Issuer] = ()) -> "Trust":
        """This and others, whose keys came another way: from nodes and hubs that joined. What is here already stays."""
        return Trust([*brokers, *self._brokers.values()], [*issuers, *self._issuers.values()])


class TrustStore(msgspec.Struct, frozen=True):
    """The settings and the keys that were brought by hand, by the file that the settings name."""

    settings: TrustSettings
    files: Mapping[str, PublicKeys]

    def trust(self, fetched: Mapping[str, PublicKeys]) -> Trust:
        """Whom we believe, with the keys that were fetched, by their address."""
        return Trust(
            [self._broker(broker, fetched) for broker in self.settings.brokers],
            [self._issuer(issuer, fetched) for issuer in self.settings.issuers],
        )

    def _broker(self, stated: BrokerSettings, fetched: Mapping[str, PublicKeys]) -> Broker:
        keys = self.files[stated.jwks_file] if stated.jwks_file else fetched.get(stated.jwks_url)
        return Broker(stated.issuer, keys, stated.jwks_url, stated.needs_audience)

    def _issuer(self, stated: IssuerSettings, fetched: Mapping[str, PublicKeys]) -> Issuer:
        keys = self.files[stated.jwks_file] if stated.jwks_file else fetched.get(stated.jku)
        types = frozenset(stated.types) | ({VisaType.LINKED_IDENTITIES} if stated.linking else frozenset())
        return Issuer(stated.issuer, stated.jku, keys, types, stated.sources)


def load_trust(path: Path) -> TrustStore:
    """Read `trust.toml` and the key files that it names. Raises `Invalid`, which names file and key, for all faults."""
    if not path.exists():
        raise Invalid(f"{path}: there is no trust file here; docs/identity.md describes it")
    settings = load_settings(TrustSettings, path, {})
    named = {broker.jwks_file for broker in settings.brokers} | {issuer.jwks_file for issuer in settings.issuers}
    return TrustStore(settings, {name: _read_key_file(path.parent / name) for name in named if name})


def within(url: str, scope: str) -> bool:
    """Whether a URL is `scope`, or below it where that ends in a slash. URLs are compared as they are written.

    What climbs out of the folder that it is in (`/../`) is below nothing.
    """
    if url == scope:
        return True
    return scope.endswith("/") and url.startswith(scope) and not _CLIMBS.search(url)


def _read_key_file(path: Path) -> PublicKeys:
    try:
        return read_public_keys(path.read_bytes())
    except OSError as error:
        raise Invalid(f"{path}: cannot be read: {error.strerror}; put the issuer's key set there") from None
    except (Corrupt, TooLarge) as error:
        raise Invalid(f"{path}: {error}") from None
