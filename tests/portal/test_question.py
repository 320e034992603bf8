# SPDX-License-Identifier: Apache-2.0
"""The cohort form: what it asks, in words and as text, and what it does not take."""

import pytest

from megagenome.network.question import parse
from megagenome.portal.question import CohortForm, chosen_term, faults, fitting, in_words, is_curie, question_text
from megagenome.standards.federation import Term
from tests.portal.fake_hub import TERMS

FULL = CohortForm("female", "40", "60", "HP:0001250", "ICD10:E11", "22-16050075-A-G", "GRCh37", "FI")


def test_the_text_is_one_that_the_network_reads() -> None:
    text = question_text(FULL)
    assert text == (
        "sex=female age>=40 age<=60 phenotype=HP:0001250 disease=ICD10:E11 carries=22-16050075-A-G@GRCh37 country=FI"
    )
    assert [(clause.key, clause.operator, clause.value) for clause in parse(text)] == [
        ("sex", "=", "female"),
        ("age", ">=", "40"),
        ("age", "<=", "60"),
        ("phenotype", "=", "HP:0001250"),
        ("disease", "=", "ICD10:E11"),
        ("carries", "=", "22-16050075-A-G@GRCh37"),
        ("country", "=", "FI"),
    ]


def test_an_assembly_without_a_variant_is_not_asked() -> None:
    assert question_text(CohortForm(sex="male", assembly="GRCh38", age_from="007")) == "sex=male age>=7"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (
            FULL,
            (
                "Female participants aged 40 to 60, with Seizure (HP:0001250) observed, with the diagnosis ICD10:E11,"
                " who carry 22-16050075-A-G (GRCh37), recorded in Finland."
            ),
        ),
        (CohortForm(age_from="40"), "People aged 40 or more."),
        (CohortForm(age_to="5"), "People aged up to 5."),
        (CohortForm(sex="male"), "Male participants."),
    ],
)
def test_words(form: CohortForm, words: str) -> None:
    assert in_words(form, {"HP:0001250": "Seizure"}) == words


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (FULL, []),
        (CohortForm(), [""]),
        (CohortForm(assembly="GRCh37"), [""]),
        (CohortForm(age_from="x", age_to="-1"), ["age_from", "age_to"]),
        (CohortForm(age_from="²"), ["age_from"]),
        (CohortForm(age_from="151"), ["age_from"]),
        (CohortForm(age_from="60", age_to="40"), ["age_to"]),
        (CohortForm(sex="other"), ["sex"]),
        (CohortForm(carrier="22-1-A-G country=FI"), ["carrier"]),
        (CohortForm(carrier='22-1-A-G"'), ["carrier"]),
        (CohortForm(sex="male", assembly="x country=FI"), ["assembly"]),
        (CohortForm(country="Finland"), ["country"]),
    ],
)
def test_faults_are_named_by_field_and_no_field_can_smuggle_a_clause_in(form: CohortForm, fields: list[str]) -> None:
    assert list(faults(form)) == fields


def test_the_form_is_read_from_an_address_and_written_back() -> None:
    form = CohortForm.read({"sex": " female ", "phenotype": "seizure", "unknown": "x"})
    assert form == CohortForm(sex="female", phenotype="seizure")
    assert form.replaced(phenotype="HP:0001250") == {"sex": "female", "phenotype": "HP:0001250"}


def test_ids_and_words() -> None:
    assert is_curie("HP:0001250")
    assert not any(map(is_curie, ("seizure", "focal: onset", "", "HP:1 sex=male")))


@pytest.mark.parametrize(
    ("text", "kind", "chosen"),
    [
        ("seizure", "phenotype", "HP:0001250"),
        ("hp:0001250", "phenotype", "HP:0001250"),
        ("onset", "phenotype", None),
        ("type 2", "disease", "ICD10:E11"),
        ("HP:000125", "phenotype", None),
    ],
)
def test_a_text_means_a_term_only_without_doubt(text: str, kind: str, chosen: str | None) -> None:
    matching = [term for term in TERMS if text.casefold() in f"{term.id} {term.label}".casefold()]
    term = chosen_term(text, matching, kind)
    assert (term.id if term else None) == chosen


def test_terms_of_the_other_field_and_holders_columns_do_not_fit() -> None:
    bare, custom = Term("MONDO:0005027", "Epilepsy", "ontology"), Term("smoking", "smoking", "custom")
    assert [term.id for term in fitting((*TERMS, bare, custom), "disease")] == ["ICD10:E11", "MONDO:0005027"]


def test_an_age_of_very_many_digits_is_no_age() -> None:
    assert faults(CohortForm(age_from="9" * 5000)) == {"age_from": "Age from: give whole years from 0 to 150."}
