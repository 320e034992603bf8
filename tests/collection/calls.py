# SPDX-License-Identifier: Apache-2.0
"""Calls of any kind, and what plain counting makes of them, one call and one allele at a time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from megagenome.collection.classify import STREAMS
from megagenome.standards.genotypes import ABSENT, MISSING, Calls
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


def as_calls(case: Case, kind: type[np.signedinteger]) -> Calls:
    """The calls as a block has them."""

    def number(call: Call) -> list[int]:
        return [*(MISSING if allele is None else allele for allele in call), ABSENT][:2]

    return np.array([[number(call) for call in record] for record in case.calls], kind)


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


def as_case(alternates: Sequence[int], calls: npt.NDArray[np.int8], copies: npt.NDArray[np.int8]) -> Case:
    """Calls as a block has them [records, people, 2], with the copies expected [records, people]."""
    return Case(list(alternates), [[_call(*call) for call in record] for record in calls.tolist()], copies.tolist())


def _call(first: int, second: int) -> Call:
    one = None if first == MISSING else first
    return (one,) if second == ABSENT else (one, None if second == MISSING else second)
