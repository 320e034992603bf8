# SPDX-License-Identifier: Apache-2.0
"""The pages over HTTP, on a hub whose API answers from a table."""

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from megagenome.portal.examples import Example
from tests.portal import fake_hub
from tests.portal.document import Document

Browser = TestClient[Litestar]

PAGES = [
    "/",
    "/?q=BRCA99",
    "/variant?q=22-16050075-A-G&assembly=GRCh37",
    "/variant?q=1-1-A-T",
    "/variant?q=everywhere",
    "/variant?q=evil",
    "/variant?q=nobody",
    "/variant?q=no",
    "/variant?q=crash",
    "/region?q=BRCA2",
    "/region?q=part&skip=100",
    "/region?q=empty",
    "/region?q=evil",
    "/cohort",
    "/cohort?sex=female&age_from=40&age_to=60&phenotype=HP:0001250",
    "/cohort?phenotype=onset",
    "/cohort?phenotype=evil",
    "/cohort?disease=zz",
    "/cohort?age_from=x&sex=no",
    "/cohort?country=ZZ",
    "/cohort?country=EE",
    "/datasets",
    "/datasets/d1",
    "/datasets/gone",
    "/nodes",
    "/help",
    "/no/such/page",
]
"""Every kind of page, also those of errors and of hostile answers."""


@pytest.fixture(scope="module")
def hub() -> Iterator[Browser]:
    with TestClient(fake_hub.fake_hub(fake_hub.states())) as client:
        yield client


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_whole_and_guarded(hub: Browser, page: str) -> None:
    response = hub.get(page)
    Document(response.text).check()
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("address", "status", "place"),
    [
        ("/?q=22-16050075-A-G", 303, "/variant?q=22-16050075-A-G&assembly=GRCh37"),
        ("/?q=%20BRCA2%20&assembly=GRCh38", 303, "/region?q=BRCA2&assembly=GRCh38"),
        ("/?q=", 200, None),
        ("/?q=BRCA99", 400, None),
        ("/variant", 400, None),
        ("/variant?q=no", 400, None),
        ("/variant?q=crash", 503, None),
        ("/variant?q=nonsense", 503, None),
        ("/region?q=no", 400, None),
        ("/region?q=BRCA2&skip=x", 400, None),
        ("/cohort?sex=", 400, None),
        ("/cohort?country=XX", 400, None),
        ("/cohort?sex=x", 400, None),
        ("/cohort?phenotype=onset", 200, None),
        ("/nope", 404, None),
    ],
)
def test_addresses_lead_to_pages(hub: Browser, address: str, status: int, place: str | None) -> None:
    response = hub.get(address, follow_redirects=False)
    assert (response.status_code, response.headers.get("location")) == (status, place)


def test_a_text_that_names_nothing_shows_the_reason_beside_the_box(hub: Browser) -> None:
    text = Document(hub.get("/?q=BRCA99&assembly=GRCh37").text).text
    assert "'BRCA99' names no variant, region or gene on GRCh37" in text


def test_the_question_that_the_api_gets_is_that_of_the_form(hub: Browser) -> None:
    asked = hub.app.state.questions
    asked.clear()
    hub.get("/cohort?sex=female&age_from=40&phenotype=seizure&disease=&carrier=22-1-A-G&assembly=GRCh37")
    assert asked == ["sex=female age>=40 phenotype=HP:0001250 carries=22-1-A-G@GRCh37"]
    asked.clear()
    hub.get("/cohort?phenotype=onset")
    hub.get("/cohort?age_from=x")
    assert asked == []


@pytest.mark.parametrize(
    ("address", "name", "lines"),
    [
        ("/variant.csv?q=22-16050075-A-G", "megagenome-22-16050075-A-G-GRCh37.csv", 18),
        ("/variant.csv?q=22-16050075-A-G&table=nodes", "megagenome-22-16050075-A-G-GRCh37-nodes.csv", 9),
        ("/region.csv?q=part&skip=100", "megagenome-BRCA2-GRCh38-from-101.csv", 26),
        ("/cohort.csv?sex=male", "megagenome-cohort.csv", 7),
        ("/nodes.csv", "megagenome-nodes.csv", 13),
    ],
)
def test_downloads(hub: Browser, address: str, name: str, lines: int) -> None:
    response = hub.get(address)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert response.text.count("\r\n") == lines


@pytest.mark.parametrize(
    "address", ["/variant.csv?q=no", "/region.csv?q=no", "/cohort.csv?phenotype=onset", "/cohort.csv"]
)
def test_a_download_of_nothing_is_an_error_page(hub: Browser, address: str) -> None:
    response = hub.get(address)
    assert (response.status_code, "<h1>" in response.text) == (400, True)


def test_links_and_forms_on_a_page_lead_somewhere(hub: Browser) -> None:
    for page in PAGES[:3]:
        places = [attributes["href"] for attributes in Document(hub.get(page).text).all("a")]
        here = [place for place in places if place.startswith("/")]
        assert here
        for place in here:
            assert hub.get(place).status_code == 200, place


def test_pages_work_while_the_networks_state_is_not_known() -> None:
    with TestClient(fake_hub.fake_hub(None)) as hub:
        assert [hub.get(page).status_code for page in ("/", "/cohort", "/?q=BRCA99", "/nodes")] == [200, 200, 400, 503]


def test_a_portal_can_have_its_own_examples() -> None:
    with TestClient(fake_hub.fake_hub(fake_hub.states(), examples=[Example("17-1-A-T", "GRCh38", "a variant")])) as hub:
        assert "/?q=17-1-A-T&amp;assembly=GRCh38" in hub.get("/").text
