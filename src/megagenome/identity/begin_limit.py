# SPDX-License-Identifier: Apache-2.0
"""How often sign-ins are begun from one address, so that nobody pushes out those of everybody else (`begun.MOST`)."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from megagenome.kernel.addresses import is_loopback
from megagenome.kernel.errors import RateLimited

MOST = 60
"""From one address in a minute: a whole institute may come from one."""
ADDRESSES = 10_000
"""Of so many the count is kept, the latest ones."""
_MINUTE_S = 60.0


class BeginLimit:
    """Counts of one server, in its memory. Safe to use from many threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds that only grow, for tests to set."""
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, address: str) -> None:
        """Count one more from this address. Raises `RateLimited` when it is one too many."""
        now = self._clock()
        with self._lock:
            since, count = self._counts.pop(address, (now, 0))
            if now - since >= _MINUTE_S:
                since, count = now, 0
            self._counts[address] = (since, min(count + 1, MOST + 1))
            if len(self._counts) > ADDRESSES:
                self._counts.popitem(last=False)
        if count >= MOST:
            raise RateLimited("too many sign-ins were begun from your address: try again in a minute")


def address_of(peer: str, forwarded_for: str) -> str:
    """Who counts as one caller: the peer's address; behind a proxy on this machine, the address that it names last in
    `X-Forwarded-For`, where what a caller wrote stands before. Of IPv6 the network of 64 bits, which one customer has;
    one that is IPv4's (`::ffff:192.0.2.1`) counts as that.
    """
    named = forwarded_for.rpartition(",")[2].strip()
    address = named if named and is_loopback(peer) else peer
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return peer
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
