# SPDX-License-Identifier: Apache-2.0
import gzip
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from megagenome.synthetic.europe import Europe, simulate
from megagenome.synthetic.planted import (
    DISEASE_ASSOCIATION,
    FOUNDER,
    HEIGHT_ASSOCIATION,
    PLANTED,
    Carriers,
    find_causal,
)


@pytest.fixture(scope="module")
def many() -> Europe:
    """As many people as the demonstration has, on little of the genome."""
    return simulate(3000, ("FI", "EE", "GB"), seed=1, megabases=0.15)


def all_carriers(europe: Europe) -> dict[int, Carriers]:
    return {each.allele.start: each for here in europe.simulation.planted.values() for each in here}


@pytest.mark.shared
def test_planted_alleles_are_those_of_clinvar(shared: Path) -> None:
    wanted = {}
    for allele in PLANTED:
        number = re.search(r"ClinVar (\d+)", allele.note)
        assert number
        contig = allele.stretch.split("-")[0]
        wanted[number[1]] = (contig, str(allele.start + 1), allele.ref, allele.alt)
    found = {}
    with gzip.open(shared / "data/clinical_variants/clinvar_PLP_2star_20241215.GRCh38.vcf.gz", "rt") as file:
        for line in file:
            fields = line.split("\t", 5)
            if fields[0].startswith("#"):
                continue
            if fields[2] in wanted:
                found[fields[2]] = (fields[0], fields[1], fields[3], fields[4])
    assert found == wanted


def test_carriers_are_as_many_as_stated_in_each_country(many: Europe) -> None:
    people, carriers = many.simulation.people, all_carriers(many)
    founder = np.bincount(people.country[carriers[FOUNDER.start].people], minlength=3)
    assert founder.tolist() == [24, 6, 6]  # of 1,000 each: 2.4 %, 0.6 %, 0.6 %
    rare, private, x_linked, mitochondrial = (
        np.bincount(people.country[carriers[start].people], minlength=3).tolist()
        for start in (28_695_708, 28_695_798, 154_534_418, 3_242)
    )
    assert rare == [4, 4, 4]
    assert private == [0, 30, 0]
    assert x_linked == [50, 50, 50]
    assert mitochondrial == [3, 3, 3]


def test_only_who_has_two_copies_can_carry_two(many: Europe) -> None:
    simulation, carriers = many.simulation, all_carriers(many)
    x_linked = carriers[154_534_418]
    female = simulation.people.female[x_linked.people]
    assert set(x_linked.copies[~female].tolist()) == {1}
    assert set(x_linked.copies[female].tolist()) == {1, 2}
    assert set(carriers[3_242].copies.tolist()) == {1}


def test_a_causal_allele_is_common_in_every_country(many: Europe) -> None:
    simulation = many.simulation
    for causal, association in (
        (simulation.disease_allele, DISEASE_ASSOCIATION),
        (simulation.height_allele, HEIGHT_ASSOCIATION),
    ):
        assert simulation.sequences[0].starts[causal.site] >= association.near
        for place in range(3):
            frequency = causal.copies[simulation.people.country == place].mean() / 2
            assert 0.1 < frequency < 0.5
    assert find_causal(simulation.sequences[0], DISEASE_ASSOCIATION.near).site == simulation.disease_allele.site


def copies_called(europe: Europe, start: int) -> tuple[npt.NDArray[np.float64], list[dict[str, str]]]:
    """Copies of the only alternate at `start`, and people's rows, read as a user of the datasets would."""
    copies, rows = [], []
    for country in europe.countries:
        for dataset in country.datasets:
            source = dataset.genotypes()
            by_sample = {row["sample_id"]: row for row in dataset.people()}
            for block in source.blocks:
                here = np.flatnonzero(block.starts == start)
                if len(here) and block.contig == "chr22":
                    calls = block.calls[here[0]]
                    called = (calls >= 0).all(axis=1)
                    copies += calls[called].sum(axis=1).tolist()
                    rows += [by_sample[source.samples[place]] for place in np.flatnonzero(called)]
                    break
    return np.array(copies, float), rows


def test_the_planted_odds_ratio_is_found_by_logistic_regression(many: Europe) -> None:
    simulation = many.simulation
    start = int(simulation.sequences[0].starts[simulation.disease_allele.site])
    copies, rows = copies_called(many, start)
    affected = np.array(["ICD10:E11" in row["diseases"].split(";") for row in rows], float)
    male = np.array([row["sex"] == "male" for row in rows], float)
    design = np.column_stack([np.ones(len(rows)), copies, male])
    beta = np.zeros(3)
    information = np.eye(3)
    for _ in range(20):  # Newton-Raphson
        expected = 1 / (1 + np.exp(-design @ beta))
        information = design.T @ (design * (expected * (1 - expected))[:, None])
        beta += np.linalg.solve(information, design.T @ (affected - expected))
    error = float(np.sqrt(np.linalg.inv(information)[1, 1]))
    assert beta[1] / error > 4
    assert abs(beta[1] - np.log(1.8)) < 3 * error


def test_the_planted_centimetres_are_found_by_linear_regression(many: Europe) -> None:
    simulation = many.simulation
    start = int(simulation.sequences[0].starts[simulation.height_allele.site])
    copies, rows = copies_called(many, start)
    people = simulation.people
    height_of = {people.individual_id(person): simulation.height_cm[person] for person in range(len(people))}
    heights = np.array([height_of[row["individual_id"]] for row in rows])
    male = np.array([row["sex"] == "male" for row in rows], float)
    design = np.column_stack([np.ones(len(rows)), copies, male])
    beta, residuals, *_ = np.linalg.lstsq(design, heights)
    variance = float(residuals[0]) / (len(rows) - 3)
    error = float(np.sqrt(variance * np.linalg.inv(design.T @ design)[1, 1]))
    assert beta[1] / error > 4
    assert abs(beta[1] - 1.5) < 3 * error
