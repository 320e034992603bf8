# SPDX-License-Identifier: Apache-2.0
"""Datasets: what a holder states of one, and its one state, which every role reads."""

import msgspec
import sqlalchemy as sa

from megagenome.collection import tables
from megagenome.collection.model import DatasetState
from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict, Invalid, NotFound
from megagenome.kernel.ids import DatasetId

PUBLIC_FLOOR = 10
"""The smallest count that any dataset which is not open lets the public see; a holder may only raise it."""


class DatasetStatement(msgspec.Struct, frozen=True):
    """What the holder says of a dataset when loading; None leaves what is stated already, or the default.

    open             True declares the data open or synthetic; only then may `floor` be below `PUBLIC_FLOOR`
    floor            default 0 for open data, else `PUBLIC_FLOOR`
    collection_year  the year that ages are stated for
    publish          move it to published with the same transaction
    """

    id: DatasetId
    title: str | None = None
    description: str | None = None
    open: bool | None = None
    floor: int | None = None
    collection_year: int | None = None
    publish: bool = False


MOVES: dict[DatasetState, frozenset[DatasetState]] = {
    DatasetState.DRAFT: frozenset({DatasetState.APPROVED, DatasetState.WITHDRAWN}),
    DatasetState.APPROVED: frozenset({DatasetState.PUBLISHED, DatasetState.DRAFT, DatasetState.WITHDRAWN}),
    DatasetState.PUBLISHED: frozenset({DatasetState.WITHDRAWN}),
    DatasetState.WITHDRAWN: frozenset({DatasetState.APPROVED}),
}
"""The states that each state may move to. A withdrawn dataset comes back only through a new approval."""


def state_dataset(connection: sa.Connection, statement: DatasetStatement) -> int:
    """Record a dataset, or check the statement against the recorded one; its number.

    Raises `Conflict` where the statement differs from the record or would publish what is withdrawn, `Invalid` for a
    floor that is too low.
    """
    now = clock.now().isoformat()
    known = connection.execute(sa.select(tables.dataset).where(tables.dataset.c.id == statement.id)).one_or_none()
    if known is not None:
        _refuse_changes(statement, known)
        if statement.publish and known.state == DatasetState.WITHDRAWN:
            raise Conflict(
                f"dataset {statement.id} is withdrawn and is not published by a load; approve it anew, or leave out "
                "--publish"
            )
        if statement.publish and known.state != DatasetState.PUBLISHED:
            _set_state(connection, known.number, DatasetState.PUBLISHED)
        connection.execute(sa.update(tables.dataset).where(tables.dataset.c.number == known.number).values(updated=now))
        return int(known.number)
    is_open = bool(statement.open)
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
            state=DatasetState.PUBLISHED if statement.publish else DatasetState.DRAFT,
            open=is_open,
            floor=floor,
            collection_year=statement.collection_year,
            created=now,
            updated=now,
        )
    )
    return number


def _refuse_changes(statement: DatasetStatement, known: sa.Row[tuple[object, ...]]) -> None:
    for field in ("title", "description", "open", "floor", "collection_year"):
        stated = getattr(statement, field)
        if stated is not None and stated != getattr(known, field):
            raise Conflict(
                f"dataset {statement.id}: {field} is recorded as {getattr(known, field)!r}, not {stated!r}; "
                f"leave it out to add to the dataset as it is"
            )


def move_dataset(connection: sa.Connection, dataset: DatasetId, to: DatasetState) -> DatasetState:
    """Move a dataset to a state; the state it had. Idempotent. All roles see it with the transaction's commit.

    Raises `NotFound`, or `Conflict` naming the states that it may move to.
    """
    row = connection.execute(sa.select(tables.dataset).where(tables.dataset.c.id == dataset)).one_or_none()
    if row is None:
        raise NotFound(f"there is no dataset {dataset}; `megagenome node check` lists what there is")
    state = DatasetState(row.state)
    if to is state:
        return state
    if to not in MOVES[state]:
        may = ", ".join(sorted(MOVES[state]))
        raise Conflict(f"dataset {dataset} is {state} and cannot become {to}; it can become {may}")
    _set_state(connection, row.number, to)
    raise_version(connection)
    return state


def _set_state(connection: sa.Connection, number: int, state: DatasetState) -> None:
    connection.execute(
        sa.update(tables.dataset)
        .where(tables.dataset.c.number == number)
        .values(state=state, updated=clock.now().isoformat())
    )


def raise_version(connection: sa.Connection) -> None:
    """Say, in the same transaction, that the collection changed."""
    version = tables.collection_version
    connection.execute(sa.update(version).values(version=version.c.version + 1))
