# SPDX-License-Identifier: Apache-2.0
"""Datasets: what a holder states of one, and its one state, which every role reads."""

import msgspec
import sqlalchemy as sa

from megagenome.collection import tables
from megagenome.collection.collection import Collection
from megagenome.collection.model import DatasetState, Tier
from megagenome.collection.needs import Actor
from megagenome.collection.publication import read_row, require_publishable, write_record
from megagenome.collection.released import refuse_withdrawn, remember_told
from megagenome.collection.version import raise_version
from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Invalid
from megagenome.kernel.ids import DatasetId
from megagenome.standards.dataset_record import DatasetRecord

PUBLIC_FLOOR = 10
"""The smallest count that any dataset which is not open lets the public see; a holder may only raise it."""


class DatasetStatement(msgspec.Struct, frozen=True):
    """What the holder says of a dataset when loading; None leaves what is stated already, or the default.

    open             True declares the data open or synthetic; only then may `floor` be below `PUBLIC_FLOOR`
    floor            default 0 for open data, else `PUBLIC_FLOOR`
    collection_year  the year that ages are stated for
    publish          move it to published with the same transaction, which needs a record unless the data are open
    record           its metadata and governance, recorded with the same transaction
    by               who states it; kept with the record, and in the ledger where it is published. "": the operator
    alleles_tier     default public
    people_tier      default public for open data, else registered
    """

    id: DatasetId
    title: str | None = None
    description: str | None = None
    open: bool | None = None
    floor: int | None = None
    collection_year: int | None = None
    publish: bool = False
    alleles_tier: Tier | None = None
    people_tier: Tier | None = None
    record: DatasetRecord | None = None
    by: str = ""


MOVES: dict[DatasetState, frozenset[DatasetState]] = {
    DatasetState.DRAFT: frozenset({DatasetState.APPROVED, DatasetState.WITHDRAWN}),
    DatasetState.APPROVED: frozenset({DatasetState.PUBLISHED, DatasetState.DRAFT, DatasetState.WITHDRAWN}),
    DatasetState.PUBLISHED: frozenset({DatasetState.WITHDRAWN}),
    DatasetState.WITHDRAWN: frozenset({DatasetState.APPROVED}),
}
"""The states that each state may move to. A withdrawn dataset comes back only through a new approval."""


def state_dataset(connection: sa.Connection, statement: DatasetStatement) -> int:
    """Record a dataset with what is stated of it, or check the statement against the recorded one; its number.

    Raises `Conflict` where the statement differs from the record, would publish what is withdrawn, or what is not
    declared open without its governance (`publication`); `Invalid` for a floor that is too low.
    """
    known = connection.execute(sa.select(tables.dataset).where(tables.dataset.c.id == statement.id)).one_or_none()
    if known is not None:
        _refuse_changes(statement, known)
        if statement.publish and known.state == DatasetState.WITHDRAWN:
            raise Conflict(
                f"dataset {statement.id} is withdrawn and is not published by a load; approve it anew, or leave out "
                "--publish"
            )
        mine = tables.dataset.c.number == known.number
        connection.execute(sa.update(tables.dataset).where(mine).values(updated=clock.now().isoformat()))
    number = int(known.number) if known is not None else _add_dataset(connection, statement)
    if statement.record is not None:
        write_record(connection, statement.id, statement.record, statement.by)
    if statement.publish and (known is None or known.state != DatasetState.PUBLISHED):
        require_publishable(connection, statement.id)
        _set_state(connection, number, DatasetState.PUBLISHED)
    return number


def _add_dataset(connection: sa.Connection, statement: DatasetStatement) -> int:
    now, is_open = clock.now().isoformat(), bool(statement.open)
    floor = statement.floor if statement.floor is not None else (0 if is_open else PUBLIC_FLOOR)
    if floor < (0 if is_open else PUBLIC_FLOOR):
        raise Invalid(
            f"dataset {statement.id}: floor {floor}: the least is {PUBLIC_FLOOR}; "
            "only data declared open (--open) may have less"
        )
    number = int(connection.execute(sa.select(sa.func.count()).select_from(tables.dataset)).scalar_one())
    connection.execute(
        sa.insert(tables.dataset).values(
            number=number,
            id=statement.id,
            title=statement.title or statement.id,
            description=statement.description or "",
            state=DatasetState.DRAFT,
            open=is_open,
            floor=floor,
            collection_year=statement.collection_year,
            alleles_tier=statement.alleles_tier or Tier.PUBLIC,
            people_tier=statement.people_tier or (Tier.PUBLIC if is_open else Tier.REGISTERED),
            created=now,
            updated=now,
        )
    )
    return number


def _refuse_changes(statement: DatasetStatement, known: sa.Row[tuple[object, ...]]) -> None:
    for field in ("title", "description", "open", "floor", "collection_year", "alleles_tier", "people_tier"):
        stated = getattr(statement, field)
        if stated is not None and stated != getattr(known, field):
            raise Conflict(
                f"dataset {statement.id}: {field} is recorded as {getattr(known, field)!r}, not {stated!r}; "
                f"leave it out to add to the dataset as it is"
            )


def move_dataset(connection: sa.Connection, dataset: DatasetId, to: DatasetState) -> DatasetState:
    """Move a dataset to a state; the state it had. Idempotent. All roles see it with the transaction's commit.

    Raises `NotFound`, or `Conflict` naming the states that it may move to, or what must be on record before it is
    published (`publication`), or saying that its public numbers hold people who withdrew meanwhile, so that a release
    must come first.
    """
    row = read_row(connection, dataset)
    state = DatasetState(row.state)
    if to is state:
        return state
    if to not in MOVES[state]:
        may = ", ".join(sorted(MOVES[state]))
        raise Conflict(f"dataset {dataset} is {state} and cannot become {to}; it can become {may}")
    if to is DatasetState.PUBLISHED:
        require_publishable(connection, dataset)
        refuse_withdrawn(connection, dataset)
    if state is DatasetState.PUBLISHED:
        remember_told(connection, dataset)
    _set_state(connection, row.number, to)
    raise_version(connection)
    return state


def change_state(collection: Collection, dataset: DatasetId, *steps: DatasetState, by: Actor) -> DatasetState:
    """Move a dataset through these states to the last of them, in one transaction with the entry of who did it in the
    collection's journal; the state it had. Where it has the last one already nothing is done or entered.

    Raises what `move_dataset` does. All follow it from the commit on.
    """
    with begin_writing(collection.engine) as connection:
        before, after = read_state(connection, dataset), steps[-1]
        for step in steps if before is not after else ():
            move_dataset(connection, dataset, step)
        if before is not after and collection.journal is not None:
            collection.journal.enter_state(connection, by, dataset, before, after)
    collection.refresh()
    return before


def read_state(connection: sa.Connection, dataset: DatasetId) -> DatasetState:
    """The state of a dataset. Raises `NotFound`."""
    return DatasetState(read_row(connection, dataset).state)


def set_tiers(
    connection: sa.Connection, dataset: DatasetId, by: str, *, alleles: Tier | None = None, people: Tier | None = None
) -> tuple[Tier, Tier]:
    """Choose who may be told of a dataset's alleles and of its people; None leaves a tier. The tiers that hold then.

    Readings that are opened after the commit follow it. Who changed it and when is kept. Raises `NotFound`.
    """
    raise_version(connection)  # first, so that the transaction begins by writing: nothing that it reads can change
    row = read_row(connection, dataset)
    tiers = alleles or Tier(row.alleles_tier), people or Tier(row.people_tier)
    chosen = {"alleles_tier": tiers[0], "people_tier": tiers[1]}
    now = clock.now().isoformat()
    mine = tables.dataset.c.number == row.number
    connection.execute(sa.update(tables.dataset).where(mine).values(updated=now, **chosen))
    connection.execute(sa.insert(tables.tier_change).values(dataset=row.number, by=by, at=now, **chosen))
    return tiers


def _set_state(connection: sa.Connection, number: int, state: DatasetState) -> None:
    now = clock.now().isoformat()
    told = {"published": now} if state is DatasetState.PUBLISHED else {}
    changed = sa.update(tables.dataset).where(tables.dataset.c.number == number)
    connection.execute(changed.values(state=state, updated=now, **told))
