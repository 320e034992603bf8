# SPDX-License-Identifier: Apache-2.0
"""What ends reading: somebody's withdrawal of consent at the node, and the revocation of the permit at the hub."""

import time
from collections.abc import Iterator
from functools import partial

from megagenome.app.demo.patience import until, within
from megagenome.app.demo.walk.model import Step
from megagenome.app.demo.walk.party import Party
from megagenome.app.demo.walk.read import REFUSED, count
from megagenome.app.demo.walk.tiers import told_to

MY_GENOME = "/my-genome"
WITHDRAWAL_S = 1.0
"""So soon after a withdrawal every reading by permit is without the person."""
REVOCATION_S = 5.0
"""So soon after a revocation at the hub no node reads by the permit."""


def withdraw(party: Party) -> Iterator[Step]:
    """The citizen, who is of the cohort, withdraws consent. The public numbers stay until the next release."""
    site = party.way.grants
    left = f"{site.members - 1:,} people {within(0, WITHDRAWAL_S)}"
    says = "the citizen withdraws consent; the permit reads without them"
    yield Step(says, site.id, left, partial(withdraw_consent, party))
    told = partial(told_to, party, "researcher", site)
    yield Step("what is told without a permit stays until a release", site.id, site.told_registered, told)


def revoke(party: Party) -> Iterator[Step]:
    """The committee's chair revokes the permit."""
    says = "the chair revokes the permit at the hub; the node reads no more by it"
    expected = f"{REFUSED} {within(0, REVOCATION_S)}"
    yield Step(says, party.way.grants.id, expected, partial(revoke_permit, party))


def withdraw_consent(party: Party) -> str:
    """By the citizen's page; measured from before it is sent."""
    site, browser = party.way.grants, party.browser("citizen")
    page = browser.open(site.url + MY_GENOME)
    began = time.monotonic()
    browser.submit(page, MY_GENOME, {"act": "withdraw"})
    right = f"{site.members - 1:,} people"
    party.seconds["withdrawal"] = seconds = until(lambda: count(party, site) == right, began)
    return f"{count(party, site)} {within(seconds, WITHDRAWAL_S)}"


def revoke_permit(party: Party) -> str:
    """Measured from before the hub is asked to revoke."""
    site, began = party.way.grants, time.monotonic()
    party.command("chair", "revoke", {"reasons": "The project was stopped."})
    party.seconds["revocation"] = seconds = until(lambda: count(party, site) == REFUSED, began)
    return f"{count(party, site)} {within(seconds, REVOCATION_S)}"
