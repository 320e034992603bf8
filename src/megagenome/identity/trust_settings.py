# SPDX-License-Identifier: Apache-2.0
"""Whom a node or hub trusts: `trust.toml`. Nobody else is believed, and no key of anybody else is ever fetched."""

import re
from collections import Counter
from urllib.parse import urlsplit

import msgspec

from megagenome.identity.model import DAY_S, Policy
from megagenome.kernel.addresses import is_loopback
from megagenome.standards.passport import By, VisaType

_ISSUER = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9._~:/?#\[\]!$&'()*+,;=%-]{1,240}")
_AFFILIATION = re.compile(r"@[A-Za-z0-9._-]+")


class BrokerSettings(msgspec.Struct, frozen=True):
    """`[[brokers]]`: who may sign passports.

    issuer          its `iss`, as it stands in passports
    jwks_url        where its keys are
    jwks_file       its keys, brought by hand, in place of `jwks_url`; relative to this file
    needs_audience  whether its passports must name us in `aud`; those that name others are refused always
    """

    issuer: str
    jwks_url: str = ""
    jwks_file: str = ""
    needs_audience: bool = True

    def __post_init__(self) -> None:
        """Refuse what could never be right (msgspec adds the place in the file to the message)."""
        _require_issuer(self.issuer)
        if bool(self.jwks_url) == bool(self.jwks_file):
            raise ValueError("give one of jwks_url and jwks_file")


class SourceSettings(msgspec.Struct, frozen=True):
    """`[[issuers.sources]]`: for which organisation an issuer may speak, and about what.

    source  the `source` of a visa: that URL exactly, or everything below it when it ends in a slash
    values  the `value`s that this source may assert: URLs likewise; `@uni.example` for roles at that organisation.
            Of LinkedIdentities no value is asked for
    """

    source: str
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could match by accident."""
        for text in (self.source, *self.values):
            if text.startswith("@") and text is not self.source:
                if not _AFFILIATION.fullmatch(text):
                    raise ValueError(f"{text!r}: write an organisation as @uni.example")
            else:
                _require_scope(text)


class IssuerSettings(msgspec.Struct, frozen=True):
    """`[[issuers]]`: who may sign visas.

    issuer     its `iss`
    jku        the address of its keys that its visas must name; fetched, unless there is `jwks_file`
    types      types of visa that it is believed in, besides LinkedIdentities
    linking    whether it is believed in LinkedIdentities: that two identities are one person
    jwks_file  its keys, brought by hand; relative to this file
    sources    for whom it may speak
    """

    issuer: str
    jku: str
    sources: tuple[SourceSettings, ...]
    types: tuple[str, ...] = ()
    linking: bool = False
    jwks_file: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never be right."""
        _require_issuer(self.issuer)
        if VisaType.LINKED_IDENTITIES in self.types:
            raise ValueError("types: write linking = true for LinkedIdentities")
        if unknown := [type_ for type_ in self.types if type_ not in tuple(VisaType) and "://" not in type_]:
            raise ValueError(f"types: {unknown[0]!r} is no standard visa type, and no URL of another")


class KeySettings(msgspec.Struct, frozen=True):
    """`[keys]`: how keys are fetched.

    max_age_s      a key set is not used longer than this after it was fetched; half of it later it is fetched anew
    loopback_http  whether addresses on this machine may be plain http, for demonstrations and tests
    """

    max_age_s: int = 3600
    loopback_http: bool = False

    def __post_init__(self) -> None:
        """Refuse what would fetch for every passport."""
        if not 60 <= self.max_age_s <= DAY_S:
            raise ValueError("max_age_s: 60 to 86400")


class PolicySettings(msgspec.Struct, frozen=True):
    """`[policy]`: what is asked of passports; `Policy` has the meaning of each."""

    audiences: tuple[str, ...] = ()
    max_authz_ttl_s: int = 365 * DAY_S
    grant_by: tuple[By, ...] = (By.DAC,)
    terms_by: tuple[By, ...] = tuple(By)
    researcher_by: tuple[By, ...] = (By.PEER, By.SYSTEM, By.SIGNING_OFFICIAL, By.DAC)

    def policy(self, dataset: str | None = None) -> Policy:
        """The policy for a request for one dataset, or for any."""
        return Policy(
            audiences=frozenset(self.audiences),
            dataset=dataset,
            max_authz_ttl_s=self.max_authz_ttl_s,
            grant_by=frozenset(self.grant_by),
            terms_by=frozenset(self.terms_by),
            researcher_by=frozenset(self.researcher_by),
        )


class TrustSettings(msgspec.Struct, frozen=True):
    """`trust.toml`."""

    policy: PolicySettings = PolicySettings()
    keys: KeySettings = KeySettings()
    brokers: tuple[BrokerSettings, ...] = ()
    issuers: tuple[IssuerSettings, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what contradicts itself, and addresses that keys may not be fetched from."""
        _require_once([broker.issuer for broker in self.brokers], "brokers")
        _require_once([f"{issuer.issuer} with {issuer.jku}" for issuer in self.issuers], "issuers")
        for url in self.key_urls:
            _require_fetchable(url, loopback_http=self.keys.loopback_http)

    @property
    def key_urls(self) -> frozenset[str]:
        """All addresses that keys are ever fetched from."""
        brokers = {broker.jwks_url for broker in self.brokers if broker.jwks_url}
        return frozenset(brokers | {issuer.jku for issuer in self.issuers if not issuer.jwks_file})


def _require_once(names: list[str], what: str) -> None:
    name, count = next(iter(Counter(names).most_common(1)), ("", 0))
    if count > 1:
        raise ValueError(f"{what}: {name} stands there twice")


def _require_issuer(issuer: str) -> None:
    if not _ISSUER.fullmatch(issuer):
        raise ValueError(f"issuer {issuer!r}: write the `iss` of its tokens, a URL without @")


def _require_scope(text: str) -> None:
    parts = urlsplit(text)
    if not (parts.scheme and parts.hostname and parts.path) or parts.username is not None or text != text.strip():
        # without a path, `https://node.xx` would be a beginning of `https://node.xx.evil/`
        raise ValueError(f"{text!r}: write a whole URL with a path; end it in / for everything below")


def _require_fetchable(url: str, *, loopback_http: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:  # of brackets or of a port
        raise ValueError(f"{url!r}: write the address of a key set, https://…") from None
    if not host or parts.username is not None or parts.fragment or url != url.strip():
        raise ValueError(f"{url!r}: write the address of a key set, https://…")
    if parts.scheme != "https" and not (loopback_http and parts.scheme == "http" and is_loopback(host)):
        raise ValueError(f"{url!r}: keys are fetched by https; by http only from this machine, with loopback_http")
