# SPDX-License-Identifier: Apache-2.0
"""The walk through a running demo: which datasets are applied for, and what its truth says is right."""

from collections.abc import Sequence
from pathlib import Path

from megagenome.app.demo.expect import Expectation, people_facts
from megagenome.app.demo.fill import node_folder
from megagenome.app.demo.model import Login, Running
from megagenome.app.demo.plan import PlannedNode
from megagenome.app.demo.walk.model import SEX, Person, Site, Way
from megagenome.collection.model import Sex, Use
from megagenome.kernel.callers import Role
from megagenome.kernel.errors import Invalid
from megagenome.synthetic.truth import AlleleTruth, CohortCount, CohortQuestion, CohortTruth, DatasetTruth

ALLELES = 5
"""So many alleles are counted by the permit."""
AT_HUB = {
    "researcher": Role.RESEARCHER,
    "official": Role.SIGNING_OFFICIAL,
    "chair": Role.DAC_CHAIR,
    "member": Role.DAC_MEMBER,
    "auditor": Role.AUDITOR,
}


def way_through(planned: Sequence[PlannedNode], expectation: Expectation, network: Running) -> Way | None:
    """Through the first country, which will grant, and the second, which will refuse; None where there is but one."""
    if len(planned) < 2:
        return None
    grants, refuses = (_site(planned, expectation, network, place) for place in (0, 1))
    people = {who: _person(network.login(role)) for who, role in AT_HUB.items()}
    truth = expectation.truth
    alleles = tuple(each for each in truth.alleles if _is_carried(each, grants.dataset))[:ALLELES]
    leaver = cohort_of(planned[0], grants.dataset)[0]
    told = _told(expectation, slice(None))
    return Way(network.hub.url, grants, refuses, people, truth.assembly, alleles, leaver, *told)


def _site(planned: Sequence[PlannedNode], expectation: Expectation, network: Running, place: int) -> Site:
    node, served = planned[place], network.nodes[place]
    dataset = _closed(planned[place], expectation.truth.datasets)
    told = _told(expectation, slice(place, place + 1))
    return Site(
        served.id,
        node.country,
        served.url,
        node_folder(Path(network.folder), node.country),
        dataset.id,
        dataset.consenting[SEX],
        _person(network.login(Role.COUNTRY_DECIDER, served.url)),
        *told,
    )


def _closed(node: PlannedNode, datasets: Sequence[DatasetTruth]) -> DatasetTruth:
    """The node's largest dataset that is not open."""
    ids = {each.id for each in node.datasets}
    return max((each for each in datasets if each.id in ids and not each.open), key=lambda each: each.people)


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


def cohort_of(node: PlannedNode, dataset: str) -> list[str]:
    """Ids of everybody of the cohort in a dataset who consents to research. Raises `Invalid` where that is nobody."""
    held = next(each for each in node.datasets if each.id == dataset)
    everybody = held.people(lambda _curie: None).persons
    found = [each for each in everybody if each.sex is Sex.FEMALE and Use.RESEARCH in (each.consent or ())]
    if not found:
        raise Invalid(f"{dataset}: nobody of the cohort consents to research")
    return [str(each.individual_id) for each in found]
