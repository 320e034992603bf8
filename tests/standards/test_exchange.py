# SPDX-License-Identifier: Apache-2.0
"""Messages, answers and proposals as they travel: what is signed is read back, and nothing else is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from megagenome.kernel.errors import Corrupt
from megagenome.kernel.keys import SigningKeys
from megagenome.standards.exchange import (
    ANSWER_TYPE,
    MESSAGE_TYPE,
    Answer,
    Message,
    Receipt,
    is_near,
    read_answer,
    read_message,
    read_proposal,
    sign_answer,
    sign_message,
    sign_proposal,
    stated_answer,
    stated_message,
)
from megagenome.standards.permit import PERMIT_TYPE, PermitState, Revocation
from tests.access.desks import proposal

NOW = datetime(2026, 11, 2, 9, 0, 0, 123456, tzinfo=UTC)
MESSAGE = Message("node.fi", "hub", "n" * 32, NOW, 7, ("a.b.c",), "descriptor")
ANSWER = Answer(
    "hub",
    "node.fi",
    "n" * 32,
    NOW,
    8,
    True,
    ("d.e.f",),
    (Revocation(8, "p", PermitState.REVOKED, NOW),),
    (Receipt("0" * 64, "late"),),
    "descriptor",
)


@pytest.fixture
def keys(tmp_path: Path) -> SigningKeys:
    return SigningKeys.open(tmp_path / "keys")


def test_what_is_signed_is_read_back(keys: SigningKeys) -> None:
    message, answer = sign_message(keys, MESSAGE).encode(), sign_answer(keys, ANSWER).encode()
    assert read_message(message, keys.key_set()) == MESSAGE
    assert read_answer(answer, keys.key_set()) == ANSWER
    assert stated_message(message) == ("node.fi", "descriptor")
    assert stated_answer(answer) == ("hub", "descriptor")
    asked = proposal()
    assert read_proposal(sign_proposal(keys, asked), keys.key_set()) == asked


def test_one_is_not_taken_for_another(keys: SigningKeys) -> None:
    message, answer = sign_message(keys, MESSAGE).encode(), sign_answer(keys, ANSWER).encode()
    with pytest.raises(Corrupt):
        read_answer(message, keys.key_set())
    with pytest.raises(Corrupt):
        read_message(answer, keys.key_set())
    with pytest.raises(Corrupt):
        read_proposal(message.decode(), keys.key_set())


def test_a_foreign_key_and_a_changed_byte(keys: SigningKeys, tmp_path: Path) -> None:
    other = SigningKeys.open(tmp_path / "other")
    with pytest.raises(Corrupt):
        read_message(sign_message(other, MESSAGE).encode(), keys.key_set())
    head, payload, signature = sign_message(keys, MESSAGE).split(".")
    changed = ("B" if payload[20] != "B" else "C").join((payload[:20], payload[21:]))
    with pytest.raises(Corrupt):
        read_message(f"{head}.{changed}.{signature}".encode(), keys.key_set())


@pytest.mark.parametrize(
    "other",
    [
        {"node": ""},
        {"nonce": "short"},
        {"sent_at": "2026-11-02T09:00:00"},
        {"since": -1},
        {"since": "7"},
        {"decisions": ["x"] * 51},
        {"decisions": [1]},
        {"descriptor": None},
    ],
)
def test_claims_must_be_what_they_are(keys: SigningKeys, other: dict[str, Any]) -> None:
    token = keys.sign({**msgspec.to_builtins(MESSAGE), **other}, MESSAGE_TYPE).encode()
    with pytest.raises(Corrupt):
        read_message(token, keys.key_set())


def test_a_proposal_whose_digest_is_of_another_document(keys: SigningKeys) -> None:
    claims = msgspec.to_builtins(proposal())
    claims["document"]["uses"] = ["policy"]
    with pytest.raises(Corrupt, match="digest"):
        read_proposal(keys.sign(claims, PERMIT_TYPE), keys.key_set())


@pytest.mark.parametrize("token", [b"", b"x", b"a.b.c", b"a.W10.c", b"a.e30.c", b"\xff.\xff.\xff", b"." * 9])
def test_what_states_nothing(token: bytes) -> None:
    for stated in (stated_message, stated_answer):
        with pytest.raises(Corrupt):
            stated(token)


def test_what_is_too_large_is_not_decoded() -> None:
    with pytest.raises(Corrupt, match="longer than"):
        stated_message(b"x" * (3 << 20))
    with pytest.raises(Corrupt, match="longer than"):
        stated_answer(b"x" * (17 << 20))
    assert ANSWER_TYPE != MESSAGE_TYPE


@pytest.mark.parametrize(("apart_s", "near"), [(0, True), (60, True), (-60, True), (61, False), (-61, False)])
def test_clocks_agree_within_a_minute(apart_s: int, near: bool) -> None:
    assert is_near(NOW + timedelta(seconds=apart_s), NOW) is near
