# SPDX-License-Identifier: Apache-2.0
"""What the hub finds against a study before any node is asked. Each node looks for itself as well, by its own rules."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Invalid
from megagenome.network.studies.needs import KnownPermit
from megagenome.standards.permit import PermitState
from megagenome.standards.study import StudyDocument, cohorts_of, name_of, read_region, variables_of, variants_of

USE = "research"
"""The kind of use that a study is."""


def findings(
    document: StudyDocument,
    caller: Caller,
    permit: KnownPermit | None,
    keys: Mapping[str, str],
    today: date,
    read_cohort: Callable[[str], object] = str,
) -> tuple[str, ...]:
    """What is against `caller` running a study today, each in one sentence; empty where nothing is.

    keys         thumbprint of the key with which each node that joined signs now, by node
    read_cohort  raises `Invalid` for a text that defines no cohort
    """
    if permit is None or caller.subject not in permit.people:
        # as if it did not exist, to whoever is none of its people
        return ("there is no permit with this id by which you may run a study; the page of your permit shows its id",)
    return (
        *_of_permit(document, permit, today),
        *_of_sites(document, permit, keys),
        *_of_cohorts(document, read_cohort),
        *_of_method(document),
    )


def permit_ended(permit: KnownPermit | None, subject: str, today: date) -> str:
    """Why a study must not go on; empty where it may."""
    if permit is None or subject not in permit.people:
        return "the permit is no more"
    if permit.state is not PermitState.ACTIVE:
        return f"the permit is {permit.state}"
    return "" if permit.starts <= today <= permit.ends else "the permit has ended"


def _of_permit(document: StudyDocument, permit: KnownPermit, today: date) -> Iterator[str]:
    if permit.state is not PermitState.ACTIVE:
        yield f"permit {document.permit} is {permit.state}"
    if today < permit.starts:
        yield f"permit {document.permit} begins on {permit.starts}"
    if today > permit.ends:
        yield f"permit {document.permit} ended on {permit.ends}"
    if USE not in permit.uses:
        yield f"permit {document.permit} is for {', '.join(sorted(permit.uses))}, not for {USE}"


def _of_sites(document: StudyDocument, permit: KnownPermit, keys: Mapping[str, str]) -> Iterator[str]:
    nodes = [site.node for site in document.sites]
    if nodes != sorted(set(nodes)):
        yield "sites: name each node once, in the order of their names"
    for site in document.sites:
        if site.node not in keys:
            yield f"{site.node} does not belong to this network"
        elif site.key != keys[site.node]:
            yield f"{site.node} signs with another key than the study names: it is {keys[site.node]} now"
        if len(set(site.datasets)) < len(site.datasets):
            yield f"{site.node}: a dataset stands twice"
        for dataset in sorted(set(site.datasets)):
            if (site.node, dataset) not in permit.datasets:
                yield (
                    f"{site.node}: permit {document.permit} does not let dataset {dataset} be read, or not yet; of "
                    f"this node it does {_named(each for node, each in permit.datasets if node == site.node)}"
                )
    if document.least_sites > len(nodes):
        yield f"least_sites is {document.least_sites}, and there are {len(nodes)} sites"


def _of_cohorts(document: StudyDocument, read_cohort: Callable[[str], object]) -> Iterator[str]:
    for where, text in cohorts_of(document):
        try:
            read_cohort(text)
        except Invalid as error:
            yield f'{where}: {error}; write JSON such as {{"type":"sex","sex":"female"}}'


def _of_method(document: StudyDocument) -> Iterator[str]:
    method = document.method
    if variants := variants_of(method):
        for text in variants.regions:
            try:
                read_region(variants.assembly, text)
            except Invalid as error:
                yield str(error)
    trait, covariates = variables_of(method)
    if trait in covariates:
        yield "the trait is a covariate, too: leave it out there"
    for each in dict.fromkeys(each for each in covariates if covariates.count(each) > 1):
        yield f"covariate {name_of(each)} stands twice"


def _named(datasets: Iterator[str]) -> str:
    return ", ".join(sorted(datasets)) or "none"
