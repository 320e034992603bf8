# SPDX-License-Identifier: Apache-2.0
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from megagenome.kernel.errors import Corrupt
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.public_keys import each_key, read_public_keys
from megagenome.standards.descriptor import (
    LARGEST_BYTES,
    TYPE,
    DescribedService,
    Descriptor,
    meet,
    read_descriptor,
    sign_descriptor,
)
from megagenome.standards.service_info import ServiceType

SERVICES = (DescribedService(ServiceType("org.ga4gh", "beacon", "v2.2.0"), "https://node.ee/beacon/v2"),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    SigningKeys.open(tmp_path / "keys")
    return tmp_path / "keys"


def signed(keys: SigningKeys) -> str:
    return sign_descriptor(
        keys,
        id="node.ee",
        kind="node",
        name="Eesti sõlm",
        country="EE",
        url="https://node.ee",
        version="0.1.0",
        services=SERVICES,
        iat=1795342320,
    )


def test_it_is_read_as_it_was_signed(folder: Path) -> None:
    keys = SigningKeys.open(folder)
    token = signed(keys)
    pinned = read_public_keys(json.dumps(keys.jwks()).encode())
    found = read_descriptor(token, pinned)
    expected = Descriptor(
        "node.ee", "node", "Eesti sõlm", "EE", "https://node.ee", "0.1.0", SERVICES, keys.jwks(), (), 1795342320
    )
    assert found == meet(token) == read_descriptor(token.encode(), pinned) == expected
    assert [key.kid for key in each_key(found.key_set())] == [keys.kid]


def test_who_pinned_a_key_follows_when_it_is_replaced(folder: Path) -> None:
    pinned = meet(signed(SigningKeys.open(folder))).key_set()
    for _ in range(3):
        newest = SigningKeys.replace(folder)
        found = read_descriptor(signed(newest), pinned)
        assert next(iter(found.key_set())) == newest.kid


def test_a_stranger_is_not_believed(folder: Path, tmp_path: Path) -> None:
    pinned = SigningKeys.open(folder).key_set()
    stranger = SigningKeys.open(tmp_path / "other")
    assert meet(signed(stranger)).id == "node.ee"
    with pytest.raises(Corrupt):
        read_descriptor(signed(stranger), pinned)
    # nor one that lists the pinned key among its own, or has its successions
    SigningKeys.replace(folder)
    mixed = {"keys": [*stranger.jwks()["keys"], *SigningKeys.open(folder).jwks()["keys"]]}
    claims = claims_of(signed(stranger)) | {"keys": mixed, "successors": SigningKeys.open(folder).successors}
    with pytest.raises(Corrupt):
        read_descriptor(stranger.sign(claims, TYPE), pinned)


def test_claims_that_were_changed_are_not_believed(folder: Path) -> None:
    keys = SigningKeys.open(folder)
    header, _, signature = signed(keys).split(".")
    payload = json.dumps(claims_of(signed(keys)) | {"url": "https://evil.example"}).encode()
    token = f"{header}.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}.{signature}"
    for read in (lambda: read_descriptor(token, keys.key_set()), lambda: meet(token)):
        with pytest.raises(Corrupt):
            read()


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


WRONG: dict[str, Any] = {
    "id": "no blanks",
    "kind": "cloud",
    "name": "x" * 2000,
    "country": "Estonia",
    "url": "javascript:alert(1)",
    "services": [{"url": "https://x"}],
    "keys": {"keys": []},
    "iat": "now",
    "successors": [7],
}


@pytest.mark.parametrize("claim", WRONG)
@pytest.mark.parametrize("is_absent", [False, True])
def test_what_a_descriptor_must_not_say(folder: Path, claim: str, is_absent: bool) -> None:
    keys = SigningKeys.open(folder)
    claims = claims_of(signed(keys)) | {claim: WRONG[claim]}
    if is_absent:
        del claims[claim]
    token = keys.sign(claims, TYPE)
    with pytest.raises(Corrupt):
        meet(token)
    if claim != "keys" or is_absent:
        with pytest.raises(Corrupt):
            read_descriptor(token, keys.key_set())


@pytest.mark.parametrize("claim", ["id", "url", "country"])
def test_a_line_end_after_what_is_said_is_not_overlooked(folder: Path, claim: str) -> None:
    keys = SigningKeys.open(folder)
    claims = claims_of(signed(keys))
    with pytest.raises(Corrupt):
        meet(keys.sign({**claims, claim: claims[claim] + "\n"}, TYPE))


NONSENSE = ["", "a.b.c", "....", "\xff.\xff.\xff", "x" * (LARGEST_BYTES + 1), f"a.{'WyJb' * 9000}.c"]


@pytest.mark.parametrize("token", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_refused(folder: Path, token: str) -> None:
    keys = SigningKeys.open(folder)
    for read in (lambda: read_descriptor(token, keys.key_set()), lambda: meet(token)):
        with pytest.raises(Corrupt) as caught:
            read()
        assert "\n" not in str(caught.value)


def test_another_type_of_token_is_no_descriptor(folder: Path) -> None:
    keys = SigningKeys.open(folder)
    token = keys.sign(claims_of(signed(keys)), "megagenome-ledger-head+jwt")
    with pytest.raises(Corrupt):
        read_descriptor(token, keys.key_set())
