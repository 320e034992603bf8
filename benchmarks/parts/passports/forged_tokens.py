# SPDX-License-Identifier: Apache-2.0
"""Forgeries that any signed token can be: algorithms, keys, headers, times, bytes."""

import hmac
import json
import random
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey

from benchmarks.parts.passports.forging import ANY, Kept, altered, stated, without
from benchmarks.parts.passports.world import (
    FINLAND,
    HUB,
    NOW,
    SIGNERS,
    STRANGER,
    Draft,
    base64url,
    encode,
    encode_identities,
    sign,
    sign_bytes,
)
from megagenome.identity.model import Code
from megagenome.standards.passport import PASSPORT_CLAIM, VISA_CLAIM, VisaType

kept = Kept()
_P384 = ECKey.generate_key("P-384")
_ED25519 = OKPKey.generate_key("Ed25519")
_OTHER_KEYS: list[tuple[str, ECKey | OKPKey]] = [("ES384", _P384), ("EdDSA", _ED25519)]
_RSA = RSAKey.generate_key(2048)


def strange_key(alg: str) -> ECKey | RSAKey:
    """A key that fits an algorithm and that nobody trusts."""
    key = STRANGER.keys[0][1] if alg == "ES256" else _RSA
    assert isinstance(key, ECKey | RSAKey)
    return key


@kept(ANY, Code.ALGORITHM)
def alg_none(draft: Draft, random_: random.Random) -> Draft | str | None:
    changed = altered(draft, {"alg": random_.choice(["none", "None", "NONE", "nOnE", ""])})
    unsigned = sign(changed._replace(alg="none"))
    return random_.choice([unsigned, sign(changed), unsigned + "AA"])


@kept(ANY, Code.ALGORITHM)
def hmac_with_the_public_key(draft: Draft, random_: random.Random) -> Draft | str | None:
    public = type(draft.key).import_key(dict(draft.key.as_dict(private=False)))
    secrets = [public.as_pem(), public.as_pem().strip(), public.as_der(), encode(public.as_dict())]
    alg = random_.choice(["HS256", "HS384", "HS512"])
    message = f"{base64url(encode(draft.header | {'alg': alg}))}.{base64url(encode(draft.claims))}".encode()
    return message.decode() + "." + base64url(hmac.digest(random_.choice(secrets), message, f"sha{alg[2:]}"))


@kept(ANY, Code.ALGORITHM)
def other_algorithm(draft: Draft, random_: random.Random) -> Draft | str | None:
    if isinstance(draft.key, RSAKey):
        alg = random_.choice(["PS256", "RS384", "RS512", "PS512"])
        return altered(draft, {"alg": alg})._replace(alg=alg)
    alg, key = random_.choice(_OTHER_KEYS)
    return altered(draft, {"alg": alg})._replace(alg=alg, key=key)


@kept(ANY, Code.ALGORITHM, Code.MALFORMED)
def algorithm_spelled_otherwise(draft: Draft, random_: random.Random) -> Draft | str | None:
    alg = draft.alg
    return altered(draft, {"alg": random_.choice([alg.lower(), f"{alg} ", f"{alg}\x00", [alg], None, 256])})


@kept(ANY, Code.BAD_SIGNATURE)
def own_key(draft: Draft, _random: random.Random) -> Draft | str | None:
    return draft._replace(key=strange_key(draft.alg))


@kept(ANY, Code.BAD_SIGNATURE)
def algorithm_of_the_other_kind_of_key(draft: Draft, _random: random.Random) -> Draft | str | None:
    alg = "ES256" if draft.alg == "RS256" else "RS256"
    return altered(draft, {"alg": alg})._replace(alg=alg, key=strange_key(alg))


@kept(ANY, Code.FOREIGN_KEY)
def own_key_in_the_header(draft: Draft, random_: random.Random) -> Draft | str | None:
    key = strange_key(draft.alg)
    public: dict[str, Any] = dict(key.as_dict(private=False))
    ways: list[dict[str, Any]] = [{"jwk": public}, {"x5c": ["MIIB"]}, {"x5u": "https://stranger.example/cert"}]
    return altered(draft, random_.choice(ways))._replace(key=key)


@kept(ANY, Code.UNKNOWN_KID)
def own_key_by_its_own_name(draft: Draft, _random: random.Random) -> Draft | str | None:
    return altered(draft, {"kid": STRANGER.keys[0][0]})._replace(key=strange_key(draft.alg))


@kept(ANY, Code.BAD_SIGNATURE)
def key_of_another_trusted_issuer(draft: Draft, random_: random.Random) -> Draft | str | None:
    others = [s for s in SIGNERS if s.alg == draft.alg and s.iss != draft.claims["iss"]]
    return draft._replace(key=random_.choice(others).keys[0][1])


@kept(ANY, Code.UNKNOWN_KID)
def key_and_kid_of_another_trusted_issuer(draft: Draft, random_: random.Random) -> Draft | str | None:
    others = [s for s in SIGNERS if s.alg == draft.alg and s.iss != draft.claims["iss"]]
    kid, key = random_.choice(others).keys[0]
    return altered(draft, {"kid": kid})._replace(key=key)


@kept(ANY, Code.BAD_SIGNATURE)
def another_key_of_the_same_issuer(draft: Draft, _random: random.Random) -> Draft | str | None:
    [signer] = [s for s in SIGNERS if s.iss == draft.claims["iss"]]
    return draft._replace(key=next(key for kid, key in signer.keys if kid != draft.header["kid"]))


@kept(ANY, Code.NO_KID, Code.MALFORMED)
def no_kid(draft: Draft, random_: random.Random) -> Draft | str | None:
    """Signed by the first key of the set, which whoever takes `keys[0]` would find good."""
    [signer] = [s for s in SIGNERS if s.iss == draft.claims["iss"]]
    first = draft._replace(key=signer.keys[0][1])
    absent = first._replace(header=without(first.header, "kid"))
    return random_.choice(
        [absent, altered(first, {"kid": ""}), altered(first, {"kid": 0}), altered(first, {"kid": None})]
    )


@kept(ANY, Code.UNKNOWN_KID)
def wrong_kid(draft: Draft, random_: random.Random) -> Draft | str | None:
    """Signed by the first key of the set."""
    kid = draft.header["kid"]
    [signer] = [s for s in SIGNERS if s.iss == draft.claims["iss"]]
    near = [kid.upper(), f" {kid}", f"{kid}\n", kid[:-1], kid + "a", "*", "0"]
    return altered(draft, {"kid": random_.choice(near)})._replace(key=signer.keys[0][1])


@kept(ANY, Code.AMBIGUOUS_KID)
def kid_of_two_keys(draft: Draft, random_: random.Random) -> Draft | str | None:
    [signer] = [s for s in SIGNERS if s.iss == draft.claims["iss"]]
    kid, key = signer.keys[random_.choice([2, 3])]
    return altered(draft, {"kid": kid})._replace(key=key)


@kept(ANY, Code.WRONG_TYP, Code.MALFORMED)
def other_kind_of_token(draft: Draft, random_: random.Random) -> Draft | str | None:
    typ = draft.header.get("typ", "").lower()
    swapped = "vnd.ga4gh.visa+jwt" if "passport" in typ else "vnd.ga4gh.passport+jwt"
    return altered(draft, {"typ": random_.choice([swapped, "at+jwt", "dpop+jwt", "jwt ", "jose", ["jwt"], 1])})


@kept(ANY, Code.FOREIGN_KEY)
def critical_header(draft: Draft, random_: random.Random) -> Draft | str | None:
    ways: list[dict[str, Any]] = [{"crit": []}, {"crit": ["b64"], "b64": True}, {"crit": ["exp"], "exp": NOW + 9999}]
    return altered(draft, random_.choice([*ways, {"b64": False}, {"zip": "DEF"}, {"enc": "A256GCM"}]))


@kept(ANY, Code.MALFORMED, Code.FOREIGN_KEY, Code.BAD_SIGNATURE)
def unencoded_payload(draft: Draft, random_: random.Random) -> Draft | str | None:
    header = base64url(encode(draft.header | {"b64": False, "crit": ["b64"]}))
    raw = random_.choice([json.dumps(draft.claims), base64url(encode(draft.claims)), ""])
    return f"{header}.{raw}.{sign(draft).rpartition('.')[2]}"


@kept(ANY, Code.UNTRUSTED_ISSUER)
def issuer_that_only_looks_trusted(draft: Draft, random_: random.Random) -> Draft | str | None:
    iss = draft.claims["iss"]
    near = [
        iss[:-1],
        f"{iss}/",
        iss.upper(),
        f" {iss}",
        f"{iss}\n",
        iss.replace("e", "\u0435", 1),
        f"{iss}@evil.example",
    ]
    near += [iss.replace(".example/", ".example.evil/"), f"{iss}\u200b", "https://stranger.example/"]
    return altered(draft, iss=random_.choice([*near, None, 7, [iss], {"iss": iss}, ""]))


@kept(ANY, Code.UNTRUSTED_ISSUER, Code.UNTRUSTED_JKU, Code.UNKNOWN_KID)
def another_trusted_issuer_named(draft: Draft, random_: random.Random) -> Draft | str | None:
    others = [s for s in SIGNERS if s.iss != draft.claims["iss"]]
    return altered(draft, iss=random_.choice(others).iss)


@kept(ANY, Code.OTHER_PERSON, Code.ACCEPTED, Code.USED, Code.BAD_CLAIMS)
def another_person(draft: Draft, random_: random.Random) -> Draft | str | None:
    """Whoever the token is of, or joins, is somebody else, or looks the same."""
    sub = draft.claims["sub"]
    looks = [
        sub.upper(),
        f"{sub} ",
        f"{sub}\u200b",
        sub.replace("-", "\u2010"),
        "mallory",
        f"{sub}%00",
        sub[:-1] or "x",
    ]
    other = random_.choice([each for each in looks if each != sub])
    if draft.claims.get(VISA_CLAIM, {}).get("type") == VisaType.LINKED_IDENTITIES:
        return stated(draft, value=encode_identities((FINLAND.identity("mallory"), HUB.identity("mallory"))))
    return altered(draft, sub=other)


@kept(ANY, Code.EXPIRED)
def expired(draft: Draft, random_: random.Random) -> Draft | str | None:
    return altered(draft, exp=NOW - random_.choice([60, 61, 3600, 10**9]))


@kept(ANY, Code.NOT_YET_VALID)
def from_the_future(draft: Draft, random_: random.Random) -> Draft | str | None:
    begins = NOW + random_.choice([61, 3600, 10**9])
    return altered(draft, **{random_.choice(["iat", "nbf"]): begins})


@kept(ANY, Code.BAD_CLAIMS, Code.UNTRUSTED_ISSUER)
def claim_missing(draft: Draft, random_: random.Random) -> Draft | str | None:
    own = VISA_CLAIM if VISA_CLAIM in draft.claims else PASSPORT_CLAIM
    return draft._replace(claims=without(draft.claims, random_.choice(["iss", "sub", "iat", "exp", own])))


@kept(ANY, Code.BAD_CLAIMS, Code.MALFORMED)
def claim_of_another_type(draft: Draft, random_: random.Random) -> Draft | str | None:
    claim = random_.choice(["sub", "iat", "exp"])
    worst: list[Any] = [None, True, [NOW + 999], {"$gt": 0}, "", -1, 10**30]
    return altered(draft, **{claim: random_.choice(worst + (["9999999999"] if claim != "sub" else [5]))})


@kept(ANY, Code.MALFORMED)
def name_that_stands_twice(draft: Draft, random_: random.Random) -> Draft | str | None:
    header, claims = encode(draft.header), encode(draft.claims)
    if random_.random() < 0.3:
        return sign_bytes(b'{"alg":"none",' + header[1:], claims, draft.alg, draft.key)
    twice = random_.choice(
        [b'{"sub":"mallory",', b'{"exp":9999999999,', b'{"x":{"a":1,"a":2},', b'{"\\u0073ub":"mallory",']
    )
    return sign_bytes(header, twice + claims[1:], draft.alg, draft.key)


@kept(ANY, Code.MALFORMED, Code.TOO_LARGE)
def no_json_object(draft: Draft, random_: random.Random) -> Draft | str | None:
    header, claims = encode(draft.header), encode(draft.claims)
    bad = [
        b"",
        b"null",
        b"[]",
        b"{}}",
        b"\xef\xbb\xbf" + claims,
        claims.decode().encode("utf-16"),
        claims[:-1],
        b"\xff",
    ]
    bad += [claims + b"{}", b'{"x":NaN,' + claims[1:], b'{"x":1e999,' + claims[1:], b'{"x":' + b"9" * 5000 + b"}"]
    part = random_.choice(bad)
    return sign_bytes(*((part, claims) if random_.random() < 0.3 else (header, part)), draft.alg, draft.key)


@kept(ANY, Code.MALFORMED, Code.TOO_LARGE, Code.BAD_CLAIMS)
def nested_deep(draft: Draft, random_: random.Random) -> Draft | str | None:
    depth = random_.choice([1000, 3000, 5000])
    opened, closed = random_.choice([(b"[", b"]"), (b'{"a":', b"}")])
    deep = b'{"x":' + opened * depth + b"1" + closed * depth + b"," + encode(draft.claims)[1:]
    return sign_bytes(encode(draft.header), deep, draft.alg, draft.key)


@kept(ANY, Code.TOO_LARGE)
def a_megabyte(draft: Draft, random_: random.Random) -> Draft | str | None:
    size = random_.choice([300_000, 1_000_000])
    return altered(draft, x="x" * size) if random_.random() < 0.5 else altered(draft, {"x": "x" * size})


@kept(ANY, Code.MALFORMED, Code.BAD_SIGNATURE, *Code)
def bytes_changed(draft: Draft, random_: random.Random) -> Draft | str | None:
    text = sign(draft)
    changed = random_.choice(_CHANGES)(text, random_)
    return None if changed == text else changed


def _flip(text: str, random_: random.Random) -> str:
    at = random_.randrange(len(text))
    return text[:at] + random_.choice("ABCDwxyz0189-_") + text[at + 1 :]


def _drop(text: str, random_: random.Random) -> str:
    at = random_.randrange(len(text))
    return text[:at] + text[at + random_.choice([1, 1, 2, 4, 400]) :]


def _insert(text: str, random_: random.Random) -> str:
    at = random_.choice([0, len(text), random_.randrange(len(text))])
    return (
        text[:at]
        + random_.choice(["A", "AAAA", ".", "=", "==", " ", "\n", "\0", "é", "\u200b", "+", "%41"])
        + text[at:]
    )


def _swap(text: str, random_: random.Random) -> str:
    segments = text.split(".")
    random_.shuffle(segments)
    return ".".join(segments)


def _last_bits(text: str, random_: random.Random) -> str:
    """Another spelling of the same signature, where base64 has spare bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) ^ random_.choice([1, 2, 3])]


_CHANGES = (_flip, _flip, _flip, _drop, _insert, _swap, _last_bits)
