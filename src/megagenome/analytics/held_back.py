# SPDX-License-Identifier: Apache-2.0
"""Which of a study's people take part at this node, so that no two studies differ by a few of them.

Two results over sets of people that differ by one person show that person. So the people of a study are, compared with
those of every study before it at this node, either the same or different in at least `least` people. Where today's
people are too near to an earlier study's, that study's are taken again if all of them may still be; else so many,
drawn at random, are held back until the rule holds. The draw is made once: the set that was used is an earlier study's
from then on, and is taken again, so that averaging over studies brings nobody out.

Sets are planes (`collection.bitmap`): uint8 [batches, bytes], one bit for each person.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import NotEntitled

Planes = npt.NDArray[np.uint8]

_MOST_DRAWS = 20


class Chosen(NamedTuple):
    """The people who take part, and how many of those who might are held back."""

    people: Planes
    held_back: int


def choose_people(today: Planes, earlier: Sequence[Planes], least: int, rng: np.random.Generator) -> Chosen:
    """Of the people who may be studied `today`, those who take part. `earlier`: the sets that took part before,
    none wider than today's.

    Raises `NotEntitled` where no set keeps the rule, or fewer than `least` would be left. Cost: linear in the people of
    the node and the earlier sets.
    """
    if keeps_apart(today, earlier, least):
        return Chosen(today, 0)
    before = [_as_wide(each, today) for each in earlier]
    members = np.flatnonzero(np.unpackbits(today.reshape(-1), bitorder="little"))
    order = rng.permutation(members)
    taken_again = sorted((each for each in before if not _size(each & ~today)), key=_size, reverse=True)
    for held in range(least, min(len(order) - least, _MOST_DRAWS * least) + 1, least):
        # what was used before comes first, also before a new draw that would hold back as many
        for each in taken_again:
            if len(order) - _size(each) <= held:
                return Chosen(each, len(order) - _size(each))
        kept = _from_members(order[held:], today)
        if all(_keeps(kept, each, least) for each in before):
            return Chosen(kept, held)
    raise NotEntitled(
        f"this node's people of the study differ by fewer than {least} from those of an earlier study, which would "
        "show them: study the same people, or clearly others"
    )


def keeps_apart(people: Planes, earlier: Sequence[Planes], least: int) -> bool:
    """Whether a set is, compared with each of the others, the same or different in at least `least` people."""
    return all(_keeps(people, _as_wide(each, people), least) for each in earlier)


def _keeps(one: Planes, other: Planes, least: int) -> bool:
    differing = _size(one ^ other)
    return differing == 0 or differing >= least


def _size(planes: Planes) -> int:
    return int(np.bitwise_count(planes).sum())


def _as_wide(planes: Planes, like: Planes) -> Planes:
    """An earlier set, as wide as today's: the node may have more people now."""
    wide = np.zeros_like(like)
    wide[: len(planes)] = planes
    return wide


def _from_members(members: npt.NDArray[np.int64], like: Planes) -> Planes:
    bits = np.zeros(like.size * 8, np.uint8)
    bits[members] = 1
    return np.packbits(bits, bitorder="little").reshape(like.shape)
