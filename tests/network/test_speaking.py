# SPDX-License-Identifier: Apache-2.0
"""Who asks is told to nodes that joined, each by a token of its own, and to nobody else; and it is in no log."""

import asyncio
import logging
from typing import Any

import pytest

from megagenome.network.fanout import Network, Question
from megagenome.network.settings import NetworkSettings
from tests.network.stubs import Asked, Stub, running, says

SETTINGS = NetworkSettings(deadline_s=5)


def token_of(url: str) -> str:
    return f"secret-for-{url}"


async def asked(joined: bool, speaking: bool) -> tuple[str | None, Stub]:
    async with running(says(b"{}")) as stub:
        node = stub.node()
        async with Network([node], SETTINGS, [node] if joined else []) as network:
            asking = network.speaking_for(token_of) if speaking else network
            [outcome] = await asking.ask(Question("/info"), lambda _, body: body)
            assert outcome.answer is not None
            await network.ask(Question("/info"), lambda _, body: body)
        first, second = stub.asked
        assert "authorization" not in second.headers  # the network itself still asks as the public
        return first.headers.get("authorization"), stub


def test_a_node_that_joined_learns_who_asks(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        header, stub = asyncio.run(asked(joined=True, speaking=True))
    assert header == f"Bearer secret-for-{stub.url}"
    assert "secret-for" not in caplog.text


@pytest.mark.parametrize(("joined", "speaking"), [(False, True), (True, False), (False, False)])
def test_others_do_not(joined: bool, speaking: bool) -> None:
    header, _ = asyncio.run(asked(joined, speaking))
    assert header is None


def test_a_node_that_leaves_is_told_nothing_more() -> None:
    async def leave() -> list[Asked]:
        async with running(says(b"{}")) as stub:
            node = stub.node()
            async with Network([node], SETTINGS, [node]) as network:
                network.replace_nodes([node])  # it stands in the settings still, and belongs no more
                await network.speaking_for(token_of).ask(Question("/info"), _read)
                network.replace_nodes([])
                assert await network.ask(Question("/info"), _read) == ()
            return stub.asked

    assert ["authorization" in each.headers for each in asyncio.run(leave())] == [False]


def _read(_node: Any, body: bytes) -> bytes:
    return body
