# SPDX-License-Identifier: Apache-2.0
"""What the demo's nodes will hold: simulated countries, or the countries of real files with their people."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace as replace_field

from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.people import Fact, FactKind, People
from megagenome.collection.read_people import read_people
from megagenome.collection.read_people_table import PeopleTable
from megagenome.collection.read_vcf import read_header
from megagenome.collection.vocabulary import Vocabulary
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import UNKNOWN_COUNTRY, DatasetId
from megagenome.reference.ontology import OntologyFor
from megagenome.standards.genotypes import GenotypeSource
from megagenome.synthetic import europe
from megagenome.synthetic.genomes import ASSEMBLY
from megagenome.synthetic.governance import made_up_record
from megagenome.synthetic.people import COUNTRIES

PEOPLE = "people.tsv"
HEIGHT = "LOINC:8302-2"
"""Body height, as simulated people have it measured."""
VCF_PATTERNS = ("*.vcf.gz", "*.bcf")


@dataclass(frozen=True, slots=True)
class SimulatedDataset:
    """A dataset that is loaded from the simulation itself."""

    dataset: europe.Dataset

    @property
    def id(self) -> DatasetId:
        """The dataset's."""
        return self.dataset.id

    @property
    def assembly(self) -> str:
        """Of its genotypes."""
        return ASSEMBLY

    @property
    def statement(self) -> DatasetStatement:
        """What its holder says of it."""
        known = self.dataset
        return DatasetStatement(
            known.id,
            known.title,
            known.description,
            known.open,
            None,
            known.collection_year,
            publish=True,
            record=made_up_record(
                known.id, known.title, known.description, self.country, synthetic=True, is_open=known.open
            ),
            by="demo",
        )

    @property
    def country(self) -> str:
        """Its country, which its id names."""
        return str(self.id).split("-")[1]

    def people(self, ontology_for: OntologyFor) -> People:
        """Its people table, read as a holder's would be, and how tall everybody is: a measure, which is no term."""
        text = io.StringIO()
        self.dataset.write_people(text)
        text.seek(0)
        vocabulary = Vocabulary(ontology_for)
        table = PeopleTable(text, f"people of {self.dataset.id}", vocabulary)
        heights = self._heights()
        persons = [replace_field(each, facts=(*each.facts, heights[each.individual_id])) for _, each in table]
        return People(persons, vocabulary.labels, {})

    def _heights(self) -> dict[str, Fact]:
        simulation = self.dataset.simulation
        return {
            simulation.people.individual_id(place): Fact(
                FactKind.MEASURE, HEIGHT, value=str(simulation.height_cm[place]), unit="cm"
            )
            for place in self.dataset.members.tolist()
        }

    def source(self) -> Path | GenotypeSource:
        """Its genotypes, as blocks."""
        return self.dataset.genotypes()


@dataclass(frozen=True, slots=True)
class FileDataset:
    """The people of one country in one VCF or BCF file."""

    id: DatasetId
    path: Path
    table: Path
    country: str
    assembly: str

    @property
    def statement(self) -> DatasetStatement:
        """Not open, whatever the file: only its holder could say so. Its governance is made up, and says so."""
        title = f"{self.path.name}, people of {self.country}"
        record = made_up_record(self.id, title, country=self.country)
        return DatasetStatement(self.id, title, publish=True, record=record, by="demo")

    def people(self, ontology_for: OntologyFor) -> People:
        """Those of the country whose samples the file has."""
        samples = frozenset(read_header(self.path).samples)
        everybody = read_people([self.table], ontology_for)
        here = [x for x in everybody.persons if x.country == self.country and x.sample_id in samples]
        return everybody._replace(persons=here)

    def source(self) -> Path | GenotypeSource:
        """The file."""
        return self.path


class PlannedNode(NamedTuple):
    """A node to make: its country's code, what people call it, and what it will hold."""

    country: str
    name: str
    datasets: Sequence[SimulatedDataset | FileDataset]

    @property
    def is_simulated(self) -> bool:
        """Whether nobody in it is real."""
        return all(isinstance(each, SimulatedDataset) for each in self.datasets)


def countries_to_simulate(nodes: int) -> tuple[str, ...]:
    """The codes of the first `nodes` countries that can be simulated. `Invalid` where there are not as many."""
    if not 1 <= nodes <= len(COUNTRIES):
        raise Invalid(f"--nodes {nodes}: choose 1 to {len(COUNTRIES)}, the countries that can be simulated")
    others = [code for code in COUNTRIES if code not in europe.DEFAULT_COUNTRIES]
    return (*europe.DEFAULT_COUNTRIES, *others)[:nodes]


def simulate(
    countries: Sequence[str], individuals: int, seed: int, on_progress: Callable[[float], None]
) -> europe.Europe:
    """Simulated countries in which nobody is in two datasets.

    A dataset that is not open says nothing of an allele where an open one with some of its people speaks, since the
    difference would be theirs; the demo is to show both kinds speaking.
    """
    simulated = europe.simulate(individuals, countries, seed, on_progress=on_progress)
    return replace(simulated, countries=tuple(map(_apart, simulated.countries)))


def _apart(country: europe.Country) -> europe.Country:
    first, *others = country.datasets
    kept = [replace(each, members=np.setdiff1d(each.members, first.members)) for each in others]
    return replace(country, datasets=(first, *kept))


def plan_simulated(simulated: europe.Europe) -> list[PlannedNode]:
    """A node for each simulated country."""
    return [
        PlannedNode(country.code, f"{country.name} (simulated)", [SimulatedDataset(each) for each in country.datasets])
        for country in simulated.countries
    ]


def plan_files(folder: Path, assembly: str) -> list[PlannedNode]:
    """A node for each country that `people.tsv` in `folder` names and that a file there has people of.

    A dataset's id is `GDI-xx-n`, with the number of its file among all of the folder, by name, from 1. Raises `Invalid`
    where table or files are missing or fit nobody.
    """
    table = folder / PEOPLE
    if not table.is_file():
        raise Invalid(f"{folder}: there is no {PEOPLE} that names the people; docs/collection.md has its columns")
    paths = sorted(path for pattern in VCF_PATTERNS for path in folder.glob(pattern))
    if not paths:
        raise Invalid(f"{folder}: there is no file *.vcf.gz or *.bcf")
    persons = read_people([table], lambda _curie: None).persons
    countries = sorted({person.country for person in persons} - {UNKNOWN_COUNTRY})
    if not countries:
        raise Invalid(f"{table}: nobody has a country (column country), so there is no node to make")
    samples = {path: frozenset(read_header(path).samples) for path in paths}
    planned = []
    for country in countries:
        mine = {person.sample_id for person in persons if person.country == country}
        datasets = [
            FileDataset(DatasetId(f"GDI-{country}-{number}"), path, table, country, assembly)
            for number, path in enumerate(paths, 1)
            if mine & samples[path]
        ]
        if datasets:
            planned.append(PlannedNode(country, f"{country} national node", datasets))
    if not planned:
        raise Invalid(f"{folder}: no file has a sample that {PEOPLE} names (column sample_id) with a country")
    return planned
