# SPDX-License-Identifier: Apache-2.0
"""Calls become entries: against plain counting, one call and one allele at a time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection.classify import STREAMS, classify
from megagenome.standards.genotypes import ABSENT, MISSING, Block
from tests.oracles import genotypes as oracle

Call = tuple[int | None, ...]


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


def plain(case: Case) -> dict[str, list[tuple[int, int]]]:
    """Rows and columns by stream."""
    found: dict[str, list[tuple[int, int]]] = {stream: [] for stream in STREAMS}
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


@pytest.mark.parametrize("kind", [np.int8, np.int16])
@given(case=cases())
def test_entries_are_those_of_plain_counting(kind: type[np.signedinteger], case: Case) -> None:
    first_row = np.cumsum([0, *case.alternates])
    streams, oddities = classify(block(case, kind), first_row, np.array(case.copies, np.int8))
    found = {s: sorted(zip(e.row.tolist(), e.column.tolist(), strict=True)) for s, e in streams.items()}
    assert found == plain(case)
    pairs = [
        pair for calls, copies in zip(case.calls, case.copies, strict=True) for pair in zip(calls, copies, strict=True)
    ]
    assert tuple(oddities) == odd(pairs)


@given(cases())
def test_two_copies_everywhere_need_not_be_said(case: Case) -> None:
    diploid = case._replace(copies=[[2] * len(row) for row in case.copies])
    streams, oddities = classify(block(diploid, np.int8), np.cumsum([0, *case.alternates]), None)
    found = {s: sorted(zip(e.row.tolist(), e.column.tolist(), strict=True)) for s, e in streams.items()}
    assert found == plain(diploid)
    assert not any(oddities)
