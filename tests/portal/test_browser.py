# SPDX-License-Identifier: Apache-2.0
"""The pages in Debian's Chromium: accessible by axe, as wide as the screen, and nothing hostile ever runs."""

import asyncio
import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from megagenome.portal.node_home import node_home_router
from tests.journeys.network import free_ports
from tests.portal import fake_hub
from tests.portal.test_node_home import HOME
from tests.portal.test_routes import PAGES

pytestmark = pytest.mark.browser

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
LOOKS = tuple(itertools.product(("light", "dark"), (1280, 400)))


@contextlib.contextmanager
def serving(app: fake_hub.Litestar, port: int = 0) -> Iterator[str]:
    """The address of `app`, served in a thread on a port of this machine; by default a free one."""
    port = port or free_ports(1)
    server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), daemon=True)
    thread.start()
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(20)
        loop.close()


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    with serving(fake_hub.fake_hub(fake_hub.states())) as address:
        yield address


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    app = fake_hub.Litestar([node_home_router(lambda: HOME)], openapi_config=None)
    with serving(app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield chromium
        chromium.close()


@contextlib.contextmanager
def opened(browser: Browser, address: str, *, scripts: bool = True, own_script: bool = True) -> Iterator[Page]:
    """A page in a context of its own. At the end nothing may have run that is not ours, nothing may have been asked
    of another server, and the console may hold nothing but the status of the page itself."""
    context: BrowserContext = browser.new_context(java_script_enabled=scripts)
    said: list[str] = []
    asked: list[str] = []
    if not own_script:
        context.route("**/portal.js*", lambda route: route.fulfill(body=""))
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(address)
        yield page
        assert page.evaluate("window.hacked") is None
        assert {urlsplit(url).netloc for url in asked} == {urlsplit(address).netloc}
        assert [text for text in said if not text.startswith("Failed to load resource: the server responded")] == []
    finally:
        context.close()


def check_looks(page: Page) -> None:
    """No fault by axe and nothing wider than the screen, in each scheme and width."""
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 900})
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{wider} px too wide at {width}"
        found = Axe().run(page, options=WCAG)
        assert found.violations_count == 0, f"{scheme}, {width} px: {found.generate_report()}"


@pytest.mark.parametrize("path", [page for page in PAGES if page != "/region?q=BRCA2"])
def test_every_page_is_accessible(browser: Browser, hub: str, path: str) -> None:
    with opened(browser, hub + path) as page:
        check_looks(page)


@pytest.mark.parametrize("path", ["/", "/variant?q=evil", "/region?q=part", "/cohort?phenotype=onset"])
def test_pages_are_accessible_without_scripts(browser: Browser, hub: str, path: str) -> None:
    # axe is a script itself: ours is withheld, which leaves the page as it is without scripts
    with opened(browser, hub + path, own_script=False) as page:
        check_looks(page)


def test_a_thousand_rows_fit_the_screen(browser: Browser, hub: str) -> None:
    with opened(browser, hub + "/region?q=BRCA2") as page:
        page.set_viewport_size({"width": 400, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        assert page.locator("#rows").inner_text() == "Variants 1 to 1,000 by position, all people"


def test_a_nodes_start_page_is_accessible(browser: Browser, node: str) -> None:
    with opened(browser, node) as page:
        check_looks(page)


def test_the_whole_way_by_keyboard_and_without_scripts(browser: Browser, hub: str) -> None:
    with opened(browser, hub, scripts=False) as page:
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Skip to the content"
        assert page.locator(":focus").bounding_box()["y"] >= 0
        page.focus("#q")
        page.keyboard.type("22-16050075-A-G")
        page.keyboard.press("Enter")
        page.wait_for_url("**/variant?q=22-16050075-A-G&assembly=GRCh37")
        assert page.locator("h1").inner_text() == "22-16050075-A-G"
        page.get_by_role("link", name="Cohorts").press("Enter")
        page.get_by_label("Phenotype").fill("onset")
        page.get_by_role("radio", name="female").check()
        page.get_by_role("button", name="Count").press("Enter")
        page.get_by_role("link", name="Focal-onset seizure").press("Enter")
        assert "1,639" in page.locator(".main-figure").inner_text()


def test_a_table_that_is_wider_than_the_screen_scrolls_by_keyboard(browser: Browser, hub: str) -> None:
    with opened(browser, hub + "/variant?q=22-16050075-A-G") as page:
        page.set_viewport_size({"width": 400, "height": 900})
        table = page.get_by_role("region", name="Allele frequency by sex, country and population")
        table.focus()
        page.keyboard.press("End")
        for _ in range(30):
            page.keyboard.press("ArrowRight")
        page.wait_for_function("document.querySelector('.scroll').scrollLeft > 100")


def test_scripts_suggest_terms_copy_the_command_and_say_that_nodes_are_asked(browser: Browser, hub: str) -> None:
    with opened(browser, hub + "/cohort?sex=male") as page:
        page.get_by_label("Phenotype").press_sequentially("onset")
        page.wait_for_selector("#phenotype-terms option", state="attached")
        options = page.locator("#phenotype-terms option")
        assert [option.get_attribute("value") for option in options.all()] == ["HP:0007359", "HP:0002197"]
        assert page.get_by_role("button", name="Copy").is_visible()
        page.evaluate("document.querySelector('form').addEventListener('submit', (event) => event.preventDefault())")
        page.get_by_role("button", name="Count").click()
        assert page.get_by_role("status").inner_text() == "Asking the nodes…"


def test_hostile_terms_are_suggested_as_text(browser: Browser, hub: str) -> None:
    with opened(browser, hub + "/cohort") as page:
        page.get_by_label("Phenotype").press_sequentially("evil")
        page.wait_for_selector("#phenotype-terms option", state="attached")
        assert page.locator("#phenotype-terms option").first.get_attribute("label") is None
        assert page.locator("#phenotype-terms *").count() == page.locator("#phenotype-terms option").count()
