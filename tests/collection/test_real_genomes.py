# SPDX-License-Identifier: Apache-2.0
"""Real genomes: four nations of the 1000 Genomes Project, loaded by four nodes, equal to bcftools at every site."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from megagenome.collection import Collection, Use
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.model import Sex
from megagenome.collection.people import YES, People, Person
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.ids import Country, DatasetId, IndividualId, SampleId
from megagenome.reference import assembly
from tests.oracles import genotypes as oracle
from tests.oracles.real_genomes import COUNTRIES, FILES, panel, plain_counts, samples_of

pytestmark = [pytest.mark.shared, pytest.mark.bcftools]


def load_country(collection: Collection, path: Path, genome: str, people: list[oracle.Someone]) -> None:
    persons = [
        Person(
            individual_id=IndividualId(p.sample),
            sample_id=SampleId(p.sample),
            sex=Sex(p.sex),
            country=Country(p.country),
            population=p.population,
            consent=YES,
        )
        for p in people
    ]
    statement = DatasetStatement(DatasetId(path.name[:40]), open=True, publish=True)
    load(collection, statement, People(persons, {}, {}), [path], genome)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_site_equals_plain_counting_over_bcftools(
    shared: Path, new_collection: Callable[[], Collection], country: str
) -> None:
    collection = new_collection()
    here = [person for person in panel(shared) if person.country == country]
    for name, genome in FILES.items():
        path = shared / "data/genomes" / name
        members = set(samples_of(path))
        people = [person for person in here if person.sample in members]
        if not people:  # chrX has people of GB only
            continue
        load_country(collection, path, genome, people)
        expected = plain_counts(path, genome, people)
        reading = collection.open(PUBLIC, Use.AGGREGATES)
        mine = len(reading.datasets) - 1
        compared = 0
        for contig in {key[0] for key in expected}:
            counts = reading.count_alleles(
                Region(genome, contig, 0, assembly(genome).contig(contig).length), {reading.datasets[mine].id}
            )
            for row, allele in enumerate(counts.alleles):
                kinds = (counts.het, counts.hom, counts.hemi, counts.an)
                found = {s: tuple(int(kind[row, k]) for kind in kinds) for k, s in enumerate(reading.strata)}
                assert {cell: n for cell, n in found.items() if any(n)} == {
                    cell: n for cell, n in expected[allele[1:]].items() if any(n)
                }, allele
                compared += 1
        assert compared == len(expected)


def test_facts_computed_by_others(shared: Path, new_collection: Callable[[], Collection]) -> None:
    facts = json.loads((shared / "data/FACTS.json").read_text())["genomes"]
    collection = new_collection()
    for name, genome in FILES.items():
        path = shared / "data/genomes" / name
        members = set(samples_of(path))
        load_country(collection, path, genome, [person for person in panel(shared) if person.sample in members])
    reading = collection.open(PUBLIC, Use.AGGREGATES)
    index = {dataset.id: k for k, dataset in enumerate(reading.datasets)}
    compared = 0
    for name, genome in FILES.items():
        for site in facts[name]["sites"]:
            allele = Allele(genome, site["chrom"].removeprefix("chr"), site["pos"] - 1, site["ref"], site["alt"])
            counts = reading.count_alleles(allele, {DatasetId(name[:40])})
            assert counts.dataset.tolist() == [index[DatasetId(name[:40])]]
            for country in COUNTRIES:
                if f"country:{country}" not in site["AN"]:
                    continue
                cells = [k for k, stratum in enumerate(reading.strata) if stratum.country == country]
                assert counts.ac[0, cells].sum() == site["AC"].get(f"country:{country}", 0), site
                assert counts.an[0, cells].sum() == site["AN"][f"country:{country}"], site
                compared += 1
    assert compared > 80
