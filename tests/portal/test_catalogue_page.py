# SPDX-License-Identifier: Apache-2.0
"""Pages of a catalogue: in plain words, and hostile text stays text, also in the data for search engines."""

import json
import re

import msgspec
import pytest

from megagenome.portal.catalogue_page import catalogue_page
from megagenome.standards.catalogue_pages import (
    Answers,
    CataloguePage,
    DatasetPage,
    Download,
    PublicPreview,
    Way,
    WithdrawnPage,
)
from megagenome.standards.dataset_fields import KINDS
from megagenome.standards.dataset_record import Approval, DatasetRecord, Governance, Party, Problem
from tests.portal.document import Document
from tests.portal.fake_hub import EVIL


def dataset(says: str = "words", **more: object) -> DatasetPage:
    party = Party(says, says, "javascript:alert(1)" if says == EVIL else "https://example.org/")
    paper = Approval(says, says, "2026-03-31")
    record = DatasetRecord(
        title=says,
        description=says,
        identifier=says,
        access_rights="NON_PUBLIC",
        keywords=(says,),
        provenance=says,
        population=says,
        references=("https://example.org/paper",),
        publisher=party,
        creator=party,
        contact=party,
        hdab=party,
        governance=Governance(party, "consent", says, paper, paper),
    )
    values: dict[str, object] = {
        "id": "A",
        "address": "/fairdp/dataset/A",
        "record": record,
        "is_open": False,
        "words": ((says, "May be used for research into health and medicine only."),),
        "categories": (says,),
        "legal_basis": says,
        "people": 1234,
        "needs": says,
        "assemblies": ("GRCh38",),
        "issued": "2026-01-05T08:00:00+00:00",
        "changed": "2026-01-05T08:00:00+00:00",
        "ways": (Way(says, says),),
        "downloads": (Download(says, "/fairdp/dataset/A.ttl"),),
        "schema_org": {"@type": "Dataset", "name": says},
    }
    return DatasetPage(**{**values, **more})


ANSWERS = Answers(10, "public", "registered", 1234, True, 5000, 700, 12, 3, 2, 4)


def previewed(
    says: str = "words", answers: Answers | None = ANSWERS, state: str = "draft", **more: object
) -> PublicPreview:
    return PublicPreview(dataset(says, **more), state, True, (Problem("publisher.name", says),), answers)


def whole(*datasets: DatasetPage, says: str = "words") -> CataloguePage:
    downloads = (Download(says, "/fairdp/index.ttl"),)
    return CataloguePage(says, says, "EE", "/fairdp", True, datasets, downloads, {"@type": "DataCatalog", "name": says})


@pytest.mark.parametrize(
    "shown", [whole(dataset(EVIL), says=EVIL), dataset(EVIL), WithdrawnPage(EVIL, EVIL, "2026-01-05")]
)
def test_pages_are_whole_and_hostile_text_stays_text(shown: CataloguePage | DatasetPage | WithdrawnPage) -> None:
    page = catalogue_page(shown)
    Document(page).check()
    assert "<script>window" not in page
    assert "javascript:" not in page
    assert "{{" not in page.replace(EVIL[-7:], "")


@pytest.mark.parametrize("shown", [whole(says=EVIL), dataset(EVIL)])
def test_search_engines_read_the_same(shown: CataloguePage | DatasetPage) -> None:
    [said] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', catalogue_page(shown), re.DOTALL)
    assert json.loads(said) == msgspec.to_builtins(shown.schema_org)


def test_a_dataset_is_told_in_plain_words() -> None:
    text = Document(catalogue_page(dataset())).text
    for told in (
        "By permit only",
        "health and medicine only",
        "1,234",
        "31 Mar 2026",
        "The health data access body decides",
    ):
        assert told in text
    assert "How many people are in it is not told to everybody" in Document(catalogue_page(dataset(people=None))).text
    for kind in KINDS:
        record = msgspec.structs.replace(dataset().record, conforms_to=kind)
        Document(catalogue_page(dataset(record=record))).check()
    is_open = dataset(is_open=True, words=(), record=DatasetRecord(title="T", access_rights="PUBLIC"))
    assert "declared open or synthetic" in Document(catalogue_page(is_open)).text


def test_the_list_leads_to_each_dataset() -> None:
    found = Document(catalogue_page(whole(dataset(), dataset(people=None))))
    assert [a["href"] for a in found.all("a") if a["href"].startswith("/fairdp/dataset/")] == ["/fairdp/dataset/A"] * 2
    assert "2 published datasets" in found.text.replace("\u00a0", " ")
    assert "not told to everybody" in found.text
    assert "0 published datasets None yet" in Document(catalogue_page(whole())).text.replace("\u00a0", " ")


def told_by(answers: Answers, **more: object) -> str:
    found = previewed(answers=answers, **more)
    page = Document(catalogue_page(found.page, found))
    page.check()
    return page.text.partition("Applications")[0]


def test_a_preview_says_what_everybody_will_be_able_to_ask() -> None:
    text = told_by(ANSWERS)
    for told in (
        "Nobody but data stewards sees this page.",
        "if this draft were recorded and the dataset published now",
        "1,234 , told to people with registered access.",
        "by sex, age, country and 12 terms",
        "3 more are left out, for fewer people have them",
        "5,000 alleles have a frequency that is told to everybody; 700 are held back by the floor of 10.",
        "None open to everybody; 2 by permit, sealed (reads and their indexes); 4 kept and given to nobody.",
    ):
        assert told in text, told
    found = previewed(EVIL)
    page = catalogue_page(found.page, found)
    Document(page).check()
    assert "<script>window" not in page


def test_a_preview_tells_nothing_that_nobody_would_be_told() -> None:
    few = told_by(msgspec.structs.replace(ANSWERS, people=4, people_told=False))
    assert "Not told: 4 people would be counted, and no count below 10 is told." in few
    nobody = {"alleles": None, "alleles_held_back": None, "terms": None, "terms_held_back": None}
    closed = msgspec.structs.replace(ANSWERS, people_tier="controlled", people_told=False, **nobody)
    assert told_by(closed).count("Told to nobody without a permit.") == 2
    free = msgspec.structs.replace(ANSWERS, floor=0, people_tier="public", files_kept=0, alleles_held_back=1)
    text = told_by(free, is_open=True)
    assert "All counts are told to everybody" in text
    assert "1 has none, for nobody counted carries it." in text
    assert "2 files open to everybody by DRS." in text


def test_a_preview_of_what_is_published_says_that_its_numbers_are_told_today() -> None:
    found = previewed(answers=None, state="published")
    text = Document(catalogue_page(found.page, found)).text
    assert "these numbers are told today, and recording a draft changes none of them" in text
    assert "They are being counted. Look again in a minute." in text
    assert "if this draft were recorded now" in text
