# SPDX-License-Identifier: Apache-2.0
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.database import open_database, sqlite_url, upgrade
from tests.identity.world import Browser, FakeProvider, Server, make_settings

Wait = Callable[[float], None]


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, to be copied only: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("made") / "records.sqlite"
    engine = open_database(sqlite_url(path))
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def engine(records: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    """A database of the test's own."""
    engine = open_database(sqlite_url(Path(shutil.copy(records, tmp_path))))
    yield engine
    engine.dispose()


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def server(engine: sa.Engine, provider: FakeProvider) -> Server:
    return Server(engine, provider, make_settings())


@pytest.fixture
def browser(server: Server) -> Iterator[Browser]:
    with server.browser() as browser:
        yield browser


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Wait:
    """Lets seconds pass, on the wall clock and on the one that nobody sets."""
    passed = timedelta()
    real = clock.now, clock.steady

    def wait(seconds: float) -> None:
        nonlocal passed
        passed += timedelta(seconds=seconds)

    monkeypatch.setattr(clock, "now", lambda: real[0]() + passed)
    monkeypatch.setattr(clock, "steady", lambda: real[1]() + passed)
    return wait
