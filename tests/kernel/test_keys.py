# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from megagenome.kernel.errors import Conflict, Corrupt, Invalid
from megagenome.kernel.keys import SigningKeys, successors
from megagenome.kernel.public_keys import to_jwks
from megagenome.kernel.signatures import LARGEST_TOKEN_BYTES, verify

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
        repr(keys.key_set()),
        repr(to_jwks(keys.key_set())),
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
    assert list(known) == [mine.kid]
    assert other.kid != mine.kid
