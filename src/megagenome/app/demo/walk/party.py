# SPDX-License-Identifier: Apache-2.0
"""Everybody who walks: each with a browser of their own, signed in where they act."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

import httpx
import msgspec

from megagenome.app.demo.walk.browser import Browser
from megagenome.app.demo.walk.model import Person, Site, Step, Way
from megagenome.kernel.errors import Unavailable
from megagenome.standards.application import ApplicationShown
from megagenome.standards.desk import DeskPermit


class Party:
    """The people of one walk, and what came of it so far: `cohort`, `application` and `permit`, the ids.

    Each has one session for each server; `seconds` is what was measured on the way.
    """

    def __init__(self, way: Way, closing: ExitStack, seconds: dict[str, float]) -> None:
        self.way = way
        self.cohort = self.application = self.permit = ""
        self.seconds = seconds
        self._browsers: dict[str, Browser] = {}
        self._closing = closing

    def sign_in(self) -> Iterator[Step]:
        """Everybody signs in where they act; who reads, and who audits, at the nodes too."""
        way = self.way
        for who, person in way.people.items():
            yield self.signing(who, person, way.hub, "hub")
        yield self.signing("citizen", way.citizen, way.grants.url, way.grants.id)
        for site in (way.grants, way.refuses):
            yield self.signing(f"decider of {site.country}", site.decider, site.url, site.id)
            for who in ("researcher", "auditor"):
                yield self.signing(who, way.people[who], site.url, site.id)

    def signing(self, who: str, person: Person, url: str, where: str) -> Step:
        """Somebody signs in at a server."""
        return Step(f"the {who} signs in", where, f"as {person.name}", partial(self._sign_in, who, person, url))

    def _sign_in(self, who: str, person: Person, url: str) -> str:
        account = self.browser(who).sign_in(url, person.name, person.password)
        return f"as {person.name}" if f"{person.name}@" in account.content.text else account.content.text[:100]

    def browser(self, who: str) -> Browser:
        """Somebody's own."""
        if who not in self._browsers:
            self._browsers[who] = self._closing.enter_context(Browser())
        return self._browsers[who]

    def address(self, page: str) -> str:
        """Of a page of the application, as the hub's own links write it."""
        return f"/applications/{self.application}{page}"

    def url(self, page: str) -> str:
        """The same with the hub's address."""
        return self.way.hub + self.address(page)

    def shown(self, who: str) -> ApplicationShown:
        """The application, as the hub tells somebody's programs."""
        url = f"{self.way.hub}/access/applications/{self.application}"
        return msgspec.json.decode(require(self.browser(who).get_json(url)), type=ApplicationShown)

    def command(self, who: str, verb: str, values: Mapping[str, str | Sequence[str]], page: str = "") -> str:
        """Send a command by the form on the application's page; the state afterwards."""
        browser = self.browser(who)
        browser.submit(browser.open(self.url(page)), self.address(f"/{verb}"), values)
        return self.shown(who).state

    def part_at(self, site: Site) -> str:
        """How its dataset stands, as the node tells its country's decider."""
        url = f"{site.url}/access/desk/{self.permit}"
        told = msgspec.json.decode(require(self.browser(f"decider of {site.country}").get_json(url)), type=DeskPermit)
        return next(part.state for part in told.item.parts if part.dataset == site.dataset)


def require(response: httpx.Response) -> bytes:
    """The content. Raises `Unavailable` with what the server says where it is not 200."""
    if response.status_code != 200:
        raise Unavailable(f"{response.url} answers {response.status_code}: {response.text[:300]}")
    return response.content
