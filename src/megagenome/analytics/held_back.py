# SPDX-License-Identifier: Apache-2.0
"""Which of a study's people take part at this node, so that no two studies differ by a few of them.

Two results over sets of people that differ by one person show that person. So the people of a study are, compared with
those of every study before it at this node, either the same or different in at least `least` people; and so are the
groups that a study tells apart: of two studies of the same people whose cases differ by one, that one is shown. Where
today's people are too near to an earlier study's, that study's are taken again if all of them may still be; else so
many, drawn at random, are held back until the rule holds. The draw is made once: the set that was used is an earlier
study's from then on, and is taken again, so that averaging over studies brings nobody out.

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


class Earlier(NamedTuple):
    """Sets that took part before: as all people of a study at this node, and as a group that one told apart."""

    wholes: Sequence[Planes]
    groups: Sequence[Planes] = ()


def choose_people(
    today: Planes, earlier: Earlier, least: int, rng: np.random.Generator, groups: Sequence[Planes] = ()
) -> Chosen:
    """Of the people who may be studied `today`, those who take part. `earlier`: none wider than today's. `groups`: the
    sets that the study tells apart among today's people (cases, controls), each as wide as today's.

    Raises `NotEntitled` where no set keeps the rule, or fewer than `least` would be left. Cost: linear in the people of
    the node, the earlier sets and the groups.
    """
    if keeps_apart(today, groups, earlier, least):
        return Chosen(today, 0)
    before = [_as_wide(each, today) for each in earlier.wholes]
    taken_again = sorted((each for each in before if not _size(each & ~today)), key=_size, reverse=True)
    cells, size = [rng.permutation(each) for each in _cells(today, groups)], _size(today)
    for held in range(least, _MOST_DRAWS * least + 1, least):
        # of the largest cell alone first: then the groups that it is not in stay as they are
        for some in (cells[:1], cells) if len(cells) > 1 else (cells,):
            out = np.concatenate([each[:held] for each in some])
            # what was used before comes first, also before a new draw that would hold back as many
            for each in taken_again:
                if size - _size(each) <= len(out) and keeps_apart(each, groups, earlier, least):
                    return Chosen(each, size - _size(each))
            kept = today & ~_from_members(out, today)
            if len(out) <= size - least and keeps_apart(kept, groups, earlier, least):
                return Chosen(kept, len(out))
    raise NotEntitled(
        f"this node's people of the study, or of a group in it, differ by fewer than {least} from those of an earlier "
        "study, which would show them: study the same people, or clearly others"
    )


def keeps_apart(people: Planes, groups: Sequence[Planes], earlier: Earlier, least: int) -> bool:
    """Whether a set, and each of the groups within it, is, compared with every earlier set, the same or different in at
    least `least` people. A group that was there before is nothing new, nor is a whole study's set: sums of it may have
    been told beside those of sets within it."""
    wholes = [_as_wide(each, people) for each in earlier.wholes]
    every = [*wholes, *(_as_wide(each, people) for each in earlier.groups)]
    known = any(np.array_equal(people, each) for each in wholes)
    if not known and any(0 < _size(people ^ each) < least for each in every):
        return False
    for group in groups:
        differing = [_size((group & people) ^ each) for each in every]
        if 0 not in differing and min(differing, default=least) < least:
            return False
    return True


def _cells(today: Planes, groups: Sequence[Planes]) -> list[npt.NDArray[np.int64]]:
    """Today's people, those together who are in the same groups; the largest cell first."""
    members = _members(today)
    of = np.stack([np.unpackbits(each.reshape(-1), bitorder="little")[members] for each in (today, *groups)])
    _, cell = np.unique(of, axis=1, return_inverse=True)
    return sorted((members[cell == k] for k in range(cell.max(initial=-1) + 1)), key=len, reverse=True)


def _members(planes: Planes) -> npt.NDArray[np.int64]:
    return np.flatnonzero(np.unpackbits(planes.reshape(-1), bitorder="little"))


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
