# SPDX-License-Identifier: Apache-2.0
"""A node's own start page."""

from litestar import Litestar, get
from litestar.testing import TestClient

from megagenome.portal.node_home import Link, NodeHome, node_error_pages, node_home_page, node_home_router
from megagenome.standards.federation import DatasetState
from tests.portal import fake_hub
from tests.portal.document import Document

SERVICES = (Link("GA4GH Beacon v2", "/beacon/v2", "counts"), Link("Odd", "javascript:alert(1)"))
HOME = NodeHome(
    "Estonian genome node",
    "EE",
    "0.1.0",
    (DatasetState("GDI-EE-COHORT-001", "Biobank", "whole genomes", True), DatasetState("GDI-EE-RARE-001", "")),
    SERVICES,
    (Link("Portal of the network", "https://hub.example"),),
)


def test_it_says_who_it_is_what_it_holds_and_where_programs_find_it() -> None:
    document = Document(node_home_page(HOME))
    document.check()
    for words in (
        "National genome node · Estonia",
        "Estonian genome node",
        "Biobank",
        "all: declared open",
        "/beacon/v2",
    ):
        assert words in document.text
    places = ["#main", "/", "/", "/fairdp"]
    datasets = [f"/fairdp/dataset/{each.id}" for each in HOME.datasets]
    assert [a["href"] for a in document.all("a")] == [*places, "https://hub.example", *datasets, "/beacon/v2"]


def test_an_empty_node_says_so() -> None:
    assert "No dataset is published yet." in Document(node_home_page(NodeHome("N", "EE", "0"))).text


def test_hostile_text_stays_text() -> None:
    evil = fake_hub.EVIL
    home = NodeHome(
        evil, evil, evil, (DatasetState(evil, evil, evil),), (Link(evil, evil, evil),), (Link(evil, evil, evil),)
    )
    Document(node_home_page(home)).check()


def test_the_page_is_served_with_its_style_and_shows_todays_datasets() -> None:
    homes = iter([NodeHome("N", "EE", "0"), HOME])

    @get("/broken")
    async def broken() -> str:
        raise ValueError("secret")

    app = Litestar(
        [node_home_router(lambda: next(homes)), broken], exception_handlers=node_error_pages, openapi_config=None
    )
    with TestClient(app, raise_server_exceptions=False) as browser:
        first, second = browser.get("/"), browser.get("/")
        assert ("No dataset" in first.text, "Biobank" in second.text) == (True, True)
        assert first.headers["content-security-policy"].startswith("default-src 'self'")
        for attributes in (*Document(first.text).all("link"), *Document(first.text).all("script")):
            assert browser.get(attributes.get("src") or attributes["href"]).status_code == 200
        failed = browser.get("/broken")
        assert (failed.status_code, "secret" in failed.text, "/cohort" in failed.text) == (500, False, False)
