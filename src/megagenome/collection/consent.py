# SPDX-License-Identifier: Apache-2.0
"""Consent to research use: who may be counted and read.

A person consents when every dataset that they are in says yes for them. So no table can turn another dataset's no (or
silence) into a yes, a no takes effect at once whichever table brings it, and the order of loading does not matter.
"""

import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap
from megagenome.collection.members import SetKind, read_keys, read_members, replace_members
from megagenome.collection.model import Use
from megagenome.collection.tables import individual
from megagenome.kernel.ids import DatasetId


def read_consenting(connection: sa.Connection, batches: int) -> bitmap.Planes:
    """The people who consent to research."""
    return read_members(connection, SetKind.CONSENT, Use.RESEARCH, batches)


def record_consent(
    connection: sa.Connection, dataset: DatasetId, named: bitmap.Planes, agreeing: bitmap.Planes
) -> tuple[bitmap.Planes, bitmap.Planes]:
    """Put down what a dataset's tables say: yes for `agreeing`, not yes for the others of `named`; for people of the
    dataset whom they do not name, its earlier word stays. The dataset's members must be stored already.

    Returns the people who consented before and those who do now. In the caller's transaction.
    """
    batches = len(named)
    before = read_consenting(connection, batches)
    said = read_members(connection, SetKind.CONSENTED, dataset, batches)
    replace_members(connection, SetKind.CONSENTED, dataset, said & ~named | agreeing)
    anywhere, refused = bitmap.nobody(batches), bitmap.nobody(batches)
    for key in read_keys(connection, SetKind.DATASET):
        members = read_members(connection, SetKind.DATASET, key, batches)
        anywhere |= members
        refused |= members & ~read_members(connection, SetKind.CONSENTED, key, batches)
    after = anywhere & ~refused
    replace_members(connection, SetKind.CONSENT, Use.RESEARCH, after)
    _mark(connection, after & ~before, consents=True)
    _mark(connection, before & ~after, consents=False)
    return before, after


def _mark(connection: sa.Connection, planes: bitmap.Planes, *, consents: bool) -> None:
    """In runs of numbers, because most people of a table do the same as those beside them."""
    numbers = bitmap.to_numbers(planes)
    if not len(numbers):
        return
    ends = np.flatnonzero(np.append(np.diff(numbers) != 1, True))
    firsts = numbers[np.append(0, ends[:-1] + 1)].tolist()
    runs = [{"low": low, "high": high} for low, high in zip(firsts, numbers[ends].tolist(), strict=True)]
    within = individual.c.number.between(sa.bindparam("low"), sa.bindparam("high"))
    connection.execute(sa.update(individual).where(within).values(research_consent=consents), runs)
