# SPDX-License-Identifier: Apache-2.0
"""An erasing that is killed (SIGKILL) at any statement, commit or file is done by doing it again, and never half done:
whom the ledger can still name has an account, and the other way round."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from megagenome.app.hub import open_hub
from megagenome.app.node import open_node
from megagenome.kernel.database import open_database, sqlite_url
from tests.app import test_erasing
from tests.app.erasable import SUBJECT, left_of_her, make_hub, make_node
from tests.app.test_erasing import erase_at_hub, erase_at_node
from tests.faults.dying import Death, run_child

TABLES = ("person", "session", "role_grant", "access_person", "ledger_person", "citizen", "permit_person")


def named(folder: Path) -> list[int]:
    """Rows that name her, of each part of the house."""
    engine = open_database(sqlite_url(next(folder.glob("*.sqlite"))))
    with engine.connect() as connection:
        asked = (f"SELECT count(*) FROM {each} WHERE subject = ?" for each in TABLES)
        found = [connection.exec_driver_sql(each, (SUBJECT,)).scalar_one() for each in asked]
    engine.dispose()
    return found


def erase_and_die(folder: Path, last: int) -> None:
    """Erase her, and die before the `last` step."""
    death = Death(last)
    death.at_files()
    if folder.name.startswith("hub"):
        opened = open_hub(folder)
        death.at_statements(opened.engine)
        test_erasing.open_hub = lambda _folder: opened
        erase_at_hub(folder)
    else:
        node = open_node(folder)
        death.at_statements(node.collection.engine)
        test_erasing.open_node = lambda _folder: node
        erase_at_node(folder)


def until_it_comes_through(folder: Path, erase: Callable[[Path], object]) -> int:
    """How many died, after each of whom it was finished. Forks, so it runs in a process without threads."""
    before, died = named(folder), 0
    while True:
        copy = Path(shutil.copytree(folder, f"{folder}-{died}"))
        child = os.fork()
        if child == 0:
            erase_and_die(copy, died + 1)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, -signal.SIGKILL)
        assert named(copy) == [0] * len(TABLES) or (code and named(copy) == before)
        if named(copy) == before:
            erase(copy)
        assert left_of_her(copy) == []
        shutil.rmtree(copy)
        if code == 0:
            return died
        died += 1


@pytest.mark.parametrize(("make", "erase"), [(make_hub, erase_at_hub), (make_node, erase_at_node)])
def test_killed_anywhere_it_is_finished_by_doing_it_again(
    tmp_path: Path, make: Callable[[Path], object], erase: Callable[[Path], object]
) -> None:
    make(folder := tmp_path / make.__name__.removeprefix("make_"))
    code = f"from {__name__} import *; print(until_it_comes_through(Path({str(folder)!r}), {erase.__name__}))"
    done = run_child(code)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 15
