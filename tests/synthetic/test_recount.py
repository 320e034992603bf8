# SPDX-License-Identifier: Apache-2.0
"""The truth against the written files, read by bcftools and counted plainly, one person at a time."""

import csv
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from megagenome.synthetic.people import PHENOTYPES
from megagenome.synthetic.truth import AlleleTruth, CohortQuestion, Truth
from tests.oracles import genotypes as oracle

pytestmark = pytest.mark.bcftools

CANONICAL = {"chr22": "22", "chrX": "X", "chrM": "MT"}
Rows = dict[str, dict[str, str]]


def read_people(folder: Path) -> Rows:
    """The people table by sample id."""
    with (folder / "people.tsv").open(newline="") as file:
        return {row["sample_id"]: row for row in csv.DictReader(file, delimiter="\t")}


def read_records(folder: Path) -> tuple[list[str], Iterator[oracle.Record]]:
    vcf = str(folder / "genotypes.vcf.gz")
    samples = subprocess.run(
        ["bcftools", "query", "-l", vcf], check=True, capture_output=True, text=True
    ).stdout.split()
    asked = ["bcftools", "query", "-f", "%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n", vcf]
    lines = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.splitlines()

    def parse() -> Iterator[oracle.Record]:
        for line in lines:
            contig, pos1, ref, alts, *calls = line.split("\t")
            yield oracle.Record(
                CANONICAL[contig],
                int(pos1) - 1,
                ref,
                tuple(alts.split(",")),
                tuple(tuple(None if x == "." else int(x) for x in call.split("|")) for call in calls),
            )

    return samples, parse()


def someone(row: dict[str, str]) -> oracle.Someone:
    """A person whose stratum is themselves, so that counts can be put together as one likes."""
    return oracle.Someone(row["sample_id"], row["sex"], row["country"], row["individual_id"], row["consent"] == "yes")


PersonCounts = Mapping[oracle.Cell, tuple[int, int, int, int]]


@pytest.fixture(scope="module")
def folders(written: Path) -> list[Path]:
    return sorted(written.glob("??/*"))


@pytest.fixture(scope="module")
def people(folders: list[Path]) -> dict[str, Rows]:
    return {folder.name: read_people(folder) for folder in folders}


@pytest.fixture(scope="module")
def counted(folders: list[Path], people: dict[str, Rows]) -> dict[str, dict[oracle.Key, PersonCounts]]:
    """Of each dataset and allele, each consenting person's het, hom, hemi and called alleles."""
    answer = {}
    for folder in folders:
        samples, records = read_records(folder)
        answer[folder.name] = oracle.count("GRCh38", [someone(people[folder.name][x]) for x in samples], records)
    return answer


def expected_cells(counted: dict[str, dict[oracle.Key, PersonCounts]], key: oracle.Key) -> set[tuple[object, ...]]:
    cells = set()
    for country in ("EE", "FI", "IT"):
        datasets = [name for name in counted if f"-{country}-" in name and key in counted[name]]
        once: dict[oracle.Cell, tuple[int, int, int, int]] = {}
        for name in datasets:
            cells |= set(sum_up(country, name, counted[name][key]))
            once |= counted[name][key]
        if datasets:
            cells |= set(sum_up(country, "", once))
    return cells


def sum_up(country: str, dataset: str, persons: PersonCounts) -> Iterator[tuple[object, ...]]:
    for sex in ("female", "male"):
        counts = [numbers for (_, _, theirs), numbers in persons.items() if theirs == sex]
        het, hom, hemi, number = (sum(column) for column in zip(*counts, strict=True))
        yield country, dataset, sex, het + 2 * hom + hemi, number, het, hom, hemi


def told_cells(allele: AlleleTruth) -> set[tuple[object, ...]]:
    return {msgspec.structs.astuple(cell) for cell in allele.cells}


def key_of(allele: AlleleTruth) -> oracle.Key:
    contig, pos1, ref, alt = allele.text.split("-")
    assert (contig, int(pos1) - 1, int(pos1) - 1 + len(ref)) == (allele.contig, allele.start, allele.end)
    return contig, int(pos1) - 1, ref, alt


def test_counts_of_alleles_are_those_of_the_files(
    truth: Truth, counted: dict[str, dict[oracle.Key, PersonCounts]]
) -> None:
    for allele in truth.alleles:
        assert told_cells(allele) == expected_cells(counted, key_of(allele)), allele.text
    notes = {allele.note.split(" on ")[0] for allele in truth.alleles}
    assert {"base change", "insertion", "deletion", "several alternates", "singleton", "carried by nobody"} <= notes
    assert {allele.contig for allele in truth.alleles} == {"22", "X", "MT"}


def test_a_region_has_all_alleles_that_overlap_it(
    truth: Truth, counted: dict[str, dict[oracle.Key, PersonCounts]]
) -> None:
    assert [region.text for region in truth.regions] == ["22:28690001-28700000", "XBP1"]
    for region in truth.regions:
        inside = {
            key
            for keys in counted.values()
            for key in keys
            if key[0] == region.contig and key[1] < region.end and key[1] + len(key[2]) > region.start
        }
        assert {key_of(allele) for allele in region.alleles} == inside
        assert len(inside) > 30
        assert [allele.start for allele in region.alleles] == sorted(allele.start for allele in region.alleles)
        for allele in region.alleles:
            assert told_cells(allele) == expected_cells(counted, key_of(allele)), allele.text


def test_a_person_of_two_datasets_counts_once(truth: Truth, people: dict[str, Rows]) -> None:
    for country, shared in truth.shared.items():
        cohort, reference = (
            {row["individual_id"] for row in people[name].values()}
            for name in (f"GDI-{country}-COHORT-001", f"GOE-{country}-OPEN-001")
        )
        assert set(shared) == cohort & reference
        assert len(shared) == 2
    everybody = truth.cohorts[0]
    assert everybody.question == CohortQuestion(sex="female")
    counts = {(count.country, count.dataset): count.members for count in everybody.counts}
    sums = {code: sum(n for (country, name), n in counts.items() if country == code and name) for code in truth.shared}
    assert sum(sums.values()) > sum(counts[code, ""] for code in truth.shared)


def test_planted_carriers_are_those_of_the_files(truth: Truth, folders: list[Path], people: dict[str, Rows]) -> None:
    found: dict[str, dict[str, set[str]]] = {
        planted.allele: {country: set() for country in planted.carriers} for planted in truth.planted
    }
    for folder in folders:
        samples, records = read_records(folder)
        for record in records:
            text = f"{record.contig}-{record.start + 1}-{record.ref}-{','.join(record.alts)}"
            if text not in found:
                continue
            for sample, call in zip(samples, record.calls, strict=True):
                if 1 in call:
                    row = people[folder.name][sample]
                    found[text][row["country"]].add(row["individual_id"])
    assert {planted.allele: {c: set(ids) for c, ids in planted.carriers.items()} for planted in truth.planted} == found
    assert all(len(ids) == len(set(ids)) for planted in truth.planted for ids in planted.carriers.values())


def test_datasets_are_described_as_they_are(truth: Truth, people: dict[str, Rows]) -> None:
    assert {dataset.id for dataset in truth.datasets} == people.keys()
    for dataset in truth.datasets:
        rows = people[dataset.id].values()
        assert dataset.people == len(rows)
        for sex, consenting in dataset.consenting.items():
            assert consenting == sum(row["sex"] == sex and row["consent"] == "yes" for row in rows)


def holds(row: dict[str, str], question: CohortQuestion, year: int) -> bool:
    """A cohort's question put to one row of the people table."""
    stated = [each for each in (row["phenotypes"] + ";" + row["diseases"]).split(";") if each]
    general = {term.id: {term.id, *term.above} for term in PHENOTYPES}
    observed = {above for each in stated if each[0] != "!" for above in general.get(each, {each})}
    ruled_out = {each[1:] for each in stated if each[0] == "!"}
    checks = [row["consent"] == "yes"]
    if question.sex:
        checks.append(row["sex"] == question.sex)
    if question.smoking:
        checks.append(row["smoking"] == question.smoking)
    if question.at_least is not None:
        checks.append(year - int(row["birth_year"]) >= question.at_least)
    if question.at_most is not None:
        checks.append(year - int(row["birth_year"]) <= question.at_most)
    checks += [term in observed for term in question.terms]
    checks += [bool(general[term] & ruled_out) for term in question.excluded]
    return all(checks)


def test_cohorts_are_those_of_the_people_tables(
    truth: Truth, people: dict[str, Rows], counted: dict[str, dict[oracle.Key, PersonCounts]]
) -> None:
    years = {dataset.id: dataset.collection_year for dataset in truth.datasets}
    keys = {allele.text: key_of(allele) for allele in truth.alleles}
    for cohort in truth.cohorts:
        question = cohort.question
        for country in truth.shared:
            found: dict[str, set[str]] = {}
            for name, rows in people.items():
                if f"-{country}-" not in name:
                    continue
                found[name] = {row["individual_id"] for row in rows.values() if holds(row, question, years[name])}
                if question.carries:
                    persons = counted[name].get(keys[question.carries], {})
                    found[name] &= {person for (_, person, _), counts in persons.items() if any(counts[:3])}
            expected = {name: len(persons) for name, persons in found.items()} | {"": len(set().union(*found.values()))}
            assert {x.dataset: x.members for x in cohort.counts if x.country == country} == expected, question
    assert any(count.members > 3 for cohort in truth.cohorts for count in cohort.counts if cohort.question.carries)


def test_the_truth_survives_its_file(truth: Truth, written: Path) -> None:
    assert msgspec.json.decode((written / "truth.json").read_bytes(), type=Truth) == truth
