# SPDX-License-Identifier: Apache-2.0
"""Definitions in words: what a cohort says, and any text without harm."""

import msgspec
import pytest

from megagenome.collection.cohort import (
    EVERYONE,
    All,
    Any,
    Carries,
    Cohort,
    FromCountry,
    FromPopulation,
    HasAge,
    HasCustom,
    HasSex,
    HasTerm,
    InDataset,
    Not,
)
from megagenome.collection.model import Sex
from megagenome.kernel.coordinates import Allele
from megagenome.portal.cohort_words import definition_words

ALLELE = Allele("GRCh37", "22", 16050074, "A", "G")


@pytest.mark.parametrize(
    ("cohort", "says"),
    [
        (EVERYONE, "Everybody"),
        (HasTerm("HP:0001250"), "With HP:0001250"),
        (HasTerm("HP:1", descendants=False), "With HP:1 (no more special term)"),
        (HasCustom("smoker", "yes"), "Smoker = yes"),
        (HasSex(Sex.FEMALE), "Recorded as female"),
        (HasAge(40, 60), "Aged 40 to 60"),
        (HasAge(at_most=60), "Aged up to 60"),
        (HasAge(at_least=40), "Aged 40 or more"),
        (FromCountry("FI"), "Recorded in Finland"),
        (FromPopulation("FIN"), "Of the population FIN"),
        (InDataset("D-1"), "In the dataset D-1"),
        (Carries(ALLELE), "Carrying 22-16050075-A-G (GRCh37)"),
        (Not(HasTerm("HP:1")), "Looked for and excluded: with HP:1"),
        (All((HasSex(Sex.MALE), Any((HasTerm("A:1"), HasTerm("B:2"))))), "Recorded as male; (with A:1 or with B:2)"),
    ],
)
def test_a_definition_in_words(cohort: Cohort, says: str) -> None:
    assert definition_words(msgspec.json.encode(cohort).decode()) == says


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "3", '{"type":"new"}', '{"type":"all"}', '{"type":"carries","allele":[]}', "[" * 5000]
)
def test_what_cannot_be_read_is_shown_as_it_is(text: str) -> None:
    assert definition_words(text) == text[:2000]
