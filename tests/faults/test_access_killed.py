# SPDX-License-Identifier: Apache-2.0
"""A hub that is killed (SIGKILL) at any write of a command has done the whole command or nothing of it.

A process sends a command and kills itself before its n-th statement, commit or durable step of a file; n grows until
the command comes through. Each goes on from what the last one left, sending the same command again.
"""

import hashlib
import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.access import command_types as c
from megagenome.access import tables as t
from megagenome.access.erasing import sweep_attachments
from megagenome.standards.application import PartState, State
from megagenome.standards.permit import Verdict
from tests.access.hub import ADA, BRINGS, CHAIR, EEVA, PDF, Hub, open_hub
from tests.access.test_store import rows
from tests.faults.dying import Death, run_child


def send(hub: Hub, what: str, version: int) -> None:
    """The same command each time: the same id, the same words."""
    [application] = hub.store.applications()
    if what == "lapse":
        hub.pass_time(days=40)
        return
    if what == "revoke":
        hub.process.do(CHAIR, application, c.Order("the-command", version, c.Revoke("misuse")))
        return
    verdicts = {"GDI-EE-1": Verdict.APPROVED, "GDI-EE-2": Verdict.REFUSED}
    attaching = c.Attach("more.pdf", hashlib.sha256(PDF).hexdigest())
    who, command = (ADA, attaching) if what == "attach" else (BRINGS[EEVA], None)
    order = c.Order("the-command", version, command or c.RecordDecision(hub.sign(EEVA, application, verdicts)))
    hub.process.do(who, application, order, PDF)


def send_and_die(folder: Path, what: str, version: int, last: int) -> None:
    """Send it, and die before the `last` step."""
    death = Death(last)
    with open_hub(folder) as hub:
        death.at_statements(hub.store.engine)
        death.at_files()
        send(hub, what, version)


def until_it_comes_through(folder: Path, what: str, version: int) -> int:
    """How many died, each leaving everything as it was. Forks, so it runs in a process without threads."""
    with open_hub(folder) as hub:
        before = state(hub)
    died = 0
    while True:
        child = os.fork()
        if child == 0:
            send_and_die(folder, what, version, died + 1)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return died
        assert os.WTERMSIG(status) == signal.SIGKILL
        died += 1
        with open_hub(folder) as hub:
            assert state(hub) == before
            hub.store.rebuild()
            assert state(hub) == before


def state(hub: Hub) -> tuple[object, object, object]:
    """What is known of the one application and told to nodes, after its chain was verified."""
    [application] = hub.store.applications()
    with hub.store.transaction() as transaction:
        transaction.verify(application)
    return hub.view(application), rows(hub), told(hub)


def told(hub: Hub) -> list[tuple[str | None, str | None]]:
    """The feed to nodes: a permit's state, or a country that was asked."""
    with hub.store.engine.connect() as connection:
        feed = sa.select(t.news.c.state, t.news.c.country).order_by(t.news.c.sequence)
        return [(row.state, row.country) for row in connection.execute(feed)]


@pytest.mark.parametrize("what", ["attach", "decide", "lapse", "revoke"])
def test_a_command_killed_anywhere_is_whole_or_nothing(tmp_path: Path, what: str) -> None:
    with open_hub(tmp_path) as hub:
        begin = {"attach": hub.create, "revoke": hub.active}.get(what, hub.requested)
        application = begin()
        version = hub.view(application).version
    code = f"from {__name__} import *; print(until_it_comes_through(Path({str(tmp_path)!r}), {what!r}, {version}))"
    done = run_child(code)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 8
    with open_hub(tmp_path) as hub:
        view = hub.view(application)
        if what == "attach":
            swept = sweep_attachments(hub.store, hub.world.attachments)
            assert swept >= 1  # of those that died after their file was whole
            assert hub.world.attachments.ids() == [each.id for each in view.attachments]
            assert len(view.attachments) == 1
        elif what == "decide":
            assert [part.state for part in view.parts] == [PartState.APPROVED, PartState.REFUSED, PartState.REQUESTED]
        elif what == "revoke":
            assert view.state is State.REVOKED
            assert told(hub)[-1] == ("revoked", None)
            assert len([state for state, _ in told(hub) if state]) == 2
        else:
            assert view.state is State.DECIDED
        # the answer was lost, so the client sends it again
        send(hub, what, version)
        assert hub.view(application) == view
