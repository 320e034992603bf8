# SPDX-License-Identifier: Apache-2.0
"""Calls of a provider over real sockets, where it is slow, long, or leads elsewhere. What it answers: test_oidc.py."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from megagenome.identity import provider_calls
from megagenome.identity.provider_calls import ProviderCalls
from megagenome.kernel.errors import Unavailable


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that sends one byte of an endless answer after the other, until the client leaves."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
                try:
                    while True:
                        connection.sendall(b" ")
                        time.sleep(0.02)
                except OSError:
                    return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(5)


def test_an_answer_that_trickles_is_cut_off(dripping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_calls, "PATIENCE_S", 2.0)  # half of it may pass between two bytes on a busy machine
    with pytest.raises(Unavailable, match="too slowly"):
        ProviderCalls("The provider").get(dripping)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/", "http://[", "nonsense", "http://x\x00/"])
def test_an_address_where_nobody_is_is_one_clear_condition(address: str) -> None:
    with pytest.raises(Unavailable, match=r"^The provider does not answer"):
        ProviderCalls("The provider").get(address)
