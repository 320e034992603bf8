# SPDX-License-Identifier: Apache-2.0
"""Which datasets people may apply for: those that nodes which joined publish. A node that does not answer, for a hub
need not reach all of them, may have what is asked for: its country decides anyway."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import CancelledError

from megagenome.kernel.errors import Invalid
from megagenome.network.fanout import Network, Outcome
from megagenome.network.listing import DATASETS, Datasets, read_datasets
from megagenome.network.settings import Node
from megagenome.standards.application import DatasetRef


class Offered:
    """Asks the nodes that joined. To be used in any thread but that of the network's event loop, while this runs."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def against(self, wanted: Sequence[DatasetRef]) -> Invalid | None:
        """Why nobody can apply for all of these; None where they can. Cost: one question to each node that is named."""
        joined = {node.id: node for node in self._network.joined}
        for each in wanted:
            if each.node not in joined:
                return Invalid(f"{each.node} has not joined this network: choose datasets of nodes that did")
            if each.country != joined[each.node].country:
                return Invalid(f"{each.node} is of {joined[each.node].country}, not of {each.country}")
        told = self._ask([joined[node] for node in sorted({each.node for each in wanted})])
        for each in wanted:
            datasets = told.get(each.node)
            if datasets is not None and each.dataset not in {known.id for known in datasets}:
                return Invalid(f"{each.node} publishes no dataset {each.dataset}: choose datasets that it lists")
        return None

    def _ask(self, nodes: Sequence[Node]) -> dict[str, Datasets | None]:
        """By node; None of one that does not answer."""
        network = self._network

        async def ask() -> list[Outcome[Datasets]]:
            return await asyncio.gather(*(network.ask_one(node, DATASETS, read_datasets) for node in nodes))

        try:
            told = asyncio.run_coroutine_threadsafe(ask(), network.loop).result(2 * network.settings.deadline_s)
        except (TimeoutError, CancelledError):  # the server stops
            return {}
        return {each.node.id: each.answer for each in told}
