# SPDX-License-Identifier: Apache-2.0
"""Real people: CINECA's individuals and published phenopackets, read, enrolled and counted as others counted them."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any as Anything

import pytest
import sqlalchemy as sa

from megagenome import reference
from megagenome.collection import bitmap
from megagenome.collection.cohort import Any, Cohort, HasSex, HasTerm, Not
from megagenome.collection.enrol import enrol
from megagenome.collection.evaluate import Evidence, Truth, evaluate
from megagenome.collection.model import Sex
from megagenome.collection.read_people import read_people
from megagenome.kernel.ids import DatasetId
from megagenome.reference.ontology import OntologyFor
from tests.collection.nodes import add_dataset
from tests.oracles.obo import PlainOntology, read_obo

pytestmark = pytest.mark.shared

ONE = DatasetId("ONE")
Packet = dict[str, Anything]


@pytest.fixture(scope="session")
def facts(shared: Path) -> dict[str, Anything]:
    """What was computed of the real files without this package."""
    found: dict[str, Anything] = json.loads((shared / "data/FACTS.json").read_text())
    return found


@pytest.fixture(scope="session")
def human_phenotypes(shared: Path) -> PlainOntology:
    ontology = read_obo(gzip.decompress((shared / "data/ontologies/hp.obo.gz").read_bytes()).decode(), "HP")
    ontology.ancestors = cache(ontology.ancestors)  # 6,000 facts of 2,000 terms
    return ontology


def counted(
    connection: sa.Connection, files: list[Path], loaded: OntologyFor
) -> tuple[int, Callable[[Cohort], tuple[int, int]]]:
    """Read and enrol; how many people there are, and a count of those whom a cohort holds and fails for."""
    enrolment = enrol(connection, add_dataset(connection, 1, ONE), read_people(files, loaded, consent_all=True), loaded)
    nobody = Truth(bitmap.nobody(1), bitmap.nobody(1))
    known = Evidence(connection, enrolment.added, {ONE}, None, loaded, lambda _allele: nobody)

    def count(cohort: Cohort) -> tuple[int, int]:
        truth = evaluate(cohort, known)
        return bitmap.count(truth.holds), bitmap.count(truth.fails)

    return enrolment.consenting, count


def test_cineca_as_beacon_individuals(connection: sa.Connection, shared: Path, facts: dict[str, Anything]) -> None:
    file = shared / "data/cohort_cineca_uk1/individuals.json.gz"
    expected = facts["cineca"]
    consenting, count = counted(connection, [file], lambda _term: None)
    assert consenting == expected["individuals"]
    men, women = expected["sex"]["male"], expected["sex"]["female"]
    assert (count(HasSex(Sex.MALE)), count(HasSex(Sex.FEMALE))) == ((men, women), (women, men))
    for disease, people_with_it in expected["diseases_top"]:
        # each has one disease or none, and whether they lack the others was never recorded
        assert count(HasTerm(disease)) == (people_with_it, 0)
    codes = {
        each["diseaseCode"]["id"]
        for one in json.loads(gzip.decompress(file.read_bytes()))
        for each in one.get("diseases", [])
    }
    assert count(Any(tuple(map(HasTerm, codes))))[0] == expected["with_any_disease"]


@pytest.fixture
def phenopackets(shared: Path, human_phenotypes: PlainOntology) -> list[Packet]:
    """The packets, without the features that are of a later release of HPO than the one at hand."""
    lines = gzip.decompress((shared / "data/phenopackets/phenopackets.jsonl.gz").read_bytes()).splitlines()
    packets = [json.loads(line) for line in lines]
    known = human_phenotypes.parents.keys() | human_phenotypes.alternatives.keys()
    later = 0
    for packet in packets:
        features = packet["phenotypicFeatures"]
        packet["phenotypicFeatures"] = [each for each in features if each["type"]["id"] in known]
        later += len(features) - len(packet["phenotypicFeatures"])
    assert later < 30
    return packets


def table(packets: list[Packet]) -> str:
    """The packets as a people table."""

    def terms(features: list[Packet], key: str) -> str:
        return ";".join("!" * each.get("excluded", False) + each[key]["id"] for each in features)

    rows = [
        (
            packet["id"],
            packet["subject"]["sex"].removesuffix("_SEX").lower(),
            terms(packet["diseases"], "term"),
            terms(packet["phenotypicFeatures"], "type"),
        )
        for packet in packets
    ]
    return "\n".join("\t".join(row) for row in [("individual_id", "sex", "diseases", "phenotypes"), *rows])


@pytest.fixture(params=["plain", "packed"])
def ontology_for(request: pytest.FixtureRequest, human_phenotypes: PlainOntology, tmp_path: Path) -> OntologyFor:
    """HPO by regular expressions, and as a node has it."""
    if request.param == "plain":
        return lambda term: human_phenotypes if term.startswith("HP:") else None
    reference.build(tmp_path)
    return reference.open(tmp_path).ontology_for


def test_phenopackets_as_a_people_table(
    connection: sa.Connection,
    tmp_path: Path,
    ontology_for: OntologyFor,
    phenopackets: list[Packet],
    human_phenotypes: PlainOntology,
    facts: dict[str, Anything],
) -> None:
    (tmp_path / "people.tsv").write_text(table(phenopackets))
    expected = facts["phenopackets"]
    consenting, count = counted(connection, [tmp_path / "people.tsv"], ontology_for)
    assert consenting == expected["n"] == 320
    assert count(HasSex(Sex.FEMALE)) == (expected["sex"]["FEMALE"], expected["sex"]["MALE"])
    for term, known in expected["individuals_with_term_or_descendant"].items():
        assert count(HasTerm(term))[0] == known["n"]
        assert count(HasTerm(term, descendants=False))[0] == known["exact_only"]
    for term, people_with_it in expected["top_present_features"]:
        assert count(HasTerm(term, descendants=False))[0] == people_with_it
    # who was examined for seizures, or for something of which seizures are a part, and has none
    above = human_phenotypes.ancestors("HP:0001250")

    def excludes_seizures(feature: Packet) -> bool:
        return feature.get("excluded", False) and human_phenotypes.canonical(feature["type"]["id"]) in above

    without = [packet for packet in phenopackets if any(map(excludes_seizures, packet["phenotypicFeatures"]))]
    assert count(Not(HasTerm("HP:0001250")))[0] == len(without) > 0
    assert Counter(packet["subject"]["sex"] for packet in phenopackets) == expected["sex"]
