# SPDX-License-Identifier: Apache-2.0
"""Scans of real collections against `dense_scan`, whose calls are made from the files one person at a time."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.collection import set_sums
from megagenome.collection.collection import Collection
from megagenome.collection.load import load
from megagenome.collection.model import Use
from megagenome.collection.permit_reading import PermitReading
from megagenome.collection.permits import store_permit
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.ids import PermitId
from megagenome.standards.study_arrays import AlleleList
from tests.collection import clocks
from tests.collection.conftest import no_ontology
from tests.collection.files import CONTIGS, LENGTHS, as_people, as_source, files, statement
from tests.oracles import genotypes as oracle
from tests.oracles.dense_scan import MISSING, NO_RECORD, DenseScan, require_equal

EVERYWHERE = [Region("GRCh38", contig, 0, LENGTHS[contig]) for contig in CONTIGS]
DATASETS = ("ONE", "TWO", "THREE")
File = tuple[list[oracle.Someone], list[oracle.Record]]


@pytest.fixture(scope="module", params=["native", "numpy"])
def loops(request: pytest.FixtureRequest) -> Iterator[None]:
    """In C, and by the twins."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "numpy":
            patch.setattr(set_sums, "library", lambda: None)
        elif set_sums.library() is None:
            pytest.skip("the loops in C were not built")
        yield


@st.composite
def loads(draw: st.DrawFn) -> list[tuple[str, File]]:
    """A file for each of some datasets, of some of the same people, of whom some consent."""
    read = draw(st.lists(files(), min_size=1, max_size=3))
    longest = max((people for people, _ in read), key=len)
    return [(name, (longest[: len(people)], records)) for name, (people, records) in zip(DATASETS, read, strict=False)]


def reading_of(collection: Collection, some: Sequence[tuple[str, File]]) -> PermitReading:
    collection.journal = clocks.NoJournal()
    for dataset, (people, records) in some:
        load(collection, statement(dataset, open=None), as_people(people), [as_source(people, records)], "GRCh38")
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(datasets=DATASETS))
    collection.refresh()
    return collection.open(clocks.ALICE, Use.RESEARCH, permit=PermitId("permit-1"))


def dense(some: Sequence[tuple[str, File]], alleles: Sequence[Allele], names: Sequence[str]) -> DenseScan:
    """What the files say of people with these samples, person by person."""
    calls = np.full((len(alleles), len(names)), NO_RECORD, np.int8)
    ploidy = np.full(calls.shape, 2, np.int8)
    for a, allele in enumerate(alleles):
        for p, name in enumerate(names):
            found = [_call(people, records, allele, name) for _, (people, records) in some]
            calls[a, p], ploidy[a, p] = next((each for each in found if each is not None), (NO_RECORD, 2))
    return DenseScan(calls, ploidy)


def _call(
    people: list[oracle.Someone], records: list[oracle.Record], allele: Allele, name: str
) -> tuple[int, int] | None:
    column = next((k for k, one in enumerate(people) if one.sample == name), None)
    if column is None:
        return None
    for record in records:
        for k, alt in enumerate(record.alts, 1):
            if (record.contig, *oracle.shortest(record.start, record.ref, alt)) == allele[1:]:
                sex = people[column].sex
                copies = oracle.copies_expected("GRCh38", record.contig, record.start, sex)
                called = oracle.called_alleles(record.calls[column], copies)
                complete = copies > 0 and len(called) == copies
                return (called.count(k) if complete else MISSING), copies or 2
    return None


@settings(max_examples=15)
@given(some=loads(), executor=st.booleans())
def test_everything_is_as_in_the_files(
    empty_collection: Path, loops: None, some: list[tuple[str, File]], executor: bool
) -> None:
    with TemporaryDirectory() as folder:
        copytree(empty_collection, Path(folder) / "node")
        collection = Collection.open_folder(Path(folder) / "node", no_ontology)
        reading = reading_of(collection, some)
        values = reading.values()
        alleles = reading.alleles(EVERYWHERE)
        _check_list(some, alleles)
        order = np.random.default_rng(2).permutation(values.people)
        numbers = values.numbers[order]
        names = [_samples(collection)[number] for number in numbers.tolist()]
        with ThreadPoolExecutor(2) as threads:
            scan = reading.scan(alleles, numbers, threads if executor else None)
            require_equal(scan, dense(some, list(alleles), names))
        collection.close()


def _samples(collection: Collection) -> dict[int, str]:
    with collection.engine.connect() as connection:
        rows = connection.exec_driver_sql("select individual, id from biosample").all()
    return {row[0]: row[1] for row in rows}


def _check_list(some: Sequence[tuple[str, File]], alleles: AlleleList) -> None:
    """The list is of all alleles of the files, sorted, each once."""
    expected = {
        Allele("GRCh38", record.contig, *oracle.shortest(record.start, record.ref, alt))
        for _, (_, records) in some
        for record in records
        for alt in record.alts
        if alt not in ("<NON_REF>", "<*>", ".")
    }
    assert list(alleles) == sorted(expected)
