# SPDX-License-Identifier: Apache-2.0
"""That it happened: the citizen sees it, and it stands in the ledgers, which verify."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from megagenome.app.demo.patience import until
from megagenome.app.demo.walk.model import Step
from megagenome.app.demo.walk.party import Party, require
from megagenome.standards.own_genome import OwnGenome
from megagenome.standards.permit import PermitState

VERIFIED = "as it was written"


def see(party: Party) -> Iterator[Step]:
    """The citizen sees that a permit may read, and did."""
    seen = partial(_seen, party)
    yield Step(
        "the citizen sees the permit, and that it was used", party.way.grants.id, f"{PermitState.ACTIVE}, read", seen
    )


def record(party: Party) -> Iterator[Step]:
    """The citizen sees that it is over. The auditor looks at each ledger: the nodes' have the decision, the readings
    and what ended them."""
    way = party.way
    seen = partial(_seen, party)
    yield Step("the citizen sees that the permit is over", way.grants.id, f"{PermitState.REVOKED}, read", seen)
    for where, url, kinds in (
        ("hub", way.hub, "decision, grant, revocation"),
        (way.grants.id, way.grants.url, "grant, read, revocation"),
        (way.refuses.id, way.refuses.url, "decision, revocation"),
    ):
        yield Step("the auditor finds the permit in the ledger", where, kinds, partial(_kinds, party, url, kinds))
    withdrawn = partial(_withdrawn, party)
    yield Step("the auditor finds the withdrawal in the ledger", way.grants.id, way.grants.dataset, withdrawn)
    for where, url in (("hub", way.hub), (way.grants.id, way.grants.url), (way.refuses.id, way.refuses.url)):
        yield Step("the auditor verifies the whole ledger", where, VERIFIED, partial(_verify, party, url))


def _seen(party: Party) -> str:
    """What the node says of the permit to whose genome it may read."""
    url = f"{party.way.grants.url}/own/genome"
    own = msgspec.json.decode(require(party.browser("citizen").get_json(url)), type=OwnGenome)
    found = [each for each in own.permits if each.permit == party.permit]
    return ", ".join(f"{each.state}, {'read' if each.readings else 'never read'}" for each in found) or "nothing"


def _kinds(party: Party, url: str, expected: str) -> str:
    """A node that cannot read by the permit hears of the revocation in its own time."""

    def found() -> str:
        entries = _entries(party, url, {"permit": party.permit})
        return ", ".join(sorted({entry["kind"] for entry in entries}))

    until(lambda: found() == expected)
    return found()


def _withdrawn(party: Party) -> str:
    entries = _entries(party, party.way.grants.url, {"kind": "withdrawal"})
    return ", ".join(sorted({entry["dataset"] for entry in entries}))


def _entries(party: Party, url: str, chosen: dict[str, str]) -> list[dict[str, Any]]:
    answer = msgspec.json.decode(require(party.browser("auditor").get_json(f"{url}/ledger/entries", chosen)))
    found: list[dict[str, Any]] = answer["entries"]
    return found


def _verify(party: Party, url: str) -> str:
    verdict = msgspec.json.decode(require(party.browser("auditor").get_json(f"{url}/ledger/verdict")))
    return VERIFIED if verdict["fine"] else str(verdict["says"])
