# SPDX-License-Identifier: Apache-2.0
"""Each file of the VCF 4.3 suite of hts-specs, compressed, into an empty collection of its own: it is refused with a
reason and changes nothing, or its counts are those that plain counting makes of what bcftools reads in it."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from megagenome.collection import Collection, Use
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.people import YES, People, Person
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.coordinates import Region
from megagenome.kernel.errors import MegagenomeError
from megagenome.kernel.ids import Country, DatasetId, IndividualId, SampleId
from megagenome.reference import assembly
from tests.conformance.vcf_suite import MISREAD, NOBODY, NOT_LOADED, NOT_READ_BY_BCFTOOLS
from tests.oracles import genotypes as oracle
from tests.oracles.real_genomes import parse_call, plain_counts
from tests.reception.written import bgzip

pytestmark = [pytest.mark.shared, pytest.mark.bcftools]

GENOME = "GRCh37"
STATEMENT = DatasetStatement(DatasetId("GDI-EE-TEST-001"), open=True, publish=True)


class Done(NamedTuple):
    """What came of a load: the counts by allele, or why it was refused, and at which line if at one."""

    counts: oracle.Counted | None
    problem: str = ""
    line: int | None = None


def samples_in(path: Path) -> list[str]:
    """As the text has them."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.split("\t")[9:] for line in lines if line.startswith("#CHROM")), [])


def load_alone(path: Path, empty: Path, folder: Path) -> Done:
    """Load a file, compressed, into a copy of an empty collection, with everybody whom it names."""
    shutil.copytree(empty, folder)
    source = bgzip(folder.with_suffix(".vcf.gz"), path.read_bytes())
    names = samples_in(path) or ["NOBODY"]
    persons = [Person(IndividualId(s), SampleId(s), country=Country("EE"), consent=YES) for s in dict.fromkeys(names)]
    collection = Collection.open_folder(folder, lambda _curie: None)
    try:
        load(collection, STATEMENT, People(persons, {}, {}), [source], GENOME)
        return Done(counts_in(collection))
    except MegagenomeError as error:
        snapshot = collection.snapshot()
        assert (snapshot.datasets, snapshot.tiles, snapshot.individuals) == ((), {}, 0)
        assert not [each for each in (folder / "genotypes").rglob("*") if each.is_file()]
        return Done(None, str(error), getattr(error, "line", None))
    finally:
        collection.close()
        shutil.rmtree(folder)


def counts_in(collection: Collection) -> oracle.Counted:
    """All that it has."""
    reading, found = collection.open(PUBLIC, Use.AGGREGATES), {}
    for genome, contig in reading.places:
        counts = reading.count_alleles(Region(genome, contig, 0, assembly(genome).contig(contig).length))
        kinds = (counts.het, counts.hom, counts.hemi, counts.an)
        for row, allele in enumerate(counts.alleles):
            cells = {tuple(s): tuple(int(kind[row, k]) for kind in kinds) for k, s in enumerate(reading.strata)}
            found[allele[1:]] = cells
    return found


def counts_expected(path: Path, packed: Path) -> oracle.Counted:
    """By bcftools; of what it does not read, by splitting lines."""
    people = [oracle.Someone(sample, "unknown", "EE", "", True) for sample in samples_in(path)]
    if path.name not in NOT_READ_BY_BCFTOOLS:
        return plain_counts(packed, GENOME, people)
    lines = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
    records = [oracle.Record(c[0], int(c[1]) - 1, c[3], tuple(c[4].split(",")), calls_of(c[9:])) for c in lines]
    return oracle.count(GENOME, people, records)


def calls_of(cells: list[str]) -> tuple[tuple[int | None, ...], ...]:
    return tuple(parse_call(cell.split(":")[0]) for cell in cells)


def told(counts: oracle.Counted) -> dict[object, object]:
    """Without cells of nobody."""
    return {key: {cell: n for cell, n in cells.items() if any(n)} for key, cells in counts.items()}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collection") / "empty"
    Collection.create(folder, lambda _curie: None).close()
    return folder


def is_refused(path: Path, done: Done) -> bool:
    """Whether it had to be; for the reason that it had to be."""
    reasons = [(MISREAD | NOT_LOADED).get(path.name), None if samples_in(path) else NOBODY]
    if not any(reasons):
        return False
    assert any(each and done.line == each[0] and each[1] in done.problem for each in reasons), (path.name, done)
    return True


def test_what_passes_is_loaded_or_refused_for_what_no_collection_holds(
    suite: dict[str, list[Path]], empty: Path, tmp_path: Path
) -> None:
    loaded = 0
    for path in suite["passed"]:
        done = load_alone(path, empty, tmp_path / "node")
        if not is_refused(path, done):
            loaded += 1
            assert done.counts is not None, (path.name, done.problem)
            assert told(done.counts) == told(counts_expected(path, tmp_path / "node.vcf.gz")), path.name
    assert loaded == 7


def test_what_fails_is_refused_or_gives_no_count_that_its_genotypes_do_not_have(
    suite: dict[str, list[Path]], empty: Path, tmp_path: Path
) -> None:
    """Refused are those that would be misread, those in which a load meets what is no text or number, and those of
    nobody; all others give the counts that they have."""
    loaded = 0
    for path in suite["failed"]:
        done = load_alone(path, empty, tmp_path / "node")
        if not is_refused(path, done):
            loaded += 1
            assert done.counts is not None, (path.name, done.problem)
            assert told(done.counts) == told(counts_expected(path, tmp_path / "node.vcf.gz")), path.name
    assert loaded == 55
