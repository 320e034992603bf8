# SPDX-License-Identifier: Apache-2.0
"""Tokens of people's programs: shown once, stored as digests, good for a while, where they are let in."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.identity.access_tokens import DAYS, MOST, PREFIX, AccessTokens
from megagenome.identity.people import remember
from megagenome.identity.roles import Scope, grant_role
from megagenome.identity.subjects import Profile
from megagenome.identity.tables import access_token
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import Conflict, Invalid, Unauthenticated
from tests.kernel.records import open_records

pytestmark = pytest.mark.usefixtures("database")

ADA, BOB = "ada@https://idp.example", "bob@https://idp.example"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_records(tmp_path / "records.db")
    with engine.begin() as connection:
        for subject in (ADA, BOB):
            remember(connection, Profile(subject, subject[:3].title(), "", "", ()))
        grant_role(connection, ADA, Role.DATA_STEWARD, Scope(), "test")
    yield engine
    engine.dispose()


def test_who_presents_it_is_its_maker_without_their_roles(engine: sa.Engine) -> None:
    tokens = AccessTokens(engine)
    token = tokens.make(ADA, "laptop")
    assert token.startswith(PREFIX)
    assert len(token) > 40
    assert tokens.caller(token) == Caller(ADA, "Ada")


def test_nobody_who_reads_the_database_can_ask(engine: sa.Engine) -> None:
    token = AccessTokens(engine).make(ADA, "laptop")
    with engine.connect() as connection:
        stored = [str(value) for row in connection.execute(sa.select(access_token)) for value in row]
    assert not any(token in value or token.removeprefix(PREFIX) in value for value in stored)


def test_other_tokens_are_somebody_elses_to_read(engine: sa.Engine) -> None:
    assert AccessTokens(engine).caller("eyJhbGciOi") is None
    with pytest.raises(Unauthenticated, match="make one"):
        AccessTokens(engine).caller(PREFIX + "guess")


def test_it_ends_by_itself_and_by_its_owner_only(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = AccessTokens(engine)
    token = tokens.make(ADA, "laptop")
    [listed] = tokens.of(ADA)
    assert (listed.label, listed.used) == ("laptop", None)
    tokens.revoke(BOB, listed.token_sha256)
    assert tokens.caller(token)
    assert tokens.of(ADA)[0].used is not None
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=DAYS, seconds=1))
    with pytest.raises(Unauthenticated):
        tokens.caller(token)
    assert tokens.of(ADA) == []
    monkeypatch.setattr(clock, "now", lambda: now)
    tokens.revoke(ADA, listed.token_sha256)
    with pytest.raises(Unauthenticated):
        tokens.caller(token)


@pytest.mark.parametrize("days", [0, -1, 91])
def test_none_is_good_for_long(engine: sa.Engine, days: int) -> None:
    with pytest.raises(Invalid):
        AccessTokens(engine).make(ADA, "x", days)


def test_nobody_has_too_many(engine: sa.Engine) -> None:
    tokens = AccessTokens(engine)
    for _ in range(MOST):
        tokens.make(ADA, "")
    with pytest.raises(Conflict, match="revoke one"):
        tokens.make(ADA, "")
    tokens.make(BOB, "")
    assert {each.label for each in tokens.of(ADA)} == {"without a name"}
