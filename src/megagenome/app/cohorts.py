# SPDX-License-Identifier: Apache-2.0
"""Cohorts at the hub, which holds nobody: the definition that a question states."""

import msgspec

from megagenome.collection.cohort import All, Any, InDataset, canonical, cohort_id
from megagenome.collection.model import FilteringTerm
from megagenome.discovery.model import KnownTerms
from megagenome.discovery.query import people_question
from megagenome.kernel.ids import DatasetId
from megagenome.network.needs import Defined
from megagenome.reference.assemblies import ASSEMBLIES
from megagenome.standards.beacon import BeaconQuery, BeaconRequest


def define_cohort(query: BeaconQuery) -> Defined:
    """The cohort that a question of people asks for. Raises `Invalid` for what no node could evaluate.

    Each term is taken as it is written, for the hub has no ontology: a node knows its other names.
    """
    selection = query.request_parameters.datasets
    datasets = [DatasetId(each) for each in selection.dataset_ids] if selection else []
    named = [each.id for each in query.filters]
    known = KnownTerms(
        {name: FilteringTerm(name, "", "custom") for name in named}, frozenset(name.partition(":")[0] for name in named)
    )
    question = people_question(
        BeaconRequest(query=query),
        {dataset: number for number, dataset in enumerate(datasets)},
        frozenset(ASSEMBLIES),
        lambda _: None,
        lambda: known,
    )
    within = Any(tuple(InDataset(dataset) for dataset in datasets))
    cohort = canonical(All((question.cohort, within)) if datasets else question.cohort)
    return Defined(cohort_id(cohort), msgspec.json.encode(cohort).decode())
