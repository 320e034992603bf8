# SPDX-License-Identifier: Apache-2.0
"""A small world of brokers, visa issuers and their keys, and valid passports of every shape in it.

Tokens are drafts until they are signed, so that `forgeries` can change any part and sign again.
"""

import base64
import json
import random
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from megagenome.identity.model import Policy
from megagenome.identity.trust import Broker, Issuer, Trust
from megagenome.identity.trust_settings import SourceSettings
from megagenome.kernel.public_keys import PublicKeys, read_public_keys
from megagenome.standards.passport import (
    PASSPORT_CLAIM,
    PASSPORT_TYP,
    REGISTERED_ACCESS,
    VISA_CLAIM,
    VISA_TYP,
    VisaIdentity,
    VisaType,
)

NOW = 1_800_000_000
ME = "https://me.example"

Key = ECKey | RSAKey | OKPKey


class Signer(NamedTuple):
    """A service with its keys: `keys` by their `kid`, of which the last two share one."""

    iss: str
    jku: str
    alg: str
    keys: tuple[tuple[str, Key], ...]

    def identity(self, sub: str) -> VisaIdentity:
        return VisaIdentity(sub, self.iss)

    def published(self) -> PublicKeys:
        public: list[dict[str, Any]] = [dict(key.as_dict(private=False)) | {"kid": kid} for kid, key in self.keys]
        return read_public_keys(json.dumps({"keys": public}).encode())


class Draft(NamedTuple):
    """A token before it is signed, by which algorithm and key it will be."""

    header: dict[str, Any]
    claims: dict[str, Any]
    alg: str
    key: Key


class Shape(NamedTuple):
    """A valid passport. Every visa of `needed` is needed for `dataset`; `others` change nothing."""

    name: str
    passport: Draft
    needed: tuple[Draft, ...]
    others: tuple[str, ...]
    dataset: str
    registered: bool = False

    def visas(self) -> list[str]:
        return [sign(visa) for visa in self.needed] + list(self.others)

    def text(self) -> str:
        return sign_passport(self.passport, self.visas())


def encode_identities(identities: Iterable[VisaIdentity]) -> str:
    """The value of a LinkedIdentities visa."""
    return ";".join(f"{quote(sub, safe='')},{quote(iss, safe='')}" for sub, iss in identities)


def _service(url: str, alg: str) -> Signer:
    kids = ("a", "b", "twice", "twice")
    name = url.split("/")[2]
    keys = tuple((f"{name}-{kid}", _generate(alg)) for kid in kids)
    return Signer(url, f"{url}jwks", alg, keys)


def _generate(alg: str) -> Key:
    return RSAKey.generate_key(2048) if alg == "RS256" else ECKey.generate_key("P-256")


HUB = _service("https://hub.example/", "ES256")
LOGIN = _service("https://login.example/oidc/", "RS256")
FINLAND = _service("https://fi.example/", "ES256")
ESTONIA = _service("https://ee.example/", "ES256")
REGISTRY = _service("https://registry.example/", "RS256")
UNIVERSITY = _service("https://uni.example/", "ES256")
SIGNERS = (HUB, LOGIN, FINLAND, ESTONIA, REGISTRY, UNIVERSITY)
STRANGER = _service("https://stranger.example/", "ES256")


def _trusted(signer: Signer, types: Iterable[str], *sources: tuple[str, tuple[str, ...]]) -> Issuer:
    scopes = tuple(SourceSettings(source, values) for source, values in sources)
    return Issuer(signer.iss, signer.jku, signer.published(), frozenset(types), scopes)


_GRANTS = (VisaType.CONTROLLED_ACCESS_GRANTS,)
_REGISTERED = (VisaType.ACCEPTED_TERMS_AND_POLICIES, VisaType.RESEARCHER_STATUS)
TRUST = Trust(
    [
        Broker(HUB.iss, HUB.published(), HUB.jku),
        Broker(LOGIN.iss, LOGIN.published(), LOGIN.jku, needs_audience=False),
        Broker(FINLAND.iss, FINLAND.published(), FINLAND.jku),
    ],
    [
        _trusted(HUB, (VisaType.LINKED_IDENTITIES,), (HUB.iss, ())),
        _trusted(LOGIN, (VisaType.LINKED_IDENTITIES,), (LOGIN.iss, ())),
        _trusted(
            FINLAND,
            _GRANTS,
            (f"{FINLAND.iss}dac", (f"{FINLAND.iss}datasets/",)),
            (f"{FINLAND.iss}dacs/", (f"{FINLAND.iss}datasets/", "https://other.example/one")),
        ),
        _trusted(ESTONIA, _GRANTS, (f"{ESTONIA.iss}dac", (f"{ESTONIA.iss}datasets/",))),
        _trusted(REGISTRY, _REGISTERED, (REGISTRY.iss, (REGISTERED_ACCESS,))),
        _trusted(UNIVERSITY, (VisaType.AFFILIATION_AND_ROLE,), (UNIVERSITY.iss, ("@uni.example",))),
    ],
)


def policy(dataset: str | None = None) -> Policy:
    """What this world's service wants."""
    return Policy(audiences=frozenset({ME}), dataset=dataset)


def sign(draft: Draft) -> str:
    """The token of a draft, whatever its header says."""
    return sign_bytes(encode(draft.header), encode(draft.claims), draft.alg, draft.key)


def sign_bytes(header: bytes, claims: bytes, alg: str, key: object) -> str:
    """A token of any bytes, signed by `alg` and `key`, or by nobody for the algorithm `none`."""
    message = f"{base64url(header)}.{base64url(claims)}"
    signature = b"" if alg == "none" else JWSRegistry.algorithms[alg].sign(message.encode(), key)
    return f"{message}.{base64url(signature)}"


def sign_passport(draft: Draft, visas: list[str]) -> str:
    """The passport around these visas."""
    return sign(draft._replace(claims=draft.claims | {PASSPORT_CLAIM: visas}))


def encode(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Mint:
    """Drafts of valid tokens, varied at random in all that is free."""

    def __init__(self, random_: random.Random) -> None:
        self.random = random_

    def passport(self, signer: Signer, sub: str) -> Draft:
        audience = self.random.choice([ME, [ME], ["https://another.example", ME]])
        claims = self._registered(signer, sub) | {"aud": audience, PASSPORT_CLAIM: []}
        if signer is LOGIN and self.random.random() < 0.5:
            del claims["aud"]
        typ = self.random.choice([PASSPORT_TYP, PASSPORT_TYP, PASSPORT_TYP.upper(), f"application/{PASSPORT_TYP}"])
        return self._draft(signer, {"typ": typ}, claims)

    def visa(self, signer: Signer, sub: str, type_: str, value: str, source: str = "", **more: Any) -> Draft:
        stated = {"type": type_, "asserted": NOW - self.random.randrange(30_000_000), "value": value}
        stated |= {"source": source or signer.iss, "by": "so"} | more
        if self.random.random() < 0.2:
            stated["department"] = "unknown to everybody"
        claims = self._registered(signer, sub) | {VISA_CLAIM: stated}
        if self.random.random() < 0.1:
            claims["scope"] = "ga4gh_passport_v1 email"
        typ = self.random.choice([{"typ": VISA_TYP}, {"typ": VISA_TYP}, {"typ": "JWT"}, {}])
        return self._draft(signer, typ | {"jku": signer.jku}, claims)

    def grant(self, signer: Signer, sub: str, dataset: str, **more: Any) -> Draft:
        sources = [f"{signer.iss}dac"] + ([f"{signer.iss}dacs/3"] if signer is FINLAND else [])
        source = self.random.choice(sources)
        return self.visa(signer, sub, VisaType.CONTROLLED_ACCESS_GRANTS, dataset, source, **{"by": "dac"} | more)

    def link(self, signer: Signer, sub: str, *identities: VisaIdentity, **more: Any) -> Draft:
        return self.visa(signer, sub, VisaType.LINKED_IDENTITIES, encode_identities(identities), **more)

    def affiliation(self, sub: str, **more: Any) -> Draft:
        value = "faculty@uni.example"
        return self.visa(UNIVERSITY, sub, VisaType.AFFILIATION_AND_ROLE, value, **more)

    def _registered(self, signer: Signer, sub: str) -> dict[str, Any]:
        # also at the edges of what clocks may differ
        begins = NOW + self.random.choice([60, 0, -1, -3600])
        claims: dict[str, Any] = {"iss": signer.iss, "sub": sub, "iat": begins}
        claims["exp"] = NOW + self.random.choice([-59, 1, 300, 3600])
        if self.random.random() < 0.5:
            claims["jti"] = f"{self.random.getrandbits(64):x}"
        if self.random.random() < 0.2:
            claims["nbf"] = begins
        if self.random.random() < 0.1:
            claims |= {"iat": float(begins), "name": "Žofia Ødegård", "nested": {"sub": "x", "list": [1.5, None]}}
        return claims

    def _draft(self, signer: Signer, header: dict[str, Any], claims: dict[str, Any]) -> Draft:
        kid, key = signer.keys[self.random.randrange(2)]
        header = {"alg": signer.alg, "kid": kid} | header
        if self.random.random() < 0.1:
            header |= {"cty": "x", "x5t": "AAAA", "unheard-of": [1]}
        return Draft(header, claims, signer.alg, key)


def _direct(mint: Mint, dataset: str) -> tuple[Draft, list[Draft]]:
    return mint.passport(FINLAND, "p-1"), [mint.grant(FINLAND, "p-1", dataset)]


def _linked(mint: Mint, dataset: str) -> tuple[Draft, list[Draft]]:
    link = mint.link(HUB, "h,1;x", FINLAND.identity("p-1"))
    return mint.passport(HUB, "h,1;x"), [link, mint.grant(FINLAND, "p-1", dataset)]


def _superset(mint: Mint, dataset: str) -> tuple[Draft, list[Draft]]:
    everybody = (ESTONIA.identity("e"), LOGIN.identity("l@login"), FINLAND.identity("p-1"))
    link = mint.link(HUB, "00001", *everybody)
    return mint.passport(LOGIN, "l@login"), [link, mint.grant(FINLAND, "p-1", dataset)]


def _chain(mint: Mint, dataset: str) -> tuple[Draft, list[Draft]]:
    links = [mint.link(LOGIN, "l@login", FINLAND.identity("p-1")), mint.link(HUB, "h-1", LOGIN.identity("l@login"))]
    return mint.passport(HUB, "h-1"), [*links, mint.grant(FINLAND, "p-1", dataset)]


_WAYS: tuple[list[list[dict[str, str]]], ...] = (
    [[{"type": "AffiliationAndRole", "value": "const:faculty@uni.example"}]],
    [[{"type": "AffiliationAndRole", "value": "pattern:f?cul*@*", "by": "const:so"}]],
    [[{"type": "AffiliationAndRole", "value": "split_pattern:faculty@*", "source": "const:https://uni.example/"}]],
    [
        [{"type": "AffiliationAndRole", "value": "const:student@uni.example"}],
        [{"type": "AffiliationAndRole", "value": "regex:.*"}],
        [{"type": "AffiliationAndRole", "by": "const:so"}],
    ],
)


def _conditional(mint: Mint, dataset: str) -> tuple[Draft, list[Draft]]:
    way = mint.random.choice(_WAYS)
    link = mint.link(HUB, "h-1", FINLAND.identity("p-1"), UNIVERSITY.identity("u-1"))
    return mint.passport(HUB, "h-1"), [
        link,
        mint.grant(FINLAND, "p-1", dataset, conditions=way),
        mint.affiliation("u-1"),
    ]


def _conditional_link(mint: Mint, dataset: str) -> tuple[Draft, list[Draft]]:
    way = mint.random.choice(_WAYS)
    return mint.passport(HUB, "h-1"), [
        mint.link(LOGIN, "l@login", FINLAND.identity("p-1"), LOGIN.identity("other"), conditions=way),
        mint.link(HUB, "h-1", UNIVERSITY.identity("u-1"), LOGIN.identity("l@login")),
        mint.affiliation("u-1"),
        mint.grant(FINLAND, "p-1", dataset, conditions=[]),
    ]


def _researcher(mint: Mint, dataset: str) -> tuple[Draft, list[Draft]]:
    doi = REGISTERED_ACCESS
    both = [[{"type": str(type_), "value": f"const:{doi}"} for type_ in _REGISTERED]]
    link = mint.link(HUB, "h-1", FINLAND.identity("p-1"), REGISTRY.identity("r-1"))
    registered = [mint.visa(REGISTRY, "r-1", type_, doi) for type_ in _REGISTERED]
    return mint.passport(HUB, "h-1"), [link, mint.grant(FINLAND, "p-1", dataset, conditions=both), *registered]


SHAPES: dict[str, Callable[[Mint, str], tuple[Draft, list[Draft]]]] = {
    "direct": _direct,
    "linked": _linked,
    "superset": _superset,
    "chain": _chain,
    "conditional": _conditional,
    "conditional link": _conditional_link,
    "researcher": _researcher,
}


def valid(name: str, random_: random.Random, *, noise: bool = False) -> Shape:
    """A valid passport of a shape; with `noise` among visas that change nothing."""
    mint = Mint(random_)
    names = [f"{FINLAND.iss}datasets/{random_.randrange(1000)}"]
    passport, needed = SHAPES[name](mint, names[0])
    random_.shuffle(needed)
    others = [*_noise(mint)] if noise else []
    return Shape(name, passport, tuple(needed), tuple(others), names[0], registered=name == "researcher")


def _noise(mint: Mint) -> Iterable[str]:
    """Visas that no decision may notice: of strangers, of others, ended, of unknown types, and no visas at all."""
    elsewhere = f"{ESTONIA.iss}datasets/9"
    choices: list[Callable[[], str]] = [
        lambda: sign(mint.grant(STRANGER, "p-1", elsewhere)),
        lambda: sign(mint.grant(ESTONIA, "somebody", elsewhere)),
        lambda: sign(mint.visa(HUB, "h-1", "https://visas.example/unknown", "anything")),
        lambda: sign(mint.affiliation("u-1", conditions=[[{"type": "X", "value": "const:x"}]])),
        lambda: "no.visa.at-all",
        lambda: "",
    ]
    for choice in mint.random.choices(choices, k=mint.random.randrange(5)):
        yield choice()
