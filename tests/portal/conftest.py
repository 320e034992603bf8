# SPDX-License-Identifier: Apache-2.0
"""A hub that people sign in to by the demo's provider, in Debian's Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from megagenome.app.hub import Hub, init_hub, open_hub
from megagenome.app.hub_app import hub_app
from megagenome.app.provider_app import provider_app
from megagenome.identity.demo_accounts import make_account
from megagenome.identity.provider import Client, DemoProvider
from megagenome.identity.roles import grant_role
from megagenome.identity.subjects import subject_of
from megagenome.kernel import clock
from megagenome.network.joined_nodes import add_joined
from megagenome.standards.descriptor import meet
from tests.journeys.network import free_ports
from tests.network.joining import server
from tests.portal.people_in_browsers import HOME, HOSTILE, PEOPLE, Enter, World
from tests.portal.test_browser import ARGUMENTS, serving


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    hub_port = free_ports(2)
    provider_port = hub_port + 1
    hub_url, issuer = f"http://127.0.0.1:{hub_port}", f"http://127.0.0.1:{provider_port}"
    folder = tmp_path_factory.mktemp("hub")
    init_hub(folder, name="Network", identity="org.hub", port=hub_port, assembly="GRCh38")
    with (folder / "hub.toml").open("a") as file:
        file.write(f'[signin]\nissuer = "{issuer}"\nclient_id = "hub"\nprovider = "Demo sign-in"\n')
    names = {name: HOSTILE if name == "evil" else f"{name.title()} {role}" for name, (role, _) in PEOPLE.items()}
    accounts = tuple(make_account(name, names[name], HOME, (), "right") for name in PEOPLE)
    provider = DemoProvider(issuer, accounts, (Client("hub", f"{hub_url}/login/callback"),))
    opened = open_hub(folder)
    with opened.engine.begin() as connection:
        for name, (role, scope) in PEOPLE.items():
            grant_role(connection, subject_of(name, issuer), role, scope, "test")
    _join(opened, folder / "nodes")
    app = hub_app(opened)
    with serving(provider_app(provider), provider_port), serving(app, hub_port):
        yield World(hub_url, issuer, opened, app)


def _join(hub: Hub, folder: Path) -> None:
    """Two countries' nodes joined, and nobody answers at their addresses."""
    for port, country in enumerate(("EE", "FI"), 8):
        with server(folder, f"node.{country.lower()}", country, f"http://127.0.0.1:{port}") as node:
            token = node.described()
            with hub.engine.begin() as connection:
                add_joined(connection, meet(token), token, clock.now())


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def enter(chromium: Browser, world: World) -> Iterator[Enter]:
    """Signs somebody in, in a browser of their own. At the end nothing foreign may have run anywhere."""
    contexts: list[BrowserContext] = []

    def enter(name: str, *, scripts: bool = True) -> Page:
        context = chromium.new_context(java_script_enabled=scripts)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
        page.goto(f"{world.hub}/login/start?next=/for-you")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill("right")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{world.hub}/for-you")
        return page

    yield enter
    for context in contexts:
        for page in context.pages:
            assert page.evaluate("window.hacked") is None
        context.close()
