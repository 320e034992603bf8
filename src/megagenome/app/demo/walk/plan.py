# SPDX-License-Identifier: Apache-2.0
"""The walk through a running demo: which datasets are applied for, and what its truth says is right."""

from collections.abc import Sequence
from pathlib import Path

from megagenome.app.demo.citizen import dataset_to_apply_for, women_of
from megagenome.app.demo.expect import Expectation, people_facts
from megagenome.app.demo.fill import node_folder
from megagenome.app.demo.model import Login, Running
from megagenome.app.demo.plan import PlannedNode, SimulatedDataset
from megagenome.app.demo.pooled import pool
from megagenome.app.demo.walk.model import SEX, Person, Site, Study, Way
from megagenome.app.ledger import open_keys
from megagenome.kernel.callers import Role
from megagenome.synthetic.truth import AlleleTruth, CohortCount, CohortQuestion, CohortTruth, DatasetTruth

ALLELES = 5
"""So many alleles are counted by the permit."""
STUDIED = 3
"""Nodes of the study."""
FEWEST_STUDIED = 450
"""With fewer people nodes name too few alleles."""
AT_HUB = {
    "researcher": Role.RESEARCHER,
    "official": Role.SIGNING_OFFICIAL,
    "chair": Role.DAC_CHAIR,
    "member": Role.DAC_MEMBER,
    "auditor": Role.AUDITOR,
}


def way_through(planned: Sequence[PlannedNode], expectation: Expectation, network: Running) -> Way | None:
    """Through the first country, which will grant, and the second, which will refuse.

    None where there is but one, or where one of them has nobody to read about by a permit only.
    """
    if len(planned) < 2 or not all(women_of(node) for node in planned[:2]):
        return None
    grants, refuses = (_site(planned, expectation, network, place) for place in (0, 1))
    people = {who: _person(network.login(role)) for who, role in AT_HUB.items()}
    truth = expectation.truth
    alleles = tuple(each for each in truth.alleles if _is_carried(each, grants.dataset))[:ALLELES]
    citizen = _person(network.login(Role.CITIZEN, grants.url))
    told = _told(expectation, slice(None))
    study = _study(planned, expectation, network)
    return Way(network.hub.url, grants, refuses, people, citizen, truth.assembly, alleles, *told, study)


def _study(planned: Sequence[PlannedNode], expectation: Expectation, network: Running) -> Study | None:
    """Of height, by the first nodes, as many as keep what each sends from the others; without the citizen, who
    withdrew."""
    asked = planned[:STUDIED]
    held = [each for node in asked for each in [dataset_to_apply_for(node)] if isinstance(each, SimulatedDataset)]
    truth = expectation.truth
    if len(held) < STUDIED or sum(len(each.dataset.members) for each in held) < FEWEST_STUDIED:
        return None
    [allele] = (each.allele for each in truth.associations if each.centimetres)
    sites = tuple(_site(planned, expectation, network, place) for place in range(STUDIED))
    folder = Path(network.folder)
    keys = {site.id: open_keys(node_folder(folder, site.country)).kid for site in sites}
    return Study(sites, keys, pool(held, women_of(planned[0])[:1], allele))


def _site(planned: Sequence[PlannedNode], expectation: Expectation, network: Running, place: int) -> Site:
    node, served = planned[place], network.nodes[place]
    dataset = _asked(planned[place], expectation.truth.datasets)
    told = _told(expectation, slice(place, place + 1))
    return Site(
        served.id,
        node.country,
        served.url,
        dataset.id,
        dataset.consenting[SEX],
        _person(network.login(Role.COUNTRY_DECIDER, served.url)),
        *told,
    )


def _asked(node: PlannedNode, datasets: Sequence[DatasetTruth]) -> DatasetTruth:
    held = dataset_to_apply_for(node)
    return next(each for each in datasets if held and each.id == held.id)


def _told(expectation: Expectation, places: slice) -> tuple[str, str]:
    """What nodes at these places tell together: to the public, and to who has registered access."""
    datasets = expectation.truth.datasets
    counts = [CohortCount(each.country, each.id, each.consenting.get(SEX, 0)) for each in datasets]
    cohort = CohortTruth(CohortQuestion(sex=SEX), tuple(counts))
    public, registered = (expectation.cohort(cohort, registered=known)[places] for known in (False, True))
    return people_facts(public)["people"] + " people", people_facts(registered)["people"] + " people"


def _person(login: Login) -> Person:
    return Person(login.name, login.password)


def _is_carried(allele: AlleleTruth, dataset: str) -> bool:
    return any((cell.dataset, cell.sex) == (dataset, SEX) and cell.allele_count for cell in allele.cells)
