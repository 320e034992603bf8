# SPDX-License-Identifier: Apache-2.0
"""KING's kinship of pairs of people, and which of very many pairs need be looked at for it.

Kinship is KING's robust estimate (Manichaikul and others, 2010: "Robust relationship inference in genome-wide
association studies", equation 11), over alleles at which both people were called. It needs no frequencies, so people of
different ancestries in one site do no harm.

With copies x and y, and sums over alleles at which both were called, it is 1/2 - sum (x - y)^2 / (4 h), h being the
smaller of the two numbers of het calls. One product of matrices bounds it from above for all pairs of two blocks of
people; the few that the bound leaves are computed from the bits. So the pairs are exactly those of the definition.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from megagenome.analytics.needs import Floats, Scan

Pairs = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]

_PEOPLE_AT_ONCE = 1_024
_PAIRS_AT_ONCE = 8_192
_CALLS_AT_ONCE = 1 << 24
_SIGNATURE_BYTES = 3
_NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class PackedCalls:
    """Genotypes of people at some alleles: who has no copy, one, or two, a bit each; who has neither was not called.

    none, het, both  uint8 [people, bytes]; `bytes` is a multiple of 8, and bits beyond the alleles are 0
    """

    alleles: int
    none: Bits
    het: Bits
    both: Bits

    @property
    def people(self) -> int:
        """How many."""
        return len(self.het)

    def take(self, people: Pairs) -> "PackedCalls":
        """Of these people only, in this order."""
        return PackedCalls(self.alleles, self.none[people], self.het[people], self.both[people])


def pack_calls(scan: Scan, alleles: Pairs) -> PackedCalls:
    """The calls of a scan's people at the alleles with these indices. Memory: three bits for each; while it reads, some
    hundred megabytes."""
    planes = np.zeros((3, scan.people, -(-len(alleles) // 64) * 8), np.uint8)
    step = max(1, _CALLS_AT_ONCE // max(1, scan.people) // 8) * 8
    for low in range(0, len(alleles), step):
        copies = scan.dosages(alleles[low : low + step])
        for k, plane in enumerate(planes):
            bits = np.packbits(copies == k, axis=0).T
            plane[:, low // 8 : low // 8 + bits.shape[1]] = bits
    return PackedCalls(len(alleles), *planes)


def kinship_of(calls: PackedCalls, pairs: Pairs) -> Floats:
    """float64 [pairs]. Where one of the two is never het, 0: nothing is known. Cost: a microsecond for each pair."""
    kinship = np.zeros(len(pairs))
    none, het, both = (plane.view(np.uint64) for plane in (calls.none, calls.het, calls.both))
    for low in range(0, len(pairs), _PAIRS_AT_ONCE):
        i, j = pairs[low : low + _PAIRS_AT_ONCE].T
        one, other = (none[i], het[i], both[i]), (none[j], het[j], both[j])
        both_het = _count(one[1] & other[1])
        opposite = _count((one[0] & other[2]) | (one[2] & other[0]))
        mine, theirs = (_count(a[1] & (b[0] | b[1] | b[2])) for a, b in ((one, other), (other, one)))
        fewer = np.minimum(mine, theirs)
        apart = mine + theirs - 2 * both_het + 4 * opposite
        kinship[low : low + len(i)] = np.where(fewer > 0, 0.5 - apart / np.maximum(1, 4 * fewer), 0.0)
    return kinship


def related_pairs(calls: PackedCalls, least: float, go_on: Callable[[], object] = lambda: None) -> tuple[Pairs, Floats]:
    """All pairs whose kinship is `least` or more (above 0, below 1/2), the smaller first, sorted; and their kinship.

    `go_on` is called about every second, and may raise. Cost: a product of matrices, [people, alleles] with itself;
    memory, some blocks of a thousand people.
    """
    het, hom = (
        _count(calls.het.view(np.uint64)),
        _count(calls.none.view(np.uint64)) + _count(calls.both.view(np.uint64)),
    )
    # what is not called could agree: that much less are two people apart at least
    apart = (2 * hom + het - calls.alleles).astype(np.float32)
    room = ((2 - 4 * least) * het).astype(np.float32)
    pairs, kinship = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    for low in range(0, calls.people, _PEOPLE_AT_ONCE):
        mine = slice(low, low + _PEOPLE_AT_ONCE)
        signs = _signs(calls, mine)
        for other in range(low, calls.people, _PEOPLE_AT_ONCE):
            go_on()
            theirs = slice(other, other + _PEOPLE_AT_ONCE)
            product = signs @ (signs if other == low else _signs(calls, theirs)).T
            nearest = np.add.outer(apart[mine], apart[theirs]) - 2 * product
            # one more, because single precision rounds the room
            close = nearest <= np.minimum.outer(room[mine], room[theirs]) + 1
            found = np.argwhere(np.triu(close, 1) if other == low else close) + np.array([low, other])
            exact = kinship_of(calls, found)
            pairs.append(found[exact >= least])
            kinship.append(exact[exact >= least])
    return sorted_pairs(np.concatenate(pairs), np.concatenate(kinship))


def duplicate_pairs(calls: PackedCalls, least: float) -> tuple[Pairs, Floats]:
    """Pairs whose kinship is `least` or more and who have all the same calls at 24 alleles in a row somewhere; and all
    such pairs within groups that these make.

    Of duplicates of whom 3 in 100 alleles are called otherwise, or in one of the two only, it misses 1 in ten million
    over 600 alleles, and none over 4,096; of 12 in 100, 3 in ten thousand over 4,096. Cost: sorting the people once for
    each 24 alleles, and a microsecond for each pair that is looked at, which of people who are not related are few.
    """
    import scipy.sparse  # only a node with very many people should wait for it

    looked_at = _agreeing(calls)
    found = looked_at[kinship_of(calls, looked_at) >= least]
    graph = scipy.sparse.coo_array((np.ones(len(found)), tuple(found.T)), (calls.people,) * 2)
    group = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    pairs, kinship = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    order = np.argsort(group, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if len(members) > 1:
            within, degree = related_pairs(calls.take(members), least)
            pairs.append(members[within])
            kinship.append(degree)
    return sorted_pairs(np.concatenate(pairs), np.concatenate(kinship))


def sorted_pairs(pairs: Pairs, kinship: Floats) -> tuple[Pairs, Floats]:
    """In the order of their first, then of their second."""
    order = np.lexsort(pairs.T[::-1])
    return pairs[order], kinship[order]


def _count(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    counts: npt.NDArray[np.int64] = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    return counts


def _signs(calls: PackedCalls, people: slice) -> npt.NDArray[np.float32]:
    """1 of who has two copies, -1 of who has none, else 0. Sums of their products below 2^24 are exact."""
    both, none = (np.unpackbits(plane[people], axis=1).view(np.int8) for plane in (calls.both, calls.none))
    return (both - none).astype(np.float32)


def _agreeing(calls: PackedCalls) -> Pairs:
    """Pairs of people who were called, and the same, at all alleles of one of the signatures, each pair once. Of more
    than `_NEIGHBOURS` who are all the same, each with so many next ones."""
    found = [np.zeros(0, np.int64)]
    for low in range(0, calls.alleles // 8 - _SIGNATURE_BYTES + 1, _SIGNATURE_BYTES):
        at = slice(low, low + _SIGNATURE_BYTES)
        none, het, both = (plane[:, at] for plane in (calls.none, calls.het, calls.both))
        called = np.flatnonzero(((none | het | both) == 255).all(axis=1))
        key = np.zeros((len(called), 8), np.uint8)
        key[:, :_SIGNATURE_BYTES], key[:, _SIGNATURE_BYTES : 2 * _SIGNATURE_BYTES] = het[called], both[called]
        order = np.argsort(key.view(np.uint64)[:, 0], kind="stable")
        signature, person = key.view(np.uint64)[order, 0], called[order]
        for step in range(1, _NEIGHBOURS + 1):
            same = np.flatnonzero(signature[step:] == signature[:-step])
            found.append(person[same] * calls.people + person[same + step])
    each = np.unique(np.concatenate(found))
    return np.stack((each // calls.people, each % calls.people), axis=1)
