# SPDX-License-Identifier: Apache-2.0
"""People sign in at a hub in Debian's Chromium, by the demo's provider: two servers, real cookies, real policies."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from megagenome.app.hub import Hub, init_hub, open_hub
from megagenome.app.hub_app import hub_app
from megagenome.app.provider_app import provider_app
from megagenome.identity.demo_accounts import make_account
from megagenome.identity.provider import Client, DemoProvider
from tests.journeys.network import free_ports
from tests.portal.test_browser import ARGUMENTS, check_looks, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning"),
]

HOSTILE = '<img src=x onerror="window.hacked=1">'


class World(NamedTuple):
    hub: str
    provider: str
    opened: Hub


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    hub_port = free_ports(2)
    provider_port = hub_port + 1
    hub_url, issuer = f"http://127.0.0.1:{hub_port}", f"http://127.0.0.1:{provider_port}"
    folder = tmp_path_factory.mktemp("hub")
    init_hub(folder, name="Network", identity="org.hub", port=hub_port, assembly="GRCh38")
    with (folder / "hub.toml").open("a") as file:
        file.write(f'[signin]\nissuer = "{issuer}"\nclient_id = "hub"\nprovider = "Demo sign-in"\n')
    accounts = (
        make_account("rosa", "Rosa Researcher", "university.example", ("faculty@university.example",), "right"),
        make_account("sofia", "Sofia Steward", "university.example", (), "right"),
        make_account("evil", HOSTILE, HOSTILE, (), "right"),
    )
    provider = DemoProvider(issuer, accounts, (Client("hub", f"{hub_url}/login/callback"),))
    opened = open_hub(folder)
    with serving(provider_app(provider), provider_port), serving(hub_app(opened), hub_port):
        yield World(hub_url, issuer, opened)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def sign_in(page: Page, world: World, name: str, *, wrongly: bool = False) -> None:
    page.goto(f"{world.hub}/login?next=/account")
    page.get_by_role("link", name="Sign in with Demo sign-in").click()
    page.wait_for_url(f"{world.provider}/authorize?**")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("wrong" if wrongly else "right")
    page.get_by_role("button", name="Sign in").click()


def test_a_person_signs_in_and_out(page: Page, context: BrowserContext, world: World) -> None:
    page.goto(world.hub)
    page.get_by_role("banner").get_by_role("link", name="Sign in").click()
    check_looks(page)
    sign_in(page, world, "rosa", wrongly=True)
    assert "do not belong together" in page.get_by_role("alert").inner_text()
    check_looks(page)
    page.get_by_label("Name").fill("rosa")
    page.get_by_label("Password").fill("right")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{world.hub}/account")
    assert page.locator("h1").inner_text() == "Rosa Researcher"
    check_looks(page)
    assert page.evaluate("document.cookie") == ""
    assert {cookie["name"].split("_")[0] for cookie in context.cookies()} == {"session"}
    page.get_by_role("button", name="I have read the terms and accept them").click()
    page.wait_for_url(f"{world.hub}/account")
    assert "You have it" in page.locator("main").inner_text()
    page.goto(f"{world.hub}/help")
    page.get_by_role("link", name="Signed in as Rosa Researcher").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(f"{world.hub}/login?out=1")
    check_looks(page)
    assert context.cookies() == []
    page.goto(f"{world.hub}/account")
    page.wait_for_url(f"{world.hub}/login?next=%2Faccount")


def test_signing_out_everywhere_reaches_another_browser(chromium: Browser, world: World) -> None:
    here, there = chromium.new_context().new_page(), chromium.new_context().new_page()
    for page in (here, there):
        sign_in(page, world, "sofia")
        page.wait_for_url(f"{world.hub}/account")
    here.reload()
    assert here.get_by_role("button", name="End the session").count() == 1
    here.get_by_role("button", name="Sign out everywhere").click()
    here.wait_for_url(f"{world.hub}/login?out=1")
    there.goto(f"{world.hub}/account")
    there.wait_for_url(f"{world.hub}/login?**")
    for page in (here, there):
        page.context.close()


def test_a_hostile_name_is_text_on_every_page(page: Page, world: World) -> None:
    sign_in(page, world, "evil")
    page.wait_for_url(f"{world.hub}/account")
    assert page.locator("h1").inner_text() == HOSTILE
    check_looks(page)
    page.goto(world.hub)
    assert page.locator(".visitor img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_a_page_of_another_server_cannot_act_as_the_person(page: Page, world: World) -> None:
    """The demo's provider has another port, so another origin: its pages may not send forms to the hub."""
    sign_in(page, world, "rosa")
    page.wait_for_url(f"{world.hub}/account")
    token = page.locator("input[name=csrf]").first.get_attribute("value")
    page.goto(f"{world.provider}/jwks")
    page.evaluate(
        """([hub, token]) => {
          const form = `<form method="post" action="${hub}/logout"><input name="csrf" value="${token}"></form>`;
          document.body.innerHTML = form;
          document.forms[0].submit();
        }""",
        [world.hub, token],
    )
    page.wait_for_url(f"{world.hub}/logout")
    assert "sent by a page of another site" in page.locator("main").inner_text()
    page.goto(f"{world.hub}/account")
    assert page.locator("h1").inner_text() == "Rosa Researcher"
