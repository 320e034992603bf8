# SPDX-License-Identifier: Apache-2.0
"""Makes the demo's node folders and loads them, several at once."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from megagenome.app.demo.plan import PlannedNode
from megagenome.app.journal import keep_journal
from megagenome.app.node import init_node, open_node
from megagenome.collection.load import LoadReport, load


def node_folder(folder: Path, country: str) -> Path:
    """Where the node of a country is."""
    return folder / country


def node_id(country: str) -> str:
    """The Beacon id of a country's node."""
    return f"node.{country.lower()}"


def fill_nodes(
    folder: Path, planned: Sequence[PlannedNode], first_port: int, on_progress: Callable[[float], None]
) -> list[LoadReport]:
    """Make and load every node, in as many processes as there are processors; reports in the order of `planned`.

    `on_progress` is told how many nodes are done. What a load refuses is raised, and what has not begun is left.
    """
    spawning = multiprocessing.get_context("spawn")  # a fork would copy threads' locks in whatever state they are
    workers = min(len(planned), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=spawning) as pool:
        filling = [pool.submit(fill_node, folder, node, first_port + k) for k, node in enumerate(planned)]
        try:
            for done, each in enumerate(as_completed(filling), 1):
                each.result()
                on_progress(done)
        finally:
            pool.shutdown(cancel_futures=True)
        return [report for each in filling for report in each.result()]


def fill_node(folder: Path, planned: PlannedNode, port: int) -> list[LoadReport]:
    """Make one node and load its datasets."""
    mine = node_folder(folder, planned.country)
    init_node(mine, country=planned.country, name=planned.name, identity=node_id(planned.country), port=port)
    node = open_node(mine)
    keep_journal(node)
    try:
        return [
            load(
                node.collection,
                dataset.statement,
                dataset.people(node.reference.ontology_for),
                [dataset.source()],
                dataset.assembly,
            )
            for dataset in planned.datasets
        ]
    finally:
        node.collection.close()
