# SPDX-License-Identifier: Apache-2.0
"""A sealed file is sent from a page in Debian's Chromium: in parts with their checksums, and only those that the node
does not have; what is not sealed does not leave the browser."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, Request, Response, get, put
from litestar.params import FromPath
from playwright.sync_api import Browser, Page, sync_playwright

from megagenome.portal.pages import html
from megagenome.portal.site import static_file
from megagenome.portal.submission_pages import submission_page
from megagenome.standards.problem import MEDIA_TYPE
from megagenome.standards.submission import ROOT, State, read_content_digest
from tests.portal.submitted import ID, submission
from tests.portal.test_browser import ARGUMENTS, opened, serving

pytestmark = pytest.mark.browser

PART_BYTES = 8 << 20


class Node:
    """An inbox that has part 0 of the first two files; it refuses part `fails_at` as long as it is stated."""

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}
        self.fails_at = -1

    def app(self) -> Litestar:
        @get("/page", sync_to_thread=False)
        def page() -> Response[str]:
            shown = submission("words", State.OPEN)
            return html(submission_page(shown, None, None, may_send=True, may_decide=False, has_receipt=False))

        @put(f"{ROOT}/{ID}/files/{{file:int}}/parts/{{part:int}}", status_code=201, request_max_body_size=PART_BYTES)
        async def take(file: FromPath[int], part: FromPath[int], request: Request[Any, Any, Any]) -> Response[bytes]:
            if part == self.fails_at:
                problem = b'{"title":"No room","status":507,"detail":"the node has no room for this now"}'
                return Response(problem, status_code=507, media_type=MEDIA_TYPE)
            body = await request.body()
            assert read_content_digest(request.headers["content-digest"]) == hashlib.sha256(body).hexdigest()
            assert "x-csrf-token" in request.headers
            self.parts[f"{file}/{part}"] = body
            return Response(b"{}", status_code=201)

        return Litestar([page, take, static_file], openapi_config=None)


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def address(node: Node) -> Iterator[str]:
    with serving(node.app()) as found:
        yield f"{found}/page"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield chromium
        chromium.close()


def choose(page: Page, file: int, path: Path) -> Any:
    """Choose a file for a form and send it; the form."""
    form = page.locator(f'form[action="/submissions/{ID}/files/{file}"]')
    form.locator("input[type=file]").set_input_files(path)
    form.locator("button").click()
    return form


def test_a_file_is_sent_in_parts(browser: Browser, address: str, node: Node, tmp_path: Path) -> None:
    content = b"crypt4gh" + hashlib.shake_128(b"x").digest(2 * PART_BYTES)
    (tmp_path / "people.c4gh").write_bytes(content)
    with opened(browser, address) as page, page.expect_navigation():
        choose(page, 2, tmp_path / "people.c4gh")
    assert list(node.parts) == ["2/0", "2/1", "2/2"]
    assert b"".join(node.parts.values()) == content


def test_what_is_there_is_not_sent_again(browser: Browser, address: str, node: Node, tmp_path: Path) -> None:
    (tmp_path / "cohort.c4gh").write_bytes(b"crypt4gh" + bytes(PART_BYTES))
    with opened(browser, address) as page, page.expect_navigation():
        choose(page, 0, tmp_path / "cohort.c4gh")
    assert list(node.parts) == ["0/1"]


def test_what_the_node_refuses_is_said(browser: Browser, address: str, node: Node, tmp_path: Path) -> None:
    (tmp_path / "people.c4gh").write_bytes(b"crypt4gh" + bytes(PART_BYTES))
    node.fails_at = 1
    page = browser.new_page()
    page.goto(address)
    form = choose(page, 2, tmp_path / "people.c4gh")
    form.get_by_text("the node has no room for this now").wait_for()
    node.fails_at = -1
    with page.expect_navigation():
        form.locator("button").click()
    page.close()
    assert list(node.parts) == ["2/0", "2/1"]


def test_what_is_not_sealed_stays_here(browser: Browser, address: str, node: Node, tmp_path: Path) -> None:
    (tmp_path / "people.tsv").write_bytes(b"individual_id\n")
    with opened(browser, address) as page:
        choose(page, 2, tmp_path / "people.tsv").get_by_text("This is no Crypt4GH file").wait_for()
    assert node.parts == {}
