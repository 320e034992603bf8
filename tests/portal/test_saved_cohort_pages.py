# SPDX-License-Identifier: Apache-2.0
"""The pages of saved cohorts: what stands in them, and that nothing that anybody writes does anything."""

from datetime import timedelta

import msgspec
import pytest

from megagenome.kernel import clock
from megagenome.portal.saved_cohort_pages import (
    Naming,
    NodeLine,
    my_cohorts_page,
    node_lines,
    saved_cohort_page,
    unsaved_page,
)
from megagenome.standards.application import ApplicationId, CohortRef, Line, Page, State
from megagenome.standards.federation import NodeStatus
from megagenome.standards.saved_cohort import SavedCohorts, node_counts
from tests.portal import fake_hub
from tests.portal.document import Document
from tests.portal.saved import ID, SAVED_AT, saved

HUB = "https://hub.example"
EVIL = fake_hub.EVIL
WHEN = "2026-03-04T09:10:00Z"
NONE = Page(0, 0, ())
BEGUN = Page(
    60,
    0,
    (
        Line(ApplicationId("a1"), EVIL, State.ACTIVE, 3, "uni", ("EE", "FI"), "", WHEN, None, None, False),
        Line(ApplicationId("a2"), "", State.DRAFT, 1, "uni", ("EE",), "", WHEN, None, None, False),
    ),
)
NOW = msgspec.structs.replace(
    fake_hub.counts(), count=51, nodes=(fake_hub.node("FI", count=51), fake_hub.node("ES", NodeStatus.LATE, floor=None))
)


@pytest.fixture(autouse=True)
def three_days_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: SAVED_AT + timedelta(days=3))


def read(page: str) -> Document:
    document = Document(page)
    document.check()
    return document


def plain(document: Document) -> str:
    return document.text.replace("\u00a0", " ")


def test_an_application_begins_with_the_dataset_that_one_came_from() -> None:
    dataset = "node.ee EE GDI-EE-COHORT-001"
    document = read(my_cohorts_page(SavedCohorts(1, 0, 500, (saved("Women"),)), dataset=dataset))
    assert "You want to apply for GDI-EE-COHORT-001." in plain(document)
    places = [a["href"] for a in document.all("a")]
    assert f"/applications/new?cohort={ID.replace(':', '%3A')}&dataset=node.ee+EE+GDI-EE-COHORT-001" in places


def test_the_list_says_what_each_means_what_was_told_and_how_old_it_is() -> None:
    untold = saved("Untold", cohort=CohortRef("sha256:" + "b" * 64, '{"type":"everyone"}'), told=())
    document = read(my_cohorts_page(SavedCohorts(2, 0, 500, (saved("Women"), untold))))
    text = plain(document)
    assert "Women Recorded as female 1,639 people told by 4 nodes · saved 3 days ago" in text
    assert "Untold Everybody No node told a count" in text
    links = [a["href"] for a in document.all("a") if ID in a["href"] or "sha256%3Aaa" in a["href"]]
    assert links == [
        f"/cohorts/{ID}",
        f"/cohorts/{ID}?ask=1",
        f"/applications/new?cohort={ID.replace(':', '%3A')}",
        f"/cohorts/{ID}?show=rename#rename",
        f"/cohorts/{ID}?show=delete#delete",
    ]
    assert "as many as" not in text


def test_the_list_in_pages_full_empty_and_after_one_was_deleted() -> None:
    page = read(my_cohorts_page(SavedCohorts(120, 50, 120, (saved(),) * 50), deleted=True))
    links = {a["rel"]: a["href"] for a in page.all("a") if a.get("rel") in ("prev", "next")}
    assert links == {"prev": "/cohorts?skip=0", "next": "/cohorts?skip=100"}
    assert "51 to 100 of 120" in plain(page)
    assert "as many as this hub keeps for one person" in plain(page)
    assert "The cohort is deleted." in plain(page)
    assert "You have saved no cohort yet." in plain(read(my_cohorts_page(SavedCohorts(0, 0, 500, ()))))
    assert "nothing on this page" in plain(read(my_cohorts_page(SavedCohorts(3, 50, 500, ()))))


def test_each_node_then_and_now() -> None:
    lines = {line.country: line for line in node_lines(saved().told, node_counts(NOW.nodes))}
    assert lines["FI"] == NodeLine("Genome node Finland", "FI", "1,204", "51")
    assert lines["MT"] == NodeLine("Genome node Malta", "MT", "0", "–")  # it told that there is nobody
    assert lines["EE"] == NodeLine("Genome node Estonia", "EE", "withheld", "–")
    assert lines["ES"] == NodeLine("Genome node Spain", "ES", "–", "too late")


def test_one_cohort_as_it_was_told_and_as_it_is_told_now() -> None:
    document = read(saved_cohort_page(saved("Women", note="line\nby line"), HUB, NONE))
    text = plain(document)
    assert "People told when saved 1,639 by 4 nodes, 3 days ago" in text
    assert "saved 4 Mar 2026, 09:05 UTC" in text
    assert "People told now" not in text
    assert not [a for a in document.all("form") if a["action"].endswith("/recount")]
    assert f"megagenome ask cohort sex=female --hub {HUB}" in text
    assert not [a for a in document.all("details") if "open" in a]
    asked = read(saved_cohort_page(saved(), HUB, BEGUN, answer=NOW))
    assert "People told now 51 by 1 node" in plain(asked)
    assert "1 node gave no whole answer" in plain(asked)
    assert "Sum of what was told 1,639 51" in plain(asked)
    assert f"/cohorts/{ID}/recount" in [a["action"] for a in asked.all("form")]


def test_the_applications_that_were_begun_with_it() -> None:
    document = read(saved_cohort_page(saved(), HUB, BEGUN))
    text = plain(document)
    assert "60 applications begun with this cohort" in text
    assert "Untitled application Draft Estonia 4 Mar 2026, 09:10 UTC" in text
    assert "The latest stand here" in text
    links = [a["href"] for a in document.all("a") if a["href"].startswith("/applications/a")]
    assert links == ["/applications/a1", "/applications/a2"]
    assert "No application of yours" in plain(read(saved_cohort_page(saved(), HUB, NONE)))


def test_a_count_that_nobody_told_is_not_zero() -> None:
    nobody = saved(told=node_counts([fake_hub.node("EE", NodeStatus.WITHHELD)]))
    text = plain(read(saved_cohort_page(nobody, HUB, NONE)))
    assert "People told when saved – no node told a count" in text
    assert "Withheld means" in text


@pytest.mark.parametrize("show", ["rename", "delete"])
def test_its_forms_stand_open_where_they_were_asked_for(show: str) -> None:
    document = read(saved_cohort_page(saved(), HUB, NONE, show=show))
    assert [a["id"] for a in document.all("details") if "open" in a] == [show]
    posts = [a["action"] for a in document.all("form") if a.get("method") == "post"]
    assert posts == [f"/cohorts/{ID}/rename", f"/cohorts/{ID}/delete"]
    assert len([a for a in document.all("input") if a["name"] == "csrf"]) == len(posts)


def test_nothing_that_anybody_wrote_does_anything() -> None:
    evil = saved(
        EVIL,
        question=EVIL,
        cohort=CohortRef(ID, msgspec.json.encode({"type": "custom", "name": EVIL, "value": EVIL}).decode()),
        told=tuple(
            msgspec.structs.replace(each, node=EVIL + each.country, name=EVIL, country=EVIL) for each in saved().told
        ),
    )
    pages = [
        my_cohorts_page(SavedCohorts(1, 0, 500, (evil,))),
        saved_cohort_page(evil, HUB, BEGUN, answer=msgspec.structs.replace(NOW, nodes=fake_hub.evil().nodes)),
        saved_cohort_page(evil, HUB, BEGUN, show="rename", problem=EVIL, typed=Naming(EVIL, EVIL)),
        unsaved_page(EVIL, EVIL, Naming(EVIL, EVIL), EVIL),
    ]
    for page in pages:
        document = read(page)
        assert "<script>window" not in page
        assert not [a for each in document.elements for a in each.attributes if a.startswith("on")]
        assert not document.all("img")
    assert EVIL.split("{{")[0][:20] in read(pages[0]).text


def test_what_was_not_saved_is_shown_as_it_was_typed() -> None:
    document = read(unsaved_page("Words.", "sex=female&age_from=40", Naming("Mine", "why"), "It is full."))
    fields = {a["name"]: a["value"] for a in document.all("input")}
    assert (fields["title"], fields["question"]) == ("Mine", "sex=female&age_from=40")
    assert "It is full." in document.text
    assert [a["href"] for a in document.all("a") if a["href"].startswith("/cohort?")] == [
        "/cohort?sex=female&age_from=40"
    ]
