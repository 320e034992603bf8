# SPDX-License-Identifier: Apache-2.0
"""Counts the truth plainly: allele by allele over trees and carriers, row by row over the people table.

Nothing here uses the blocks that the collection loads, so both being wrong in the same way is unlikely.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tskit

from megagenome.kernel.coordinates import Allele, Region
from megagenome.reference.assemblies import assembly
from megagenome.synthetic.europe import Country, Dataset, Europe
from megagenome.synthetic.genomes import ASSEMBLY, LONGEST_MOTIF, Haplotypes
from megagenome.synthetic.people import PHENOTYPES, Flags
from megagenome.synthetic.planted import DISEASE_ASSOCIATION, FOUNDER, HEIGHT_ASSOCIATION, Carriers
from megagenome.synthetic.questions import (
    ABSENT_ALLELE,
    AskedCohort,
    Calls,
    cohort_questions,
    examples,
    regions,
)
from megagenome.synthetic.truth import (
    TRUTH_VERSION,
    AlleleTruth,
    AssociationTruth,
    Cell,
    CohortCount,
    CohortQuestion,
    CohortTruth,
    DatasetTruth,
    PlantedTruth,
    RegionTruth,
    Truth,
)


def count_truth(europe: Europe) -> Truth:
    """The right answers. About 1 s of CPU for 3,000 people."""
    simulation, sheet = europe.simulation, _sheet(europe)
    sequences = {sequence.stretch.name: sequence for sequence in simulation.sequences}
    planted = [
        (carriers, _planted_calls(sequences[name], carriers))
        for name, here in simulation.planted.items()
        for carriers in here
    ]
    main = simulation.sequences[0]
    founder = next(calls for carriers, calls in planted if carriers.allele is FOUNDER)
    disease = _site_calls(main, simulation.disease_allele.site)[0]
    height = _site_calls(main, simulation.height_allele.site)[0]
    asked = [(calls, carriers.allele.note) for carriers, calls in planted]
    asked += [(disease, f"raises the risk of {DISEASE_ASSOCIATION.trait}"), (height, "adds to height")]
    for sequence in simulation.sequences:
        asked += [(calls, note) for site, note in examples(sequence) for calls in _site_calls(sequence, site)]
    absent = AlleleTruth(str(ABSENT_ALLELE), "22", ABSENT_ALLELE.start, ABSENT_ALLELE.end, "carried by nobody", ())
    return Truth(
        version=TRUTH_VERSION,
        assembly=ASSEMBLY,
        seed=simulation.seed,
        individuals=len(simulation.people),
        megabases=simulation.megabases,
        datasets=tuple(sheet.dataset(country, dataset) for country, dataset in sheet.datasets()),
        shared={country.code: sheet.shared(country) for country in europe.countries},
        planted=tuple(sheet.planted(carriers, calls) for carriers, calls in planted),
        associations=(
            AssociationTruth(str(disease.allele), DISEASE_ASSOCIATION.trait, odds_ratio=DISEASE_ASSOCIATION.effect),
            AssociationTruth(str(height.allele), HEIGHT_ASSOCIATION.trait, centimetres=HEIGHT_ASSOCIATION.effect),
        ),
        alleles=(*(sheet.allele(calls, note) for calls, note in asked), absent),
        regions=tuple(_region(sheet, main, simulation.planted["22"], *asked) for asked in regions().items()),
        cohorts=tuple(sheet.cohort(question) for question in cohort_questions(founder, disease)),
    )


def _planted_calls(sequence: Haplotypes, carriers: Carriers) -> Calls:
    planted = carriers.allele
    copies = np.zeros(len(sequence.first), np.int8)
    copies[carriers.people] = carriers.copies
    return Calls(_allele(sequence, planted.start, planted.ref, planted.alt), copies, _ploidy(sequence))


def _site_calls(sequence: Haplotypes, site: int) -> list[Calls]:
    """The alternates of a simulated site in everybody."""
    variant = tskit.Variant(sequence.trees)
    variant.decode(site)
    ploidy = _ploidy(sequence)
    sites, people = sequence.missing_calls(site // sequence.sites_per_chunk)
    ploidy[people[sites == site]] = 0
    ref, *alts = sequence.alleles(site, tuple(str(base) for base in variant.alleles))
    calls = []
    for place, alt in enumerate(alts, 1):
        carried = variant.genotypes == place
        both = carried[sequence.first].astype(np.int8) + (carried[sequence.second] & (sequence.second >= 0))
        copies = np.where(ploidy > 0, both, 0).astype(np.int8)
        calls.append(Calls(_allele(sequence, int(sequence.starts[site]), ref, alt), copies, ploidy))
    return calls


def _ploidy(sequence: Haplotypes) -> npt.NDArray[np.int8]:
    return np.where(sequence.second >= 0, 2, 1).astype(np.int8)


def _allele(sequence: Haplotypes, start: int, ref: str, alt: str) -> Allele:
    contig = assembly(ASSEMBLY).contig(sequence.stretch.contig).name
    return Allele(ASSEMBLY, contig, start, ref, alt).parsimonious()


def _region(sheet: "_Sheet", sequence: Haplotypes, planted: list[Carriers], text: str, region: Region) -> RegionTruth:
    found = [_planted_calls(sequence, carriers) for carriers in planted]
    first, last = np.searchsorted(sequence.starts, (region.start - LONGEST_MOTIF, region.end))
    for site in range(int(first), int(last)):
        found += _site_calls(sequence, site)
    inside = [calls for calls in found if calls.allele.start < region.end and calls.allele.end > region.start]
    alleles = (sheet.allele(calls, "") for calls in sorted(inside, key=lambda calls: calls.allele))
    told = tuple(allele for allele in alleles if allele.cells)
    return RegionTruth(text, region.contig, region.start, region.end, told)


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """The people as a plain table: one row per person, flags of who consents and who is in which dataset."""

    countries: tuple[Country, ...]
    rows: list[dict[str, str]]
    consents: Flags
    by_sex: dict[str, Flags]
    inside: dict[str, Flags]

    def datasets(self) -> list[tuple[Country, Dataset]]:
        return [(country, dataset) for country in self.countries for dataset in country.datasets]

    def dataset(self, country: Country, dataset: Dataset) -> DatasetTruth:
        counted = self.inside[dataset.id] & self.consents
        consenting = {sex: int((counted & flags).sum()) for sex, flags in self.by_sex.items()}
        people = int(self.inside[dataset.id].sum())
        return DatasetTruth(dataset.id, country.code, dataset.open, dataset.collection_year, people, consenting)

    def shared(self, country: Country) -> list[str]:
        cohort, reference = (self.inside[dataset.id] for dataset in country.datasets)
        return sorted(self.rows[person]["individual_id"] for person in np.flatnonzero(cohort & reference))

    def planted(self, carriers: Carriers, calls: Calls) -> PlantedTruth:
        named: dict[str, list[str]] = {country.code: [] for country in self.countries}
        for person in carriers.people.tolist():
            named[self.rows[person]["country"]].append(self.rows[person]["individual_id"])
        return PlantedTruth(str(calls.allele), carriers.allele.note, {code: sorted(ids) for code, ids in named.items()})

    def allele(self, calls: Calls, note: str) -> AlleleTruth:
        """Count an allele. A dataset has a record of it when anybody in its file carries it, consenting or not."""
        cells: list[Cell] = []
        for country in self.countries:
            recorded = [x for x in country.datasets if (calls.copies[self.inside[x.id]] > 0).any()]
            for dataset in recorded:
                cells += self._cells(calls, country.code, dataset.id, self.inside[dataset.id])
            if recorded:
                anywhere = np.any([self.inside[dataset.id] for dataset in recorded], axis=0)
                cells += self._cells(calls, country.code, "", anywhere)
        allele = calls.allele
        return AlleleTruth(str(allele), allele.contig, allele.start, allele.end, note, tuple(cells))

    def _cells(self, calls: Calls, country: str, dataset: str, inside: Flags) -> Iterator[Cell]:
        for sex, flags in self.by_sex.items():
            counted = inside & flags & self.consents
            copies, ploidy = calls.copies[counted], calls.ploidy[counted]
            yield Cell(
                country,
                dataset,
                sex,
                allele_count=int(copies.sum()),
                allele_number=int(ploidy.sum()),
                heterozygous=int(((copies == 1) & (ploidy == 2)).sum()),
                homozygous=int((copies == 2).sum()),
                hemizygous=int(((copies == 1) & (ploidy == 1)).sum()),
            )

    def cohort(self, asked: AskedCohort) -> CohortTruth:
        question, carried = asked
        counts = []
        for country in self.countries:
            anywhere: set[int] = set()
            for dataset in country.datasets:
                found = {
                    person
                    for person in dataset.members.tolist()
                    if self.consents[person]
                    and _matches(self.rows[person], question, dataset.collection_year)
                    and (carried is None or carried.copies[person] > 0)
                }
                counts.append(CohortCount(country.code, dataset.id, len(found)))
                anywhere |= found
            counts.append(CohortCount(country.code, "", len(anywhere)))
        return CohortTruth(question, tuple(counts))


def _sheet(europe: Europe) -> _Sheet:
    rows = [europe.simulation.row(person) for person in range(len(europe.simulation.people))]
    everybody = np.arange(len(rows))
    return _Sheet(
        countries=europe.countries,
        rows=rows,
        consents=np.array([row["consent"] == "yes" for row in rows]),
        by_sex={sex: np.array([row["sex"] == sex for row in rows]) for sex in ("female", "male")},
        inside={
            dataset.id: np.isin(everybody, dataset.members)
            for country in europe.countries
            for dataset in country.datasets
        },
    )


def _matches(row: dict[str, str], question: CohortQuestion, year: int) -> bool:
    age = year - int(row["birth_year"])
    recorded = set(row["phenotypes"].split(";")) | set(row["diseases"].split(";"))
    return (
        question.sex in ("", row["sex"])
        and question.smoking in ("", row["smoking"])
        and (question.at_least is None or age >= question.at_least)
        and (question.at_most is None or age <= question.at_most)
        and all(recorded & _with_below(term) for term in question.terms)
        and all(recorded & {"!" + above for above in _with_above(term)} for term in question.excluded)
    )


def _with_below(term: str) -> set[str]:
    return {term} | {phenotype.id for phenotype in PHENOTYPES if term in phenotype.above}


def _with_above(term: str) -> set[str]:
    return {term}.union(*(phenotype.above for phenotype in PHENOTYPES if phenotype.id == term))
