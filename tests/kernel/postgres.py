# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL server on a socket in a folder of its own: no network, ended with the tests."""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

_NUMBERS = itertools.count()
_SETTINGS = {
    "listen_addresses": "",
    # a test is killed, and not the machine
    "fsync": "off",
    "max_connections": "200",
}


def programs() -> Path | None:
    """Where PostgreSQL's server is installed, which Debian has on nobody's PATH."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)


@contextlib.contextmanager
def serving_records() -> Iterator[sa.URL]:
    """A server, by the URL of its empty database `postgres`."""
    bin_ = programs()
    assert bin_ is not None
    user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else os.getuid()  # it refuses to run as root
    with tempfile.TemporaryDirectory(prefix="pg") as name:  # short: the path of a socket has at most 107 bytes
        folder = Path(name)
        os.chown(folder, user, -1)
        shape = ["--pgdata", f"{name}/data", "--username", "megagenome", "--auth", "trust", "--no-sync"]
        locale = ["--encoding", "UTF8", "--locale", "C"]
        subprocess.run([bin_ / "initdb", *shape, *locale], check=True, capture_output=True, user=user, cwd=name)
        words = [f"--{key}={value}" for key, value in _SETTINGS.items()]
        command = [bin_ / "postgres", "-D", f"{name}/data", "-k", name, *words]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, user=user, cwd=name, stdout=log, stderr=log)
        try:
            url = sa.URL.create("postgresql+psycopg", "megagenome", database="postgres", query={"host": name})
            _wait_for(url, process, folder / "log")
            yield url
        finally:
            process.send_signal(signal.SIGQUIT)  # at once
            process.wait(60)


def _wait_for(url: sa.URL, process: subprocess.Popen[bytes], log: Path) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(sa.exc.OperationalError), engine.connect():
            return
        time.sleep(0.05)
    raise AssertionError(f"PostgreSQL did not start: {log.read_text()}")


def new_database(server: sa.URL, template: str = "template1") -> sa.URL:
    """A database of its own, empty or a copy of another one that nobody uses."""
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    # to another database than the template, which nobody may use
    engine = sa.create_engine(server.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.set(database=name)
