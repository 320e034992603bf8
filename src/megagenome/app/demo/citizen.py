# SPDX-License-Identifier: Apache-2.0
"""The citizen of the demo is somebody in the data: a woman of the first country who consents to research."""

from pathlib import Path

from megagenome.app.demo.fill import node_folder
from megagenome.app.demo.plan import FileDataset, PlannedNode, SimulatedDataset
from megagenome.app.node import open_node
from megagenome.collection.citizens import link_citizen
from megagenome.collection.model import Sex, Use
from megagenome.kernel.ids import IndividualId


def dataset_to_apply_for(node: PlannedNode) -> SimulatedDataset | FileDataset | None:
    """The node's first that is not open; None where all are."""
    return next((each for each in node.datasets if not each.statement.open), None)


def women_of(node: PlannedNode) -> list[IndividualId]:
    """Women who consent to research, in the dataset to apply for."""
    held = dataset_to_apply_for(node)
    everybody = held.people(lambda _curie: None).persons if held else []
    consenting = [each for each in everybody if each.sex is Sex.FEMALE and Use.RESEARCH in (each.consent or ())]
    return [each.individual_id for each in consenting]


def link_first_woman(folder: Path, node: PlannedNode, subject: str) -> None:
    """Say at the node that who signs in as `subject` is the first of them, where there is one."""
    women = women_of(node)
    if women:
        _link(node_folder(folder, node.country), subject, women[0])


def _link(folder: Path, subject: str, individual: IndividualId) -> None:
    node = open_node(folder)
    with node.collection.engine.begin() as connection:
        link_citizen(connection, subject, individual, "megagenome demo")
    node.collection.close()
