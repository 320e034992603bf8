# SPDX-License-Identifier: Apache-2.0
"""Choosing datasets for a counted cohort: what was told, what is hidden and how it is got."""

import msgspec
import pytest

from megagenome.kernel.errors import Invalid
from megagenome.portal.begin import begin_page, choices, chosen
from megagenome.standards.application import DatasetRef
from megagenome.standards.federation import DatasetAnswer, DatasetState, NodeStatus
from tests.portal import fake_hub
from tests.portal.document import Document
from tests.portal.saved import saved

TELLING = fake_hub.node("FI", count=30, datasets=(DatasetAnswer("A", True, 30), DatasetAnswer("B", False)))
ANSWER = msgspec.structs.replace(
    fake_hub.counts(), nodes=(TELLING,), cohort="sha256:" + "a" * 64, definition='{"type":"everyone"}'
)
NODE = msgspec.structs.replace(
    fake_hub.state("FI", NodeStatus.ANSWERED, 1),
    datasets=(
        DatasetState("A", "Alpha"),
        DatasetState("B", ""),
        DatasetState("C", fake_hub.EVIL, fake_hub.EVIL, people_tier="controlled"),
        DatasetState("D", "Delta", people_tier="registered"),
    ),
)


def test_each_dataset_says_what_it_told_or_how_its_counts_are_got() -> None:
    [country] = choices(ANSWER, [NODE], is_registered=False, picked=frozenset())
    assert country.name == "Finland"
    assert [
        (each.dataset, each.told.replace("\u00a0", " "), each.is_chosen, each.is_hidden) for each in country.datasets
    ] == [
        ("A", "30 people told", False, False),
        ("B", "told no count: nobody there, or too few to be told", False, False),
        ("C", "its counts are hidden", False, True),
        ("D", "its counts are hidden", False, True),
    ]
    assert country.datasets[3].way == "/account"
    [registered] = choices(ANSWER, [NODE], is_registered=True, picked=frozenset({"org.example.fi FI D"}))
    assert [(each.is_chosen, each.is_hidden) for each in registered.datasets] == [
        (False, False),
        (False, False),
        (False, True),
        (True, False),
    ]


def test_the_page_carries_the_id_of_the_saved_cohort() -> None:
    page = begin_page(saved(fake_hub.EVIL), ANSWER, [NODE], is_registered=False, problem=fake_hub.EVIL)
    document = Document(page)
    document.check()
    fields = {a["name"]: a["value"] for a in document.all("input") if a["type"] == "hidden"}
    assert fields["cohort"] == ANSWER.cohort
    assert set(fields) == {"csrf", "order", "cohort"}  # the definition is not the browser's to say
    assert not [a for a in document.all("input") if "checked" in a]  # nobody asks for all that there is by default
    assert "<script>window" not in page


def test_a_network_without_datasets_says_so() -> None:
    page = begin_page(saved("words"), ANSWER, [], is_registered=True)
    assert "nothing to apply for" in page


def test_what_the_form_names() -> None:
    assert chosen(["n FI A", "n FI A", "m EE B"]) == [DatasetRef("n", "FI", "A"), DatasetRef("m", "EE", "B")]
    for wrong in ([], ["x"], ["a b c d"]):
        with pytest.raises(Invalid):
            chosen(wrong)
