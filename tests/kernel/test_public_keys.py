# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import json
import warnings
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from megagenome.kernel.errors import Corrupt, TooLarge
from megagenome.kernel.public_keys import MAX_KEY_SET_BYTES, MAX_KEYS, each_key, read_public_keys, to_jwks

EC: dict[str, Any] = dict(ECKey.generate_key("P-256").as_dict(private=False))
RSA: dict[str, Any] = dict(RSAKey.generate_key(2048).as_dict(private=False))


def read(*keys: object) -> dict[str, int]:
    found = read_public_keys(json.dumps({"keys": keys}).encode())
    return {kid: len(named) for kid, named in found.items()}


def test_keys_are_found_by_their_kid() -> None:
    assert read(EC | {"kid": "e"}, RSA | {"kid": "r", "use": "sig", "alg": "RS256"}) == {"e": 1, "r": 1}


def test_a_kid_that_stands_twice_is_kept_twice() -> None:
    assert read(EC | {"kid": "e"}, RSA | {"kid": "e"}) == {"e": 2}


def test_a_key_without_a_name_gets_its_thumbprint() -> None:
    """RFC 7638: the digest of the required members, sorted, without blanks."""
    members = {name: EC[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    assert read(EC) == {base64.urlsafe_b64encode(digest).rstrip(b"=").decode(): 1}


def test_what_was_read_is_written_and_read_again() -> None:
    keys = read_public_keys({"keys": [EC | {"kid": "e"}, RSA | {"kid": "e"}, RSA]})
    again = read_public_keys(json.dumps(to_jwks(keys)).encode())
    assert [key.as_dict() for key in each_key(again)] == [key.as_dict() for key in each_key(keys)]
    assert again.keys() == keys.keys()


def weak_rsa() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(RSAKey.generate_key(1024).as_dict(private=False))


@pytest.mark.parametrize(
    "key",
    [
        EC | {"kid": ""},
        EC | {"kid": 5},
        EC | {"kid": "k", "use": "enc"},
        EC | {"kid": "k", "alg": "HS256"},
        EC | {"kid": "k", "alg": ["ES256"]},
        EC | {"kid": "k", "crv": "P-384"},
        EC | {"kid": "k", "x": "AAAA"},
        EC | {"kid": "k", "x": 5},
        EC | {"kid": "k", "y": RSA["n"]},
        RSA | {"kid": "k", "n": "!!"},
        RSA | {"kid": "k", "alg": "PS256"},
        RSA | {"kid": "k", "e": ""},
        weak_rsa() | {"kid": "k"},
        weak_rsa() | {"kid": "k", "n": "AAAA" * 50 + weak_rsa()["n"]},
        RSA | {"kid": "k", "n": "A" * 342},
        RSA | {"kid": "k", "n": 5},
        {"kid": "k", "kty": "RSA"},
        {"kid": "k", "kty": ["EC"]},
        {"kid": "k"},
        "key",
        {"kid": "k", "kty": "AKP", "alg": "ML-DSA-44", "pub": "x"},
        dict(OKPKey.generate_key("Ed25519").as_dict(private=False)) | {"kid": "k"},
        dict(ECKey.generate_key("P-384").as_dict(private=False)) | {"kid": "k"},
    ],
)
def test_a_key_that_cannot_be_used_is_left_out(key: object) -> None:
    assert read(key, RSA | {"kid": "good"}) == {"good": 1}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[],"keys":[]}', b'{"keys":null}'])
def test_what_is_no_key_set_is_corrupt(content: bytes) -> None:
    with pytest.raises(Corrupt):
        read_public_keys(content)


def test_keys_are_limited() -> None:
    with pytest.raises(Corrupt, match="at most"):
        read(*[EC | {"kid": str(number)} for number in range(MAX_KEYS + 1)])


@pytest.mark.parametrize("key", [ECKey.generate_key("P-256"), RSAKey.generate_key(2048), OctKey.generate_key(256)])
def test_a_set_with_a_key_that_anybody_can_sign_with_is_refused(key: ECKey | RSAKey | OctKey) -> None:
    with pytest.raises(Corrupt, match="private or shared") as caught:
        read(RSA | {"kid": "good"}, dict(key.as_dict(private=True)) | {"kid": "k"})
    assert "\n" not in str(caught.value)


def test_a_large_set_is_not_read() -> None:
    with pytest.raises(TooLarge):
        read_public_keys(b" " * (MAX_KEY_SET_BYTES + 1))
