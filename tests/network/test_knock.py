# SPDX-License-Identifier: Apache-2.0
"""The hub knocks at those for whom there is news; who does not open costs nothing."""

import asyncio

from megagenome.network.knock import Knocker
from megagenome.network.settings import Node
from tests.network.stubs import hangs, running, says


async def knocked(*names: str) -> dict[str, int]:
    async with running(says(b"", 204)) as first, running(says(b"", 204)) as second, running(hangs) as hanging:
        nodes = [
            first.node("first"),
            second.node("second"),
            hanging.node("hanging"),
            Node("gone", "http://127.0.0.1:1"),
        ]
        asked = {"first": first, "second": second, "hanging": hanging}
        knocker = Knocker(lambda: nodes)
        knocker.knock({"first"})  # before it runs: nothing
        async with knocker.lifespan(None):
            knocker.knock(set(names))
            for name in asked.keys() & set(names):
                await asyncio.wait_for(asked[name].began.wait(), 20)
            await asyncio.sleep(0.1)  # in which it might knock at others
        knocker.knock({"first"})  # after it ran: nothing
        assert {each.path for stub in asked.values() for each in stub.asked} <= {"/access/knock"}
        assert {each.method for stub in asked.values() for each in stub.asked} <= {"POST"}
        assert all("authorization" not in each.headers for stub in asked.values() for each in stub.asked)
        return {name: len(stub.asked) for name, stub in asked.items()}


def test_only_whom_it_concerns() -> None:
    assert asyncio.run(knocked("first", "unknown")) == {"first": 1, "second": 0, "hanging": 0}


def test_who_does_not_open_holds_up_nobody() -> None:
    assert asyncio.run(knocked("gone", "hanging", "first", "second")) == {"first": 1, "second": 1, "hanging": 1}
