# SPDX-License-Identifier: Apache-2.0
"""What a node tells of people by tier: to everybody, and to who has registered access."""

from collections.abc import Iterator
from functools import partial

import msgspec

from megagenome.app.demo.walk.browser import Browser, Page
from megagenome.app.demo.walk.model import SEX, SEX_TERM, Site, Step
from megagenome.app.demo.walk.party import Party, require

ACCEPTED = "registered access"
_HELD = "You have it"


def register(party: Party) -> Iterator[Step]:
    """The public is not told of closed data's people; the researcher, who accepts the terms, is."""
    site, says = party.way.grants, "the public counts the cohort"
    yield Step(says, site.id, site.told_public, partial(told_to, party, "public", site))
    yield Step(says, "hub", party.way.told_public, partial(hub_told_to, party, "public"))
    for where, url in (("hub", party.way.hub), (site.id, site.url)):
        yield Step("the researcher accepts the terms", where, ACCEPTED, partial(_accept, party, url))
    says = "the researcher counts the cohort, without a permit"
    yield Step(says, site.id, site.told_registered, partial(told_to, party, "researcher", site))
    yield Step(says, "hub", party.way.told_registered, partial(hub_told_to, party, "researcher"))


def told_to(party: Party, who: str, site: Site) -> str:
    """How many people of the cohort a node tells somebody of, who names no permit."""
    query = {"filters": SEX_TERM, "requestedGranularity": "count"}
    answer = msgspec.json.decode(require(party.browser(who).get_json(f"{site.url}/beacon/v2/individuals", query)))
    return f"{answer['responseSummary'].get('numTotalResults', 0):,} people"


def hub_told_to(party: Party, who: str) -> str:
    """How many people of the cohort the hub tells somebody of."""
    query = {"q": f"sex={SEX}", "assembly": party.way.assembly}
    answer = msgspec.json.decode(require(party.browser(who).get_json(f"{party.way.hub}/api/cohort", query)))
    return f"{answer['count']:,} people"


def _accept(party: Party, url: str) -> str:
    account = accept_terms(party.browser("researcher"), url)
    return ACCEPTED if _HELD in account.content.text else account.content.text[:200]


def accept_terms(browser: Browser, url: str) -> Page:
    """The account's page, once the terms are accepted."""
    account = browser.open(f"{url}/account")
    return account if _HELD in account.content.text else browser.submit(account, "/account/terms", {})
