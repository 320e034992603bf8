# SPDX-License-Identifier: Apache-2.0
"""What is signed as it must be is verified; no forgery is."""

import base64
import hmac
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from megagenome.kernel.errors import Corrupt, MegagenomeError, TooLarge
from megagenome.kernel.jwt import read_token
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.public_keys import each_key, read_public_keys
from megagenome.kernel.signatures import Fault, NotSigned, check_header, check_signature, verify

TYP = "test+jwt"


def b64(content: bytes | dict[str, Any]) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SigningKeys:
    return SigningKeys.open(tmp_path_factory.mktemp("made") / "keys")


def test_what_plain_cryptography_signs_is_verified() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32)), "kid": "k"}
    signed = f"{b64({'alg': 'ES256', 'typ': TYP, 'kid': 'k'})}.{b64({'a': 1})}"
    r, s = decode_dss_signature(private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    token = f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"
    assert verify(token, read_public_keys({"keys": [jwk]}), TYP) == {"a": 1}


def forgeries(keys: SigningKeys) -> dict[str, str]:
    """Tokens that must not pass, by what is wrong with them."""
    good = keys.sign({"a": 1}, TYP)
    header, payload, signature = good.split(".")
    [jwk] = keys.jwks()["keys"]
    stranger = ECKey.generate_key("P-256")
    [own] = each_key(keys.key_set())
    pem = own.as_pem(private=False)
    named = {"alg": "ES256", "kid": keys.kid, "typ": TYP}

    def by(key: Any, **header: object) -> str:
        signed = {name: value for name, value in (named | header).items() if value is not None}
        return jws.serialize_compact(signed, b'{"a":1}', key, [signed["alg"]])

    def by_hmac(secret: bytes) -> str:
        signed = f"{b64(named | {'alg': 'HS256'})}.{payload}"
        return f"{signed}.{b64(hmac.digest(secret, signed.encode(), 'sha256'))}"

    return {
        "alg none": f"{b64(named | {'alg': 'none'})}.{payload}.",
        "alg none with a signature": f"{b64(named | {'alg': 'none'})}.{payload}.{signature}",
        "HMAC with the public key's PEM": by_hmac(pem),
        "HMAC with the public key's x": by_hmac(unb64(jwk["x"])),
        "another key under our kid": by(stranger),
        "another key under its kid": by(stranger, kid=stranger.thumbprint()),
        "another key in the header": by(stranger, jwk=stranger.as_dict(private=False)),
        "no kid": by(stranger, kid=None),
        "kid of another type": f"{b64(named | {'kid': 7})}.{payload}.{signature}",
        "P-384 under our kid": by(ECKey.generate_key("P-384"), alg="ES384"),
        "RSA under our kid": by(RSAKey.generate_key(2048), alg="RS256"),
        "shared key": by(OctKey.generate_key(256), alg="HS256"),
        "another type": keys.sign({"a": 1}, "other+jwt"),
        "no type": by(stranger, typ=None),
        "other claims": f"{header}.{b64({'a': 2})}.{signature}",
        "no signature": f"{header}.{payload}.",
        "zero signature": f"{header}.{payload}.{b64(bytes(64))}",
        "critical extension": f"{b64(named | {'crit': ['exp'], 'exp': 1})}.{payload}.{signature}",
        "unencoded payload": f"{b64(named | {'b64': False, 'crit': ['b64']})}.{payload}.{signature}",
        "claims that are no object": jws.serialize_compact(named, b"[1]", ECKey.generate_key("P-256"), ["ES256"]),
        "two parts": f"{header}.{payload}",
        "four parts": f"{good}.{signature}",
        "JSON serialization": json.dumps({"protected": header, "payload": payload, "signature": signature}),
        "nothing": "",
        "no ASCII": good.replace(".", "\N{ONE DOT LEADER}"),
        "deep nesting": f"{b64(b'[' * 1400)}.{payload}.{signature}",
    }


def test_no_forgery_passes(keys: SigningKeys) -> None:
    for name, token in forgeries(keys).items():
        with pytest.raises(MegagenomeError) as caught:
            verify(token, keys.key_set(), TYP)
        assert isinstance(caught.value, Corrupt), name
        assert "\n" not in str(caught.value), name
        # neither where the caller allows RSA as well
        with pytest.raises(Corrupt):
            verify(token, keys.key_set(), TYP, algorithms=("ES256", "RS256"))


def test_no_algorithm_can_be_asked_for_that_is_not_known(keys: SigningKeys) -> None:
    token = forgeries(keys)["alg none"]
    with pytest.raises(Corrupt):
        verify(token, keys.key_set(), TYP, algorithms=("none", "HS256"))


@given(st.data())
def test_a_changed_character_is_found(keys: SigningKeys, data: st.DataObject) -> None:
    token = keys.sign({"a": 1, "b": "xyz"}, TYP)
    place = data.draw(st.integers(0, len(token) - 2))  # of the last character only four bits are signature
    changed = (
        token[:place] + data.draw(st.characters(codec="ascii").filter(lambda c: c != token[place])) + token[place + 1 :]
    )
    with pytest.raises(Corrupt):
        verify(changed, keys.key_set(), TYP)


def test_a_large_token_is_refused_before_it_is_read(keys: SigningKeys) -> None:
    token = "a" * 5_000_000
    before = time.process_time()
    with pytest.raises(TooLarge, match="5,000,000 bytes"):
        verify(token, keys.key_set(), TYP)
    assert time.process_time() - before < 1
    claims = {"text": "x" * 60_000}
    assert verify(keys.sign(claims, TYP), keys.key_set(), TYP) == claims
    with pytest.raises(TooLarge):
        verify(keys.sign(claims, TYP), keys.key_set(), TYP, largest_bytes=60_000)


def test_rsa_verifies_where_it_is_allowed() -> None:
    private = RSAKey.generate_key(2048, parameters={"kid": "r"})
    token = jws.serialize_compact({"alg": "RS256", "kid": "r", "typ": TYP}, b'{"a":1}', private, ["RS256"])
    known = read_public_keys({"keys": [private.as_dict(private=False)]})
    assert verify(token, known, TYP, algorithms=("ES256", "RS256")) == {"a": 1}
    with pytest.raises(Corrupt):
        verify(token, known, TYP)


def rsa_token(**header: object) -> tuple[RSAKey, str]:
    private = RSAKey.generate_key(2048, parameters={"kid": "r"})
    return private, jws.serialize_compact({"alg": "RS256", **header}, b"{}", private, ["RS256"])


def test_a_token_without_a_name_counts_only_where_there_is_one_key_for_it(keys: SigningKeys) -> None:
    private, text = rsa_token()
    mine, token = private.as_dict(private=False), read_token(text, 10_000)
    one = read_public_keys({"keys": [mine, *keys.jwks()["keys"]]})
    check_signature(token, one, nameless=True)
    with pytest.raises(NotSigned) as caught:
        check_signature(token, one)
    assert caught.value.fault is Fault.NO_KID
    two = read_public_keys({"keys": [mine, RSAKey.generate_key(2048).as_dict(private=False)]})
    with pytest.raises(NotSigned) as caught:
        check_signature(token, two, nameless=True)
    assert caught.value.fault is Fault.AMBIGUOUS_KID
    with pytest.raises(NotSigned) as caught:
        check_signature(token, keys.key_set(), nameless=True)
    assert caught.value.fault is Fault.UNKNOWN_KID


def test_a_name_that_stands_for_two_keys_stands_for_none() -> None:
    private, text = rsa_token(kid="r")
    other = RSAKey.generate_key(2048, parameters={"kid": "r"})
    keys = read_public_keys({"keys": [private.as_dict(private=False), other.as_dict(private=False)]})
    with pytest.raises(NotSigned) as caught:
        check_signature(read_token(text, 10_000), keys)
    assert caught.value.fault is Fault.AMBIGUOUS_KID


@pytest.mark.parametrize("parameter", ["jwk", "x5c", "x5u", "b64", "crit", "enc", "zip"])
def test_a_header_chooses_neither_key_nor_meaning(parameter: str) -> None:
    _, text = rsa_token(kid="r", typ="application/X+JWT", cty="x")
    token = read_token(text, 10_000)
    check_header(token, {"x+jwt"})
    with pytest.raises(NotSigned) as caught:
        check_header(token._replace(parameters=token.parameters | {parameter: None}), {"x+jwt"})
    assert caught.value.fault is Fault.FOREIGN_KEY


def test_foreign_words_in_a_refusal_are_short_and_harmless() -> None:
    _, text = rsa_token(kid="r", typ="\x1b[2J\n" + "x" * 1000)
    with pytest.raises(NotSigned) as caught:
        check_header(read_token(text, 10_000), {"jwt"})
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200
