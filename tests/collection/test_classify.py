# SPDX-License-Identifier: Apache-2.0
"""Calls become entries: against plain counting, one call and one allele at a time."""

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection.classify import STREAMS, Classifier, Oddities
from megagenome.kernel.native import library
from megagenome.standards.genotypes import ABSENT, MISSING, Block
from tests.oracles import genotypes as oracle

Call = tuple[int | None, ...]
Found = dict[str, list[tuple[int, int]]]
"""Rows and columns by stream."""


class Case(NamedTuple):
    """Records with `alternates` each, and for each person at each record a call and the copies expected of them."""

    alternates: list[int]
    calls: list[list[Call]]
    copies: list[list[int]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    people = draw(st.integers(1, 5))
    alternates = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
    calls = []
    for number in alternates:
        allele = st.none() | st.integers(0, number)
        call = st.tuples(allele) | st.tuples(allele, allele)
        calls.append(draw(st.lists(call, min_size=people, max_size=people)))
    row = st.lists(st.sampled_from([0, 1, 2]), min_size=people, max_size=people)
    return Case(alternates, calls, [draw(row) for _ in alternates])


def block(case: Case, kind: type[np.signedinteger]) -> Block:
    def number(call: Call) -> list[int]:
        return [*(MISSING if allele is None else allele for allele in call), ABSENT][:2]

    return Block(
        "22",
        np.arange(len(case.alternates), dtype=np.int64),
        ["A"] * len(case.alternates),
        [tuple("CGT"[:k]) for k in case.alternates],
        np.array([[number(call) for call in record] for record in case.calls], kind),
    )


def stream_of(call: Call, copies: int, allele: int) -> set[str]:
    """The streams that a person is in at one allele."""
    called = oracle.called_alleles(call, copies)
    mine = called.count(allele)
    streams = set()
    if mine:
        streams.add("hemi" if len(called) == 1 else ("het", "hom")[mine - 1])
    if copies and not called:
        streams.add("missing")
    if copies == 2 and len(called) == 1:
        streams.add("half")
    return streams


def plain(case: Case) -> Found:
    found: Found = {stream: [] for stream in STREAMS}
    row = 0
    for number, calls, copies in zip(case.alternates, case.calls, case.copies, strict=True):
        for allele in range(1, number + 1):
            for column, call in enumerate(calls):
                for stream in stream_of(call, copies[column], allele):
                    found[stream].append((row, column))
            row += 1
    return found


def odd(calls: Sequence[tuple[Call, int]]) -> tuple[int, int, int]:
    twice = [call for call, copies in calls if copies == 1 and len(call) == 2 and None not in call]
    return (
        sum(call[0] == call[1] and call[0] != 0 for call in twice),
        sum(call[0] != call[1] for call in twice),
        sum(copies == 0 and any(call) for call, copies in calls),
    )


def classify(case: Case, kind: type[np.signedinteger], native: ctypes.CDLL | None) -> tuple[Found, Oddities]:
    """By records of a class each."""
    classifier = Classifier(np.array(case.copies, np.int8), native)
    first_row, class_of = np.cumsum([0, *case.alternates]), np.arange(len(case.alternates), dtype=np.int8)
    streams, oddities = classifier.classify(block(case, kind), first_row, class_of)
    return {s: sorted(zip(e.row.tolist(), e.column.tolist(), strict=True)) for s, e in streams.items()}, oddities


by_each = pytest.mark.parametrize(
    "native",
    [pytest.param(None, id="numpy"), pytest.param(library(), id="c", marks=pytest.mark.native)],
)


@by_each
@given(case=cases())
def test_entries_are_those_of_plain_counting(native: ctypes.CDLL | None, case: Case) -> None:
    pairs = [
        pair for calls, copies in zip(case.calls, case.copies, strict=True) for pair in zip(calls, copies, strict=True)
    ]
    for kind in (np.int8, np.int16):
        found, oddities = classify(case, kind, native)
        assert found == plain(case)
        assert tuple(oddities) == odd(pairs)

    diploid = case._replace(copies=[[2] * len(row) for row in case.copies])
    found, oddities = classify(diploid, np.int8, native)
    assert found == plain(diploid)
    assert not any(oddities)


@by_each
@given(seed=st.integers(0, 2**32 - 1), people=st.integers(1, 200), records=st.integers(1, 40), rare=st.floats(0.5, 1))
def test_many_people_are_told_as_few_are(
    native: ctypes.CDLL | None, seed: int, people: int, records: int, rare: float
) -> None:
    """Whole words of plain calls are skipped at once, and what does not fit into the room comes with the next turn."""
    random = np.random.default_rng(seed)
    alternates = random.integers(0, 4, records)
    calls = random.integers(ABSENT, 1 + alternates[:, None, None], (records, people, 2)).astype(np.int8)
    calls[..., 0] = np.maximum(calls[..., 0], MISSING)  # only a second allele can be absent
    calls[random.random((records, people)) < rare] = 0
    ploidy, class_of = random.integers(0, 3, (3, people)).astype(np.int8), random.integers(0, 3, records)
    case = Case(
        alternates.tolist(),
        [[_call(*call) for call in record] for record in calls.tolist()],
        ploidy[class_of].tolist(),
    )
    classifier = Classifier(ploidy, native)
    for _ in range(2):  # the room of a block is used again for the next
        streams, _odd = classifier.classify(
            block(case, np.int8), np.cumsum([0, *case.alternates]), class_of.astype(np.int8)
        )
        found = {s: sorted(zip(e.row.tolist(), e.column.tolist(), strict=True)) for s, e in streams.items()}
        assert found == plain(case)


def _call(first: int, second: int) -> Call:
    one = None if first == MISSING else first
    return (one,) if second == ABSENT else (one, None if second == MISSING else second)
