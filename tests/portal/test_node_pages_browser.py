# SPDX-License-Identifier: Apache-2.0
"""A node's pages for its own people in Debian's Chromium: accessible, not too wide, and nothing hostile runs."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from litestar import Litestar, Response, get
from playwright.sync_api import Browser, sync_playwright

from megagenome.kernel.ledger_pages import Page
from megagenome.portal.catalogue_page import catalogue_page
from megagenome.portal.ledger_page import Asked, ledger_page
from megagenome.portal.node_desk import desk_page, proposal_page
from megagenome.portal.own_genome_page import own_genome_page, steward_page
from megagenome.portal.pages import html, render
from megagenome.portal.record_page import list_page, record_page
from megagenome.portal.site import static_file
from megagenome.portal.submission_pages import submission_page, submissions_page
from megagenome.standards.catalogue_pages import StewardLine, WithdrawnPage
from megagenome.standards.dataset_fields import faults
from megagenome.standards.desk import DeskPage
from megagenome.standards.submission import State, Submissions
from tests.portal.fake_hub import EVIL
from tests.portal.submitted import preview, report, submission
from tests.portal.test_browser import ARGUMENTS, check_looks, opened, serving
from tests.portal.test_catalogue_page import dataset, previewed, whole
from tests.portal.test_ledger_page import ENTRY, FINE
from tests.portal.test_node_desk import item, proposal
from tests.portal.test_own_genome_page import genome
from tests.portal.test_record_page import hostile, view

pytestmark = pytest.mark.browser


def shown(state: State, alleles: int | None = None, parts: int = 1) -> str:
    found = submission("words", state, parts=parts), report("S"), preview("words", alleles)
    return submission_page(*found, may_send=True, may_decide=True, has_receipt=True)


PAGES: dict[str, Callable[[], str]] = {
    "desk": lambda: desk_page(DeskPage(1, 0, (item(EVIL),))),
    "proposal": lambda: proposal_page(proposal(EVIL), problem=EVIL),
    "genome": lambda: own_genome_page(genome(EVIL), said=EVIL),
    "unknown": lambda: render("own_genome_unknown.html", reason=EVIL),
    "steward": lambda: steward_page(problem=EVIL),
    "steward-person": lambda: own_genome_page(genome("words"), for_steward=True),
    "catalogue": lambda: catalogue_page(whole(dataset(EVIL), dataset(), says=EVIL)),
    "catalogue-dataset": lambda: catalogue_page(dataset(EVIL)),
    "catalogue-preview": lambda: catalogue_page(dataset(EVIL), previewed(EVIL)),
    "catalogue-preview-counting": lambda: catalogue_page(dataset(), previewed(answers=None, state="published")),
    "catalogue-withdrawn": lambda: catalogue_page(WithdrawnPage(EVIL, EVIL, "2026-01-05")),
    "records": lambda: list_page((StewardLine("A", EVIL, "draft", False, 1, True, 3),)),
    "record": lambda: record_page(
        view(hostile(), says=EVIL), typed=hostile(), problems=faults(hostile(), is_open=False), problem=EVIL, said=EVIL
    ),
    "submissions": lambda: submissions_page(
        Submissions((submission(EVIL),)), EVIL, EVIL, is_provider=True, problem=EVIL
    ),
    "submission-open": lambda: shown(State.OPEN, parts=0),
    "submission-reported": lambda: shown(State.REPORTED),
    "submission-accepted": lambda: shown(State.ACCEPTED, alleles=600),
    "submission-published": lambda: submission_page(
        submission(state=State.ACCEPTED),
        None,
        msgspec.structs.replace(preview("words", 600), counted_before=30, alleles_before=612),
        may_send=False,
        may_decide=True,
        has_receipt=True,
    ),
    "ledger": lambda: ledger_page(Asked(EVIL, EVIL), Page((ENTRY,), 1), FINE, on_node=True),
}


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    def served(name: str, page: Callable[[], str]) -> Any:
        @get(f"/{name}", sync_to_thread=False)
        def show() -> Response[str]:
            return html(page())

        return show

    pages = [served(name, page) for name, page in PAGES.items()]
    with serving(Litestar([*pages, static_file], openapi_config=None)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_accessible(browser: Browser, node: str, name: str) -> None:
    with opened(browser, f"{node}/{name}") as page:
        check_looks(page)
