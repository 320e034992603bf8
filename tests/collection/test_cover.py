# SPDX-License-Identifier: Apache-2.0
"""Who is in the public numbers next, against the attack on all states that were told."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection.cover import NOT_TOLD, Told, choose, groups_of
from megagenome.collection.model import Sex, Stratum
from megagenome.kernel.ids import Country
from tests.oracles.releases import FEW, State, exposed

STRATA = tuple(Stratum(Country("EE"), population, sex) for population in ("north", "south") for sex in Sex)
GROUPS = groups_of(STRATA)


def state(told: Told) -> State:
    return {f"P{k}": tuple(STRATA[stratum]) for k, stratum in enumerate(told) if stratum != NOT_TOLD}


def next_state(
    target: Sequence[int],
    now: Sequence[int],
    known: Sequence[Sequence[int]],
    leaving: Sequence[int] = (),
    seed: int = 0,
) -> list[int]:
    must = np.zeros(len(now), np.bool_)
    must[list(leaving)] = True
    arrays = [np.array(each, np.int32) for each in (target, now, *known)]
    rank = np.random.default_rng(seed).permutation(len(now))
    return choose(arrays[0], arrays[1], must, arrays[2:], GROUPS, rank).tolist()


def test_the_narrowest_groups_come_first() -> None:
    assert GROUPS.sum(axis=1).tolist() == sorted(GROUPS.sum(axis=1).tolist())
    # six strata, two populations, three sexes, one country; -1 is in none
    assert (len(GROUPS), GROUPS[:, -1].any()) == (12, False)


def test_nothing_told_yet_hides_nothing() -> None:
    assert next_state([0, -1, 3], [-1, -1, -1], []) == [0, -1, 3]


def test_enough_come_at_once_and_few_wait() -> None:
    now = [0] * 20 + [-1] * 10
    assert next_state([0] * 30, now, [now]) == [0] * 30
    assert next_state([0] * 29 + [-1], now, [now]) == now


def test_few_wait_for_their_own_group_only() -> None:
    now = [0] * 20 + [1] * 20 + [-1] * 15
    target = [0] * 20 + [1] * 20 + [0] * 12 + [1] * 3
    assert next_state(target, now, [now]) == [0] * 20 + [1] * 20 + [0] * 12 + [-1] * 3


def test_who_must_leave_takes_nine_along() -> None:
    now = [0] * 40
    after = next_state([-1] + [0] * 39, now, [now], leaving=[0])
    assert (after[0], after.count(0)) == (-1, 30)


def test_a_small_group_is_covered_by_those_around_it() -> None:
    now = [0] * 5 + [1] * 30 + [4] * 30  # few women of the north; men of the north and of the south
    after = next_state([-1, *now[1:]], now, [now], leaving=[0])
    assert after[1:5] == [0] * 4
    assert exposed([state(np.array(now)), state(np.array(after))]) == []


def test_cover_does_not_come_back_while_that_would_show_who_left() -> None:
    first = [0] * 40
    second = next_state([-1] + [0] * 39, first, [first], leaving=[0])
    everybody_but_one = [-1] + [0] * 39
    assert next_state(everybody_but_one, second, [first, second]) == second
    with_newcomers = [*everybody_but_one, *[0] * 12]
    states = [[*each, *[-1] * 12] for each in (first, second)]
    assert next_state(with_newcomers, states[1], states) == with_newcomers


@given(st.data())
def test_no_two_states_show_a_few_people(data: st.DataObject) -> None:
    people = 60
    strata = data.draw(st.lists(st.integers(0, len(STRATA) - 1), min_size=people, max_size=people))
    everybody = [stratum if data.draw(st.integers(0, 9)) else -1 for stratum in strata]
    told: list[list[int]] = [everybody]
    for step in range(data.draw(st.integers(1, 5))):
        now = told[-1]
        changing = data.draw(st.sets(st.integers(0, people - 1), max_size=14))
        target = [(-1 if now[k] >= 0 else strata[k]) if k in changing else now[k] for k in range(people)]
        must = [k for k in changing if now[k] >= 0 and data.draw(st.booleans())]
        after = next_state(target, now, told, must, seed=step)
        assert all(after[k] == -1 for k in must)
        assert all(after[k] in (-1, now[k], target[k]) for k in range(people))
        told.append(after)
    assert exposed([state(np.array(each)) for each in told]) == []


@given(st.lists(st.sampled_from([-1, 0]), min_size=24, max_size=24))
def test_what_shows_nobody_is_done(target: list[int]) -> None:
    now = [0] * 24
    after = next_state(target, now, [now])
    fits = not exposed([state(np.array(now)), state(np.array(target))])
    assert after == (target if fits else now)
    assert FEW == 10
