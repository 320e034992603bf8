# SPDX-License-Identifier: Apache-2.0
"""What people are told of their own genome and can say of it, over a real node: for themselves and nobody else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from litestar import Litestar
from litestar.testing import TestClient
from litestar.types import ASGIApp, Receive, Scope, Send

from megagenome.app.journal import LedgerJournal
from megagenome.app.ledger import open_ledger
from megagenome.app.node import Node, open_node
from megagenome.app.own_genome_routes import own_genome_router
from megagenome.collection import tables
from megagenome.collection.acts import Act, effects
from megagenome.collection.citizens import link_citizen
from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.kernel.ids import IndividualId
from megagenome.kernel.ledger import Act as Entered
from megagenome.kernel.ledger import Kind
from megagenome.standards.own_genome import OwnGenome

CITIZEN = Caller("ada@idp", "Ada", frozenset({Role.CITIZEN}))
STEWARD = Caller("sofia@idp", "Sofia", frozenset({Role.DATA_STEWARD}))
EVERYTHING_ELSE = Caller("x@idp", "X", frozenset(Role) - {Role.CITIZEN, Role.DATA_STEWARD})


@pytest.fixture
def node(loaded: Path) -> Iterator[Node]:
    node = open_node(loaded)
    ledger = open_ledger(loaded, node.collection.engine, node.settings.node.id)
    node.collection.journal = LedgerJournal(ledger)
    yield node
    node.collection.close()


@pytest.fixture
def me(node: Node) -> str:
    """An individual of the node who is linked to the citizen."""
    with node.collection.engine.begin() as connection:
        found = connection.scalars(sa.select(tables.individual.c.id).order_by(tables.individual.c.number)).first()
        link_citizen(connection, "ada@idp", IndividualId(str(found)), "root")
    return str(found)


def client(node: Node, caller: Caller) -> TestClient[Litestar]:
    def middleware(app: ASGIApp) -> ASGIApp:
        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            scope["caller"] = caller
            await app(scope, receive, send)

        return run

    router = own_genome_router(node.collection, 30)
    return TestClient(Litestar([router], middleware=[middleware], openapi_config=None))


def test_a_citizen_sees_their_own_and_withdraws(node: Node, me: str) -> None:
    with client(node, CITIZEN) as browser:
        before: Any = browser.get("/own/genome").json()
        assert before["individual"] == me
        assert before["datasets"]
        assert {"aggregates", "research"} <= set(before["holds"])
        said = browser.post("/own/genome/consent", json={"act": "withdraw", "uses": ["research"]}).json()
        assert (said["changed"], "research" in said["holds"]) == (["research"], False)
        after: Any = browser.get("/own/genome").json()
    assert set(before["holds"]) - set(after["holds"]) == {"research"}
    assert [(each["act"], each["uses"]) for each in after["said"]] == [("withdraw", ["research"])]
    assert [each["count"] for each in after["months"] if each["kind"] == "withdrawal"] == [1]


def test_a_steward_does_it_at_the_persons_word(node: Node, me: str) -> None:
    with client(node, STEWARD) as browser:
        said = browser.post(f"/own/genomes/{me}/consent", json={"act": "opt-out"}).json()
        assert "aggregates" not in said["holds"]
        assert "aggregates" not in browser.get(f"/own/genomes/{me}").json()["holds"]
        assert browser.get("/own/genomes/nobody").status_code == 404
    with node.collection.engine.connect() as connection:
        assert connection.scalar(sa.select(tables.consent_act.c.by)) == "sofia@idp"


def test_public_answers_are_counted_by_month(node: Node, me: str, loaded: Path) -> None:
    ledger = open_ledger(loaded, node.collection.engine, node.settings.node.id)
    with client(node, CITIZEN) as browser:
        mine, *_ = browser.get("/own/genome").json()["datasets"]
        for dataset, count in ((mine, 3), (mine, 4), ("OTHER", 100)):
            ledger.append(Entered(Kind.AGGREGATE, dataset=dataset, count=count))
        months = browser.get("/own/genome").json()["months"]
    assert [each["count"] for each in months if each["kind"] == "aggregate"] == [7]


@pytest.mark.parametrize(
    ("caller", "own", "others"),
    [(PUBLIC, 401, 401), (EVERYTHING_ELSE, 403, 403), (CITIZEN, 200, 403), (STEWARD, 403, 200)],
)
def test_everybody_else_is_refused(node: Node, me: str, caller: Caller, own: int, others: int) -> None:
    with client(node, caller) as browser:
        for path, status in (("/own/genome", own), (f"/own/genomes/{me}", others)):
            assert browser.get(path).status_code == status
            if status != 200:
                assert browser.post(f"{path}/consent", json={"act": "withdraw"}).status_code == status
    with node.collection.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.consent_act)) == 0


def test_a_citizen_whom_nobody_linked_is_told_so(node: Node) -> None:
    with client(node, CITIZEN) as browser:
        answer = browser.get("/own/genome")
        assert answer.status_code == 404
        assert "contact point" in answer.json()["detail"]
        assert browser.post("/own/genome/consent", json={"act": "withdraw"}).status_code == 404


NONSENSE = (
    b"",
    b"{}",
    b"\xff",
    b'{"act":"forget"}',
    b'{"act":"renew","more":1}',
    b'{"act":"object","uses":["research"]}',
)


@pytest.mark.parametrize("body", NONSENSE)
def test_nonsense_changes_nothing(node: Node, me: str, body: bytes) -> None:
    with client(node, CITIZEN) as browser:
        sent = {"content": body, "headers": {"content-type": "application/json"}}
        assert browser.post("/own/genome/consent", **sent).status_code == 400
        form = {"content": b'{"act":"withdraw"}', "headers": {"content-type": "text/plain"}}
        assert browser.post("/own/genome/consent", **form).status_code == 400
        assert browser.get("/own/genome").json()["said"] == []


def test_the_effects_are_those_of_the_one_table() -> None:
    assert all(len(row) == 7 for row in effects())
    assert {row[0] for row in effects()} == {act.value for act in Act}
    assert OwnGenome.__struct_fields__[-1] == "effects"
