# SPDX-License-Identifier: Apache-2.0
import sqlite3
import threading
from datetime import date
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.database import begin_erasing, begin_writing
from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.kernel.ledger_chain import Entry, read_head
from tests.kernel.ledgers import ISSUER, KEYS, clock_at, make_keys, open_ledger
from tests.oracles.ledger import NO_HASH, sha256_of

READ = Act(Kind.READ, "ann@https://idp.example", "Ann", "GDI-EE-1", "permit-1", "research", 40)


def entries_of(ledger: Ledger) -> list[Entry]:
    return [item for item in ledger.items() if isinstance(item, Entry)]


def heads_of(ledger: Ledger) -> list[str]:
    return [item for item in ledger.items() if isinstance(item, str)]


def forget(ledger: Ledger, subject: str) -> bool:
    with begin_erasing(ledger.engine) as connection:
        return ledger.forget(connection, subject)


def test_an_entry_is_what_was_done_chained_to_what_was_before() -> None:
    with clock_at(), open_ledger() as ledger:
        [first] = ledger.append(READ)
        [second] = ledger.append(Act(Kind.GRANT, "ann@https://idp.example", "Ann", permit="permit-1"))
        person = ledger.person(first.actor)
        assert person is not None
        assert person.subject == "ann@https://idp.example"
        assert second.actor == first.actor
        assert first == Entry(
            1, "2026-11-22T12:00:00.000000Z", "read", first.actor, "GDI-EE-1", "permit-1", "research", 40, first.hash
        )
        assert first.hash == sha256_of(NO_HASH, msgspec.structs.asdict(first))
        assert second.hash == sha256_of(first.hash, msgspec.structs.asdict(second))
        assert entries_of(ledger) == [first, second]
        assert ledger.verify().fine


def test_several_acts_are_entered_together_or_not_at_all() -> None:
    with open_ledger() as ledger:
        assert [entry.seq for entry in ledger.append(*[READ] * 3)] == [1, 2, 3]
        assert ledger.append() == ()
        with pytest.raises(AttributeError):
            ledger.append(READ, None)
        assert len(entries_of(ledger)) == 3


def test_an_act_is_entered_by_the_callers_own_commit() -> None:
    def decide_and_fail(ledger: Ledger) -> None:
        with begin_writing(ledger.engine) as connection:
            ledger.write(connection, READ)
            raise KeyError

    with open_ledger() as ledger:
        with pytest.raises(KeyError):
            decide_and_fail(ledger)
        assert entries_of(ledger) == []
        with begin_writing(ledger.engine) as connection:
            ledger.write(connection, READ)
            ledger.write(connection, READ)
        assert [entry.seq for entry in entries_of(ledger)] == [1, 2]
        assert ledger.verify().fine


@pytest.mark.parametrize(
    "wrong",
    [
        {"dataset": "who has HP:0001250?"},
        {"dataset": "a\nb"},
        {"permit": "ann@example.org"},
        {"permit": "Ann Example"},
        {"detail": "22-16050075-A-G " + "x" * 40},
        {"detail": "sex=female"},
        {"detail": "õ"},
        {"count": -1},
    ],
)
def test_no_question_and_no_name_goes_in(wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid) as caught:
        msgspec.structs.replace(READ, **wrong)
    assert not any(str(value) in str(caught.value) for value in wrong.values())


@given(st.text(max_size=60))
def test_a_text_goes_in_whole_or_not_at_all(text: str) -> None:
    """Whatever the grammar lets through cannot be taken for two lines, nor for an address."""
    try:
        Act(Kind.READ, dataset=text, permit=text, detail=text)
    except Invalid:
        return
    assert text.isascii()
    assert not set(text) & set("\n\r @='\"?<>&")


def test_public_callers_have_no_key() -> None:
    with open_ledger() as ledger:
        [entry] = ledger.append(Act(Kind.AGGREGATE, dataset="D"))
        assert entry.actor == ""
        assert ledger.person("") is None


def test_a_person_has_one_key_which_tells_nothing() -> None:
    with open_ledger() as ledger, open_ledger() as other:
        actors = {entry.actor for _ in range(2) for entry in ledger.append(READ)}
        [actor] = actors
        person = ledger.person(actor)
        assert person is not None
        assert (person.subject, person.name) == ("ann@https://idp.example", "Ann")
        assert other.append(READ)[0].actor != actor
        ledger.append(msgspec.structs.replace(READ, name="Ann Other"), msgspec.structs.replace(READ, name=""))
        found = ledger.person(actor)
        assert found is not None
        assert found.name == "Ann Other"
        stored = b"".join(msgspec.json.encode(item) for item in ledger.items())
        assert b"idp.example" not in stored
        assert b"Ann" not in stored


def test_who_is_erased_is_gone_and_the_chain_stays(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite"
    with open_ledger(path) as ledger:
        [before] = ledger.append(msgspec.structs.replace(READ, subject="erase-me@x", name="Erase Me"))
        head = ledger.sign()
        assert forget(ledger, "erase-me@x") is True
        assert forget(ledger, "erase-me@x") is False
        assert ledger.person(before.actor) is None
        [after] = ledger.append(msgspec.structs.replace(READ, subject="erase-me@x"))
        assert after.actor != before.actor
        assert ledger.verify([head]).fine
        forget(ledger, "erase-me@x")
    bytes_on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"erase-me" not in bytes_on_disk
    assert b"Erase Me" not in bytes_on_disk


def test_a_head_is_signed_when_the_day_turns() -> None:
    with clock_at() as clock, open_ledger() as ledger:
        for _ in range(3):
            ledger.append(READ)
        assert heads_of(ledger) == []
        clock.step(hours=13)
        [fourth] = ledger.append(READ)
        [token] = heads_of(ledger)
        head = read_head(token, KEYS.key_set())
        assert (head.iss, head.seq, head.day, head.count) == (ISSUER, 3, "2026-11-22", 3)
        assert head.iat == int(clock.now.timestamp())
        assert head.hash == entries_of(ledger)[2].hash
        assert fourth.day == "2026-11-23"


def test_a_quiet_day_is_closed_too_and_once() -> None:
    with clock_at() as clock, open_ledger() as ledger:
        ledger.close_day()
        ledger.append(READ)
        ledger.close_day()
        assert heads_of(ledger) == []
        clock.step(days=3)
        ledger.close_day()
        ledger.close_day()
        ledger.append(READ)
        assert [read_head(token, KEYS.key_set()).day for token in heads_of(ledger)] == ["2026-11-22"]


def test_a_head_on_demand_says_when_it_was_signed() -> None:
    with clock_at() as clock, open_ledger() as ledger:
        empty = read_head(ledger.sign(), KEYS.key_set())
        assert (empty.seq, empty.hash, empty.day, empty.count) == (0, NO_HASH, "2026-11-22", 0)
        ledger.append(READ, READ)
        first, second = ledger.sign(), ledger.sign()
        clock.step(hours=1)
        later = read_head(ledger.sign(), KEYS.key_set())
        assert (later.seq, later.count) == (2, 2)
        assert later.iat == read_head(first, KEYS.key_set()).iat + 3600
        assert second in heads_of(ledger)
        verdict = ledger.verify()
        assert (verdict.fine, verdict.entries, verdict.heads, verdict.signed) == (True, 2, 4, 2)


def test_a_clock_that_steps_back_breaks_nothing() -> None:
    with clock_at() as clock, open_ledger() as ledger:
        for hours in (0, 13, -13, -24, 48, 0):
            clock.step(hours=hours)
            ledger.append(READ)
        days = [date.fromisoformat(entry.day).day for entry in entries_of(ledger)]
        assert days == [22, 23, 22, 21, 23, 23]
        counts = [(h.day[-2:], h.seq, h.count) for h in (read_head(t, KEYS.key_set()) for t in heads_of(ledger))]
        assert counts == [("22", 1, 1), ("23", 2, 1), ("22", 3, 2), ("21", 4, 1)]
        assert ledger.verify().fine


def test_threads_and_two_connections_append_without_gaps(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite"
    with open_ledger(path) as one, open_ledger(path) as other:

        def write(ledger: Ledger, subject: str) -> None:
            for _ in range(10):
                ledger.append(msgspec.structs.replace(READ, subject=subject), READ)

        threads = [
            threading.Thread(target=write, args=(ledger, f"s{n % 3}")) for n, ledger in enumerate([one, other] * 2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [entry.seq for entry in entries_of(one)] == list(range(1, 81))
        assert one.verify().fine
        assert len({entry.actor for entry in entries_of(one)}) == 4


def test_reading_sees_one_moment_whoever_writes(tmp_path: Path) -> None:
    with clock_at() as clock, open_ledger(tmp_path / "node.sqlite") as ledger:
        ledger.append(READ, READ)
        reading = ledger.items()
        first = next(reading)
        clock.step(days=1)
        ledger.append(READ)
        assert [first, *reading] == entries_of(ledger)[:2]


def test_nothing_is_entered_after_a_row_that_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite"
    with open_ledger(path) as ledger:
        ledger.append(READ)
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE ledger_entry SET count = 'many'")
        connection.close()
        with pytest.raises(Corrupt, match="verify the ledger"):
            ledger.append(READ)


def test_a_full_or_locked_database_lets_nothing_out(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite"
    with open_ledger(path) as ledger:
        ledger.append(READ)
        with begin_writing(ledger.engine) as holding, ledger.engine.connect() as impatient:
            del holding
            impatient.exec_driver_sql("PRAGMA busy_timeout=1")
            impatient.rollback()
            with pytest.raises(sa.exc.OperationalError, match="locked"):
                impatient.execution_options(sqlite_writing=True).begin()
        assert len(entries_of(ledger)) == 1


def test_other_keys_do_not_verify_it() -> None:
    with open_ledger() as ledger:
        ledger.append(READ)
        ledger.sign()
        stranger = Ledger(ledger.engine, make_keys(), ISSUER)
        verdict = stranger.verify()
        assert (verdict.fine, verdict.wrong) == (False, 1)
        assert "not signed by the ledger's keys" in verdict.says
        renamed = Ledger(ledger.engine, KEYS, "node.fi").verify()
        assert "of node.ee, not of node.fi" in renamed.says


OFTEN = Act(Kind.FILE, dataset="GDI-EE-1", detail="opened:MGF-1")


def counts_of(ledger: Ledger) -> list[tuple[str, int]]:
    return [(entry.detail, entry.count) for entry in entries_of(ledger)]


def test_what_happens_without_end_has_two_entries_a_minute() -> None:
    other = msgspec.structs.replace(OFTEN, detail="opened:MGF-2", count=7)
    with clock_at() as clock, open_ledger() as ledger:
        for _ in range(1000):
            ledger.append_often(OFTEN)
        ledger.append_often(other)
        assert counts_of(ledger) == [("opened:MGF-1", 1), ("opened:MGF-2", 7)], "before the first byte of each"
        ledger.settle()
        assert len(entries_of(ledger)) == 2, "the minute is not over"
        clock.step(minutes=1)
        ledger.append_often(other)
        ledger.append_often(other)
        assert counts_of(ledger)[2:] == [("opened:MGF-1", 999), ("opened:MGF-2", 7)]
        clock.step(minutes=1)
        ledger.settle()
        assert counts_of(ledger)[4:] == [("opened:MGF-2", 7)]
        ledger.settle(everything=True)
        assert len(entries_of(ledger)) == 5
        assert ledger.verify().fine


def test_each_caller_has_entries_of_their_own_and_the_end_settles_all() -> None:
    with clock_at(), open_ledger() as ledger:
        for subject in (None, "ann@x", "ben@x", None, "ann@x"):
            ledger.append_often(msgspec.structs.replace(OFTEN, subject=subject))
        assert len({entry.actor for entry in entries_of(ledger)}) == 3
        ledger.settle(everything=True)
        assert [entry.count for entry in entries_of(ledger)] == [1] * 5
        ledger.append_often(OFTEN)
        assert len(entries_of(ledger)) == 6


def test_who_is_erased_meanwhile_stays_so() -> None:
    with clock_at() as clock, open_ledger() as ledger:
        for _ in range(3):
            ledger.append_often(msgspec.structs.replace(OFTEN, subject="ann@x", name="Ann"))
        with begin_erasing(ledger.engine) as connection:
            assert ledger.forget(connection, "ann@x")
        clock.step(minutes=1)
        ledger.settle()
        assert counts_of(ledger)[-1][1] == 2
        with ledger.engine.connect() as connection:
            assert connection.execute(sa.text("SELECT subject FROM ledger_person")).all() == []


def test_what_cannot_be_entered_does_not_happen_and_is_counted_still(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_acts: object) -> None:
        raise sa.exc.OperationalError("", {}, Exception("disk full"))

    with clock_at() as clock, open_ledger() as ledger:
        with monkeypatch.context() as failing:
            failing.setattr(ledger, "append", fail)
            for _ in range(2):
                with pytest.raises(sa.exc.OperationalError):
                    ledger.append_often(OFTEN)
        for _ in range(3):
            ledger.append_often(OFTEN)
        clock.step(minutes=1)
        with monkeypatch.context() as failing:
            failing.setattr(ledger, "write", fail)
            with pytest.raises(sa.exc.OperationalError):
                ledger.settle()
        ledger.settle()
        assert [entry.count for entry in entries_of(ledger)] == [1, 2]
