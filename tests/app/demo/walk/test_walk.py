# SPDX-License-Identifier: Apache-2.0
"""How steps are told. That all of them are right on a real network: tests/journeys/test_way.py."""

from collections.abc import Iterator
from typing import cast

from megagenome.app.demo.walk import walk
from megagenome.app.demo.walk.model import Step, Way
from megagenome.app.demo.walk.party import Party
from megagenome.kernel.errors import Unavailable

WAY = cast("Way", None)
"""No step here looks at it."""


def steps(*taken: str | Exception) -> list[tuple[str, bool]]:
    def take(result: str | Exception) -> str:
        if isinstance(result, Exception):
            raise result
        return result

    def part(party: Party) -> Iterator[Step]:
        for each in taken:
            yield Step("says", "hub", "right", lambda each=each: take(each))
            party.seconds["steps"] = party.seconds.get("steps", 0) + 1

    return [(step.got, step.ok) for step in walk(WAY, {}, [part])]


def test_a_walk_ends_with_the_first_wrong_step() -> None:
    assert steps("right", "right") == [("right", True)] * 2
    assert steps("right", "wrong", "right") == [("right", True), ("wrong", False)]


def test_what_a_server_refuses_is_a_wrong_step() -> None:
    assert steps(Unavailable("the hub is gone"), "right") == [("the hub is gone", False)]
    assert steps(KeyError("resultSets"), "right") == [("an answer without 'resultSets'", False)]
