# SPDX-License-Identifier: Apache-2.0
"""A node that has not heard its hub for long reads nothing by permit, whatever its clocks say."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Unavailable
from megagenome.network.freshness import Freshness
from megagenome.network.joined_hub import note_answer, pin
from megagenome.standards.descriptor import meet
from tests.network.joining import Server, server


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path, "hub") as hub, server(tmp_path, "node.fi", "FI") as opened:
        token = hub.described()
        with begin_writing(opened.engine) as connection:
            pin(connection, meet(token), token)
        yield opened


def heard(node: Server, ago_s: float) -> None:
    with begin_writing(node.engine) as connection:
        note_answer(connection, 1, clock.now() - timedelta(seconds=ago_s))


def test_a_node_that_never_heard_its_hub(node: Server) -> None:
    assert Freshness(node.engine, 300).silence_s() is None
    with pytest.raises(Unavailable):
        Freshness(node.engine, 300).require()


def test_a_process_that_just_started_goes_by_the_database(node: Server) -> None:
    heard(node, 100)
    Freshness(node.engine, 300).require()
    with pytest.raises(Unavailable, match="100 s"):
        Freshness(node.engine, 99).require()


def test_a_time_to_come_counts_for_nothing(node: Server) -> None:
    heard(node, -10)
    with pytest.raises(Unavailable):
        Freshness(node.engine, 300).require()


def test_a_running_process_goes_by_a_clock_that_nobody_sets(node: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(clock, "seconds_awake_or_asleep", lambda: now[0])
    fresh = Freshness(node.engine, 300)
    fresh.note("hub", now[0])
    heard(node, 100_000)
    set_back = clock.now() - timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: set_back)
    now[0] += 299
    fresh.require()
    now[0] += 2
    with pytest.raises(Unavailable, match="301 s"):
        fresh.require()


def test_what_another_hub_said_counts_for_nothing(node: Server) -> None:
    fresh = Freshness(node.engine, 300)
    fresh.note("another", clock.seconds_awake_or_asleep())
    with pytest.raises(Unavailable):
        fresh.require()
