# SPDX-License-Identifier: Apache-2.0
"""People at a real hub, each in a browser of their own: who they are, and what a test begins with."""

import secrets
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

from litestar import Litestar
from playwright.sync_api import Page

from megagenome.app.hub import Hub
from megagenome.app.hub_access import identify_cohort
from megagenome.identity.roles import Scope
from megagenome.kernel.callers import Role
from tests.access.hub import DEFINITION

HOSTILE = '<img src=x onerror="window.hacked=1">"\'></textarea><script>window.hacked=1</script>'
HOME = "university.example"
PEOPLE = {
    "rosa": (Role.RESEARCHER, Scope(organisation=HOME)),
    "ben": (Role.RESEARCHER, Scope(organisation=HOME)),
    "olav": (Role.SIGNING_OFFICIAL, Scope(organisation=HOME)),
    "carla": (Role.DAC_CHAIR, Scope()),
    "evil": (Role.DAC_MEMBER, Scope()),
    "aino": (Role.AUDITOR, Scope()),
}


class World(NamedTuple):
    hub: str
    provider: str
    opened: Hub
    app: Litestar


Enter = Callable[..., Page]
"""Signs somebody in, in a browser of their own."""


def begin(page: Page, world: World, definition: str = DEFINITION) -> str:
    """A draft over two datasets, begun with what the page of a saved cohort sends; its address."""
    fields = [
        ("csrf", save(page, world, definition)),
        ("order", secrets.token_urlsafe()),
        ("cohort", identify_cohort(definition)),
        *(("dataset", each) for each in ("node.ee EE GDI-EE-1", "node.fi FI GDI-FI-1")),
    ]
    answer = page.request.post(
        f"{world.hub}/applications",
        data=urlencode(fields),
        headers={"content-type": "application/x-www-form-urlencoded", "origin": world.hub},
        max_redirects=0,
    )
    assert answer.status == 303, answer.text()
    return world.hub + answer.headers["location"]


def save(page: Page, world: World, definition: str = DEFINITION, title: str = "Women") -> str:
    """Save a cohort by the API, which takes any definition; the session's token against forgery."""
    page.goto(f"{world.hub}/account")
    cohort = {"cohort": identify_cohort(definition), "definition": definition, "question": "sex=female", "title": title}
    headers = {"origin": world.hub, "x-csrf-token": token(page)}
    answer = page.request.post(f"{world.hub}/access/cohorts", data=cohort, headers=headers)
    assert answer.status == 200, answer.text()
    return token(page)


def token(page: Page) -> str:
    return page.locator("input[name=csrf]").first.get_attribute("value") or ""
