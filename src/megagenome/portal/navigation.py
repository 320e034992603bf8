# SPDX-License-Identifier: Apache-2.0
"""Where the pages of a server lead, for whoever reads them."""

from megagenome.kernel.callers import Caller, Role

Place = tuple[str, str]

ASSESSING = frozenset({Role.SIGNING_OFFICIAL, Role.DAC_CHAIR, Role.DAC_MEMBER, Role.COUNTRY_DECIDER})
"""Roles with a desk."""


def navigation(caller: Caller, *, on_node: bool) -> list[Place]:
    """Addresses and names of the main places; a role adds what belongs to it. A page that one is not led to is no
    secret: what it shows is decided by the API."""
    return _of_node(caller) if on_node else _of_hub(caller)


def _of_hub(caller: Caller) -> list[Place]:
    places = [("/", "Search"), ("/cohort", "Cohorts"), ("/datasets", "Datasets"), ("/nodes", "Nodes")]
    if caller.subject is not None:
        places = [("/for-you", "For you"), *places, ("/applications", "Applications"), ("/study", "Studies")]
    if caller.roles & (ASSESSING | {Role.AUDITOR, Role.DATA_STEWARD}):
        places.append(("/desk", "Desk"))
    if Role.AUDITOR in caller.roles:
        places.append(("/ledger", "Ledger"))
    return [*places, ("/help", "Help")]


def _of_node(caller: Caller) -> list[Place]:
    places = [("/", "This node"), ("/fairdp", "Catalogue")]
    if Role.COUNTRY_DECIDER in caller.roles:
        places.append(("/desk", "Desk"))
    if caller.roles & {Role.DATA_PROVIDER, Role.DATA_STEWARD}:
        places.append(("/submissions", "Submissions"))
    if Role.CITIZEN in caller.roles:
        places.append(("/my-genome", "My genome"))
    if Role.DATA_STEWARD in caller.roles:
        places += [("/datasets", "Datasets"), ("/consent", "Consent")]
    if Role.AUDITOR in caller.roles:
        places.append(("/ledger", "Ledger"))
    return places
