# SPDX-License-Identifier: Apache-2.0
"""Who is in a dataset's public numbers next, so that no two states of them differ by a few people.

Whoever keeps what was told can subtract any earlier state from any later one. What may be told of people are *groups*:
a country, its men, women and people of unrecorded sex, its populations, and their men and women, and what can be added
and subtracted of these (`docs/discovery.md`). So for each group, and each two states in which it has `LEAST` people or
more (of fewer nothing is told), either nobody or at least `LEAST` people are in one state and not in the other.

People wait, or are held back as cover, until that holds. Who must leave always leaves.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from megagenome.collection.model import Stratum

LEAST = 10
"""People by which two public states of a group differ, if they differ."""

NOT_TOLD = -1
Told = npt.NDArray[np.int32]
"""int32 [people of the node]: the index of the stratum in which each is in the public numbers; `NOT_TOLD`, in none."""

Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


def groups_of(strata: Sequence[Stratum]) -> Bools:
    """bool [groups, strata + 1]: which strata each group that may be told consists of; the narrowest first. The last
    column, where -1 points, is False."""
    keys: dict[tuple[object, ...], list[int]] = {}
    for k, (country, population, sex) in enumerate(strata):
        for group in ((country, population, sex), (country, sex, None), (country, None, population), (country,)):
            keys.setdefault(group, []).append(k)
    groups = np.zeros((len(keys), len(strata) + 1), np.bool_)
    for row, key in enumerate(sorted(keys, key=lambda key: (len(keys[key]), str(key)))):
        groups[row, keys[key]] = True
    return groups


def choose(
    target: Told, now: Told, leaving: Bools, known: Sequence[Told], groups: Bools, rank: npt.NDArray[np.int64]
) -> Told:
    """The next state: as near to `target` as may be.

    target   who is to be told
    now      the present state
    leaving  bool [people]: those who must not stay as they are in `now`; `target` does not have them so
    known    states that somebody may have kept; `now` among them if it is told
    rank     each person's place in the order in which people are held back, drawn anew for each release

    A change of a group that is too small, and in which nobody must leave, is put off as a whole. Otherwise people are
    held back, one at a time, from the narrowest group that needs it. `target` itself where nothing is known yet. Cost:
    some passes over the people for each known state, and one for each person who is held back.
    """
    if not known:
        return target
    bound = groups[:, now[leaving]].any(axis=1)
    stay = np.where(leaving, NOT_TOLD, now)
    by_rank = np.argsort(rank)
    making = _Making(target.copy(), known, groups)
    while len(few := making.differing_by_few()):
        narrowest, state = few[0].tolist()
        free = ~bound & ~making.settled
        if free[narrowest]:
            making.put_off(few[:, 0][free[few[:, 0]]], stay)
        else:
            making.hold_back(narrowest, state, by_rank)
    return making.next


class _Making:
    """A state in the making, and by how many people each group of it differs from each known state."""

    def __init__(self, target: Told, known: Sequence[Told], groups: Bools) -> None:
        self.next = target
        self.settled = np.zeros(len(groups), np.bool_)
        self._known = known
        self._groups = groups
        self._inside = np.stack([self._sizes(state) for state in known], axis=1)
        self._count()

    def _sizes(self, state: Told) -> Integers:
        strata = self._groups.shape[1] - 1
        sizes: Integers = self._groups[:, :strata] @ np.bincount(state[state >= 0], minlength=strata)
        return sizes

    def _count(self) -> None:
        columns = self._groups.shape[1]
        weights = self._groups.astype(np.float64)  # exact, and several times faster than integers
        self._size = self._sizes(self.next)
        self._differ = np.zeros(self._inside.shape, np.int64)
        for k, state in enumerate(self._known):
            # how many people are in each stratum there and in each here; -1 is the last of either
            pairs = np.bincount((state % columns) * columns + self.next % columns, minlength=columns**2)
            both = ((weights @ pairs.reshape(columns, columns)) * weights).sum(axis=1)
            self._differ[:, k] = self._inside[:, k] + self._size - 2 * both.astype(np.int64)

    def differing_by_few(self) -> Integers:
        """int64 [found, 2]: groups, the narrowest first, and known states from which they differ by too few people."""
        told = (self._inside >= LEAST) & (self._size >= LEAST)[:, None]
        return np.argwhere(told & (self._differ > 0) & (self._differ < LEAST))

    def put_off(self, groups: Integers, stay: Told) -> None:
        """Let everybody of the narrowest of these groups be as in `stay`; once for each group."""
        width = self._groups[groups].sum(axis=1)
        chosen = groups[width == width[0]]
        strata = self._groups[chosen].any(axis=0)
        people = strata[stay] | strata[self.next]
        self.next[people] = stay[people]
        self.settled[chosen] = True
        self._count()

    def hold_back(self, group: int, state: int, by_rank: Integers) -> None:
        """Take somebody out who is in the group in both states, so that these differ by one more."""
        mine = self._groups[group]
        both = mine[self.next[by_rank]] & mine[self._known[state][by_rank]]
        person = by_rank[int(np.argmax(both))]
        touched = np.flatnonzero(self._groups[:, self.next[person]])
        self.next[person] = NOT_TOLD
        was_there = np.stack([self._groups[touched, each[person]] for each in self._known], axis=1)
        self._differ[touched] += np.where(was_there, 1, -1)
        self._size[touched] -= 1
