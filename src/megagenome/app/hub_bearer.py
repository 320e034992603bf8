# SPDX-License-Identifier: Apache-2.0
"""Reads the passports by which a node's hub speaks for its people (`identity.spoken_for`)."""

import threading

import sqlalchemy as sa
from anyio import to_thread

from megagenome.identity.spoken_for import caller_spoken_for, is_spoken_by, trust_in_hub
from megagenome.identity.trust import Trust
from megagenome.kernel.callers import Caller
from megagenome.kernel.public_keys import read_public_keys
from megagenome.network import tables as t


class HubBearer:
    """A reader of bearer tokens. Safe for threads."""

    def __init__(self, engine: sa.Engine, own_url: str) -> None:
        """`own_url` is this node's address, as its descriptor has it."""
        self._engine, self._own_url = engine, own_url
        self._turn = threading.Lock()
        self._known: tuple[str, str, Trust] | None = None

    def __call__(self, token: str) -> Caller | None:
        """For whom the hub speaks; None for a token that is not of the hub that this node joined."""
        with self._engine.connect() as connection:
            hub = connection.execute(sa.select(t.joined_hub.c.url, t.joined_hub.c.key_set)).one_or_none()
        if hub is None or not is_spoken_by(token, hub.url):
            return None
        return caller_spoken_for(token, self._trust(hub.url, hub.key_set), self._own_url)

    async def caller(self, token: str) -> Caller | None:
        """The same for `CallerMiddleware.bearers`, in a thread."""
        return await to_thread.run_sync(self, token)

    def _trust(self, url: str, keys: str) -> Trust:
        with self._turn:
            if self._known is None or self._known[:2] != (url, keys):
                self._known = (url, keys, trust_in_hub(url, read_public_keys(keys.encode())))
            return self._known[2]
