# SPDX-License-Identifier: Apache-2.0
"""What this node itself finds against a study, by its own settings, whatever the hub has checked."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.analytics import tables as t
from megagenome.analytics.methods import METHODS
from megagenome.analytics.people import parameters_of
from megagenome.analytics.settings import AnalyticsSettings
from megagenome.collection.cohort import read_cohort
from megagenome.collection.model import Dataset
from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import NotEntitled, NotFound
from megagenome.standards import study as study_document
from megagenome.standards.study import Site, StudyDocument, cohorts_of, read_region, variants_of
from megagenome.standards.study_exchange import NO_TERMS, Task, Terms


class Found(NamedTuple):
    """How many people there are for a study.

    recorded   of how many of its cohort each thing is recorded that it asks, by its name; "" is to be in the cohort
    held_back  how many more are held back
    """

    people: int
    recorded: Sequence[tuple[str, int]]
    held_back: int = 0


def require_readable(document: StudyDocument) -> None:
    """Raise `Invalid` where a cohort's text in it, or a region, cannot be read. Hubs look, too, before they ask."""
    for _, text in cohorts_of(document):
        read_cohort(text)
    if variants := variants_of(document.method):
        for region in variants.regions:
            read_region(variants.assembly, region)


def require_allowed(document: StudyDocument, task: Task, me: str, key: str, settings: AnalyticsSettings) -> Site:
    """This node's place in the document; `key` is the thumbprint of the key that it signs with.

    Raises `NotEntitled`, saying which rule is against it: nothing of the node's data was looked at until then.
    """
    if not settings.enabled:
        raise NotEntitled("this node takes part in no studies")
    if study_document.digest(document) != task.digest:
        raise NotEntitled("the study is not the one whose digest the hub states")
    mine = next((site for site in document.sites if site.node == me), None)
    if mine is None or me not in task.sites:
        raise NotEntitled(f"the study does not name {me}")
    if mine.key != key:
        raise NotEntitled(f"{me} signs with another key than the study names")
    name = str(type(document.method).__struct_config__.tag)
    if name not in settings.methods or type(document.method) not in METHODS:
        raise NotEntitled(f"this node does not compute {name}")
    _require_sites(document, task.sites, me, settings)
    return mine


def _require_sites(document: StudyDocument, sites: Sequence[str], me: str, settings: AnalyticsSettings) -> None:
    """Sums of few sites tell each of them about the others; no hub may lower how many they are."""
    named = sorted(site.node for site in document.sites)
    if list(sites) != sorted(set(sites)) or not set(sites) <= set(named):
        raise NotEntitled("the hub asks with other sites than the study names")
    if len(named) < document.least_sites:
        raise NotEntitled(f"the study names {len(named)} sites, and demands {document.least_sites} itself")
    if len(sites) < len(named) and (document.when_one_fails != "go on" or len(sites) < document.least_sites):
        raise NotEntitled(f"{len(sites)} of {len(named)} sites are left, and the study does not go on with so few")
    if len(sites) == 1 < len(named):
        raise NotEntitled("this node does not compute a study of several alone")
    if len(sites) == 2 and not set(sites) - {me} <= set(settings.partners):
        raise NotEntitled("a study of two nodes shows each the other's sums: this node has not agreed to that")


def require_may_be_alone(document: StudyDocument, datasets: Sequence[Dataset], settings: AnalyticsSettings) -> None:
    """Raise `NotEntitled` where a study names this node only, whose sums its hub would see, but where its operator lets
    it, or all that it lends is open."""
    if len(document.sites) == 1 and not (settings.alone or is_open(datasets)):
        raise NotEntitled("this node does not compute a study alone: the hub would see its sums (analytics.alone)")


def require_enough(
    document: StudyDocument, datasets: Sequence[Dataset], found: Found, settings: AnalyticsSettings
) -> None:
    """Raise `NotEntitled` where this node's people are too few for a study. It says the rule, and of what there is
    too little, not how many they are."""
    least = document.least_people if is_open(datasets) else max(document.least_people, settings.least_people)
    if found.people < least:
        raise NotEntitled(f"this node has fewer than {least:,} people for the study{_too_little(found, least)}")
    if not is_open(datasets) and parameters_of(document) > settings.most_parameters * found.people:
        raise NotEntitled(f"more than {settings.most_parameters:g} parameters for each of this node's people")


def _too_little(found: Found, least: int) -> str:
    """What a name that is misspelt looks like: nearly nobody has it."""
    lacking = [name for name, number in found.recorded if number < least]
    if "" in lacking:
        return ": so few are in its datasets, its cohort and the permit"
    if lacking:
        return f": fewer have {', '.join(lacking)} recorded; is it spelt as this node has it?"
    return ": others are held back, so that no two studies differ by a few" if found.held_back else ""


def is_open(datasets: Sequence[Dataset]) -> bool:
    """Whether all of these were declared open by their holder."""
    return all(each.open for each in datasets)


def terms_of(datasets: Sequence[Dataset], settings: AnalyticsSettings) -> Terms:
    """What this node demands of what all nodes' sums tell."""
    if is_open(datasets):
        return NO_TERMS
    return Terms(
        settings.least_people_in_all, settings.least_cell, settings.least_allele_count, settings.most_parameters
    )


def require_known(engine: sa.Engine, others: Sequence[Site]) -> None:
    """Pin the keys of nodes that this one computes with for the first time, durably.

    Raises `NotEntitled` where a node has another key than when it was first met: its masks would not be its own, unless
    this node's operator says that they are (`accept_key`)."""
    peer = t.study_peer.c
    with begin_writing(engine) as connection:
        known = {row.node: row.key for row in connection.execute(sa.select(peer.node, peer.key))}
        for site in others:
            if known.get(site.node, site.key) != site.key:
                raise NotEntitled(
                    f"{site.node} has another key than when this node first computed with it: once its operator says "
                    f"that it is theirs, `megagenome node peers DIR --accept {site.node} --key {site.key}`"
                )
        since = clock.now().isoformat()
        new = [{"node": each.node, "key": each.key, "since": since} for each in others if each.node not in known]
        if new:
            connection.execute(sa.insert(t.study_peer), new)


class Peer(msgspec.Struct, frozen=True):
    """A node that this one computed with, the thumbprint of its key, and since when that is believed."""

    node: str
    key: str
    since: str


def list_peers(engine: sa.Engine) -> list[Peer]:
    """All of them, by name."""
    peer = t.study_peer.c
    with engine.connect() as connection:
        rows = connection.execute(sa.select(peer.node, peer.key, peer.since).order_by(peer.node))
        return [Peer(*row) for row in rows]


def accept_key(engine: sa.Engine, node: str, key: str) -> None:
    """Believe another key of a node that this one computed with, from now on. Durable on return.

    Raises `NotFound` for a node that is not known, whose key is believed at the first study anyway."""
    peer = t.study_peer.c
    with begin_writing(engine) as connection:
        change = sa.update(t.study_peer).where(peer.node == node).values(key=key, since=clock.now().isoformat())
        if not connection.execute(change).rowcount:
            raise NotFound(f"this node has computed with no {node[:100]!r} yet")
