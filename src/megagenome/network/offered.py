# SPDX-License-Identifier: Apache-2.0
"""Which datasets people may apply for: those that a node which joined publishes now."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import CancelledError

from megagenome.kernel.errors import Invalid, MegagenomeError, Unavailable
from megagenome.network.fanout import Network, Outcome
from megagenome.network.listing import DATASETS, Datasets, read_datasets
from megagenome.network.settings import Node
from megagenome.standards.application import DatasetRef


class Offered:
    """Asks the nodes that joined. To be used in any thread but that of the network's event loop, while this runs."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def against(self, wanted: Sequence[DatasetRef]) -> MegagenomeError | None:
        """Why nobody can apply for all of these; None where they can. `Invalid` for one that no node which joined
        publishes, `Unavailable` where its node does not say now. Cost: one question to each node that is named."""
        joined = {node.id: node for node in self._network.joined}
        for each in wanted:
            if each.node not in joined:
                return Invalid(f"{each.node} has not joined this network: choose datasets that it lists")
            if each.country != joined[each.node].country:
                return Invalid(f"{each.node} is of {joined[each.node].country}, not of {each.country}")
        told = self._ask([joined[node] for node in sorted({each.node for each in wanted})])
        return next(filter(None, (_against(each, told.get(each.node)) for each in wanted)), None)

    def _ask(self, nodes: Sequence[Node]) -> dict[str, Outcome[Datasets]]:
        network = self._network

        async def ask() -> list[Outcome[Datasets]]:
            return await asyncio.gather(*(network.ask_one(node, DATASETS, read_datasets) for node in nodes))

        try:
            told = asyncio.run_coroutine_threadsafe(ask(), network.loop).result(2 * network.settings.deadline_s)
        except (TimeoutError, CancelledError):  # the server stops
            return {}
        return {each.node.id: each for each in told}


def _against(wanted: DatasetRef, told: Outcome[Datasets] | None) -> MegagenomeError | None:
    if told is None or told.answer is None:
        says = f": {told.message}" if told is not None else ""
        return Unavailable(f"{wanted.node} does not say which datasets it has{says}; try again later")
    if wanted.dataset not in {each.id for each in told.answer}:
        return Invalid(f"{wanted.node} publishes no dataset {wanted.dataset}: choose datasets that the network lists")
    return None
