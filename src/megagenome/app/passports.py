# SPDX-License-Identifier: Apache-2.0
"""Deciding on a passport as a server would, for the page that explains it: by `trust.toml` in the server's folder."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple

from megagenome.identity.clearinghouse import decide
from megagenome.identity.explain import Explanation, explain
from megagenome.identity.jwks import KeySets
from megagenome.identity.trust import TrustStore, load_trust
from megagenome.identity.trust_settings import TrustSettings
from megagenome.kernel import clock
from megagenome.portal.passport_page import Explain

TRUST = "trust.toml"
"""Whom the server believes; a server without this file believes nobody."""


class Explaining(NamedTuple):
    """What the page needs: the function, and the lifespan in which keys can be fetched."""

    explain: Explain
    lifespan: Callable[[object], AbstractAsyncContextManager[None]]


def explaining(folder: Path) -> Explaining:
    """For the server of this folder. Raises `Invalid` for a trust file with faults."""
    path = folder / TRUST
    store = load_trust(path) if path.exists() else TrustStore(TrustSettings(), {})
    kept: list[KeySets] = []

    async def explain_passport(passport: str, dataset: str) -> Explanation:
        trust = await kept[0].trust_for(passport) if kept else store.trust({})
        policy = store.settings.policy.policy(dataset or None)
        return explain(decide(passport, trust, policy, int(clock.now().timestamp())))

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        async with KeySets(store) as key_sets:
            kept.append(key_sets)
            yield
            kept.clear()

    return Explaining(explain_passport, lifespan)
