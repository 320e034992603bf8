# SPDX-License-Identifier: Apache-2.0
"""Sets of individuals in the node's database: one row per set and batch of 65,536 people, in the bitmap codec."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import groupby, islice
from operator import itemgetter

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

# Each statement is made once, because to make one takes longer than to carry it out.
_KIND = member_set.c.kind == sa.bindparam("of_kind")
_KEYS = member_set.c.key.in_(sa.bindparam("keys", expanding=True))
_ONE = sa.select(member_set.c.batch, member_set.c.members).where(
    _KIND, member_set.c.key == sa.bindparam("of_key"), member_set.c.batch < sa.bindparam("batches")
)
_UNION = sa.select(member_set.c.batch, member_set.c.members).where(
    _KIND, _KEYS, member_set.c.batch < sa.bindparam("batches")
)
_ALL = (
    sa.select(member_set.c.key, member_set.c.batch, member_set.c.members)
    .where(_KIND, member_set.c.batch < sa.bindparam("batches"))
    .order_by(member_set.c.key)
)
_STORED = sa.select(member_set.c.key, member_set.c.batch, member_set.c.members).where(_KIND, _KEYS)
_KEYS_OF_KIND = sa.select(member_set.c.key).distinct().where(_KIND)
_REMOVED = sa.delete(member_set).where(
    _KIND, member_set.c.key == sa.bindparam("old_key"), member_set.c.batch == sa.bindparam("old_batch")
)

_Stored = dict[tuple[str, int], bytes]
"""Sets as they are stored, by key and batch."""


def read_members(connection: sa.Connection, kind: SetKind, key: str, batches: int) -> bitmap.Planes:
    """The set `key` of `kind`, empty when there is none; of its people those in the first `batches` batches, so that
    who knows the node as it was before newcomers is not disturbed by them."""
    planes = bitmap.nobody(batches)
    for batch, members in connection.execute(_ONE, {"of_kind": kind.value, "of_key": key, "batches": batches}):
        planes[batch] = bitmap.decode_plane(members)
    return planes


def read_union(connection: sa.Connection, kind: SetKind, keys: Collection[str], batches: int) -> bitmap.Planes:
    """Those who are in any of these sets, as `read_members` tells them. One query."""
    planes = bitmap.nobody(batches)
    chosen = {"of_kind": kind.value, "keys": tuple(keys), "batches": batches}
    for batch, members in connection.execute(_UNION, chosen):
        planes[batch] |= bitmap.decode_plane(members)
    return planes


def read_each(
    connection: sa.Connection, kind: SetKind, keys: Collection[str], batches: int
) -> dict[str, bitmap.Planes]:
    """Each of these sets, as `read_members` tells it. One query."""
    found = {key: bitmap.nobody(batches) for key in keys}
    for (key, batch), members in _read_stored(connection, kind, found).items():
        if batch < batches:
            found[key][batch] = bitmap.decode_plane(members)
    return found


def read_all(connection: sa.Connection, kind: SetKind, batches: int) -> Iterator[tuple[str, bitmap.Planes]]:
    """All sets of a kind that are not empty, each as `read_members` tells it. One query; one set in memory."""
    rows = connection.execute(_ALL, {"of_kind": kind.value, "batches": batches})
    for key, parts in groupby(rows, key=itemgetter(0)):
        planes = bitmap.nobody(batches)
        for _, batch, members in parts:
            planes[batch] = bitmap.decode_plane(members)
        yield key, planes


def read_keys(connection: sa.Connection, kind: SetKind) -> tuple[str, ...]:
    """Keys of all sets of a kind, sorted."""
    return tuple(sorted(connection.scalars(_KEYS_OF_KIND, {"of_kind": kind.value})))


def add_members(connection: sa.Connection, kind: SetKind, additions: Iterable[tuple[str, bitmap.Numbers]]) -> None:
    """Add people to sets of a kind: each key once, with numbers in any order, repeats allowed. Sets that have them all
    already are not written. In the caller's transaction; takes `additions` a hundred at a time."""
    remaining = iter(additions)
    while at_once := dict(islice(remaining, _KEYS_AT_ONCE)):
        stored = _read_stored(connection, kind, at_once)
        grown: _Stored = {}
        for key, numbers in at_once.items():
            for batch, added in _by_batch(numbers).items():
                before = stored.get((key, batch))
                grown[key, batch] = bitmap.encode(added if before is None else np.union1d(bitmap.decode(before), added))
        _replace(connection, kind, {place: stored[place] for place in stored.keys() & grown.keys()}, grown)


def replace_members(connection: sa.Connection, kind: SetKind, sets: Mapping[str, bitmap.Planes]) -> None:
    """Make each of these sets exactly its planes; those that are so already are not written. In the caller's
    transaction."""
    parts = {key: _by_batch(bitmap.to_numbers(planes)) for key, planes in sets.items()}
    after = {(key, batch): bitmap.encode(part) for key in parts for batch, part in parts[key].items()}
    _replace(connection, kind, _read_stored(connection, kind, sets), after)


def _read_stored(connection: sa.Connection, kind: SetKind, keys: Iterable[str]) -> _Stored:
    rows = connection.execute(_STORED, {"of_kind": kind.value, "keys": tuple(keys)})
    return {(key, batch): members for key, batch, members in rows}


def _replace(connection: sa.Connection, kind: SetKind, before: _Stored, after: _Stored) -> None:
    """Write what differs."""
    if removed := [place for place, members in before.items() if after.get(place) != members]:
        old = [{"of_kind": kind.value, "old_key": key, "old_batch": batch} for key, batch in removed]
        connection.execute(_REMOVED, old)
    rows = [(kind.value, *place, members) for place, members in after.items() if before.get(place) != members]
    insert_rows(connection, member_set, rows)


def _by_batch(numbers: bitmap.Numbers) -> dict[int, np.ndarray[tuple[int], np.dtype[np.uint16]]]:
    """The members of each batch that has any, strictly increasing."""
    distinct = bitmap.distinct(numbers)
    if not len(distinct):
        return {}
    first, last = int(distinct[0]) // bitmap.BATCH, int(distinct[-1]) // bitmap.BATCH
    if first == last:  # as in most nodes it is
        return {first: (distinct % bitmap.BATCH).astype(np.uint16)}
    batches = np.arange(first, last + 1)
    bounds = np.searchsorted(distinct, batches[1:] * bitmap.BATCH)
    parts = zip(batches.tolist(), np.split(distinct, bounds), strict=True)
    return {batch: (part % bitmap.BATCH).astype(np.uint16) for batch, part in parts if len(part)}
