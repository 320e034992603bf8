# SPDX-License-Identifier: Apache-2.0
"""What is kept of people while no load changes them: the stratum of each, and for each permit the people of its cohort
in the order of their pseudonyms. Making these anew takes time that grows with the node, and readings ask for them each
time.

Nothing here knows of consent: readings take away who does not consent now, so a withdrawal makes nothing of it wrong.
"""

import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

from megagenome.collection import bitmap
from megagenome.collection.strata import Strata
from megagenome.kernel.ids import DatasetId, PermitId

MOST_BYTES = 64 << 20
"""Of what is kept for permits, at 25 bytes a person; what was used last is kept however large it is."""

_CODE_BYTES = 10
_CODE_LETTERS = 16
_LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", np.uint8)


Select = Callable[[], tuple[bitmap.Planes, ...]]
_Key = tuple[PermitId, tuple[DatasetId, ...]]
"""A permit, and those of its datasets that can be read."""


class Names(Sequence[str]):
    """Pseudonyms, made into strings when they are asked for. A slice of them is a tuple."""

    def __init__(self, names: npt.NDArray[np.bytes_]) -> None:
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...

    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            return tuple(self._names[place].astype(str).tolist())
        return bytes(self._names[place]).decode()


class Order(NamedTuple):
    """The people of a permit's cohort, each once, whoever of them consents now.

    numbers  int64 [people], in the order of their pseudonyms
    names    S17 [people]: these pseudonyms, ascending
    """

    numbers: bitmap.Numbers
    names: npt.NDArray[np.bytes_]


@dataclass(slots=True)
class _Kept:
    turn: threading.RLock = field(default_factory=threading.RLock)
    permitted: tuple[bitmap.Planes, ...] | None = None
    order: Order | None = None

    def size_bytes(self) -> int:
        """How much memory it takes."""
        return sum(each.nbytes for each in (*(self.permitted or ()), *(self.order or ())))


class Standing:
    """Of one state of the node's people. Safe to use from many threads; each thing is made by the first who asks."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._strata_turn = threading.Lock()
        self._strata: npt.NDArray[np.int64] | None = None
        self._permits: OrderedDict[_Key, _Kept] = OrderedDict()

    def strata(self, read: Callable[[], npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
        """int64 [individuals of the node]: what `read` gives, which is asked once."""
        with self._strata_turn:
            if self._strata is None:
                self._strata = read()
            return self._strata

    def permitted(self, key: _Key, select: Select) -> tuple[bitmap.Planes, ...]:
        """The people of a permit's cohort in each of these datasets, as `select` gives them, which is asked once."""
        kept = self._kept(key)
        with kept.turn:
            if kept.permitted is None:
                kept.permitted = select()
            return kept.permitted

    def order(self, key: _Key, secret: bytes, select: Select) -> Order:
        """The same people in the order of their pseudonyms. Cost: 2 µs for each when it is made."""
        kept = self._kept(key)
        with kept.turn:
            if kept.order is None:
                kept.order = _in_order(self.permitted(key, select), secret)
            return kept.order

    def _kept(self, key: _Key) -> _Kept:
        """What is kept for a permit; what was used longest ago is forgotten until the rest is small enough."""
        with self._turn:
            kept = self._permits.setdefault(key, _Kept())
            self._permits.move_to_end(key)
            while len(self._permits) > 1 and sum(each.size_bytes() for each in self._permits.values()) > MOST_BYTES:
                self._permits.popitem(last=False)
            return kept


def strata_of(recorded: Strata, strata: Sequence[object]) -> npt.NDArray[np.int64]:
    """int64 [individuals]: each person's index in `strata`; 0 for people of a stratum that is none of them."""
    place = {stratum: k for k, stratum in enumerate(strata)}
    return np.array([place.get(stratum, 0) for stratum in recorded.strata], np.int64)[recorded.of]


def pseudonyms(secret: bytes, numbers: Sequence[int]) -> npt.NDArray[np.bytes_]:
    """S17 [numbers]: P and 80 bits of HMAC-SHA256 in base 32. Among a million people the chance that two are called
    alike is below 1 in 10^12."""
    codes = b"".join(hmac.digest(secret, b"individual %d" % number, "sha256")[:_CODE_BYTES] for number in numbers)
    bits = np.unpackbits(np.frombuffer(codes, np.uint8)).reshape(-1, 5)
    letters = _LETTERS[bits @ np.array([16, 8, 4, 2, 1], np.uint8)].reshape(-1, _CODE_LETTERS)
    named = np.concatenate((np.full((len(numbers), 1), ord("P"), np.uint8), letters), axis=1)
    return named.view(f"S{1 + _CODE_LETTERS}").reshape(-1)


def _in_order(permitted: tuple[bitmap.Planes, ...], secret: bytes) -> Order:
    numbers = bitmap.to_numbers(reduce(or_, permitted))
    names = pseudonyms(secret, numbers.tolist())
    ascending = np.argsort(names, kind="stable")
    return Order(numbers[ascending], names[ascending])
