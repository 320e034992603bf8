# SPDX-License-Identifier: Apache-2.0
"""The ledger over HTTP: for auditors alone, by choice, verified, and as a file that outsiders verify."""

import contextlib
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from litestar import Litestar
from litestar.testing import TestClient
from litestar.types import ASGIApp, Receive, Scope, Send

from megagenome.app.ledger_routes import ledger_router
from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.kernel.database import open_database, sqlite_url, upgrade
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.kernel.ledger_export import verify_export

AUDITOR = Caller("a@idp", "A", frozenset({Role.AUDITOR}))
PATHS = ("/ledger/entries", "/ledger/verdict", "/ledger/export")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's folder, to be copied only: migrating takes longer than most tests."""
    folder = tmp_path_factory.mktemp("server")
    with opened(folder) as ledger:
        upgrade(ledger.engine)
        acts = [
            (Kind.GRANT, "D-1", "p1"),
            (Kind.READ, "D-1", "p1"),
            (Kind.READ, "D-2", "p1"),
            (Kind.REVOCATION, "", "p2"),
        ]
        for kind, dataset, permit in acts:
            ledger.append(Act(kind, "ada@idp", "Ada", dataset, permit))
    return folder


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    engine = open_database(sqlite_url(folder / "records.sqlite"))
    yield Ledger(engine, SigningKeys.open(folder / "keys"), "node.fi")
    engine.dispose()


@pytest.fixture
def ledger(made: Path, tmp_path: Path) -> Iterator[Ledger]:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with opened(tmp_path) as ledger:
        yield ledger


def client(ledger: Ledger, caller: Caller | None) -> TestClient[Litestar]:
    def middleware(app: ASGIApp) -> ASGIApp:
        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            if caller is not None:
                scope["caller"] = caller
            await app(scope, receive, send)

        return run

    return TestClient(Litestar([ledger_router(ledger)], middleware=[middleware], openapi_config=None))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("caller", "status"),
    [
        (None, 401),
        (PUBLIC, 401),
        (Caller("x@idp", "X", frozenset(Role) - {Role.AUDITOR}), 403),
        (AUDITOR, 200),
    ],
)
def test_only_auditors_read_it(ledger: Ledger, path: str, caller: Caller | None, status: int) -> None:
    with client(ledger, caller) as browser:
        answer = browser.get(path)
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert "Ada" not in answer.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [4, 3, 2, 1]),
        ({"permit": "p1"}, [3, 2, 1]),
        ({"permit": "p1", "dataset": "D-1"}, [2, 1]),
        ({"kind": "revocation"}, [4]),
        ({"before": "3"}, [2, 1]),
        ({"until": "2000-01-01"}, []),
        ({"since": "2000-01-01", "until": "2999-01-01"}, [4, 3, 2, 1]),
        ({"permit": "' or 1=1 --"}, []),
    ],
)
def test_entries_by_choice(ledger: Ledger, query: dict[str, str], found: list[int]) -> None:
    with client(ledger, AUDITOR) as browser:
        answer: Any = browser.get("/ledger/entries", params=query).json()
    assert [entry["seq"] for entry in answer["entries"]] == found


@pytest.mark.parametrize(
    "query", [{"kind": "x"}, {"since": "yesterday"}, {"until": "2026-13-01"}, {"before": "-1"}, {"before": "9" * 30}]
)
def test_a_choice_that_is_none_is_refused_in_words(ledger: Ledger, query: dict[str, str]) -> None:
    with client(ledger, AUDITOR) as browser:
        answer = browser.get("/ledger/entries", params=query)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_the_verdict_finds_what_was_changed(ledger: Ledger) -> None:
    with client(ledger, AUDITOR) as browser:
        assert browser.get("/ledger/verdict").json()["fine"] is True
        with ledger.engine.begin() as connection:
            connection.execute(sa.text("UPDATE ledger_entry SET count = 9 WHERE seq = 2"))
        verdict = browser.get("/ledger/verdict").json()
    assert (verdict["fine"], verdict["wrong"], verdict["entries"]) == (False, 2, 1)


def test_the_download_is_verified_with_the_public_keys(ledger: Ledger, tmp_path: Path) -> None:
    with client(ledger, AUDITOR) as browser:
        answer = browser.get("/ledger/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="ledger-node.fi.jsonl"'
    keys = SigningKeys.open(tmp_path / "keys").key_set()
    verdict = verify_export(io.BytesIO(answer.content), keys)
    assert (verdict.fine, verdict.entries, verdict.signed) == (True, 4, 4)
