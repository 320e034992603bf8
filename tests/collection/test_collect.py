# SPDX-License-Identifier: Apache-2.0
"""What is collected of rows, in C and in NumPy: against plain counting, and each against the other."""

import ctypes
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection import bitmap
from megagenome.collection.classify import STREAMS
from megagenome.collection.collect import Alleles, Collector
from megagenome.collection.counts import Columns
from megagenome.collection.model import Sex, Stratum
from megagenome.kernel.ids import Country
from megagenome.kernel.native import library
from megagenome.reference import EXPECTED_PLOIDY, PloidyClass
from megagenome.standards.genotypes import ABSENT, MISSING
from tests.collection.calls import Found, as_case, odd, plain

STRATA = tuple(Stratum(Country("EE"), population, sex) for population in ("", "Seto") for sex in Sex)


class Drawn(NamedTuple):
    """Blocks of calls of some people."""

    columns: Columns
    blocks: list[tuple[npt.NDArray[np.int8], Alleles]]
    alternates: list[list[int]]


@st.composite
def drawn(draw: st.DrawFn, most_people: int = 200) -> Drawn:
    """Most calls are 0/0, as in genomes; the people straddle the border of two batches, or not."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    people, rare = draw(st.integers(1, most_people)), draw(st.floats(0, 1))
    first = draw(st.sampled_from([0, bitmap.BATCH - 1 - people // 2, 3 * bitmap.BATCH]))
    columns = Columns(
        first + np.cumsum(random.integers(1, 3, people)),
        random.integers(0, len(STRATA), people),
        random.random(people) < draw(st.sampled_from([0.5, 1])),
        STRATA,
    )
    blocks, alternates = [], []
    for _ in range(draw(st.integers(1, 3))):
        each = random.integers(0, 4, draw(st.integers(1, 20)))
        calls = random.integers(ABSENT, 1 + each[:, None, None], (len(each), people, 2)).astype(np.int8)
        calls[..., 0] = np.maximum(calls[..., 0], MISSING)  # only a second allele can be absent
        calls[random.random((len(each), people)) < rare] = 0
        numbers = [k for number in each.tolist() for k in range(1, number + 1)]
        record = np.repeat(np.arange(len(each)), each)
        classes = random.integers(0, len(PloidyClass), len(each)).astype(np.int8)
        blocks.append((calls, Alleles(record.astype(np.int32), np.array(numbers, np.int32), classes)))
        alternates.append(each.tolist())
    return Drawn(columns, blocks, alternates)


def copies(columns: Columns, alleles: Alleles) -> npt.NDArray[np.int8]:
    """The copies expected of each person at each record."""
    sexes = [columns.strata[k].sex for k in columns.stratum.tolist()]
    return np.array([[EXPECTED_PLOIDY[PloidyClass(k)][s] for s in sexes] for k in alleles.class_of.tolist()], np.int8)


by_each = pytest.mark.parametrize(
    "native",
    [pytest.param(None, id="numpy"), pytest.param(library(), id="c", marks=pytest.mark.native)],
)


def people_found(collector: Collector, columns: Columns, rows: npt.NDArray[np.int64]) -> Found:
    """Rows and columns by stream, from what is stored."""
    place = {number: k for k, number in enumerate(columns.number.tolist())}
    found: Found = {stream: [] for stream in STREAMS}
    for name, (having, at, content) in collector.waiting().people(rows):
        stream, _, batch = name.partition("/")
        stored = content.tobytes()
        assert at[-1] == len(stored)
        for row, begin, end in zip(having.tolist(), at.tolist(), at[1:].tolist(), strict=False):
            members = bitmap.decode(stored[begin:end]).astype(np.int64) + int(batch) * bitmap.BATCH
            found[stream] += [(row, place[number]) for number in members.tolist()]
    return {stream: sorted(entries) for stream, entries in found.items()}


def everything(collector: Collector) -> list[Any]:
    """All that a collector has, to compare."""
    waiting = collector.waiting()
    rows = np.arange(waiting.sizes.shape[1])
    sizes, cells = waiting.cells(rows)
    stored = [(name, *(part.tobytes() for part in one)) for name, one in waiting.people(rows)]
    return [waiting.sizes.tolist(), sizes.tolist(), cells.tolist(), stored]


@by_each
@given(case=drawn())
def test_people_and_counts_are_those_of_plain_counting(native: ctypes.CDLL | None, case: Drawn) -> None:
    columns, strata = case.columns, case.columns.stratum.tolist()
    collector = Collector(columns, native)
    before = 0
    for (calls, alleles), alternates in zip(case.blocks, case.alternates, strict=True):
        expected = copies(columns, alleles)
        oracle = as_case(alternates, calls, expected)
        oddities = collector.add(calls, alleles)
        pairs = [pair for c, e in zip(oracle.calls, oracle.copies, strict=True) for pair in zip(c, e, strict=True)]
        assert tuple(oddities) == odd(pairs)
        rows = before + np.arange(len(alleles.record))
        found = plain(oracle)
        assert people_found(collector, columns, rows) == found

        counts: Counter[tuple[int, int, str]] = Counter()
        for stream, entries in found.items():
            counts.update((row, strata[k], stream) for row, k in entries if columns.counted[k])
        sizes, cells = collector.waiting().cells(rows)
        told = {
            (row, cell[0]): tuple(cell[1:])
            for row, cell in zip(np.repeat(np.arange(len(rows)), sizes).tolist(), cells.tolist(), strict=True)
        }
        for row, record in enumerate(alleles.record.tolist()):
            kind = PloidyClass(alleles.class_of[record])
            for stratum in range(len(STRATA)):
                het, hom, hemi, half, missing = (counts[row, stratum, stream] for stream in STREAMS)
                cell = (het, hom, hemi, -missing * EXPECTED_PLOIDY[kind][STRATA[stratum].sex] - half)
                assert told.get((row, stratum), (0, 0, 0, 0)) == cell
                assert any(cell) == ((row, stratum) in told)
        before += len(rows)


@pytest.mark.native
@given(case=drawn(), data=st.data())
def test_what_is_collected_in_c_is_what_numpy_collects(case: Drawn, data: st.DataObject) -> None:
    """Also when rows were taken meanwhile, and the room of the others is used again."""
    one, other = Collector(case.columns, library()), Collector(case.columns, None)
    for calls, alleles in case.blocks:
        assert one.add(calls, alleles) == other.add(calls, alleles)
        assert everything(one) == everything(other)
        rows = one.waiting().sizes.shape[1]
        kept = np.array(data.draw(st.permutations(range(rows)))[: rows // 2], np.int64)
        one.keep(kept)
        other.keep(kept)
        assert everything(one) == everything(other)


@pytest.mark.native
@pytest.mark.parametrize("kind", [np.int8, np.int16])
def test_common_alleles_of_many_people_are_planes(kind: type[np.signedinteger]) -> None:
    """As many people as make a plane, one fewer and one more; in two batches."""
    random, people = np.random.default_rng(5), 70_000
    columns = Columns(np.arange(people), random.integers(0, len(STRATA), people), random.random(people) < 0.9, STRATA)
    calls = np.zeros((6, people, 2), kind)
    for record, carriers in enumerate((4095, 4096, 4097, 60_000, 65_536, 70_000)):
        calls[record, :carriers, 1] = 1
    calls[5, :, 0] = random.integers(-1, 2, people)
    alleles = Alleles(np.arange(6, dtype=np.int32), np.ones(6, np.int32), np.array([0, 1, 2, 3, 0, 0], np.int8))
    one, other = Collector(columns, library()), Collector(columns, None)
    assert one.add(calls, alleles) == other.add(calls, alleles)
    assert everything(one) == everything(other)


@pytest.mark.native
def test_an_alternate_of_any_number_is_its_own() -> None:
    """More alternates than 8 bits count, of which the calls name but the first."""
    columns = Columns(np.arange(3), np.zeros(3, np.int64), np.ones(3, np.bool_), STRATA)
    calls = np.array([[[0, 1], [1, 1], [0, 0]]], np.int8)
    alleles = Alleles(np.zeros(600, np.int32), np.arange(1, 601, dtype=np.int32), np.zeros(1, np.int8))
    collector = Collector(columns, library())
    collector.add(calls, alleles)
    found = people_found(collector, columns, np.arange(600))
    assert (found["het"], found["hom"]) == ([(0, 0)], [(0, 1)])
