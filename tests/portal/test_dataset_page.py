# SPDX-License-Identifier: Apache-2.0
"""Pages of harvested datasets: foreign text stays text, links lead to the web, and each page says who says it."""

import pytest
from msgspec.structs import replace

from megagenome.portal.dataset_page import Asked, dataset_page, datasets_page, language_of
from tests.portal.document import Document
from tests.portal.fake_hub import EVIL
from tests.portal.harvested import SINCE, listed, source, view


@pytest.mark.parametrize(
    "text",
    [
        dataset_page(view(EVIL, problem=EVIL)),
        dataset_page(view(EVIL, node="")),
        dataset_page(view(EVIL, gone=SINCE)),
        datasets_page(listed(EVIL), Asked(EVIL, (("use", EVIL),), 20), EVIL),
    ],
)
def test_foreign_text_stays_text(text: str) -> None:
    assert "<script>" not in text.replace("<script src", "")
    assert not [a for a in Document(text).all("a") if a.get("href", "").startswith("javascript")]
    assert f'lang="{EVIL}"' not in text


def test_a_dataset_of_a_node_leads_to_an_application_with_it() -> None:
    places = [a["href"] for a in Document(dataset_page(view())).all("a")]
    assert places.count("/applications/new?dataset=node.ee+EE+EE-1") == 2


def test_a_dataset_elsewhere_leads_to_none() -> None:
    text = dataset_page(view(node=""))
    assert "/applications/new" not in text
    assert "its holder takes applications" in text


def test_pages_keep_what_is_asked() -> None:
    places = [
        a["href"] for a in Document(datasets_page(listed(), Asked("a b", (("use", "x"), ("use", "y")), 20))).all("a")
    ]
    assert "/datasets?q=a+b&use=x&use=y" in places
    assert "/datasets?q=a+b&use=x&use=y&skip=40" in places


@pytest.mark.parametrize(("stated", "shown"), [("en-GB", "en-GB"), ("fi", "fi"), ("xx", ""), ("", ""), ('en-"', "")])
def test_languages_are_those_that_there_are(stated: str, shown: str) -> None:
    assert language_of(stated) == shown


@pytest.mark.parametrize(
    ("succeeded", "problem", "told"),
    [
        (SINCE, "", "5 Jan 2026, 08:00 UTC"),
        (SINCE, "it answers 500", "not all could be read whole last on 5 Jan 2026, 08:00 UTC. it answers 500"),
        ("", "it does not answer", "could not be read never whole yet. it does not answer"),
    ],
)
def test_how_each_catalogue_was_read_is_told(succeeded: str, problem: str, told: str) -> None:
    asked = replace(source(), succeeded=succeeded, problem=problem, datasets=1 if succeeded else 0)
    text = Document(datasets_page(replace(listed(), sources=(asked,)), Asked())).text
    assert f"node of this network {1 if succeeded else 0} {told}" in text.replace("\u00a0", " ")
