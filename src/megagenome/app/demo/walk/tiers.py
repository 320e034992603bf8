# SPDX-License-Identifier: Apache-2.0
"""What a node tells of people by tier: to everybody, and to who has registered access."""

from collections.abc import Iterator
from functools import partial

import msgspec

from megagenome.app.demo.walk.model import SEX_TERM, Site, Step
from megagenome.app.demo.walk.party import Party, require

ACCEPTED = "registered access"
_HELD = "You have it"


def register(party: Party) -> Iterator[Step]:
    """The public is not told of closed data's people; the researcher, who accepts the terms, is."""
    site = party.way.grants
    yield Step("the public counts the cohort", site.id, site.told_public, partial(told_to, party, "public", site))
    for where, url in (("hub", party.way.hub), (site.id, site.url)):
        yield Step("the researcher accepts the terms", where, ACCEPTED, partial(_accept, party, url))
    told = partial(told_to, party, "researcher", site)
    yield Step("the researcher counts the cohort, without a permit", site.id, site.told_registered, told)


def told_to(party: Party, who: str, site: Site) -> str:
    """How many people of the cohort a node tells somebody of, who names no permit."""
    query = {"filters": SEX_TERM, "requestedGranularity": "count"}
    answer = msgspec.json.decode(require(party.browser(who).get_json(f"{site.url}/beacon/v2/individuals", query)))
    return f"{answer['responseSummary'].get('numTotalResults', 0):,} people"


def _accept(party: Party, url: str) -> str:
    account = party.account("researcher", url)
    if _HELD not in account.content.text:
        account = party.browser("researcher").submit(account, "/account/terms", {})
    return ACCEPTED if _HELD in account.content.text else account.content.text[:200]
