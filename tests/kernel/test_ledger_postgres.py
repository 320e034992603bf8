# SPDX-License-Identifier: Apache-2.0
"""The ledger in PostgreSQL: no gap, no second chain, whoever writes at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from megagenome.kernel.database import begin_erasing, begin_writing, open_database
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.ledger_tables import METADATA
from tests.kernel.ledgers import ISSUER, KEYS, clock_at

pytestmark = pytest.mark.postgres


@pytest.fixture
def ledgers(postgres: sa.URL) -> Iterator[list[Ledger]]:
    """Two processes' views of one ledger."""
    engines = [open_database(postgres) for _ in range(2)]
    METADATA.create_all(engines[0])
    yield [Ledger(engine, KEYS, ISSUER) for engine in engines]
    for engine in engines:
        engine.dispose()


def entries(ledger: Ledger) -> list[Entry]:
    return [item for item in ledger.items() if isinstance(item, Entry)]


def test_two_who_append_at_once_make_one_chain(ledgers: list[Ledger]) -> None:
    def append(ledger: Ledger) -> None:
        for n in range(20):
            ledger.append(*[Act(Kind.READ, f"s{n % 3}", dataset="D", count=n)] * (1 + n % 3))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(append, ledgers))
    found = entries(ledgers[0])
    assert [entry.seq for entry in found] == list(range(1, len(found) + 1))
    assert len(found) == 2 * sum(1 + n % 3 for n in range(20))
    assert len({entry.actor for entry in found}) == 3
    assert ledgers[1].verify([ledgers[0].sign()]).fine


def test_what_is_not_committed_is_not_in_it(ledgers: list[Ledger]) -> None:
    def fail() -> None:
        with begin_writing(ledgers[0].engine) as connection:
            ledgers[0].write(connection, Act(Kind.READ, "s", dataset="D"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert entries(ledgers[0]) == []


def test_each_day_has_its_head_and_a_change_shows(ledgers: list[Ledger]) -> None:
    with clock_at() as clock:
        for _ in range(3):
            ledgers[0].append(Act(Kind.READ, "s", dataset="D"))
            clock.now += timedelta(days=1)
        ledgers[0].close_day()
        assert sum(isinstance(item, str) for item in ledgers[0].items()) == 3
        assert ledgers[0].verify().fine
    with begin_erasing(ledgers[0].engine) as connection:
        assert ledgers[0].forget(connection, "s")
    assert ledgers[1].verify().fine
    with begin_writing(ledgers[0].engine) as connection:
        connection.execute(sa.text("UPDATE ledger_entry SET count = 7 WHERE seq = 2"))
    assert not ledgers[1].verify().fine
