# SPDX-License-Identifier: Apache-2.0
"""The terms that people of the collection are described with."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from megagenome.collection import bitmap
from megagenome.collection.members import SetKind
from megagenome.collection.model import FilteringTerm
from megagenome.collection.people import FactKind
from megagenome.collection.rows import insert_rows
from megagenome.collection.tables import member_set, term

_TERMS_AT_ONCE = 5_000


def read_terms(connection: sa.Connection, groups: Sequence[tuple[bitmap.Planes, int]]) -> tuple[FilteringTerm, ...]:
    """The phenotypes, diseases and custom columns that are recorded for enough people of some group, sorted by id.

    groups   people, and how many of them must have the term observed, or excluded, or the column filled in

    So pass only people whom the reader may know of: a term that is recorded for others alone is not told. Of a custom
    column the name is told and no value, because a value may be one person's. Cost: reads all sets of terms.
    """
    recorded = _recorded_for(groups, connection)
    chosen = sa.select(term).where(term.c.kind != FactKind.MEASURE).order_by(term.c.id, term.c.kind)
    # a term that is recorded both as a disease and as a phenotype stands once, as a phenotype
    by_id = {
        row.id: FilteringTerm(row.id, row.label, row.kind) for row in connection.execute(chosen) if row.id in recorded
    }
    return tuple(by_id.values())


def _recorded_for(groups: Sequence[tuple[bitmap.Planes, int]], connection: sa.Connection) -> set[str]:
    kinds = (SetKind.OBSERVED, SetKind.EXCLUDED, SetKind.CUSTOM)
    columns = (member_set.c.kind, member_set.c.key, member_set.c.batch, member_set.c.members)
    least = np.array([enough for _, enough in groups], np.int64)
    counts: defaultdict[tuple[str, str], npt.NDArray[np.int64]] = defaultdict(lambda: np.zeros(len(groups), np.int64))
    for kind, key, batch, stored in connection.execute(sa.select(*columns).where(member_set.c.kind.in_(kinds))):
        members = bitmap.decode(stored)
        for k, (people, _) in enumerate(groups):
            if batch < len(people):
                counts[kind, key][k] += np.count_nonzero(bitmap.contains(people[batch], members))
    return {key for (_, key), found in counts.items() if (found >= least).any()}


def store_terms(
    connection: sa.Connection, recorded: Collection[tuple[str, FactKind]], labels: Mapping[str, str]
) -> None:
    """Put down terms that are not there yet. A term without a name is called by its id until some table names it."""
    remaining = iter(sorted(recorded))
    while at_once := tuple(islice(remaining, _TERMS_AT_ONCE)):
        chosen = sa.select(term).where(term.c.id.in_({name for name, _ in at_once}))
        stored = {(row.id, row.kind): row.label for row in connection.execute(chosen)}
        rows = [(name, kind, labels.get(name, name)) for name, kind in at_once]
        insert_rows(connection, term, [row for row in rows if row[:2] not in stored])
        if named := [
            {"term": name, "name": label} for name, kind, label in rows if stored.get((name, kind)) == name != label
        ]:
            renamed = sa.update(term).where(term.c.id == sa.bindparam("term")).values(label=sa.bindparam("name"))
            connection.execute(renamed, named)
