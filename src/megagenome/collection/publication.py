# SPDX-License-Identifier: Apache-2.0
"""What lets a dataset be published: its record of metadata and governance, with history, and the rule.

A dataset that is not declared open is published only with a controller, a legal basis, an ethics approval, a data
protection impact assessment and the contact point's sign-off on record, beside what a catalogue must say of it
(`standards.dataset_fields.missing`). Data that are declared open or synthetic are about nobody, so the holder's
declaration is all that they need. The rule is looked at in the transaction that publishes, from what that transaction
reads, so that no two states of record and dataset can meet.
"""

from datetime import date

import msgspec
import sqlalchemy as sa

from megagenome.collection import tables
from megagenome.collection.version import raise_version
from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict, Invalid, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.standards.dataset_fields import faults, in_form_order, missing, topics
from megagenome.standards.dataset_record import (
    DatasetRecord,
    Problem,
    RecordVersion,
    SignOff,
    decode_record,
    encode_record,
)

_SHOWN = 4
_OUTDATED = "The record changed since this was signed: sign it anew"


def check_record(
    connection: sa.Connection, dataset: DatasetId, record: DatasetRecord, *, is_open: bool
) -> tuple[Problem, ...]:
    """All that stands against making this the record of a dataset, which need not be there yet: what is missing, what
    cannot be so, an identifier that another dataset has, one that was published otherwise, a sign-off of an earlier
    state. One problem of each field, in the order of the form."""
    found = [*faults(record, is_open=is_open), *missing(record, is_open=is_open)]
    named = {each.id: each for each in _described(connection)}
    for other, known in named.items():
        if record.identifier and known.identifier == record.identifier and other != dataset:
            found.append(Problem("identifier", f"This is the identifier of dataset {other}"))
    mine = named.get(dataset)
    if mine and mine.published and mine.identifier not in ("", record.identifier):
        found.append(Problem("identifier", f"The dataset was published as {mine.identifier}, and stays so"))
    before = mine.record if mine else None
    signed = record.governance.sign_off
    if before and signed.name and _is_signed_before(record, before) and signed.on != _today():
        found.append(Problem("governance.sign_off.on", _OUTDATED))
    return in_form_order(found)


def write_record(connection: sa.Connection, dataset: DatasetId, record: DatasetRecord, by: str) -> int:
    """Make this the record of a dataset, from the commit on; the version that it has. Idempotent.

    Raises `NotFound`, or `Invalid` naming what `check_record` finds. Of shapes (SHACL) it knows nothing: who takes a
    record from people holds it to them first (`catalogue.check`).
    """
    row = read_row(connection, dataset)
    if found := check_record(connection, dataset, record, is_open=row.open):
        raise Invalid(f"the record of {dataset} is not complete: {in_words(found)}")
    newest = _newest(connection, row.number)
    if newest and not newest.draft and newest.record == record:
        return newest.version
    stated = {name: text for name in ("title", "description") if (text := getattr(record, name))}
    updated = sa.update(tables.dataset).where(tables.dataset.c.number == row.number)
    connection.execute(updated.values(updated=clock.now().isoformat(), **stated))
    raise_version(connection)
    return _add(connection, row.number, record, by, draft=False)


def write_draft(connection: sa.Connection, dataset: DatasetId, record: DatasetRecord, by: str) -> int:
    """Keep a record that need not be complete; nothing is served of it. Its version. Raises `NotFound`."""
    row = read_row(connection, dataset)
    newest = _newest(connection, row.number)
    if newest and newest.draft and newest.record == record:
        return newest.version
    return _add(connection, row.number, record, by, draft=True)


def require_publishable(connection: sa.Connection, dataset: DatasetId) -> None:
    """Raise `Conflict`, naming what is missing, unless the dataset's recorded governance lets it be published."""
    if found := missing_of(connection, dataset):
        raise Conflict(
            f"dataset {dataset} is not declared open and cannot be published before this is on record: "
            f"{topics(found)}; record it with `megagenome node metadata` or `node load --metadata`"
        )


def missing_of(connection: sa.Connection, dataset: DatasetId) -> tuple[Problem, ...]:
    """What is not on record and must be before the dataset may be published. Raises `NotFound`."""
    row = read_row(connection, dataset)
    recorded = _newest(connection, row.number, drafts=False)
    return missing(recorded.record if recorded else DatasetRecord(), is_open=row.open)


def read_records(connection: sa.Connection, *, drafts: bool = False) -> dict[int, RecordVersion]:
    """The newest record of each dataset that has one, by the dataset's number; drafts are left out unless asked for."""
    r = tables.dataset_record
    newest = sa.select(r.c.dataset, sa.func.max(r.c.version).label("version")).group_by(r.c.dataset)
    latest = (newest if drafts else newest.where(~r.c.draft)).subquery()
    rows = sa.select(r).join(latest, (r.c.dataset == latest.c.dataset) & (r.c.version == latest.c.version))
    return {row.dataset: _version(row) for row in connection.execute(rows)}


def read_history(connection: sa.Connection, dataset: DatasetId) -> tuple[RecordVersion, ...]:
    """All versions and drafts of a dataset's record, newest first. Raises `NotFound`."""
    r = tables.dataset_record
    number = read_row(connection, dataset).number
    rows = connection.execute(sa.select(r).where(r.c.dataset == number).order_by(r.c.version.desc()))
    return tuple(map(_version, rows))


def in_words(problems: tuple[Problem, ...]) -> str:
    """Some problems in one line, the first few by name."""
    shown = "; ".join(f"{each.says} ({each.field})" for each in problems[:_SHOWN])
    return f"{shown}; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else shown


class _Described(msgspec.Struct, frozen=True):
    id: str
    published: str
    record: DatasetRecord | None

    @property
    def identifier(self) -> str:
        return self.record.identifier if self.record else ""


def _described(connection: sa.Connection) -> list[_Described]:
    records = read_records(connection)
    rows = connection.execute(sa.select(tables.dataset.c.number, tables.dataset.c.id, tables.dataset.c.published))
    known = ((row, records.get(row.number)) for row in rows)
    return [_Described(row.id, row.published, recorded.record if recorded else None) for row, recorded in known]


def _is_signed_before(record: DatasetRecord, before: DatasetRecord) -> bool:
    """Whether the record differs from an earlier one and bears the same sign-off."""
    return record != before and record.governance.sign_off == before.governance.sign_off != SignOff()


def _today() -> str:
    return date.isoformat(clock.now().date())


def _newest(connection: sa.Connection, number: int, *, drafts: bool = True) -> RecordVersion | None:
    r = tables.dataset_record
    newest = sa.select(r).where(r.c.dataset == number).order_by(r.c.version.desc()).limit(1)
    return next(map(_version, connection.execute(newest if drafts else newest.where(~r.c.draft))), None)


def _add(connection: sa.Connection, number: int, record: DatasetRecord, by: str, *, draft: bool) -> int:
    newest = _newest(connection, number)
    version = newest.version + 1 if newest else 1
    stored = {"content": encode_record(record), "by": by, "at": clock.now().isoformat()}
    connection.execute(sa.insert(tables.dataset_record).values(dataset=number, version=version, draft=draft, **stored))
    return version


def _version(row: "sa.Row[tuple[object, ...]]") -> RecordVersion:
    return RecordVersion(row.version, row.draft, row.by, row.at, decode_record(row.content))


def read_row(connection: sa.Connection, dataset: DatasetId) -> "sa.Row[tuple[object, ...]]":
    """A dataset's row. Raises `NotFound`."""
    row = connection.execute(sa.select(tables.dataset).where(tables.dataset.c.id == dataset)).one_or_none()
    if row is None:
        raise NotFound(f"there is no dataset {dataset}; `megagenome node check` lists what there is")
    return row
