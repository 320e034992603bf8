# SPDX-License-Identifier: Apache-2.0
"""People at screens of their own: a browser for each, who sign in at the demo's provider; and pages looked at."""

import itertools
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from megagenome.app.demo.walk.model import Person
from tests.portal.test_browser import LOOKS, WCAG

TIMEOUT_MS = 20_000


class Screens:
    """The browsers of everybody on the way. Each page that is looked at gets the next look by turn, light or dark, wide
    or narrow, and a picture in `folder`."""

    def __init__(self, chromium: Browser, folder: Path, hosts: set[str], looks_at_once: int = 1) -> None:
        """`hosts` are the servers of the way: nobody's browser asks another one."""
        self._chromium, self._folder, self._hosts = chromium, folder, hosts
        self._looks, self._at_once = itertools.cycle(LOOKS), looks_at_once
        self._contexts: dict[str, BrowserContext] = {}
        self.seen: list[str] = []
        self.wrong: list[str] = []

    def of(self, who: str, *, scripts: bool = True) -> Page:
        """A new page in somebody's own browser."""
        if who not in self._contexts:
            self._contexts[who] = self._chromium.new_context(java_script_enabled=scripts)
        page = self._contexts[who].new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: self.wrong.append(f"{who} at {page.url}: {error}"))
        page.on("dialog", lambda dialog: self.wrong.append(f"{who} at {page.url}: {dialog.message}"))
        page.on("request", lambda request: self._note_request(who, request.url))
        return page

    def _note_request(self, who: str, url: str) -> None:
        if urlsplit(url).netloc not in self._hosts:
            self.wrong.append(f"{who} asked {url}")

    def signed_in(self, who: str, person: Person, server: str, then: str) -> Page:
        """Somebody's page `then` at a server, reached by its sign-in."""
        page = self.of(who)
        page.goto(f"{server}/login/start?next={then}")
        if urlsplit(page.url).netloc != urlsplit(server).netloc:  # else the provider knew them already
            self.look(page, "sign-in", once=True)
            page.get_by_label("Name").fill(person.name)
            page.get_by_label("Password").fill(person.password)
            page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{server}{then}")
        return page

    def look(self, page: Page, name: str, *, once: bool = False) -> None:
        """Nothing of the page is wider than the screen, axe finds no fault, and there is a picture of it.

        once  look at the first page of this name only
        """
        if once and any(each.endswith(f"-{name}") for each in self.seen):
            return
        self.seen.append(f"{len(self.seen) + 1:02}-{name}")
        for scheme, width in itertools.islice(self._looks, self._at_once):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=self._folder / f"{self.seen[-1]}-{scheme}-{width}.png", full_page=True)
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wider > 0:
                self.wrong.append(f"{self.seen[-1]}: {wider} px too wide at {width}")
            found = Axe().run(page, options=WCAG)
            if found.violations_count:
                self.wrong.append(f"{self.seen[-1]}, {scheme}, {width} px: {found.generate_report()}")

    def close(self) -> None:
        """End all browsers."""
        for context in self._contexts.values():
            context.close()
