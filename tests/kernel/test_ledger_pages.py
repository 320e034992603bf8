# SPDX-License-Identifier: Apache-2.0
"""Pages and counts, held against plain loops over all entries."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.ledger_pages import LARGEST_PAGE, Chosen, MonthCount, months, page
from tests.kernel.ledgers import NOON, clock_at, open_ledger

SUBJECTS, DATASETS, PERMITS = (None, "ann@x", "bo@x"), ("", "D1", "D2", "D3"), ("", "P1", "P2")


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with clock_at() as clock, open_ledger() as made:
        for n in range(120):
            made.append(
                Act(list(Kind)[n * 7 % 9], SUBJECTS[n % 3], "", DATASETS[n // 2 % 4], PERMITS[n // 5 % 3], count=n)
            )
            clock.step(hours=11)
        yield made


def all_of(ledger: Ledger) -> list[Entry]:
    return [item for item in ledger.items() if isinstance(item, Entry)]


moments = st.one_of(st.none(), st.integers(-24, 1400).map(lambda hours: NOON + timedelta(hours=hours)))


@given(st.data())
def test_pages_and_months_are_those_of_a_plain_loop(ledger: Ledger, data: st.DataObject) -> None:
    actors = [None, "unknown", *{entry.actor for entry in all_of(ledger)}]
    chosen = Chosen(
        tuple(data.draw(st.sets(st.sampled_from(DATASETS), max_size=2))),
        data.draw(st.sampled_from([None, *PERMITS])),
        data.draw(st.sampled_from(actors)),
        tuple(data.draw(st.sets(st.sampled_from(Kind), max_size=4))),
        data.draw(moments),
        data.draw(moments),
    )
    expected = [entry for entry in reversed(all_of(ledger)) if is_chosen(entry, chosen)]
    limit = data.draw(st.integers(1, 50))
    with ledger.engine.begin() as connection:
        found: list[Entry] = []
        before = None
        while True:
            one = page(connection, chosen, before=before, limit=limit)
            found += one.entries
            assert len(one.entries) <= limit
            if (before := one.before) is None:
                break
        counted = months(connection, chosen)
    assert found == expected
    sums: Counter[tuple[str, str]] = Counter()
    for entry in expected:
        sums[entry.time[:7], entry.kind] += entry.count
    numbers = Counter((entry.time[:7], entry.kind) for entry in expected)
    assert sorted(counted, key=msgspec.structs.astuple) == sorted(
        (MonthCount(*key, numbers[key], sums[key]) for key in numbers), key=msgspec.structs.astuple
    )
    assert [each.month for each in counted] == sorted((each.month for each in counted), reverse=True)


def is_chosen(entry: Entry, chosen: Chosen) -> bool:
    since, until = (each.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if each else None for each in (chosen.since, chosen.until))
    return (
        (not chosen.datasets or entry.dataset in chosen.datasets)
        and chosen.permit in (None, entry.permit)
        and chosen.actor in (None, entry.actor)
        and (not chosen.kinds or entry.kind in chosen.kinds)
        and (since is None or entry.time >= since)
        and (until is None or entry.time < until)
    )


def test_a_page_has_its_bounds(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        assert len(page(connection, Chosen(), limit=10**9).entries) == 120 < LARGEST_PAGE
        assert len(page(connection, Chosen(), limit=0).entries) == 1
        assert page(connection, Chosen(permit="P9")).entries == ()
        assert months(connection, Chosen(permit="P9")) == ()
