# SPDX-License-Identifier: Apache-2.0
"""A person finds a variant with a browser: from the search box of the hub to its page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.journeys.conftest import Small
from tests.journeys.small import ALLELE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(small: Small) -> str:
    """The portal of a hub over two small nodes."""
    return small.hub.url


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    """Made after the network, since Playwright keeps the thread's event loop for itself."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(20_000)
        yield page
        browser.close()


def test_from_the_search_box_to_the_variant(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Variant, region or gene").last.fill(f"chr{ALLELE}")
    page.get_by_label("GRCh37").check()
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/variant?**")
    text = page.locator("main").inner_text()
    assert ALLELE in text
    for shown in ("Finland", "Estonia"):
        assert shown in text
    # 3 copies of 12 alleles at each node, 6 of 24 over both
    rows = [row.inner_text().split() for row in page.locator("table tr").all()]
    assert any("6" in row and "24" in row for row in rows)


def test_from_a_region_to_one_of_its_variants(page: Page, address: str) -> None:
    page.goto(f"{address}/region?q=22:16050000-16060000&assembly=GRCh37")
    page.get_by_role("link", name=ALLELE).first.click()
    page.wait_for_url("**/variant?**")
    assert ALLELE in page.title() or ALLELE in page.locator("h1").inner_text()


def test_cohort_form(page: Page, address: str) -> None:
    page.goto(f"{address}/cohort")
    page.locator("input[name=phenotype]").fill("HP:0001250")
    page.locator("input[name=phenotype]").press("Enter")
    page.wait_for_url("**/cohort?**")
    assert "12" in page.locator("main").inner_text()
