# SPDX-License-Identifier: Apache-2.0
"""Terms as tables write them."""

import pytest

from megagenome.collection.people import Fact, FactKind, Status
from megagenome.collection.vocabulary import Vocabulary, ancestors, resolve_term
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import Curie
from tests.collection.nodes import HP, ontology_for


def test_a_loaded_ontology_makes_terms_canonical_and_names_them() -> None:
    vocabulary = Vocabulary(ontology_for)
    focal = vocabulary.fact(FactKind.PHENOTYPE, "HP:0000070", excluded=True, label="whatever the table says")
    assert focal == Fact(FactKind.PHENOTYPE, "HP:0000007", Status.EXCLUDED)
    assert vocabulary.labels == {"HP:0000007": "Focal seizure"}


def test_other_terms_stay_as_they_are_with_the_first_name_given() -> None:
    vocabulary = Vocabulary(ontology_for)
    for label in ("", "varicose veins", "another name"):
        fact = vocabulary.fact(FactKind.DISEASE, "ICD10:I83", label=label)
        assert fact == Fact(FactKind.DISEASE, "ICD10:I83")
    assert vocabulary.labels == {"ICD10:I83": "varicose veins"}


def test_equal_facts_are_one_object() -> None:
    vocabulary = Vocabulary(ontology_for)
    facts = [vocabulary.fact(FactKind.PHENOTYPE, "HP:0000005"), vocabulary.custom("site", "a")]
    again = [vocabulary.fact(FactKind.PHENOTYPE, "HP:0000005"), vocabulary.custom("site", "a")]
    assert all(first is second for first, second in zip(facts, again, strict=True))
    assert vocabulary.fact(FactKind.DISEASE, "HP:0000005") != facts[0]
    assert vocabulary.custom("site", "b").value == "b"


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("HP:0009999", "HP:0009999 is not in HP"),
        ("seizure", "not a CURIE"),
        ("", "not a CURIE"),
        ("A:" + "1" * 200, "200"),
    ],
)
def test_what_is_no_known_term_is_refused(term: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        Vocabulary(ontology_for).fact(FactKind.PHENOTYPE, term)


def test_ancestors_come_from_the_terms_own_ontology() -> None:
    assert resolve_term("HP:0000070", ontology_for) == ("HP:0000007", HP)
    assert resolve_term("ICD10:I83", ontology_for) == ("ICD10:I83", None)
    assert ancestors(Curie("HP:0000007"), ontology_for) == {
        "HP:0000007", "HP:0000005", "HP:0000002", "HP:0000003", "HP:0000001",
    }  # fmt: skip
    assert ancestors(Curie("ICD10:I83"), ontology_for) == {"ICD10:I83"}
