# SPDX-License-Identifier: Apache-2.0
"""Kinship from bits and bounds, against the definition one allele at a time; duplicates among people who are too many
to be compared."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.analytics import kinship
from megagenome.analytics.kinship import PackedCalls, duplicate_pairs, kinship_of, pack_calls, related_pairs
from megagenome.analytics.relatives import DUPLICATE, SECOND, find_duplicates, find_relatives
from tests.oracles.dense_scan import MISSING, DenseScan

Calls = npt.NDArray[np.int8]


def by_definition(calls: Calls, i: int, j: int) -> float:
    """KING's equation 11, one allele at a time; 0 where one of the two is never het."""
    both_het = opposite = het_i = het_j = 0
    for a, b in calls[:, [i, j]].tolist():
        if a >= 0 and b >= 0:
            both_het += a == b == 1
            opposite += {a, b} == {0, 2}
            het_i += a == 1
            het_j += b == 1
    fewer = min(het_i, het_j)
    return (both_het - 2 * opposite) / (2 * fewer) + 1 / 2 - (het_i + het_j) / (4 * fewer) if fewer else 0.0


def packed(calls: Calls) -> PackedCalls:
    return pack_calls(DenseScan(calls), np.arange(len(calls)))


def mistaken(calls: Calls, random: np.random.Generator, wrong: float = 0.005, missing: float = 0.01) -> Calls:
    """Called with errors, each to another genotype, and with missing calls."""
    found = np.where(random.random(calls.shape) < wrong, (calls + random.integers(1, 3, calls.shape)) % 3, calls)
    return np.where(random.random(calls.shape) < missing, MISSING, found).astype(np.int8)


def people_with_kin(random: np.random.Generator, strangers: int, alleles: int, missing: float = 0.01) -> Calls:
    """Strangers; their first two have two children, the first is there three times, the third and the fourth twice, and
    each time was called anew; everybody in a random order."""
    haplotypes = (random.random((alleles, strangers, 2)) < random.uniform(0.05, 0.95, (alleles, 1, 1))).astype(np.int8)
    rows = np.arange(alleles)
    children = [sum(haplotypes[rows, parent, random.integers(0, 2, alleles)] for parent in (0, 1)) for _ in range(2)]
    everybody = np.column_stack((haplotypes.sum(axis=2), *children))
    calls = mistaken(everybody[:, [*range(strangers + 2), 0, 0, 2, 3]], random, missing=missing)
    return calls[:, random.permutation(calls.shape[1])]


@given(st.integers(0, 2**32), st.integers(4, 40), st.integers(1, 90), st.floats(0.01, 0.4), st.sampled_from([3, 1_024]))
@settings(max_examples=60)
def test_pairs_are_all_those_of_the_definition(
    seed: int, strangers: int, alleles: int, least: float, at_once: int
) -> None:
    """Over few alleles, where chance makes many of them."""
    random = np.random.default_rng(seed)
    calls = people_with_kin(random, strangers, alleles, missing=random.uniform(0, 0.5))
    calls[random.random(alleles) < 0.9, 0] = MISSING  # of whom nearly nothing is known
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(kinship, "_PEOPLE_AT_ONCE", at_once)
        pairs, found = related_pairs(packed(calls), least)
    every = np.array(list(itertools.combinations(range(calls.shape[1]), 2)))
    expected = np.array([by_definition(calls, i, j) for i, j in every.tolist()])
    assert kinship_of(packed(calls), every) == pytest.approx(expected, abs=1e-12)
    near = np.abs(expected - least) < 1e-12  # the two may round to either side
    assert {tuple(each) for each in every[(expected >= least) & ~near].tolist()} <= set(map(tuple, pairs.tolist()))
    assert set(map(tuple, pairs.tolist())) <= {tuple(each) for each in every[(expected >= least) | near].tolist()}
    assert pairs.tolist() == sorted(pairs.tolist())
    assert found == pytest.approx([by_definition(calls, i, j) for i, j in pairs.tolist()], abs=1e-12)


@given(st.integers(0, 2**32), st.integers(10, 60), st.sampled_from([600, 1_000, 2_048]))
@settings(max_examples=15)
def test_duplicates_are_those_that_comparing_everybody_finds(seed: int, strangers: int, alleles: int) -> None:
    """With half a per cent of calls wrong and one per cent missing."""
    calls = people_with_kin(np.random.default_rng(seed), strangers, alleles)
    everything, duplicates = (find(DenseScan(calls), np.arange(alleles)) for find in (find_relatives, find_duplicates))
    twice = everything.kinship >= DUPLICATE
    assert (everything.duplicates, duplicates.duplicates, duplicates.first, duplicates.second) == (5, 5, 0, 0)
    assert duplicates.pairs.tolist() == everything.pairs[twice].tolist()
    assert duplicates.kinship.tolist() == everything.kinship[twice].tolist()
    assert duplicates.to_leave_out().tolist() == everything.to_leave_out().tolist()


def test_of_many_who_are_the_same_all_pairs_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than are neighbours in any signature's order: those who are not are found through others."""
    random = np.random.default_rng(2)
    genotypes = random.binomial(2, random.uniform(0.2, 0.8, (1_200, 2)))
    calls = mistaken(genotypes[:, [0, *[1] * 12, 0]], random)
    monkeypatch.setattr(kinship, "_NEIGHBOURS", 1)
    pairs, _ = duplicate_pairs(packed(calls), DUPLICATE)
    assert pairs.tolist() == sorted([[0, 13], *map(list, itertools.combinations(range(1, 13), 2))])


def test_nobody_is_compared_with_nobody() -> None:
    nobody = packed(np.zeros((600, 0), np.int8))
    assert (nobody.people, nobody.alleles) == (0, 600)
    for pairs, found in (related_pairs(nobody, SECOND), duplicate_pairs(nobody, DUPLICATE)):
        assert (pairs.shape, found.shape) == ((0, 2), (0,))


def test_a_comparison_stops_where_it_may_not_go_on() -> None:
    class Stop(Exception):
        """The permit ended."""

    def go_on() -> None:
        raise Stop

    with pytest.raises(Stop):
        related_pairs(packed(np.ones((600, 5), np.int8)), SECOND, go_on)
