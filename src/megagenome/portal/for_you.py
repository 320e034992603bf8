# SPDX-License-Identifier: Apache-2.0
"""The start page of somebody who is signed in: what waits for them, and where their roles lead."""

from typing import NamedTuple

from litestar import Response, get

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.callers import Caller, Role
from megagenome.portal.application_client import Access
from megagenome.portal.client import reader_of
from megagenome.portal.navigation import ASSESSING
from megagenome.portal.pages import html, render
from megagenome.standards.application import Page, Scope, State
from megagenome.web import Http

_MINE = frozenset({State.DRAFT, State.RETURNED})
_OVER = frozenset({State.EXPIRED, State.REVOKED, State.REJECTED, State.WITHDRAWN, State.CLOSED})
_SHOWN = 12


class Card(NamedTuple):
    """A place that one may want to go to."""

    title: str
    address: str
    says: str


@get("/for-you")
async def for_you(request: Http) -> Response[str]:
    """What waits for who reads it."""
    caller = VISIT.get().caller
    caller.require_subject()
    access = Access(reader_of(request))
    desk = await access.list(Scope.DESK, limit=_SHOWN) if caller.roles & ASSESSING else None
    return html(for_you_page(caller, await access.list(Scope.MINE), desk))


def for_you_page(caller: Caller, mine: Page, desk: Page | None) -> str:
    """The page. `desk` is None for who has none."""
    return render(
        "for_you.html",
        desk=desk,
        yours=[line for line in mine.lines if line.state in _MINE][:_SHOWN],
        running=[line for line in mine.lines if line.state not in _MINE | _OVER][:_SHOWN],
        cards=_cards(caller),
    )


def _cards(caller: Caller) -> list[Card]:
    cards = [
        Card(
            "Count a cohort", "/cohort", "Ask how many people of the network match, and apply for access to their data."
        ),
        Card("My cohorts", "/cohorts", "Those that you saved: ask again, or apply for access to their data."),
        Card("My applications", "/applications", "Those in which you take part, with each country's answer."),
        Card("Your account", "/account", "Who you are here, your roles, registered access, where you are signed in."),
    ]
    if caller.roles & ASSESSING:
        cards.insert(0, Card("Your desk", "/desk", "Applications that wait for you, the most urgent first."))
    if Role.AUDITOR in caller.roles:
        cards.insert(0, Card("The ledger", "/ledger", "What was decided and used, verified from the first entry on."))
        cards.insert(1, Card("All applications", "/desk?show=all", "Their states, times and decisions."))
    return cards
