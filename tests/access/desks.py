# SPDX-License-Identifier: Apache-2.0
"""A country's desk over a real database and ledger, at an hour that tests set; permits are kept by the collection."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from megagenome.access.desk import Desk, NodeWorld
from megagenome.app.node_access import CollectionPermits
from megagenome.collection.cohort import HasSex, canonical, cohort_id
from megagenome.collection.model import Sex
from megagenome.collection.permits import StoredPermit, read_permit
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.database import begin_writing
from megagenome.kernel.ids import PermitId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.signatures import verify
from megagenome.standards.exchange import Receipt, sign_proposal
from megagenome.standards.permit import (
    DECISION_TYPE,
    CountryDecision,
    DatasetDecision,
    PermitDataset,
    PermitDocument,
    PermitPerson,
    PermitState,
    Proposal,
    Revocation,
    Verdict,
    digest,
)
from tests.kernel.records import open_records

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
COHORT = HasSex(Sex.FEMALE)
DATASETS = ("FI-1", "FI-2")


def person(name: str, *roles: Role) -> Caller:
    return Caller(f"{name.lower()}@https://idp.example", name, frozenset(roles))


FINN, FRED = person("Finn", Role.COUNTRY_DECIDER), person("Fred", Role.COUNTRY_DECIDER)
SVEA = person("Svea", Role.COUNTRY_DECIDER)  # of another country
STEW = person("Stew", Role.DATA_STEWARD)
ADA = person("Ada", Role.COUNTRY_DECIDER)  # whom the permit names, and who decides for Finland too
COUNTRIES = {each.subject: "FI" for each in (FINN, FRED, STEW, ADA)} | {SVEA.subject: "SE"}


class Places:
    def organisations(self, _subject: str, _role: Role) -> frozenset[str]:
        return frozenset()

    def countries(self, subject: str, _role: Role) -> frozenset[str]:
        return frozenset({COUNTRIES[subject]} if subject in COUNTRIES else ())


def proposal(permit: str = "permit-1", asked: tuple[str, ...] = DATASETS, **other: Any) -> Proposal:
    """What a hub asks Finland; `other` are fields of the document or of the request."""
    named = tuple(sorted(PermitDataset("node.fi", "FI", each) for each in (*DATASETS, "FI-3")))
    fields: dict[str, Any] = {
        "id": permit,
        "hub": "org.example.hub",
        "application": "application-1",
        "cohort": cohort_id(COHORT),
        "definition": msgspec.json.encode(canonical(COHORT)).decode(),
        "datasets": (PermitDataset("node.ee", "EE", "EE-1"), *named),
        "uses": ("research",),
        "people": (PermitPerson(ADA.subject or "", "Ada"),),
        "starts": date(2026, 1, 1),
        "ends": date(2027, 12, 31),
        "conditions": (),
        "form_digest": "sha256:0",
        "proposed_at": NOW,
    }
    request: dict[str, Any] = {"country": "FI", "requested_at": NOW, "decide_by": NOW + timedelta(days=14)}
    request |= {key: other.pop(key) for key in request if key in other}
    document = PermitDocument(**{**fields, **other})
    return Proposal(document, digest(document), datasets=asked, **request)


class Node:
    """One desk, and all that is behind it."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_records(folder / "node.db")
        self.keys, self.hub = SigningKeys.open(folder / "keys"), SigningKeys.open(folder / "hub-keys")
        self.ledger = Ledger(self.engine, self.keys, "node.fi")
        self.woken = 0
        self.now = NOW
        world = NodeWorld("node.fi", "FI", self.keys, Places(), CollectionPermits(), self.ledger, self.wake)
        self.desk = Desk(self.engine, world)

    def wake(self) -> None:
        self.woken += 1

    def close(self) -> None:
        self.engine.dispose()

    def propose(self, asked: Proposal | None = None) -> str:
        asked = asked or proposal()
        with begin_writing(self.engine) as connection:
            self.desk.take_proposals(connection, "org.example.hub", [(sign_proposal(self.hub, asked), asked)])
        return asked.document.id

    def tell(self, permit: str, state: PermitState, sequence: int) -> None:
        with begin_writing(self.engine) as connection:
            self.desk.take_revocations(connection, [Revocation(sequence, permit, state, self.now)])

    def receive(self, *receipts: Receipt) -> None:
        with begin_writing(self.engine) as connection:
            self.desk.acknowledge(connection, receipts)

    def decide(self, caller: Caller = FINN, permit: str = "permit-1", **verdicts: str) -> list[str]:
        """Datasets by `FI_1`; what they are then."""
        decisions = [
            DatasetDecision(name.replace("_", "-"), Verdict(verdict), "" if verdict == "approved" else "why")
            for name, verdict in verdicts.items()
        ]
        return [str(part.state) for part in self.desk.decide(caller, permit, decisions).parts]

    def states(self, permit: str = "permit-1") -> list[str]:
        return [str(part.state) for part in self.desk.permit(FINN, permit).item.parts]

    def sent(self) -> list[CountryDecision]:
        """What waits for the hub, verified as the hub would."""
        tokens = self.desk.undelivered(50)
        return [msgspec.convert(verify(each, self.keys.key_set(), DECISION_TYPE), CountryDecision) for each in tokens]

    def stored(self, permit: str = "permit-1") -> StoredPermit | None:
        with self.engine.connect() as connection:
            return read_permit(connection, PermitId(permit))

    def readable(self, permit: str = "permit-1") -> list[str]:
        """Datasets that can be read by the permit now."""
        found = self.stored(permit)
        return list(found.datasets) if found and found.state is PermitState.ACTIVE else []

    def entries(self) -> list[tuple[str, str, str]]:
        found = [each for each in self.ledger.items() if isinstance(each, Entry)]
        return [(each.kind, each.dataset, each.detail) for each in found]


@contextmanager
def desk_at(folder: Path) -> Iterator[Node]:
    """A node's desk whose hour is its own."""
    node, wall = Node(folder), clock.now
    clock.now = lambda: node.now
    try:
        yield node
    finally:
        clock.now = wall
        node.close()
