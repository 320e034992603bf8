# SPDX-License-Identifier: Apache-2.0
"""Sets of individuals in the node's database: one row per set and batch of 65,536 people, in the bitmap codec."""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from itertools import islice

import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap
from megagenome.collection.rows import insert_rows
from megagenome.collection.tables import member_set


class SetKind(StrEnum):
    """What a set is about, and what its key is."""

    SEX = "sex"  # female, male
    COUNTRY = "country"
    POPULATION = "population"
    BIRTH_YEAR = "birth_year"
    RECORDED = "recorded"  # sex, country, population: those of whom it is known
    OBSERVED = "observed"  # a term, exactly as recorded
    FOLDED = "folded"  # a term: it or any term below it observed
    EXCLUDED = "excluded"  # a term, exactly as recorded
    CUSTOM = "custom"  # NAME=VALUE; and NAME: those who have any value in that column
    DATASET = "dataset"  # a dataset's id
    CONSENTED = "consented"  # USE/DATASET: those of the dataset for whom its tables say yes to the use
    WITHDRAWN = "withdrawn"  # a use: those who themselves ended it at this node, whatever tables say
    CONSENT = "consent"  # a use: those who consent to it now
    RELEASED = "released"  # a dataset's id: those of it who are in the public numbers


_KEYS_AT_ONCE = 100
_UNION = sa.select(member_set.c.batch, member_set.c.members).where(
    member_set.c.kind == sa.bindparam("kind"),
    member_set.c.key.in_(sa.bindparam("keys", expanding=True)),
    member_set.c.batch < sa.bindparam("batches"),
)
"""Made once, because to make a query takes longer than to ask it."""


def read_members(connection: sa.Connection, kind: SetKind, key: str, batches: int) -> bitmap.Planes:
    """The set `key` of `kind`, empty when there is none; of its people those in the first `batches` batches, so that
    who knows the node as it was before newcomers is not disturbed by them."""
    return read_union(connection, kind, (key,), batches)


def read_union(connection: sa.Connection, kind: SetKind, keys: Collection[str], batches: int) -> bitmap.Planes:
    """Those who are in any of these sets, as `read_members` tells them. One query."""
    planes = bitmap.nobody(batches)
    chosen = {"kind": kind, "keys": tuple(keys), "batches": batches}
    for batch, members in connection.execute(_UNION, chosen):
        planes[batch] |= bitmap.decode_plane(members)
    return planes


def read_keys(connection: sa.Connection, kind: SetKind) -> tuple[str, ...]:
    """Keys of all sets of a kind, sorted."""
    chosen = sa.select(member_set.c.key).distinct().where(member_set.c.kind == kind)
    return tuple(sorted(connection.scalars(chosen)))


def add_members(connection: sa.Connection, kind: SetKind, additions: Iterable[tuple[str, bitmap.Numbers]]) -> None:
    """Add people to sets of a kind: each key once, with numbers in any order, repeats allowed. Sets that have them all
    already are not written. In the caller's transaction; takes `additions` a hundred at a time."""
    remaining = iter(additions)
    while at_once := dict(islice(remaining, _KEYS_AT_ONCE)):
        stored = _read_stored(connection, kind, at_once)
        grown: dict[tuple[str, int], bytes] = {}
        for key, numbers in at_once.items():
            for batch, added in _by_batch(numbers).items():
                before = stored.get((key, batch))
                after = added if before is None else np.union1d(bitmap.decode(before), added)
                if (encoded := bitmap.encode(after)) != before:
                    grown[key, batch] = encoded
        _write(connection, kind, grown, stored.keys() & grown.keys())


def replace_members(connection: sa.Connection, kind: SetKind, key: str, planes: bitmap.Planes) -> None:
    """Make the set exactly `planes`. In the caller's transaction."""
    connection.execute(sa.delete(member_set).where(member_set.c.kind == kind, member_set.c.key == key))
    batches = _by_batch(bitmap.to_numbers(planes))
    _write(connection, kind, {(key, batch): bitmap.encode(members) for batch, members in batches.items()}, ())


def _read_stored(connection: sa.Connection, kind: SetKind, keys: Iterable[str]) -> dict[tuple[str, int], bytes]:
    chosen = sa.select(member_set.c.key, member_set.c.batch, member_set.c.members).where(
        member_set.c.kind == kind, member_set.c.key.in_(tuple(keys))
    )
    return {(key, batch): members for key, batch, members in connection.execute(chosen)}


def _by_batch(numbers: bitmap.Numbers) -> dict[int, np.ndarray[tuple[int], np.dtype[np.uint16]]]:
    """The members of each batch that has any, strictly increasing."""
    distinct = bitmap.distinct(numbers)
    if not len(distinct):
        return {}
    batches = np.arange(distinct[0] // bitmap.BATCH, distinct[-1] // bitmap.BATCH + 1)
    bounds = np.searchsorted(distinct, batches[1:] * bitmap.BATCH)
    parts = zip(batches.tolist(), np.split(distinct, bounds), strict=True)
    return {batch: (part % bitmap.BATCH).astype(np.uint16) for batch, part in parts if len(part)}


def _write(
    connection: sa.Connection,
    kind: SetKind,
    rows: Mapping[tuple[str, int], bytes],
    replaced: Collection[tuple[str, int]],
) -> None:
    if replaced:
        connection.execute(
            sa.delete(member_set).where(
                member_set.c.kind == kind,
                member_set.c.key == sa.bindparam("old_key"),
                member_set.c.batch == sa.bindparam("old_batch"),
            ),
            [{"old_key": key, "old_batch": batch} for key, batch in replaced],
        )
    insert_rows(connection, member_set, [(kind, *place, members) for place, members in rows.items()])
