# SPDX-License-Identifier: Apache-2.0
"""Whether the hub's clock is right, by the clocks of the nodes: what time does to an application is for good, and a
clock that jumped ahead for a minute must not end every permit of the network.

Each signed message says what time it is at its node. From then on a clock that nobody sets says what time it is there,
so a jump of the hub's shows at once, and so does its end.
"""

import threading
from collections.abc import Callable, Collection
from datetime import datetime
from enum import Enum

from megagenome.kernel.clock import seconds_awake_or_asleep
from megagenome.standards.exchange import SKEW


class Agreement(Enum):
    """What the nodes say of a time: most agree, as many or more do not, none was heard since this process began."""

    AGREED = "agreed"
    DISPUTED = "disputed"
    UNHEARD = "unheard"


Agree = Callable[[datetime], Agreement]
"""Whether the nodes agree with the hub's clock, which shows this time."""


def always_agreed(_now: datetime, /) -> Agreement:
    """For a hub whose clock is somebody else's care."""
    return Agreement.AGREED


class HeardClocks:
    """The nodes' clocks as far as this process heard them. Safe for threads."""

    def __init__(
        self,
        seconds: Callable[[], float] = seconds_awake_or_asleep,
        members: Callable[[], Collection[str]] | None = None,
    ) -> None:
        """`members`: the nodes that belong to the network now, without which everybody does. A node that was removed
        has no voice any more, or its clock could hold up every term until the next start."""
        self._seconds, self._members = seconds, members
        self._turn = threading.Lock()
        self._began_s: dict[str, float] = {}  # by node: what its clock showed when `seconds` was 0
        self._latest: dict[str, datetime] = {}

    def hear(self, node: str, sent_at: datetime) -> None:
        """A node that joined signed, just now, that it is `sent_at`: the caller knows that it is no old message."""
        with self._turn:
            self._latest[node] = sent_at
            self._began_s[node] = sent_at.timestamp() - self._seconds()

    def hear_if_newer(self, node: str, sent_at: datetime) -> None:
        """The same of a message that may be an old one sent again: it counts if it is newer than what was heard."""
        with self._turn:
            is_newer = node not in self._latest or self._latest[node] < sent_at
        if is_newer:
            self.hear(node, sent_at)

    def agreement(self, now: datetime) -> Agreement:
        """What the nodes that were heard say of the hub's clock showing `now`, each once."""
        members = None if self._members is None else frozenset(self._members())
        with self._turn:
            began_s = [began for node, began in self._began_s.items() if members is None or node in members]
        if not began_s:
            return Agreement.UNHEARD
        shown_s = now.timestamp() - self._seconds()
        agreeing = sum(abs(each - shown_s) <= 2 * SKEW.total_seconds() for each in began_s)
        return Agreement.AGREED if 2 * agreeing > len(began_s) else Agreement.DISPUTED
