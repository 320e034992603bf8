# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import hmac
import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from megagenome.kernel.errors import Conflict, Corrupt, Invalid, MegagenomeError, TooLarge
from megagenome.kernel.keys import LARGEST_TOKEN_BYTES, SigningKeys, parse_key_set, successors, verify

TYP = "test+jwt"


def b64(content: bytes | dict[str, Any]) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SigningKeys:
    return SigningKeys.open(tmp_path_factory.mktemp("made") / "keys")


def private_of(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / "signing.json").read_bytes())["keys"][0]
    return found


def test_what_is_signed_verifies_with_plain_cryptography(keys: SigningKeys) -> None:
    """An oracle that knows ECDSA and base64 and nothing of our code or of JOSE."""
    header, payload, signature = keys.sign({"seq": 7, "name": "Õ"}, TYP).split(".")
    [jwk] = keys.jwks()["keys"]
    x, y = (int.from_bytes(unb64(jwk[axis])) for axis in "xy")
    raw = unb64(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    public.verify(der, f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        public.verify(der, f"{header}.{payload}x".encode(), ec.ECDSA(hashes.SHA256()))
    assert json.loads(unb64(header)) == {"alg": "ES256", "kid": jwk["kid"], "typ": TYP}
    assert json.loads(unb64(payload)) == {"seq": 7, "name": "Õ"}
    # RFC 7638: the required members, sorted, without blanks
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    assert jwk["kid"] == b64(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()) == keys.kid


def test_what_plain_cryptography_signs_is_verified() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32)), "kid": "k"}
    signed = f"{b64({'alg': 'ES256', 'typ': TYP, 'kid': 'k'})}.{b64({'a': 1})}"
    r, s = decode_dss_signature(private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    token = f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"
    assert verify(token, parse_key_set({"keys": [jwk]}), TYP) == {"a": 1}


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        made = SigningKeys.open(tmp_path / "node" / "keys")
    finally:
        os.umask(before)
    folder = tmp_path / "node" / "keys"
    assert [oct(path.stat().st_mode)[-3:] for path in (folder, folder / "signing.json")] == ["700", "600"]
    assert SigningKeys.open(folder).kid == made.kid
    assert [path.name for path in folder.iterdir()] == ["signing.json"]


@pytest.mark.parametrize(("path", "mode"), [("signing.json", 0o640), ("signing.json", 0o604), (".", 0o750)])
def test_keys_that_others_may_read_are_refused(tmp_path: Path, path: str, mode: int) -> None:
    SigningKeys.open(tmp_path / "keys")
    (tmp_path / "keys" / path).chmod(mode)
    with pytest.raises(Conflict, match=rf"mode {mode:04o}\): chmod [67]00"):
        SigningKeys.open(tmp_path / "keys")


MAKING = """
import sys
from pathlib import Path
from megagenome.kernel.keys import SigningKeys
print(SigningKeys.open(Path(sys.argv[1])).kid)
"""


def test_processes_that_make_keys_at_once_have_the_same(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKING, str(tmp_path / "keys")]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert len({each.communicate(timeout=60)[0] for each in started}) == 1


@pytest.mark.parametrize("content", ["", "{}", '{"keys": []}', '{"keys": [{"kty": "EC"}]}', '{"keys": [7]}', "\xff"])
def test_what_is_no_key_file_is_named_and_not_quoted(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    path = tmp_path / "keys" / "signing.json"
    path.write_text(content, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(Corrupt, match=r"signing\.json: not a file of signing keys"):
        SigningKeys.open(tmp_path / "keys")


def test_a_damaged_key_file_is_not_quoted(tmp_path: Path) -> None:
    SigningKeys.open(tmp_path / "keys")
    path = tmp_path / "keys" / "signing.json"
    secret = private_of(path.parent)["d"]
    for damage in ((secret, secret[:-2]), (secret, secret + "!"), ('"P-256"', '"P-999"'), ('"d"', '"dd"')):
        text = path.read_text()
        path.write_text(text.replace(*damage))
        with pytest.raises(Corrupt) as caught:
            SigningKeys.open(path.parent)
        assert secret[:20] not in str(caught.value)
        assert caught.value.__cause__ is None
        path.write_text(text)


def test_the_private_part_shows_nowhere(tmp_path: Path) -> None:
    keys = SigningKeys.open(tmp_path / "keys")
    secret = private_of(tmp_path / "keys")["d"]
    shown = [
        repr(keys),
        str(keys),
        repr([keys]),
        json.dumps(keys.jwks()),
        repr(keys.key_set().as_dict()),
        keys.sign({}, TYP),
    ]
    assert not any(secret in text for text in shown)
    assert all("d" not in key for key in keys.jwks()["keys"])
    with pytest.raises(TypeError):
        pickle.dumps(keys)


def test_a_replaced_key_still_verifies_and_cannot_sign(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = SigningKeys.open(folder)
    old, secret = first.sign({"n": 1}, TYP), private_of(folder)["d"]
    second = SigningKeys.replace(folder)
    assert second.kid != first.kid
    assert SigningKeys.open(folder).kid == second.kid
    assert [key["kid"] for key in second.jwks()["keys"]] == [second.kid, first.kid]
    assert verify(old, second.key_set(), TYP) == {"n": 1}
    assert secret not in (folder / "signing.json").read_text()
    assert oct((folder / "signing.json").stat().st_mode)[-3:] == "600"
    with pytest.raises(Corrupt):
        verify(second.sign({}, TYP), first.key_set(), TYP)


def test_there_must_be_a_key_to_replace(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no key here"):
        SigningKeys.replace(tmp_path / "keys")


def test_who_pinned_an_old_key_follows_to_the_newest(tmp_path: Path) -> None:
    history = [SigningKeys.open(tmp_path / "keys")]
    history += [SigningKeys.replace(tmp_path / "keys") for _ in range(3)]
    newest = history[-1]
    for pinned in history:
        known = successors(pinned.key_set(), newest.successors)
        assert verify(newest.sign({"n": 1}, TYP), known, TYP) == {"n": 1}


def test_a_stranger_names_no_successor(tmp_path: Path) -> None:
    mine, other = SigningKeys.open(tmp_path / "a"), SigningKeys.open(tmp_path / "b")
    stranger = SigningKeys.replace(tmp_path / "b")
    wrong_type = mine.sign({"jwk": stranger.jwks()["keys"][0]}, TYP)
    without_key = mine.sign({"iat": 1}, "megagenome-key+jwt")
    known = successors(
        mine.key_set(), [*stranger.successors, wrong_type, without_key, "x", "x" * 2 * LARGEST_TOKEN_BYTES]
    )
    assert [key.kid for key in known] == [mine.kid]
    assert other.kid != mine.kid


def forgeries(keys: SigningKeys) -> dict[str, str]:
    """Tokens that must not pass, by what is wrong with them."""
    good = keys.sign({"a": 1}, TYP)
    header, payload, signature = good.split(".")
    [jwk] = keys.jwks()["keys"]
    stranger = ECKey.generate_key("P-256")
    pem = keys.key_set().keys[0].as_pem(private=False)
    named = {"alg": "ES256", "kid": keys.kid, "typ": TYP}

    def by(key: Any, **header: object) -> str:
        signed = {name: value for name, value in (named | header).items() if value is not None}
        return jws.serialize_compact(signed, b'{"a":1}', key, [signed["alg"]])  # type: ignore[list-item]

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
    known = parse_key_set({"keys": [private.as_dict(private=False)]})
    assert verify(token, known, TYP, algorithms=("ES256", "RS256")) == {"a": 1}
    with pytest.raises(Corrupt):
        verify(token, known, TYP)


def test_keys_that_cannot_verify_are_left_out(keys: SigningKeys) -> None:
    [mine] = keys.jwks()["keys"]
    short = {"kty": "RSA", "e": "AQAB", "n": b64(os.urandom(128))}
    others = [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"},
        ECKey.generate_key("P-521").as_dict(private=False),
        short,
        {**mine, "use": "enc", "kid": "other"},
    ]
    assert [key.kid for key in parse_key_set(json.dumps({"keys": [*others, mine]}).encode())] == [keys.kid]


def bad_key_sets(keys: SigningKeys) -> list[Any]:
    [mine] = keys.jwks()["keys"]
    private = ECKey.generate_key("P-256").as_dict(private=True)
    secret = OctKey.generate_key(256).as_dict(private=True)
    off_curve = {**mine, "y": mine["x"]}
    return [b"", b"[]", b"\xff", {}, {"keys": 1}, {"keys": [1]}, {"keys": [mine, mine]}, {"keys": [private]},
            {"keys": [secret]}, {"keys": [off_curve]}, {"keys": [{"kty": "EC", "crv": "P-256"}]}]  # fmt: skip


def test_what_is_no_key_set_is_refused(keys: SigningKeys) -> None:
    for jwks in bad_key_sets(keys):
        with pytest.raises(Corrupt) as caught:
            parse_key_set(jwks)
        assert "\n" not in str(caught.value)
    with pytest.raises(TooLarge):
        parse_key_set(b" " * 200_000)
