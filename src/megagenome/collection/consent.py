# SPDX-License-Identifier: Apache-2.0
"""Consent by kind of use: whose genome may be used for what, now.

A person consents to a use when every dataset that they are in says yes to it for them, and they did not end it
themselves. So no table can turn another dataset's no (or silence), or the person's own word, into a yes; a no takes
effect at once whichever table brings it; and the order of loading does not matter.

What is decided here is the live set. Every reading by permit follows it. What is told without a permit follows it with
the next release (`released.py`).
"""

from collections.abc import Collection, Mapping

import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap
from megagenome.collection.members import SetKind, read_keys, read_members, replace_members
from megagenome.collection.model import Use
from megagenome.collection.strata import count_individuals
from megagenome.kernel.ids import DatasetId


def read_consenting(connection: sa.Connection, use: Use, batches: int) -> bitmap.Planes:
    """The people who consent to a use now."""
    return read_members(connection, SetKind.CONSENT, use, batches)


def read_withdrawn(connection: sa.Connection, use: Use, batches: int) -> bitmap.Planes:
    """The people who ended a use themselves."""
    return read_members(connection, SetKind.WITHDRAWN, use, batches)


def record_consent(
    connection: sa.Connection,
    dataset: DatasetId,
    named: bitmap.Planes,
    agreeing: Mapping[Use, bitmap.Planes],
) -> tuple[bitmap.Planes, bitmap.Planes]:
    """Put down what a dataset's tables say: yes to a use for those in `agreeing`, not yes for the others of `named`;
    for people of the dataset whom they do not name, its earlier word stays. The dataset's members must be stored
    already.

    Returns the people who consented to being counted (`Use.AGGREGATES`) before and those who do now. In the caller's
    transaction.
    """
    batches = len(named)
    before = read_consenting(connection, Use.AGGREGATES, batches)
    for use in Use:
        key = _said_key(use, dataset)
        said = read_members(connection, SetKind.CONSENTED, key, batches)
        yes = agreeing.get(use, bitmap.nobody(batches))
        replace_members(connection, SetKind.CONSENTED, key, said & ~named | yes)
        _settle(connection, use, batches)
    return before, read_consenting(connection, Use.AGGREGATES, batches)


def change_own_word(connection: sa.Connection, person: int, ended: Collection[Use], renewed: Collection[Use]) -> None:
    """A person's own word: a no to each use of `ended`, which no table overrules; for each of `renewed` their no taken
    back, so that what tables say holds again. In the caller's transaction; idempotent. Cost: reads the consent sets."""
    batches = bitmap.batches_for(count_individuals(connection))
    one = bitmap.from_numbers(np.array([person]), batches)
    for use in (*ended, *renewed):
        own = read_withdrawn(connection, use, batches)
        replace_members(connection, SetKind.WITHDRAWN, use, own | one if use in ended else own & ~one)
        _settle(connection, use, batches)


def _settle(connection: sa.Connection, use: Use, batches: int) -> None:
    """Make the live set what datasets and people say."""
    anywhere, refused = bitmap.nobody(batches), read_withdrawn(connection, use, batches)
    for dataset in read_keys(connection, SetKind.DATASET):
        members = read_members(connection, SetKind.DATASET, dataset, batches)
        anywhere |= members
        refused |= members & ~read_members(connection, SetKind.CONSENTED, _said_key(use, dataset), batches)
    replace_members(connection, SetKind.CONSENT, use, anywhere & ~refused)


def _said_key(use: Use, dataset: str) -> str:
    return f"{use}/{dataset}"
