# SPDX-License-Identifier: Apache-2.0
"""What the walk needs to know: where, who, and what is right; and how one of its steps is told."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from megagenome.app.demo.pooled import Pooled
from megagenome.synthetic.truth import AlleleTruth

SEX = "female"
"""The cohort of the walk is everybody of this sex: the truth has the exact counts of every allele by sex."""
SEX_TERM = "NCIT:C16576"
"""The same as a filter of Beacon."""


class Person(NamedTuple):
    """Somebody's name and password at the provider."""

    name: str
    password: str


class Site(NamedTuple):
    """A node on the way.

    dataset  that is applied for
    members  how many of its people are in the cohort and consent to research
    decider  who decides for its country
    told_public, told_registered
             what the whole node tells of the cohort, without a permit, as the walk's steps say it
    """

    id: str
    country: str
    url: str
    dataset: str
    members: int
    decider: Person
    told_public: str
    told_registered: str


class Study(NamedTuple):
    """What is studied over several nodes, each of which grants.

    keys    thumbprint of the key that each node signs with, by its id
    pooled  what everybody's data together say
    """

    sites: tuple[Site, ...]
    keys: Mapping[str, str]
    pooled: Pooled


class Way(NamedTuple):
    """The whole way.

    people   those who act at the hub, by what they are: researcher, official, chair, member, auditor
    citizen  somebody of the cohort at `grants`, linked there to their genome, who will withdraw consent
    alleles  whose exact counts in `grants` are known
    told_public, told_registered
             what the hub tells of the cohort, without a permit
    study    None where there are too few nodes or people for one, or the people are real
    """

    hub: str
    grants: Site
    refuses: Site
    people: Mapping[str, Person]
    citizen: Person
    assembly: str
    alleles: tuple[AlleleTruth, ...]
    told_public: str
    told_registered: str
    study: Study | None = None


class Step(NamedTuple):
    """One step: `take` does it and says what came of it, which is to be `expected`."""

    says: str
    where: str
    expected: str
    take: Callable[[], str]
