# SPDX-License-Identifier: Apache-2.0
"""Permits that somebody changed in a node's database, without the node's key: nothing is read by them."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from benchmarks.parts.countersigning import countersign
from megagenome.access import tables as access
from megagenome.app.countersigned import Countersigned
from megagenome.app.grants import grants_of
from megagenome.app.journal import LedgerJournal
from megagenome.app.ledger import open_keys, open_ledger
from megagenome.app.node import Node, open_node
from megagenome.collection import tables
from megagenome.collection.cohort import EVERYONE, HasSex, canonical, cohort_id
from megagenome.collection.model import Sex, Use
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Corrupt, NotEntitled
from megagenome.kernel.ids import PermitId
from megagenome.kernel.keys import SigningKeys

ADA, EVE = (Caller(f"{name}@https://idp.example", name) for name in ("ada", "eve"))
DATASET = "EE-SMALL"
PERMIT, OTHER = PermitId("permit-1"), PermitId("permit-2")


@pytest.fixture
def node(loaded: Path) -> Iterator[Node]:
    """A node with a permit of Ada's for its women, which it countersigned."""
    opened = open_node(loaded)
    me, keys = opened.settings.node, open_keys(loaded)
    with opened.collection.engine.begin() as connection:
        women = HasSex(Sex.FEMALE)
        countersign(connection, keys, me.id, me.country, PERMIT, DATASET, {str(ADA.subject)}, women)
    opened.collection.journal = LedgerJournal(open_ledger(loaded, opened.collection.engine, me.id))
    opened.collection.prove = Countersigned(keys.key_set()).require
    yield opened
    opened.collection.close()


def read(node: Node, caller: Caller = ADA, permit: PermitId = PERMIT, use: Use = Use.RESEARCH) -> int:
    return node.collection.open(caller, use, permit=permit).count_people().distinct


def change(node: Node, *statements: sa.Executable) -> None:
    with node.collection.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


EVERYBODY = {"cohort": cohort_id(EVERYONE), "definition": msgspec.json.encode(canonical(EVERYONE)).decode()}
WIDENED = {
    "a person": sa.insert(tables.permit_person).values(permit=PERMIT, subject=EVE.subject),
    "a use": sa.update(tables.permit).values(uses="policy;research"),
    "days": sa.update(tables.permit).values(expires="2099-01-01T00:00:00+00:00"),
    "an earlier day": sa.update(tables.permit).values(not_before="2020-01-01T00:00:00+00:00"),
    "the cohort": sa.update(tables.permit).values(EVERYBODY),
    "conditions": sa.update(tables.permit).values(conditions="none at all"),
    "another document": sa.update(tables.permit).values(digest="sha256:1"),
    "no signature": sa.update(tables.permit_dataset).values(countersignature="a.b.c"),
    "another's name": sa.update(tables.permit_person).values(subject=EVE.subject),
}


@pytest.mark.parametrize("what", WIDENED)
def test_a_permit_that_was_changed_lets_nobody_read(node: Node, what: str) -> None:
    assert read(node) > 0
    assert len(list(grants_of(node.collection)(str(ADA.subject)))) == 1
    change(node, WIDENED[what])
    who = EVE if what == "another's name" else ADA
    with pytest.raises(Corrupt, match="restores the backup"):
        read(node, who)
    assert list(grants_of(node.collection)(str(who.subject))) == []


def test_a_permit_without_its_document_is_none(node: Node) -> None:
    change(node, sa.delete(access.proposal))
    with pytest.raises(Corrupt, match="its document is not there"):
        read(node)


def test_a_reading_under_way_stops(node: Node) -> None:
    reading = node.collection.open(ADA, Use.RESEARCH, permit=PERMIT)
    reading.count_people()
    change(node, WIDENED["a person"])
    with pytest.raises(Corrupt):
        reading.individuals()


def test_a_dataset_that_was_not_approved_is_not_read_by_anothers_signature(node: Node) -> None:
    [token] = _tokens(node)
    row = {"permit": PERMIT, "dataset": "ANOTHER", "countersignature": token, "taken_back": None, "reason": ""}
    change(node, sa.insert(tables.permit_dataset).values(row))
    with pytest.raises(Corrupt, match="ANOTHER was not approved"):
        read(node)


def test_a_permit_that_was_made_up_is_none(node: Node, tmp_path: Path) -> None:
    """By somebody who writes all that belongs to one, and signs with a key of their own."""
    me, thief = node.settings.node, SigningKeys.open(tmp_path / "thief")
    with node.collection.engine.begin() as connection:
        countersign(connection, thief, me.id, me.country, OTHER, DATASET, {str(EVE.subject)})
    with pytest.raises(Corrupt):
        read(node, EVE, OTHER)
    with pytest.raises(NotEntitled):
        read(node, ADA, OTHER)  # who is none of its people learns nothing
    assert read(node) > 0


def test_a_replaced_key_is_still_this_nodes(node: Node) -> None:
    node.collection.prove = Countersigned(SigningKeys.replace(node.folder / "keys").key_set()).require
    assert read(node) > 0


def _tokens(node: Node) -> list[str]:
    with node.collection.engine.connect() as connection:
        return list(connection.scalars(sa.select(tables.permit_dataset.c.countersignature)))
