# SPDX-License-Identifier: Apache-2.0
"""Whether a node heard its hub lately enough to trust that no permit was suspended or revoked meanwhile."""

import threading
from datetime import datetime

import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.errors import Unavailable
from megagenome.network import tables as t

_HUB = sa.select(t.joined_hub.c.id, t.joined_hub.c.heard)


class Freshness:
    """Fails closed: who has not heard the hub for `longest_silence_s` reads nothing by permit. Safe for threads."""

    def __init__(self, engine: sa.Engine, longest_silence_s: float) -> None:
        self._engine, self._longest_s = engine, longest_silence_s
        self._turn = threading.Lock()
        self._heard: tuple[str, float] | None = None

    def note(self, hub: str, asked_at_s: float) -> None:
        """The hub answered what it was asked at that time of `clock.seconds_awake_or_asleep`."""
        with self._turn:
            self._heard = (hub, asked_at_s)

    def silence_s(self) -> float | None:
        """For how long the hub was not heard; None where it never was, or this node belongs to no network.

        By a clock that nobody sets while this process itself hears it, else by what the database says and the wall
        clock, of which a time to come counts for nothing. Cost: one row.
        """
        with self._engine.connect() as connection:
            hub = connection.execute(_HUB).one_or_none()
        if hub is None:
            return None
        with self._turn:
            heard = self._heard
        if heard is not None and heard[0] == hub.id:
            return clock.seconds_awake_or_asleep() - heard[1]
        silence_s = (clock.now() - datetime.fromisoformat(hub.heard)).total_seconds() if hub.heard else -1.0
        return silence_s if silence_s >= 0 else None

    def require(self) -> None:
        """Raise `Unavailable` unless the hub was heard lately enough."""
        silence_s = self.silence_s()
        if silence_s is None:
            raise Unavailable("this node has not heard the hub of its network: no permit can be used until it does")
        if silence_s > self._longest_s:
            raise Unavailable(
                f"this node has not heard its hub for {silence_s:.0f} s: permits can be used again once it answers"
            )
