# SPDX-License-Identifier: Apache-2.0
"""What identity needs of the collection to mint visas, and of who joined to believe them; `app` wires it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from megagenome.identity.trust import Broker


class Granted(NamedTuple):
    """Access to one dataset that somebody has now: since when it was granted, and until when (aware times)."""

    dataset: str
    asserted: datetime
    until: datetime


GrantsOf = Callable[[str], Iterable[Granted]]
"""What a subject has access to at this server now. Asked anew for each passport, in a thread."""

JoinedBrokers = Callable[[], Iterable[Broker]]
"""Brokers whose keys came by joining. Asked anew for each passport, in a thread."""


def nobody_joined() -> Iterable[Broker]:
    """For a server that nobody joined."""
    return ()
