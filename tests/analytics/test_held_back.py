# SPDX-License-Identifier: Apache-2.0
"""No two studies at a node differ by a few people, whatever is asked in whatever order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.analytics.held_back import Earlier, Planes, choose_people
from megagenome.kernel.errors import NotEntitled

LEAST = 10
BYTES = 32  # 256 people are enough to see it


def _planes(members: set[int], batches: int = 1) -> Planes:
    bits = np.zeros(batches * BYTES * 8, np.uint8)
    bits[sorted(members)] = 1
    return np.packbits(bits, bitorder="little").reshape(batches, BYTES)


def _members(planes: Planes) -> set[int]:
    return set(np.flatnonzero(np.unpackbits(planes.reshape(-1), bitorder="little")).tolist())


@given(st.lists(st.sets(st.integers(0, 255), max_size=6), min_size=1, max_size=12), st.integers(0, 2**32))
@settings(max_examples=100)
def test_any_two_studies_have_the_same_people_or_clearly_others(leaving: list[set[int]], seed: int) -> None:
    """People withdraw, or an attacker asks for everybody but a few, again and again."""
    rng, earlier = np.random.default_rng(seed), []
    for out in leaving:
        today = set(range(200)) - out
        try:
            chosen = choose_people(_planes(today), Earlier(earlier), LEAST, rng)
        except NotEntitled:
            continue
        people = _members(chosen.people)
        assert people <= today
        assert chosen.held_back == len(today) - len(people)
        for other in map(_members, earlier):
            assert people == other or len(people ^ other) >= LEAST
        earlier.append(chosen.people)
    assert earlier


def test_the_first_study_has_everybody() -> None:
    chosen = choose_people(_planes(set(range(50))), Earlier([]), LEAST, np.random.default_rng(1))
    assert (_members(chosen.people), chosen.held_back) == (set(range(50)), 0)


def test_the_same_people_again_are_the_same() -> None:
    first = _planes(set(range(50)))
    chosen = choose_people(first, Earlier([first]), LEAST, np.random.default_rng(1))
    assert (_members(chosen.people), chosen.held_back) == (set(range(50)), 0)


def test_a_few_new_people_wait_until_they_are_enough() -> None:
    first, rng = _planes(set(range(50))), np.random.default_rng(1)
    a_few = choose_people(_planes(set(range(55))), Earlier([first]), LEAST, rng)
    assert (_members(a_few.people), a_few.held_back) == (set(range(50)), 5)
    enough = choose_people(_planes(set(range(60))), Earlier([first]), LEAST, rng)
    assert (_members(enough.people), enough.held_back) == (set(range(60)), 0)


def test_when_somebody_withdrew_others_are_held_back_and_stay_so() -> None:
    first, today = _planes(set(range(50))), set(range(50)) - {7}
    chosen = choose_people(_planes(today), Earlier([first]), LEAST, np.random.default_rng(1))
    assert len(_members(chosen.people)) == 50 - 1 - LEAST
    again = choose_people(_planes(today), Earlier([first, chosen.people]), LEAST, np.random.default_rng(2))
    assert _members(again.people) == _members(chosen.people)


def test_where_nothing_keeps_the_rule_it_is_said() -> None:
    first = _planes(set(range(15)))
    with pytest.raises(NotEntitled, match="fewer than 10 from those of an earlier study"):
        choose_people(_planes(set(range(14))), Earlier([first]), LEAST, np.random.default_rng(1))


def test_a_node_that_has_grown_by_a_batch() -> None:
    first = _planes(set(range(50)))
    today = _planes(set(range(50)) | {BYTES * 8 + 3}, batches=2)
    chosen = choose_people(today, Earlier([first]), LEAST, np.random.default_rng(1))
    assert _members(chosen.people) == set(range(50))


@given(
    st.lists(st.tuples(st.sets(st.integers(0, 199), max_size=3), st.sets(st.integers(0, 199), max_size=3)), max_size=8)
)
@settings(max_examples=60)
def test_groups_within_studies_are_the_same_or_clearly_others(asked: list[tuple[set[int], set[int]]]) -> None:
    """An attacker asks for the same people, one of whom is a case and then a control."""
    rng, wholes, told = np.random.default_rng(len(asked)), list[Planes](), list[Planes]()
    for out, turned in [(set[int](), set[int]()), *asked]:
        today = set(range(200)) - out
        cases = (set(range(60)) ^ turned) & today
        groups = [_planes(cases), _planes(today - cases)]
        try:
            chosen = choose_people(_planes(today), Earlier(wholes, told), LEAST, rng, groups).people
        except NotEntitled:
            continue
        assert _members(chosen) <= today
        mine = [_members(chosen & each) for each in groups]
        for group in mine:
            differing = [len(group ^ _members(other)) for other in (*wholes, *told)]
            assert 0 in differing or min(differing, default=LEAST) >= LEAST
        wholes.append(chosen)
        told += [_planes(each) for each in mine]
    assert wholes


def test_who_is_a_case_in_one_study_and_a_control_in_the_next_is_held_back_with_others() -> None:
    everybody, cases, controls = _planes(set(range(100))), _planes(set(range(30))), _planes(set(range(30, 100)))
    before = Earlier([everybody], [cases, controls])
    same = choose_people(everybody, before, LEAST, np.random.default_rng(1), [cases, controls])
    assert same.held_back == 0
    turned = [_planes(set(range(31))), _planes(set(range(31, 100)))]
    chosen = choose_people(everybody, before, LEAST, np.random.default_rng(1), turned)
    assert chosen.held_back >= 2 * LEAST
    for group, other in zip(turned, (cases, controls), strict=True):
        assert len(_members(group & chosen.people) ^ _members(other)) >= LEAST


def test_a_group_of_an_earlier_study_is_no_study_of_its_own() -> None:
    """Sums of its people would be told beside those of all, who are few more."""
    everybody, all_but_one = _planes(set(range(100))), _planes(set(range(99)))
    before = Earlier([everybody], [all_but_one, _planes({99})])
    chosen = choose_people(all_but_one, before, LEAST, np.random.default_rng(1))
    assert len(_members(chosen.people) ^ set(range(100))) >= LEAST


def test_when_a_control_withdrew_the_cases_stay_as_they_are() -> None:
    before = Earlier([_planes(set(range(100)))], [_planes(set(range(5))), _planes(set(range(5, 100)))])
    groups = [_planes(set(range(5))), _planes(set(range(5, 99)))]
    chosen = choose_people(_planes(set(range(99))), before, LEAST, np.random.default_rng(1), groups)
    assert set(range(5)) <= _members(chosen.people)
    assert chosen.held_back == LEAST
