# SPDX-License-Identifier: Apache-2.0
"""A node that is killed (SIGKILL) at any write of a decision, of news or of a receipt has done all of it or nothing.

A child does the thing and kills itself before its n-th statement or commit; n grows until it comes through. Each goes
on from what the last one left, doing the same again.
"""

import hashlib
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from megagenome.standards.exchange import Receipt
from megagenome.standards.permit import PermitState
from tests.access.desks import FINN, Node, desk_at
from tests.faults.dying import Death


def act(node: Node, what: str) -> None:
    match what:
        case "propose":
            node.propose()
        case "decide":
            node.decide(FI_1="approved", FI_2="refused")
        case "revoke":
            node.tell("permit-1", PermitState.REVOKED, 9)
        case "refused":
            for token in node.desk.undelivered(50):
                node.receive(Receipt(hashlib.sha256(token.encode()).hexdigest(), "too late"))


def act_and_die(folder: Path, what: str, last: int) -> None:
    """Do it, and die before the `last` step."""
    with desk_at(folder) as node:
        Death(last).at_statements(node.engine)
        act(node, what)


def in_a_child(run: Callable[[], None]) -> int:
    """How a child ended that did this: 0, or less by the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            run()
        except BaseException:  # noqa: BLE001 - the child must not go on as pytest
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def whole(node: Node, what: str) -> list[bool]:
    """Each effect of what was done: all are there or none."""
    match what:
        case "propose":
            return [node.desk.page(FINN, 0, 9).total == 1]
        case "decide":
            return [
                node.readable() == ["FI-1"],
                node.states() == ["approved", "refused"],
                len(node.sent()) == 1,
                len(node.entries()) == 2,
            ]
        case "revoke":
            return [
                node.desk.permit(FINN, "permit-1").item.told is PermitState.REVOKED,
                len(node.entries()) == 3,
                node.readable() == [],
            ]
        case _:
            return [node.sent() == [], node.readable() == [], node.states() == ["lapsed"] * 2, len(node.entries()) == 4]


@pytest.mark.parametrize(
    ("before", "what"),
    [([], "propose"), (["propose"], "decide"), (["propose", "decide"], "revoke"), (["propose", "decide"], "refused")],
)
def test_killed_at_every_step(tmp_path: Path, before: list[str], what: str) -> None:
    with desk_at(tmp_path) as node:
        for each in before:
            act(node, each)
    for last in range(1, 100):
        status = in_a_child(lambda n=last: act_and_die(tmp_path, what, n))
        with desk_at(tmp_path) as node:
            effects = whole(node, what)
            assert node.ledger.verify().fine
        assert len(set(effects)) == 1, (last, effects)
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert all(effects)
    assert last > 3
