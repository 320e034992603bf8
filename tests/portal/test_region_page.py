# SPDX-License-Identifier: Apache-2.0
"""The page of a region: totals that are stated, and pages that miss no row."""

import re

import pytest

from megagenome.portal.numbers import NO_BREAK
from megagenome.portal.region_page import Paging, paging, region_page, stated_total
from tests.portal import fake_hub
from tests.portal.document import Document


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (fake_hub.many_rows(0), "1,204 variants, told by 4 nodes; these are all that they tell."),
        (
            fake_hub.many_rows(0, 300, 100, False),
            "At least 300 variants, told by 4 nodes; a node has more than it gave, or gave no answer.",
        ),
        (fake_hub.REGIONS["empty"](0), "No variant is told here."),
    ],
)
def test_the_total_says_how_sure_it_is(answer: fake_hub.RegionAnswer, says: str) -> None:
    assert stated_total(answer).replace(NO_BREAK, " ") == says


def test_following_the_links_shows_each_row_once() -> None:
    seen: list[str] = []
    skip: int | None = 0
    while skip is not None:
        answer = fake_hub.many_rows(skip, 250, 100)
        seen += [row.text for row in answer.rows]
        skip = paging(answer).following
    assert len(seen) == 250


@pytest.mark.parametrize(
    ("skip", "expected"),
    [
        (0, Paging(1, 100, None, 100)),
        (100, Paging(101, 200, 0, 200)),
        (50, Paging(51, 150, 0, 150)),
        (200, Paging(201, 250, 100, None)),
        (900, Paging(0, 900, 800, None)),
    ],
)
def test_pages(skip: int, expected: Paging) -> None:
    assert paging(fake_hub.many_rows(skip, 250, 100)) == expected


def test_each_row_leads_to_its_variant() -> None:
    answer = fake_hub.many_rows(0)
    document = Document(region_page(answer))
    document.check()
    links = [a["href"] for a in document.all("a") if a["href"].startswith("/variant?")]
    assert len(links) == len(answer.rows) == 1000
    assert links[1] == f"/variant?q={answer.rows[1].text}&assembly=GRCh38"
    assert sum(a["class"] == "spot" for a in document.all("circle")) == sum(
        bool(row.frequencies) for row in answer.rows
    )


def test_a_page_of_some_rows_links_to_the_others_and_names_its_rows() -> None:
    page = region_page(fake_hub.many_rows(100, 300, 100, False))
    assert set(re.findall(r'href="(/region[^"]*)"', page)) >= {
        "/region?q=BRCA2&amp;assembly=GRCh38&amp;skip=0",
        "/region?q=BRCA2&amp;assembly=GRCh38&amp;skip=200",
        "/region.csv?q=BRCA2&amp;assembly=GRCh38&amp;skip=100",
    }
    assert "101 to 200 of at least 300" in Document(page).text


@pytest.mark.parametrize("answer", ["empty", "evil", "part"])
def test_any_answer_makes_a_whole_page(answer: str) -> None:
    Document(region_page(fake_hub.REGIONS[answer](0))).check()
