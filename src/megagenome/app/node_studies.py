# SPDX-License-Identifier: Apache-2.0
"""A node's part in federated studies, put together: what its server runs for them."""

import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from megagenome.analytics.site import StudySite
from megagenome.app.node import Node
from megagenome.app.study_self_test import largest_deviation
from megagenome.kernel.every import every
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.network.study_exchange import StudyExchange

_WATCH_S = 0.5
"""So often each study's permit and people are looked at: a withdrawal stops a study within seconds."""


class NodeStudies(NamedTuple):
    """The node's worker, and its exchange with the hub."""

    site: StudySite
    exchange: StudyExchange
    executor: ThreadPoolExecutor
    scans: ThreadPoolExecutor

    @contextlib.asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Take part until the server stops."""
        watching = every(_WATCH_S, self.site.watch, "studies are not looked after, it is tried again", at_once=False)
        try:
            async with self.exchange.lifespan(app), watching(app):
                yield
        finally:
            for each in (self.executor, self.scans):
                each.shutdown(wait=False, cancel_futures=True)


def node_studies(node: Node, keys: SigningKeys, ledger: Ledger, descriptor: str) -> NodeStudies | None:
    """Studies over a node's collection; None where its settings let it take part in none."""
    settings, me = node.settings.analytics, node.settings.node
    if not settings.enabled:
        return None
    executor = ThreadPoolExecutor(settings.at_once, "study")
    scans = ThreadPoolExecutor(settings.threads, "scan")
    site = StudySite(node.collection, me.id, keys, ledger, settings, executor, scans, largest_deviation)
    return NodeStudies(site, StudyExchange(node.collection.engine, keys, me.id, descriptor, site), executor, scans)
