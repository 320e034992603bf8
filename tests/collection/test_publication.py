# SPDX-License-Identifier: Apache-2.0
"""What must be on record before a dataset is published, and how the record is kept."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from megagenome.collection.datasets import DatasetStatement, move_dataset, state_dataset
from megagenome.collection.erasing import erase_user
from megagenome.collection.model import DatasetState
from megagenome.collection.publication import (
    check_record,
    missing_of,
    read_history,
    read_records,
    write_draft,
    write_record,
)
from megagenome.collection.tables import collection_version, dataset
from megagenome.kernel import clock
from megagenome.kernel.callers import ERASED
from megagenome.kernel.errors import Conflict, Invalid, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.standards.dataset_fields import FIELDS, Need
from megagenome.standards.dataset_record import DatasetRecord, value_at, with_value
from megagenome.synthetic.governance import made_up_record

pytestmark = pytest.mark.usefixtures("database")

CLOSED, OPEN = DatasetId("GDI-EE-CLOSED-001"), DatasetId("GDI-EE-OPEN-001")
RECORD = made_up_record(CLOSED)
NEEDED = [field.path for field in FIELDS if field.need is Need.CONTROLLED]


@pytest.fixture
def node(connection: sa.Connection) -> sa.Connection:
    """A dataset that is not open and one that is, both approved."""
    connection.execute(sa.insert(collection_version).values(version=0))
    state_dataset(connection, DatasetStatement(CLOSED))
    state_dataset(connection, DatasetStatement(OPEN, open=True))
    connection.execute(sa.update(dataset).values(state=DatasetState.APPROVED))
    return connection


def state_of(connection: sa.Connection, which: DatasetId) -> str:
    return str(connection.scalar(sa.select(dataset.c.state).where(dataset.c.id == which)))


def without(path: str) -> DatasetRecord:
    return with_value(RECORD, path, type(value_at(RECORD, path))())


def test_what_is_not_open_is_not_published_without_its_governance(node: sa.Connection) -> None:
    with pytest.raises(Conflict, match=r"controller, legal basis, .*ethics approval, data protection.*sign-off"):
        move_dataset(node, CLOSED, DatasetState.PUBLISHED)
    with pytest.raises(Conflict, match="cannot be published before this is on record: title, "):
        state_dataset(node, DatasetStatement(CLOSED, publish=True))
    assert state_of(node, CLOSED) == DatasetState.APPROVED
    write_record(node, CLOSED, RECORD, "steward")
    move_dataset(node, CLOSED, DatasetState.PUBLISHED)
    assert state_of(node, CLOSED) == DatasetState.PUBLISHED


def test_open_data_need_their_declaration_only(node: sa.Connection) -> None:
    move_dataset(node, OPEN, DatasetState.PUBLISHED)
    assert state_of(node, OPEN) == DatasetState.PUBLISHED


@pytest.mark.parametrize("path", NEEDED)
def test_each_field_that_is_needed_is_named_where_it_is_missing(node: sa.Connection, path: str) -> None:
    [found] = check_record(node, CLOSED, without(path), is_open=False)
    assert found.field == path
    with pytest.raises(Invalid, match=path.replace(".", "[.]")):
        write_record(node, CLOSED, without(path), "steward")
    write_draft(node, CLOSED, without(path), "steward")
    with pytest.raises(Conflict, match="is on record"):
        move_dataset(node, CLOSED, DatasetState.PUBLISHED)


def test_a_record_that_is_gone_again_blocks(node: sa.Connection) -> None:
    """Of a database that somebody else wrote: the rule is looked at when it publishes, not only when it is recorded."""
    write_record(node, CLOSED, RECORD, "steward")
    node.exec_driver_sql("""UPDATE dataset_record SET content = '{"title": "T"}'""")
    assert len(missing_of(node, CLOSED)) == len(NEEDED) - 4  # title, and what has a default
    with pytest.raises(Conflict, match="description"):
        move_dataset(node, CLOSED, DatasetState.PUBLISHED)


def test_drafts_and_versions_are_kept(node: sa.Connection) -> None:
    other = with_value(RECORD, "title", "Other")
    assert write_draft(node, CLOSED, DatasetRecord(title="First"), "a") == 1
    assert write_draft(node, CLOSED, DatasetRecord(title="First"), "a") == 1
    assert read_records(node) == {}
    assert write_record(node, CLOSED, RECORD, "b") == 2
    assert write_record(node, CLOSED, RECORD, "b") == 2
    assert write_draft(node, CLOSED, other, "c") == 3
    assert {number: each.version for number, each in read_records(node).items()} == {0: 2}
    history = read_history(node, CLOSED)
    assert [(each.version, each.draft, each.by, each.record.title) for each in history] == [
        (3, True, "c", "Other"),
        (2, False, "b", RECORD.title),
        (1, True, "a", "First"),
    ]
    assert node.scalar(sa.select(dataset.c.title).where(dataset.c.id == CLOSED)) == RECORD.title
    for unknown in (read_history, missing_of):
        with pytest.raises(NotFound):
            unknown(node, DatasetId("NONE"))


def test_a_change_is_signed_anew(node: sa.Connection) -> None:
    write_record(node, CLOSED, RECORD, "steward")
    changed = with_value(RECORD, "title", "Other")
    with pytest.raises(Invalid, match="sign it anew"):
        write_record(node, CLOSED, changed, "steward")
    today = clock.now().date()
    signed = with_value(changed, "governance.sign_off.on", today.isoformat())
    write_record(node, CLOSED, signed, "steward")
    write_record(node, CLOSED, with_value(signed, "title", "Third"), "steward")  # the same day
    by_another = with_value(RECORD, "governance.sign_off.on", (today - timedelta(days=1)).isoformat())
    write_record(node, CLOSED, by_another, "steward")  # signed, if not today


def test_who_is_erased_is_no_more_named_at_what_they_recorded(node: sa.Connection) -> None:
    write_draft(node, CLOSED, RECORD, "sofia@idp")
    assert erase_user(node, "sofia@idp").acts == 1
    assert [each.by for each in read_history(node, CLOSED)] == [ERASED]


def test_an_identifier_is_one_dataset_s_and_stays_so(node: sa.Connection) -> None:
    write_record(node, CLOSED, RECORD, "steward")
    [taken] = check_record(node, OPEN, DatasetRecord(identifier=RECORD.identifier), is_open=True)
    assert taken.field == "identifier"
    assert CLOSED in taken.says
    move_dataset(node, CLOSED, DatasetState.PUBLISHED)
    today = clock.now().date().isoformat()
    renamed = with_value(with_value(RECORD, "identifier", "GDI-EE-OTHER-9"), "governance.sign_off.on", today)
    with pytest.raises(Invalid, match=f"published as {RECORD.identifier}"):
        write_record(node, CLOSED, renamed, "steward")


def test_what_is_published_stays_complete(node: sa.Connection) -> None:
    write_record(node, CLOSED, RECORD, "steward")
    move_dataset(node, CLOSED, DatasetState.PUBLISHED)
    with pytest.raises(Invalid, match=r"governance\.ethics\.by"):
        write_record(node, CLOSED, without("governance.ethics.by"), "steward")
    assert [each.record for each in read_records(node).values()] == [RECORD]
