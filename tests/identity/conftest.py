# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.kernel import clock
from tests.identity.world import Browser, FakeProvider, Server, make_settings
from tests.kernel.records import open_records

Wait = Callable[[float], None]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """A database of the test's own."""
    engine = open_records(tmp_path / "records.db")
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
