# SPDX-License-Identifier: Apache-2.0
"""Consent by kind of use: whose genome may be used for what, now.

A person consents to a use when every dataset that they are in says yes to it for them, and they did not end it
themselves. So no table can turn another dataset's no (or silence), or the person's own word, into a yes; a no takes
effect at once whichever table brings it; and the order of loading does not matter.

What is decided here is the live set. Every reading by permit follows it. What is told without a permit follows it with
the next release (`released.py`).
"""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap
from megagenome.collection.members import SetKind, read_all, read_each, read_members, replace_members
from megagenome.collection.model import Use
from megagenome.collection.strata import count_individuals
from megagenome.kernel.ids import DatasetId


def read_consenting(connection: sa.Connection, use: Use, batches: int) -> bitmap.Planes:
    """The people who consent to a use now."""
    return read_members(connection, SetKind.CONSENT, use, batches)


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
    said = read_each(connection, SetKind.CONSENTED, [_said_key(use, dataset) for use in Use], batches)
    for use in Use:
        said[_said_key(use, dataset)] &= ~named
        said[_said_key(use, dataset)] |= agreeing.get(use, bitmap.nobody(batches))
    replace_members(connection, SetKind.CONSENTED, said)
    live = _settle(connection, Use, named)
    return before, live[Use.AGGREGATES]


def change_own_word(connection: sa.Connection, person: int, ended: Collection[Use], renewed: Collection[Use]) -> None:
    """A person's own word: a no to each use of `ended`, which no table overrules; for each of `renewed` their no taken
    back, so that what tables say holds again. In the caller's transaction; idempotent. Cost: reads who is in which
    dataset."""
    batches = bitmap.batches_for(count_individuals(connection))
    one = bitmap.from_numbers(np.array([person]), batches)
    own = read_each(connection, SetKind.WITHDRAWN, (*ended, *renewed), batches)
    told = {use: people | one if use in ended else people & ~one for use, people in own.items()}
    replace_members(connection, SetKind.WITHDRAWN, told)
    _settle(connection, (*ended, *renewed), one)


def _settle(connection: sa.Connection, uses: Iterable[Use], people: bitmap.Planes) -> dict[str, bitmap.Planes]:
    """Make the live sets of these uses what datasets and `people` say of them; all others are as they said before. The
    live sets, by use. Cost: two queries and the datasets' members, and a query for each dataset that has some of
    `people`; so who comes into datasets of their own costs no look at what others say."""
    batches = len(people)
    live = read_each(connection, SetKind.CONSENT, tuple(uses), batches)
    ended = read_each(connection, SetKind.WITHDRAWN, tuple(live), batches)
    anywhere = bitmap.nobody(batches)
    for dataset, members in read_all(connection, SetKind.DATASET, batches):
        members &= people
        if not members.any():
            continue
        anywhere |= members
        said = read_each(connection, SetKind.CONSENTED, [_said_key(use, dataset) for use in live], batches)
        for use, refused in ended.items():
            refused |= members & ~said[_said_key(use, dataset)]
    live = {use: before & ~people | anywhere & ~ended[use] for use, before in live.items()}
    replace_members(connection, SetKind.CONSENT, live)
    return live


def _said_key(use: str, dataset: str) -> str:
    return f"{use}/{dataset}"
