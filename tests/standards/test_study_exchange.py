# SPDX-License-Identifier: Apache-2.0
"""Messages of studies: they come back as they were, and what was changed, cut or forged on the way does not."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from megagenome.kernel.errors import Corrupt, MegagenomeError
from megagenome.kernel.keys import SigningKeys
from megagenome.standards import study_exchange as x
from megagenome.standards.study_masks import Round, SignedKey, sign_key

PLACE = x.Place("S1", 2, 3, x.Stage.SUMS)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SAID = [
    x.Agreed(x.Terms(1, 2, 3)),
    x.Keyed(SignedKey("token", {"kty": "EC"})),
    x.Sent(8, 0),
    x.Refused("a rule"),
    x.Failed("a reason"),
    x.Changed(),
    x.Forgot(),
]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SigningKeys:
    return SigningKeys.open(tmp_path_factory.mktemp("keys"))


def message(reply: x.Reply | None, payload: bytes = b"", **other: Any) -> x.Message:
    fields: dict[str, Any] = {
        "node": "node.a",
        "hub": "org.hub",
        "nonce": "n" * 16,
        "sent_at": NOW,
        "descriptor": "a.b.c",
        "holds": ("S1",),
        "at_work": (PLACE,),
        "wait_s": 20.0,
        "reply": reply,
        "payload_bytes": len(payload),
        "payload_sha256": x.sha256(payload),
    }
    return x.Message(**{**fields, **other})


def answer(payload: bytes = b"") -> x.Answer:
    task = x.Task(
        PLACE, "sha256:1", "ada", "Ada", ("node.a",), "step", (x.Summed("x", (2, 0), 30),), ("y",), len(payload), 0, 0
    )
    return x.Answer("org.hub", "node.a", "n" * 16, NOW, "a.b.c", task, ("S0",), len(payload), x.sha256(payload))


@pytest.mark.parametrize("said", SAID, ids=lambda said: type(said).__name__)
def test_a_message_is_read_as_it_was_written(keys: SigningKeys, said: x.Said) -> None:
    sent = message(x.Reply(PLACE, said), b"content")
    token, payload = x.unframe(x.frame(x.sign_message(keys, sent), b"content"))
    assert x.stated(token, "node") == ("node.a", "a.b.c")
    read = x.read_message(token, keys.key_set())
    assert (read, bytes(payload)) == (sent, b"content")
    x.require_payload(read, payload)


def test_an_answer_is_read_as_it_was_written(keys: SigningKeys) -> None:
    token, payload = x.unframe(x.frame(x.sign_answer(keys, answer(b"doc")), b"doc"))
    assert x.stated(token, "hub") == ("org.hub", "a.b.c")
    assert x.read_answer(token, keys.key_set()) == answer(b"doc")
    assert x.split(payload, (3, 0, 0)) == [b"doc", b"", b""]


def test_what_was_changed_on_the_way_is_not_believed(keys: SigningKeys, tmp_path: Path) -> None:
    token = x.sign_message(keys, message(None, b"content"))
    with pytest.raises(Corrupt):
        x.read_message(token.encode(), SigningKeys.open(tmp_path).key_set())
    with pytest.raises(Corrupt):
        x.read_answer(token.encode(), keys.key_set())
    with pytest.raises(Corrupt):
        x.read_message(x.sign_answer(keys, answer()).encode(), keys.key_set())
    read = x.read_message(token.encode(), keys.key_set())
    for wrong in (b"", b"contenT", b"content "):
        with pytest.raises(Corrupt, match="not the one that was signed"):
            x.require_payload(read, wrong)


@pytest.mark.parametrize(
    "other",
    [
        {"wait_s": 26.0},
        {"wait_s": -1.0},
        {"nonce": "short"},
        {"payload_bytes": x.LARGEST_PAYLOAD_BYTES + 1},
        {"payload_sha256": "0"},
        {"holds": ("S1",) * (x.MOST_HELD + 1)},
        {"sent_at": datetime(2026, 1, 2)},  # noqa: DTZ001 - that is what is wrong with it
    ],
)
def test_what_is_out_of_bounds_is_not_read(keys: SigningKeys, other: Any) -> None:
    token = x.sign_message(keys, message(None, **other))
    with pytest.raises(Corrupt):
        x.read_message(token.encode(), keys.key_set())


@pytest.mark.parametrize(
    "content", [b"", b"\0\0", b"\0\0\0\0", b"\0\0\0\x09abc", b"\xff\xff\xff\xff" + bytes(99), b"\0\x03\0\0" + bytes(9)]
)
def test_what_is_no_frame(content: bytes) -> None:
    with pytest.raises(Corrupt):
        x.unframe(content)


@pytest.mark.parametrize("token", [b"", b"a.b.c", b"e30.e30.", b"\xff.\xff.\xff", b"[" * 1000])
def test_what_says_nothing_of_its_sender(token: bytes) -> None:
    with pytest.raises(MegagenomeError):
        x.stated(token, "node")


def test_parts_that_do_not_fill_a_payload() -> None:
    assert x.split(b"abcd", (1, 0, 3)) == [b"a", b"", b"bcd"]
    for sizes in ((1, 2), (1, 4), ()):
        with pytest.raises(Corrupt):
            x.split(b"abcd", sizes)


def test_keys_of_a_round_are_read_as_they_were_written(keys: SigningKeys) -> None:
    found = {"node.a": sign_key(keys, Round("sha256:1", 0, 0, ("node.a", "node.b")), "node.a", bytes(32))}
    assert x.decode_keys(x.encode_keys(found)) == found
    for wrong in (b"", b"[]", b'{"node.a": {}}', b"[" * 3000, msgspec.json.encode({"a": {"token": "x" * 9000}})):
        with pytest.raises(Corrupt):
            x.decode_keys(wrong)
