# SPDX-License-Identifier: Apache-2.0
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from megagenome.identity.roles import Scope, grant_role
from megagenome.identity.sessions import TOUCH_S, Sessions, csrf_token
from megagenome.identity.settings import SignInSettings
from megagenome.identity.subjects import Profile
from megagenome.identity.tables import session
from megagenome.kernel import clock
from megagenome.kernel.callers import Role
from megagenome.kernel.database import begin_writing
from tests.identity.world import make_settings

pytestmark = pytest.mark.usefixtures("database")

JANE = Profile("jane@https://login.example.org", "Jane", "jane@example.org", "example.org", ("member@example.org",))
JOHN = Profile("john@https://login.example.org", "John")


@pytest.fixture
def sessions(engine: sa.Engine) -> Sessions:
    return Sessions(engine, make_settings(idle_s=600, longest_s=3600))


def test_a_session_says_who_holds_its_id(sessions: Sessions) -> None:
    jane, john = sessions.open(JANE, "Firefox"), sessions.open(JOHN, "")
    found = sessions.visit(jane)
    assert found
    assert (found.caller.subject, found.caller.name, found.csrf) == (JANE.subject, "Jane", csrf_token(jane))
    assert sessions.visit(john) != found
    for wrong in ("", "x", jane[:-1], jane.swapcase(), csrf_token(jane)):
        assert sessions.visit(wrong) is None


def test_ids_are_random_and_never_stored(sessions: Sessions, engine: sa.Engine) -> None:
    tokens = [sessions.open(JANE, "") for _ in range(20)]
    assert len(set(tokens)) == 20
    # 256 bits in base64url
    assert {len(token) for token in tokens} == {43}
    with engine.connect() as connection:
        stored = "\n".join(str(row) for row in connection.execute(sa.select(session)))
    assert not [token for token in tokens if token in stored or csrf_token(token) in stored]
    # what is stored opens nothing
    assert not [each for each in sessions.of(JANE.subject) if sessions.visit(each.id_sha256)]


def test_a_session_ends_idle_and_at_the_latest(sessions: Sessions, wait: Callable[[float], None]) -> None:
    idle, used = sessions.open(JANE, ""), sessions.open(JANE, "")
    for _ in range(6):
        wait(590)
        assert sessions.visit(used)
    assert sessions.visit(idle) is None
    wait(61)
    assert sessions.visit(used) is None
    assert sessions.of(JANE.subject) == []


@pytest.mark.parametrize("days", [3650, -3650])
def test_a_wall_clock_that_jumps_ends_and_revives_no_session(
    sessions: Sessions, wait: Callable[[float], None], monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    ended = sessions.open(JANE, "")
    wait(601)
    jumped = clock.now() + timedelta(days=days)
    before = sessions.open(JOHN, "")
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: jumped)
        during = sessions.open(JOHN, "")
        assert sessions.visit(before)
        assert sessions.visit(ended) is None
    assert sessions.visit(before)
    assert sessions.visit(during)
    wait(3601)
    assert sessions.visit(during) is None


def test_a_session_of_a_time_to_come_is_none(
    sessions: Sessions, wait: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was opened by a process whose clock was ahead, before this one began."""
    wait(3650 * 86_400)
    token = sessions.open(JANE, "")
    monkeypatch.undo()
    assert sessions.visit(token) is None
    assert sessions.of(JANE.subject) == []


def test_ended_sessions_are_forgotten_when_somebody_signs_in(
    sessions: Sessions, engine: sa.Engine, wait: Callable[[float], None]
) -> None:
    sessions.open(JANE, "")
    wait(601)
    sessions.open(JOHN, "")
    with engine.connect() as connection:
        assert len(connection.execute(sa.select(session)).all()) == 1


def test_reading_seldom_writes(sessions: Sessions, engine: sa.Engine, wait: Callable[[float], None]) -> None:
    token = sessions.open(JANE, "")
    written: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: written.append(call[2].split()[0]))
    for _ in range(10):
        sessions.visit(token)
    assert "UPDATE" not in written
    wait(TOUCH_S + 1)
    sessions.visit(token)
    sessions.visit(token)
    assert written.count("UPDATE") == 1


def test_reading_waits_for_no_writer(sessions: Sessions, engine: sa.Engine, wait: Callable[[float], None]) -> None:
    token = sessions.open(JANE, "")
    before = sessions.of(JANE.subject)
    wait(TOUCH_S + 1)
    with begin_writing(engine):
        began = time.monotonic()
        assert sessions.visit(token)
        assert time.monotonic() - began < 5  # a writer waits for 30 s
    assert sessions.visit(token)  # noted now at the latest, when nobody writes
    assert sessions.of(JANE.subject)[0].used > before[0].used


def test_signing_out_ends_one_or_all_and_nobody_elses(sessions: Sessions) -> None:
    one, two, johns = sessions.open(JANE, "one"), sessions.open(JANE, "two"), sessions.open(JOHN, "")
    [johns_row] = sessions.of(JOHN.subject)
    sessions.end(JANE.subject, johns_row.id_sha256)
    assert sessions.visit(johns)
    [first] = [each for each in sessions.of(JANE.subject) if each.browser == "one"]
    sessions.end(JANE.subject, first.id_sha256)
    sessions.end(JANE.subject, first.id_sha256)
    assert (sessions.visit(one), sessions.visit(two) is None) == (None, False)
    sessions.end_all(JANE.subject)
    assert sessions.visit(two) is None
    assert sessions.visit(johns)


def test_the_session_that_a_browser_held_ends_when_it_signs_in(sessions: Sessions) -> None:
    first = sessions.open(JANE, "")
    second = sessions.open(JOHN, "", instead_of=first)
    assert sessions.visit(first) is None
    assert sessions.visit(second)


def test_what_the_provider_says_today_holds(sessions: Sessions) -> None:
    token = sessions.open(JANE, "")
    sessions.accept_terms(JANE.subject)
    sessions.open(JANE._replace(name="Jane Smith", organisation="other.example"), "")
    found = sessions.visit(token)
    assert found
    assert found.caller.name == "Jane Smith"
    person = sessions.person(JANE.subject)
    assert (person.organisation, person.terms) == ("other.example", make_settings().terms)


def test_terms_that_changed_are_not_accepted_yet(sessions: Sessions, engine: sa.Engine) -> None:
    token = sessions.open(JANE, "")
    sessions.accept_terms(JANE.subject)
    with engine.begin() as connection:
        grant_role(connection, JANE.subject, Role.RESEARCHER, Scope(organisation="a.org"), "root")
    visit = sessions.visit(token)
    assert visit
    assert visit.caller.registered
    changed = SignInSettings(terms="https://example.org/terms/2")
    later = Sessions(engine, changed).visit(token)
    assert later
    assert not later.caller.registered


def test_a_hostile_browser_name_is_made_readable(sessions: Sessions) -> None:
    sessions.open(JANE, "\x1b[2J" + "x" * 10_000)
    assert [len(each.browser) for each in sessions.of(JANE.subject)] == [200]
