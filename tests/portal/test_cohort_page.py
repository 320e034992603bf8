# SPDX-License-Identifier: Apache-2.0
"""The cohort page: the form as it was filled, what there is to choose, and the counts."""

import re
import shlex

import msgspec
import pytest

from megagenome.identity.caller_middleware import VISIT
from megagenome.identity.sessions import Visit
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.portal.cohort_page import Terms, cohort_page
from megagenome.portal.question import CohortForm, faults
from megagenome.standards.federation import CohortAnswer, NodeStatus
from megagenome.standards.saved_cohort import SavedCohort
from tests.portal import fake_hub
from tests.portal.document import Document
from tests.portal.saved import ID, saved

FORM = CohortForm("female", "40", "60", "HP:0001250", country="FI")
SIGNED_IN = Caller("ada@https://idp.example", "Ada")
FOUND = Terms(FORM, {"HP:0001250": "Seizure"}, {})


def test_the_form_keeps_what_was_filled_in() -> None:
    document = Document(cohort_page(FORM, ["GB", "EE"]))
    document.check()
    fields = {a.get("id"): a.get("value") for a in document.all("input") if a.get("type") != "radio"}
    assert fields == {"age_from": "40", "age_to": "60", "phenotype": "HP:0001250", "disease": "", "carrier": ""}
    checked = [(a["name"], a["value"]) for a in document.all("input") if "checked" in a]
    assert checked == [("sex", "female"), ("assembly", "GRCh38")]
    # a country that no node states can be in an address all the same
    assert [(a["value"], "selected" in a) for a in document.all("option")] == [
        ("", False),
        ("EE", False),
        ("FI", True),
        ("GB", False),
    ]


def test_counts_by_node_their_sum_and_the_question_in_words_and_as_text() -> None:
    page = cohort_page(FORM, ["FI"], terms=FOUND, answer=fake_hub.counts(), hub="https://hub.example")
    document = Document(page)
    document.check()
    text = document.text.replace("\u00a0", " ")
    assert "Female participants aged 40 to 60, with Seizure (HP:0001250) observed, recorded in Finland." in text
    assert "People told 1,639 by 4 nodes" in text
    assert "Sum of what was told 1,639" in text
    assert "1 node gave no whole answer. Its people are in none of these numbers: Genome node Sweden (refused)." in text
    command = text[text.index("megagenome ask") : text.index(" Copy")]
    assert shlex.split(command) == [
        "megagenome", "ask", "cohort", "age<=60 age>=40 phenotype=HP:0001250 sex=female", "--hub", "https://hub.example",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("visit", "kept", "offers"),
    [
        (Visit(PUBLIC), None, []),
        (Visit(PUBLIC, offered=True), None, ["Sign in to save this cohort"]),
        (Visit(SIGNED_IN), None, ["Save this cohort", "Save it and apply for access"]),
        (Visit(SIGNED_IN), saved("Mine"), ["Apply for access to these data"]),
    ],
)
def test_what_can_be_done_with_the_cohort(visit: Visit, kept: SavedCohort | None, offers: list[str]) -> None:
    answer = msgspec.structs.replace(fake_hub.counts(), cohort=ID)
    before = VISIT.set(visit)
    page = cohort_page(FORM, [], terms=FOUND, answer=answer, saved=kept)
    VISIT.reset(before)
    document = Document(page)
    document.check()
    section = page[page.index('id="save"') : page.index('id="as-text"')]
    assert re.findall(r"<(?:button|a class=.button)[^>]*>([^<]*)<", section) == offers
    assert ("You saved it" in document.text) is (kept is not None)
    fields = {a["name"]: a["value"] for a in document.all("input") if a.get("name") in ("title", "question")}
    words = "Female participants aged 40 to 60, with Seizure (HP:0001250) observed, recorded in Finland"
    asked = "sex=female&age_from=40&age_to=60&phenotype=HP%3A0001250&country=FI"
    assert fields == ({"title": words, "question": asked} if "Save this cohort" in offers else {})
    assert CohortForm.parse(asked) == FORM


def test_a_sex_that_the_form_does_not_have_is_a_fault_and_no_failure() -> None:
    form = CohortForm(sex="x")
    document = Document(cohort_page(form, [], wrong=faults(form)))
    document.check()
    assert "Sex: choose female, male or any." in document.text


def test_a_word_with_several_meanings_is_chosen_without_a_script() -> None:
    form = CohortForm("female", phenotype="onset")
    document = Document(cohort_page(form, [], terms=Terms(form, {}, {"phenotype": list(fake_hub.TERMS[1:3])})))
    document.check()
    assert "Which phenotype do you mean by “onset”?" in document.text
    assert [a["href"] for a in document.all("a") if "HP" in a["href"]] == [
        "/cohort?sex=female&phenotype=HP%3A0007359",
        "/cohort?sex=female&phenotype=HP%3A0002197",
    ]


def test_a_word_without_a_meaning_says_so() -> None:
    form = CohortForm(disease="zz")
    text = Document(cohort_page(form, [], terms=Terms(form, {}, {"disease": []}))).text
    assert "No disease in the network is called “zz”" in text


def test_faults_are_listed_linked_and_beside_their_fields() -> None:
    page = cohort_page(CohortForm(age_from="x"), [], wrong={"age_from": "Age from: no.", "": "The hub says no."})
    document = Document(page)
    document.check()
    (field,) = [a for a in document.all("input") if a.get("id") == "age_from"]
    assert (field["aria-invalid"], field["aria-describedby"]) == ("true", "age_from-problem")
    assert document.text.count("Age from: no.") == 2
    assert "The hub says no." in document.text


def test_nobody_and_too_few_look_the_same_and_a_certain_none_does_not() -> None:
    withheld = CohortAnswer("sex=male", False, 0, (fake_hub.node("EE", NodeStatus.WITHHELD),))
    none = CohortAnswer("sex=male", False, 0, (fake_hub.node("MT", floor=0, count=0),))
    assert "No count is told." in Document(cohort_page(FORM, [], terms=FOUND, answer=withheld)).text
    assert "Nobody matches" in Document(cohort_page(FORM, [], terms=FOUND, answer=none)).text


def test_hostile_text_stays_text() -> None:
    form = CohortForm(phenotype=fake_hub.EVIL, country="FI", carrier=fake_hub.EVIL)
    terms = Terms(form, {}, {"phenotype": [fake_hub.Term(fake_hub.EVIL, fake_hub.EVIL, "phenotype")]})
    answer = CohortAnswer(fake_hub.EVIL, True, 18, fake_hub.evil().nodes)
    Document(cohort_page(form, [fake_hub.EVIL], wrong={"carrier": fake_hub.EVIL}, terms=terms, answer=answer)).check()
