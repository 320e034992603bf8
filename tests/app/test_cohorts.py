# SPDX-License-Identifier: Apache-2.0
"""The cohort of a question, defined at the hub, is the one that a node counts and that a permit names."""

import msgspec
import pytest

from megagenome.app.cohorts import define_cohort
from megagenome.app.hub_access import identify_cohort
from megagenome.collection.cohort import (
    EVERYONE,
    All,
    Any,
    Carries,
    Cohort,
    FromCountry,
    HasAge,
    HasCustom,
    HasSex,
    HasTerm,
    InDataset,
    Not,
    canonical,
    cohort_id,
)
from megagenome.collection.model import Sex
from megagenome.kernel.coordinates import Allele
from megagenome.network.question import read_question
from megagenome.reference import resolve

ALLELE = Carries(Allele("GRCh37", "22", 16050074, "A", "G"))


@pytest.mark.parametrize(
    ("question", "cohort"),
    [
        ("sex=female", HasSex(Sex.FEMALE)),
        ("age>=40 age<=60 sex=male", All((HasAge(at_most=60), HasSex(Sex.MALE), HasAge(at_least=40)))),
        ("phenotype=HP:0001250", HasTerm("HP:0001250")),
        ("!phenotype=HP:0001250", Not(HasTerm("HP:0001250"))),
        ("disease=ICD10:E11 country=FI", All((HasTerm("ICD10:E11"), FromCountry("FI")))),
        ("smoker=yes", HasCustom("smoker", "yes")),
        ("carries=22-16050075-A-G@GRCh37", ALLELE),
        ("sex=female dataset=GDI-FI-1", All((HasSex(Sex.FEMALE), InDataset("GDI-FI-1")))),
        ("dataset=GDI-FI-1", All((EVERYONE, Any((InDataset("GDI-FI-1"),))))),
    ],
)
def test_a_question_is_one_cohort_everywhere(question: str, cohort: Cohort) -> None:
    defined = define_cohort(read_question(question, resolve, None, "GRCh38").query)
    assert defined.id == cohort_id(cohort) == identify_cohort(defined.definition)
    assert msgspec.json.decode(defined.definition, type=Cohort) == canonical(cohort)


def test_the_order_of_words_does_not_matter() -> None:
    ids = {
        define_cohort(read_question(text, resolve, None, "GRCh38").query).id
        for text in ("sex=female age>=40", "age>=40 sex=female", "age>=40 sex=female age>=40")
    }
    assert len(ids) == 1
