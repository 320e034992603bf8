# SPDX-License-Identifier: Apache-2.0
"""One bounded request: what another server says becomes a condition of the house, and nothing it does goes further."""

import asyncio

import pytest

from megagenome.kernel.errors import Conflict, Corrupt, Invalid, MegagenomeError, NotEntitled, RateLimited, Unavailable
from megagenome.network.calling import call, connect
from megagenome.standards.problem import problem
from tests.network.stubs import Behaviour, closes, hangs, running, says


def called(behave: Behaviour, most_bytes: int = 1000, timeout_s: float = 2.0) -> bytes:
    async def run() -> bytes:
        async with running(behave) as stub, connect(timeout_s) as client:
            return await call(client, stub.url + "/x", most_bytes, b"{}")

    return asyncio.run(run())


def test_an_answer_is_its_bytes() -> None:
    assert called(says(b"abc")) == b"abc"
    assert called(says(b"", 204)) == b""


@pytest.mark.parametrize(
    ("status", "condition"),
    [(400, Invalid), (403, NotEntitled), (409, Conflict), (429, RateLimited), (500, Unavailable), (302, Unavailable)],
)
def test_a_problem_is_its_condition(status: int, condition: type[MegagenomeError]) -> None:
    said = {"title": "x", "status": status, "detail": "what is wrong\n\x1b[31m"}
    with pytest.raises(condition, match="what is wrong"):
        called(says(said, status))
    assert problem(400).status == 400


def test_a_refusal_that_says_nothing_is_no_answer() -> None:
    with pytest.raises(Unavailable, match="403"):
        called(says(b"<html>", 403))


def test_what_is_too_long_slow_or_broken_ends() -> None:
    with pytest.raises(Corrupt, match="1,000 bytes"):
        called(says(b"x" * 1001))
    with pytest.raises(Unavailable):
        called(hangs, timeout_s=0.2)
    with pytest.raises(Unavailable):
        called(closes)


def test_nobody_there() -> None:
    async def run() -> bytes:
        async with connect(1) as client:
            return await call(client, "http://127.0.0.1:1/x", 10)

    with pytest.raises(Unavailable, match="does not answer"):
        asyncio.run(run())
