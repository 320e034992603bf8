# SPDX-License-Identifier: Apache-2.0
"""From a filled-in form to a study document."""

from datetime import UTC, date, datetime

import pytest

from megagenome.kernel.errors import Invalid
from megagenome.portal.study_fields import METHODS, RULES
from megagenome.portal.study_form import EVERYONE, cohort_questions, left_out, study_of
from megagenome.portal.study_pages import form_page, name_of
from megagenome.standards.permit import PermitDataset, PermitDocument
from megagenome.standards.pgs_catalog import ScoringFile
from megagenome.standards.study import (
    Age,
    Arm,
    Category,
    Components,
    Frequencies,
    Group,
    Linear,
    Logistic,
    Measured,
    Method,
    Score,
    Sex,
    Site,
    StudyDocument,
    Survival,
    Variants,
    Weight,
)
from tests.portal.document import Document

DATASETS = [
    PermitDataset("node.fi", "FI", "D2"),
    PermitDataset("node.ee", "EE", "D1"),
    PermitDataset("node.fi", "FI", "D0"),
]
KEYS = {"node.ee": "kee", "node.fi": "kfi"}
COHORTS = {"sex=female": '{"type":"sex","sex":"female"}', "disease=X:1": '{"type":"term","id":"X:1"}'}
PERMIT = PermitDocument(
    "P1", "hub", "A1", "sha256:0", EVERYONE, tuple(DATASETS), ("research",), (),
    date(2026, 1, 1), date(2027, 1, 1), (), "", datetime(2026, 1, 1, tzinfo=UTC),
)  # fmt: skip
SCORING = ScoringFile("PGS000001", "GRCh37", (Weight("22", 10, "A", "G", 0.5),), {})


def made(method: str, scoring: ScoringFile | None = None, **typed: str) -> StudyDocument:
    texts = {field.name: field.start for field in (*METHODS[method].fields, *RULES)} | {"title": "A study", **typed}
    return study_of(method, texts, PERMIT, DATASETS, KEYS, COHORTS, scoring)


def test_sites_are_those_of_the_chosen_datasets_in_order_with_the_keys_of_now() -> None:
    document = made("frequencies")
    assert document.sites == (Site("node.ee", ("D1",), "kee"), Site("node.fi", ("D0", "D2"), "kfi"))
    assert (document.permit, document.cohort, document.least_people, document.when_one_fails) == (
        "P1",
        EVERYONE,
        100,
        "stop",
    )


VARIANTS = Variants("GRCh38", (), 20, 0.0)
CASES: list[tuple[str, dict[str, str], Method]] = [
    (
        "frequencies",
        {"regions": "22:1-5\r\n\n 21 ", "assembly": "GRCh37"},
        Frequencies(Variants("GRCh37", ("22:1-5", "21"), 20)),
    ),
    ("linear", {"trait": "LOINC:8302-2"}, Linear(VARIANTS, Measured("LOINC:8302-2"), (Sex(), Age()))),
    (
        "linear",
        {
            "trait": "h",
            "sex": "",
            "age": "",
            "measured": "bmi\npc1",
            "categories": "land: EE, FI",
            "missing": "mean",
        },
        Linear(VARIANTS, Measured("h"), (Measured("bmi"), Measured("pc1"), Category("land", ("EE", "FI"))), "mean"),
    ),
    (
        "logistic",
        {"cases": "disease=X:1"},
        Logistic(VARIANTS, Group(COHORTS["disease=X:1"], EVERYONE), (Sex(), Age()), 1e-4),
    ),
    ("components", {"components": "4"}, Components(VARIANTS, 4)),
    (
        "survival",
        {"time": "days", "event": "dead", "groups": "women = sex=female"},
        Survival(Measured("days"), "dead", "1", (Arm("women", COHORTS["sex=female"]),), 1.0),
    ),
]


@pytest.mark.parametrize(("method", "typed", "expected"), CASES)
def test_each_method_is_what_was_filled_in(method: str, typed: dict[str, str], expected: Method) -> None:
    assert made(method, **typed).method == expected


def test_a_score_is_that_of_the_file() -> None:
    assert made("score", SCORING, missing="zero").method == Score("GRCh37", "PGS000001", SCORING.weights, "zero", None)
    trait = Group(COHORTS["disease=X:1"], COHORTS["sex=female"])
    explained = made("score", SCORING, cases="disease=X:1", controls="sex=female").method
    assert isinstance(explained, Score)
    assert explained.trait == trait


@pytest.mark.parametrize(
    ("method", "typed", "says"),
    [
        ("frequencies", {"title": " "}, "Title of the study"),
        ("frequencies", {"least_count": "many"}, "Fewest copies of the rarer allele"),
        ("frequencies", {"least_count": "0"}, "^Fewest copies of the rarer allele must be at least 1"),
        ("frequencies", {"least_frequency": "0.7"}, "^Least frequency of the rarer allele must be at most 0.5"),
        ("frequencies", {"least_frequency": "nan"}, "^Least frequency of the rarer allele: write a number"),
        ("linear", {}, "Trait"),
        ("linear", {"trait": "h" * 201}, "^Trait must have at most 200 letters"),
        ("linear", {"trait": "h", "least_people": "1.5"}, "Fewest people: '1.5' is no whole number"),
        ("linear", {"trait": "h", "categories": "country"}, "country"),
        ("linear", {"trait": "h", "categories": "country: EE, EE"}, "each once"),
        ("logistic", {}, "Cases"),
        ("components", {"components": "21"}, "^Components must be at most 20"),
        ("survival", {"time": "d", "event": "e", "groups": "women"}, "equals sign"),
        ("survival", {"time": "d", "event": "e", "width": "0"}, "^Width of a bin of time must be above 0"),
        ("score", {}, "scoring file"),
    ],
)
def test_what_cannot_be_is_said_in_words(method: str, typed: dict[str, str], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        made(method, **typed)


def test_people_who_are_there_twice_are_kept_where_one_says_so() -> None:
    assert made("frequencies").duplicates == "leave out"
    assert made("frequencies", duplicates="keep").duplicates == "keep"


def test_rows_of_a_scoring_file_that_are_not_used_are_told() -> None:
    unused = ScoringFile("", "GRCh38", (), {"no place is given": 0, "no other allele is given": 1200})
    with pytest.raises(Invalid, match=r"that has weights \(1,200 rows are not used, no other allele is given"):
        made("score", unused)
    assert len(left_out(unused)) == 1


def test_a_node_that_left_the_network_is_named() -> None:
    with pytest.raises(Invalid, match=r"node\.ee does not belong"):
        study_of("frequencies", {"title": "x"}, PERMIT, DATASETS, {"node.fi": "k"}, {})
    with pytest.raises(Invalid, match="at least one dataset"):
        study_of("frequencies", {"title": "x"}, PERMIT, [], KEYS, {})


def test_questions_that_must_be_defined_first_are_told_once_each_with_their_field() -> None:
    texts = {"narrower": "sex=female", "groups": "a = sex=male\nb = disease=X:1"}
    asked = {"sex=female": "Only these people of the permit", "sex=male": "Groups", "disease=X:1": "Groups"}
    assert cohort_questions("survival", texts) == asked
    assert cohort_questions("logistic", {"cases": "x=1", "controls": ""}) == {"x=1": "Cases"}


@pytest.mark.parametrize("method", METHODS)
def test_each_form_is_a_whole_page_that_keeps_what_was_typed(method: str) -> None:
    Document(form_page(method, "A1", PERMIT, DATASETS)).check()
    hostile = {field.name: "</textarea><script>1</script>\"'" for field in (*METHODS[method].fields, *RULES)}
    page = form_page(method, "A1", PERMIT, DATASETS, hostile, frozenset({name_of(DATASETS[0])}), "Why not.")
    Document(page).check()
    assert "<script>1" not in page
    assert page.count(" checked") >= 1
    assert "Why not." in page
