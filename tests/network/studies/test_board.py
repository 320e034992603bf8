# SPDX-License-Identifier: Apache-2.0
"""Waiting for a change: none is missed, and nobody waits longer than they said."""

import asyncio
import threading

import pytest

from megagenome.network.studies.board import Board

pytestmark = pytest.mark.usefixtures("database")


def test_a_change_of_another_thread_wakes_all_who_wait() -> None:
    async def wait() -> None:
        board = Board()
        waiting = [asyncio.create_task(board.wait(board.changes, 60)) for _ in range(3)]
        await asyncio.sleep(0)
        threading.Thread(target=board.note).start()
        await asyncio.wait_for(asyncio.gather(*waiting), 30)

    asyncio.run(wait())


def test_a_change_before_one_waits_is_not_missed() -> None:
    async def wait() -> None:
        board = Board()
        seen = board.changes
        board.note()
        await asyncio.wait_for(board.wait(seen, 60), 30)

    asyncio.run(wait())


def test_the_time_ends() -> None:
    async def wait() -> None:
        board = Board()
        await board.wait(board.changes, 0.01)
        assert board._waiting == set()
        board.note()

    asyncio.run(wait())


def test_a_loop_that_was_closed_meanwhile_harms_nobody() -> None:
    board = Board()
    loop = asyncio.new_event_loop()
    board._waiting.add((loop, asyncio.Event()))
    loop.close()
    board.note()
    assert board.changes == 1
