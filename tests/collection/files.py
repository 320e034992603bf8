# SPDX-License-Identifier: Apache-2.0
"""Random people and records for the collection's tests, and how they are given to a load."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.model import AlleleCounts, Sex
from megagenome.collection.people import YES, People, Person
from megagenome.collection.reading import Reading
from megagenome.kernel.ids import Country, DatasetId, IndividualId, SampleId
from megagenome.standards.genotypes import ABSENT, MISSING, Block, GenotypeSource
from megagenome.synthetic.governance import made_up_record
from tests.oracles import genotypes as oracle

CONTIGS = ("22", "X", "Y", "MT")
LENGTHS = {"22": 50_818_468, "X": 156_040_895, "Y": 57_227_415, "MT": 16_569}


def statement(dataset: str = "GDI-EE-TEST-001", **more: object) -> DatasetStatement:
    """Published at once; with its governance on record where it is not open."""
    stated = {"open": True, "publish": True, **more}
    if stated["publish"] and not stated["open"]:
        stated["record"] = made_up_record(dataset)
    return DatasetStatement(DatasetId(dataset), **stated)  # type: ignore[arg-type]


def as_person(someone: oracle.Someone) -> Person:
    return Person(
        individual_id=IndividualId("P-" + someone.sample),
        sample_id=SampleId(someone.sample),
        sex=Sex(someone.sex),
        country=Country(someone.country),
        population=someone.population,
        consent=YES if someone.consents else frozenset(),
    )


def as_people(some: Sequence[oracle.Someone]) -> People:
    return People([as_person(someone) for someone in some], {}, {})


def as_source(people: Sequence[oracle.Someone], records: Sequence[oracle.Record], size: int = 3) -> GenotypeSource:
    """The records as blocks of at most `size`."""

    def number(call: tuple[int | None, ...]) -> tuple[int, int]:
        first, second = (*call, ABSENT)[:2]
        return MISSING if first is None else first, MISSING if second is None else second

    def block(some: Sequence[oracle.Record]) -> Block:
        calls = np.array([[number(call) for call in record.calls] for record in some], np.int8)
        return Block(
            some[0].contig,
            np.array([record.start for record in some], np.int64),
            [record.ref for record in some],
            [record.alts for record in some],
            calls.reshape(len(some), len(people), 2),
        )

    blocks = []
    for contig in dict.fromkeys(record.contig for record in records):
        mine = [record for record in records if record.contig == contig]
        blocks += [block(mine[i : i + size]) for i in range(0, len(mine), size)]
    return GenotypeSource("test", tuple(person.sample for person in people), {}, blocks)


people_lists = st.lists(
    st.tuples(
        st.sampled_from(["female", "male", "unknown"]),
        st.sampled_from(["EE", "FI", "ZZ"]),
        st.sampled_from(["", "A", "B"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
).map(lambda some: [oracle.Someone(f"S{i}", *one) for i, one in enumerate(some)])


@st.composite
def files(draw: st.DrawFn) -> tuple[list[oracle.Someone], list[oracle.Record]]:
    """People, and records in file order: any ploidy, missing and half calls, several alternates, odd places."""
    people = draw(people_lists)
    records = []
    for contig in draw(st.lists(st.sampled_from(CONTIGS), unique=True, min_size=1)):
        near = [p for p in (60_000, 999_990, 2_699_515, 2_781_475, 154_931_040) if p < LENGTHS[contig] - 100]
        places = st.sampled_from([0, *near]).flatmap(lambda p: st.integers(p, p + 20))
        for start in sorted(draw(st.lists(places, min_size=1, max_size=8))):
            ref = draw(st.text("ACGT", min_size=1, max_size=4))
            bases = st.text("ACGT", min_size=1, max_size=4).filter(lambda alt, ref=ref: alt != ref)
            alts = tuple(draw(st.lists(bases | st.sampled_from(["<DEL>", "<NON_REF>", "*"]), unique=True, max_size=3)))
            allele = st.none() | st.integers(0, len(alts))
            call = st.tuples(allele) | st.tuples(allele, allele) | st.just((0, 0))
            calls = draw(st.lists(call, min_size=len(people), max_size=len(people)))
            records.append(oracle.Record(contig, start, ref, alts, tuple(calls)))
    return people, records


def cells(reading: Reading, counts: AlleleCounts, row: int) -> dict[oracle.Cell, tuple[int, ...]]:
    """A row's counts by stratum, of strata that have anything."""
    kinds = (counts.het, counts.hom, counts.hemi, counts.an)
    found = {tuple(s): tuple(int(kind[row, k]) for kind in kinds) for k, s in enumerate(reading.strata)}
    return {cell: n for cell, n in found.items() if any(n)}
