# SPDX-License-Identifier: Apache-2.0
"""A node that does not answer at once: what is waited for, and what is not."""

import errno
import socket
import ssl

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from megagenome.kernel.errors import MegagenomeError, NotEntitled, Unavailable
from megagenome.reception import inbox_client
from megagenome.reception.inbox_client import RECIPIENT_PATH, Inbox, WrongAddress
from megagenome.standards.crypt4gh_keys import fingerprint, write_public_key

KEY = X25519PrivateKey.generate().public_key()
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


class Node:
    """Answers by its key after it failed so often; `at` is asked."""

    def __init__(self, at: str, failures: list[Exception | int]) -> None:
        self.failures, self.told, self.asked = failures, list[str](), list[str]()
        self.inbox = Inbox(at, "mgt_0123", self.told.append)
        self.inbox._client = httpx.Client(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, int):
                return httpx.Response(failure)
            raise httpx.ConnectError(str(failure)) from failure  # as httpx says by what it failed
        return httpx.Response(200, content=write_public_key(KEY) if request.url.path == RECIPIENT_PATH else b"{}")


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(inbox_client.time, "sleep", waits.append)
    return waits


@pytest.mark.parametrize("failure", [REFUSED, TimeoutError("timed out"), OSError("Network is unreachable"), 502, 503])
def test_a_node_that_is_down_at_first_is_waited_for(failure: Exception | int, waited: list[float]) -> None:
    node = Node("https://node.example", [failure] * 3)
    node.inbox.require_known()
    assert fingerprint(node.inbox.recipient()) == fingerprint(KEY)
    assert waited == [0.5, 1.0, 2.0]
    [told] = node.told  # once, not at each try
    assert "https://node.example" in told
    assert told.endswith("; it is asked again for some two minutes")


def test_it_is_waited_for_two_minutes_and_no_longer(waited: list[float]) -> None:
    node = Node("https://node.example", [REFUSED] * 100)
    with pytest.raises(Unavailable, match=r"the node at https://node\.example does not answer: .*refused"):
        node.inbox.recipient()
    assert 120 <= sum(waited) < 125


@pytest.mark.parametrize(
    ("at", "failure"),
    [
        ("https://nod.example", socket.gaierror(socket.EAI_NONAME, "Name or service not known")),
        ("https://node.example", ssl.SSLCertVerificationError("certificate verify failed")),
        ("http://127.0.0.1:1", REFUSED),
        ("http://localhost:1", REFUSED),
        ("http://[::1]:1", REFUSED),
    ],
)
def test_an_address_that_is_wrong_is_said_at_once_and_one_that_was_right_is_waited_for(
    at: str, failure: Exception, waited: list[float]
) -> None:
    node = Node(at, [failure])
    with pytest.raises(WrongAddress, match="does not answer"):
        node.inbox.recipient()
    assert (waited, node.told, len(node.asked)) == ([], [], 1)
    node.inbox.recipient()
    node.failures.append(failure)
    node.inbox.recipient()
    assert waited == [0.5]


@pytest.mark.parametrize(("status", "condition"), [(403, NotEntitled), (507, Unavailable)])
def test_what_the_node_says_is_not_asked_again(
    status: int, condition: type[MegagenomeError], waited: list[float]
) -> None:
    node = Node("https://node.example", [status])
    with pytest.raises(condition):
        node.inbox.recipient()
    assert (waited, len(node.asked)) == ([], 1)
