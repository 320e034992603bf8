# SPDX-License-Identifier: Apache-2.0
"""By what somebody may have data, for whom they are sealed, and what is told to whom of a refusal."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from megagenome.collection.collection import Collection
from megagenome.collection.datasets import move_dataset
from megagenome.collection.environments import end_environment, register_environment
from megagenome.collection.load import load
from megagenome.collection.model import DatasetState, Use
from megagenome.collection.open_reading import OpenReading
from megagenome.collection.people import YES
from megagenome.collection.permit_reading import PermitReading
from megagenome.collection.permits import change_permit, store_permit, take_back
from megagenome.delivery.permitted import Terms, open_dataset, recipient_for
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.errors import Invalid, NotEntitled, NotFound, Unauthenticated
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.standards.permit import PermitState
from tests.collection import clocks
from tests.collection.clocks import ALICE, MALLORY

OPEN, CLOSED = DatasetId(clocks.OPEN), DatasetId(clocks.CLOSED)
ONE, TWO = PermitId("permit-1"), PermitId("permit-2")


@pytest.fixture
def node(tmp_path: Path) -> Collection:
    """An open and a closed dataset, and a permit of Alice's for the closed one."""
    return made(tmp_path)


def made(folder: Path, database: sa.URL | None = None) -> Collection:
    collection = Collection.create(folder / "node", lambda _: None, database)
    collection.journal = clocks.NoJournal()
    for dataset, some in ((CLOSED, range(10)), (OPEN, range(40, 45))):
        people = clocks.table(dict.fromkeys(some, YES))
        load(collection, clocks.statement(dataset), people, [clocks.source_of(some)], "GRCh38")
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(ONE))
    return collection


@pytest.mark.postgres
def test_postgresql_tells_the_same(tmp_path: Path, postgres: sa.URL) -> None:
    node = made(tmp_path, postgres)
    assert open_dataset(node, PUBLIC, OPEN, Terms()).admit(OPEN, ["P40", "P1"]).samples == {"P40"}
    reading = open_dataset(node, ALICE, CLOSED, Terms())
    assert reading.admit(CLOSED, ["P1", "P40"]).samples == {"P1"}
    with pytest.raises(NotEntitled, match="no environment yet"):
        recipient_for(node.engine, reading, Terms())
    key = X25519PrivateKey.generate().public_key()
    with node.engine.begin() as connection:
        register_environment(connection, ONE, key.public_bytes_raw(), "workspace", "operator")
    assert same(recipient_for(node.engine, reading, Terms()), key)
    with node.engine.begin() as connection:
        change_permit(connection, ONE, PermitState.REVOKED, "a breach")
    with pytest.raises(NotEntitled, match="revoked: a breach"):
        open_dataset(node, ALICE, CLOSED, Terms())
    node.close()


def test_open_data_need_no_permit(node: Collection) -> None:
    for caller in (PUBLIC, ALICE):
        assert isinstance(open_dataset(node, caller, OPEN, Terms()), OpenReading)


def test_others_need_the_callers_own(node: Collection) -> None:
    reading = open_dataset(node, ALICE, CLOSED, Terms())
    assert isinstance(reading, PermitReading)
    assert (reading.permit.id, reading.use) == (ONE, Use.RESEARCH)
    for caller, error in (
        (PUBLIC, Unauthenticated),
        (MALLORY, NotEntitled),
        (Caller("alice@example.org "), NotEntitled),
    ):
        for terms in (Terms(), Terms(permit=ONE)):
            with pytest.raises(error):
                open_dataset(node, caller, CLOSED, terms)


def test_what_the_public_does_not_know_of_is_not_there(node: Collection) -> None:
    with node.engine.begin() as connection:
        move_dataset(connection, CLOSED, DatasetState.WITHDRAWN)
    node.refresh()
    said = set()
    for caller in (PUBLIC, MALLORY):
        for dataset in (CLOSED, DatasetId("NONE")):
            with pytest.raises(NotFound) as refusal:
                open_dataset(node, caller, dataset, Terms())
            said.add(str(refusal.value).replace(dataset, ""))
    assert len(said) == 1
    with pytest.raises(NotEntitled, match="none of its datasets can be read now"):
        open_dataset(node, ALICE, CLOSED, Terms())


def test_of_several_permits_one_is_named(node: Collection) -> None:
    with node.engine.begin() as connection:
        store_permit(connection, clocks.permit(TWO, uses=[Use.RESEARCH, Use.POLICY]))
    with pytest.raises(Invalid, match=r"several permits.*permit-1, permit-2"):
        open_dataset(node, ALICE, CLOSED, Terms())
    assert open_dataset(node, ALICE, CLOSED, Terms(permit=ONE)).admit(CLOSED, ["P1"]).permit == ONE
    with pytest.raises(Invalid, match="policy, research: say for which"):
        open_dataset(node, ALICE, CLOSED, Terms(permit=TWO))
    reading = open_dataset(node, ALICE, CLOSED, Terms(permit=TWO, use="research"))
    assert reading.admit(CLOSED, ["P1"]).samples == {"P1"}
    policy = open_dataset(node, ALICE, CLOSED, Terms(permit=TWO, use="policy"))
    assert policy.admit(CLOSED, ["P1"]).samples == frozenset(), "to which nobody said yes"
    with pytest.raises(Invalid, match="no kind of use"):
        open_dataset(node, ALICE, CLOSED, Terms(permit=TWO, use="anything"))
    with node.engine.begin() as connection:
        change_permit(connection, TWO, PermitState.REVOKED, "a breach")
    assert open_dataset(node, ALICE, CLOSED, Terms()).admit(CLOSED, []).permit == ONE
    with pytest.raises(NotEntitled, match="revoked: a breach"):
        open_dataset(node, ALICE, CLOSED, Terms(permit=TWO, use="research"))


def test_its_people_read_why_a_permit_does_not_hold(node: Collection) -> None:
    with node.engine.begin() as connection:
        change_permit(connection, ONE, PermitState.SUSPENDED, "a question", sequence=1)
    with pytest.raises(NotEntitled, match="suspended: a question"):
        open_dataset(node, ALICE, CLOSED, Terms())
    with node.engine.begin() as connection:
        change_permit(connection, ONE, PermitState.ACTIVE, "", sequence=2)
        take_back(connection, ONE, CLOSED, "a mistake")
    with pytest.raises(NotEntitled, match="no permit by which"):
        open_dataset(node, ALICE, CLOSED, Terms())


def same(one: X25519PublicKey | None, other: X25519PublicKey | None) -> bool:
    return one is not None and other is not None and one.public_bytes_raw() == other.public_bytes_raw()


def test_what_is_not_open_is_sealed_for_an_environment_only(node: Collection) -> None:
    reading = open_dataset(node, ALICE, CLOSED, Terms())
    first, second, foreign = (X25519PrivateKey.generate().public_key() for _ in range(3))

    def asked(recipient: X25519PublicKey | None = None, *, sealed: bool = False) -> X25519PublicKey | None:
        return recipient_for(node.engine, reading, Terms(recipient=recipient, sealed=sealed))

    with pytest.raises(NotEntitled, match="no environment yet"):
        asked()
    with node.engine.begin() as connection:
        register_environment(connection, ONE, first.public_bytes_raw(), "first", "operator")
    assert same(asked(), first)
    assert same(asked(first), first)
    with pytest.raises(NotEntitled, match="of no environment"):
        asked(foreign)
    with node.engine.begin() as connection:
        register_environment(connection, ONE, second.public_bytes_raw(), "second", "operator")
    with pytest.raises(Invalid, match="several environments"):
        asked()
    assert same(asked(second), second)
    with node.engine.begin() as connection:
        end_environment(connection, ONE, first.public_bytes_raw())
    assert same(asked(sealed=True), second)
    with pytest.raises(NotEntitled):
        asked(first)


def test_what_is_open_is_plain_or_sealed_for_whoever_asks(node: Collection) -> None:
    reading, key = open_dataset(node, PUBLIC, OPEN, Terms()), X25519PrivateKey.generate().public_key()
    assert recipient_for(node.engine, reading, Terms()) is None
    assert same(recipient_for(node.engine, reading, Terms(recipient=key)), key)
    with pytest.raises(Invalid, match="send the public key"):
        recipient_for(node.engine, reading, Terms(sealed=True))
