# SPDX-License-Identifier: Apache-2.0
"""The network's answers, in the types of `standards.federation`: asked of every node, checked, summed, by node."""

import functools
import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from megagenome.network.combine import Cells, add, add_with_totals, with_intervals
from megagenome.network.fanout import Network, Outcome, Question
from megagenome.network.needs import Defined
from megagenome.network.question import CohortQuestion
from megagenome.network.told import ANYWHERE, Place, Told, place_of, read_allele, read_people, read_variants
from megagenome.standards import beacon
from megagenome.standards.federation import (
    CohortAnswer,
    DatasetAnswer,
    NodeAnswer,
    NodeStatus,
    RegionAnswer,
    Resolved,
    VariantAnswer,
    VariantRow,
)

PAGE = 1000
"""Records that each node is asked for; the GDI portal asks for as many."""


def beacon_question(path: str, query: beacon.BeaconQuery) -> Question:
    """A Beacon request, as every node is sent it."""
    return Question(path, msgspec.json.encode(beacon.BeaconRequest(query=query)))


async def ask_variant(network: Network, allele: Resolved) -> VariantAnswer:
    """One allele over the network."""
    place = place_of(allele.start, allele.ref, allele.alt)
    query = beacon.BeaconQuery(
        beacon.RequestParameters(_parameters(allele)),
        (),
        # also those that withhold: what a dataset does not tell is part of the answer
        beacon.IncludeResultsets.ALL,
        beacon.Pagination(0, PAGE),
        beacon.Granularity.RECORD,
    )
    outcomes = await network.ask(beacon_question("/g_variants", query), functools.partial(read_allele, place))
    sums = {outcome.node.id: allele_sum(outcome.answer) for outcome in outcomes if outcome.answer is not None}
    return VariantAnswer(
        allele,
        any(outcome.answer is not None and outcome.answer.exists for outcome in outcomes),
        with_intervals(add(sums.values())),
        tuple(_node(outcome, cells=sums.get(outcome.node.id, ())) for outcome in outcomes),
    )


def _parameters(place: Resolved) -> beacon.VariantParameters:
    if place.kind == "allele":
        return beacon.VariantParameters(
            assembly_id=place.assembly,
            reference_name=place.contig,
            start=(place.start,),
            reference_bases=place.ref,
            alternate_bases=place.alt,
        )
    return beacon.VariantParameters(
        assembly_id=place.assembly, reference_name=place.contig, start=(place.start,), end=(place.end,)
    )


def allele_sum(told: Told) -> Cells:
    """What a node told of the one allele that it was asked for, each person once where it says so itself.

    Our nodes combine countries and sexes. A population as the holder states it (`FI:FIN`) is added where one dataset
    alone tells it; over several the same people might count twice.
    """
    parts = [part for parts in told.alleles().values() for part in parts]
    if told.combined is None:
        return add_with_totals(parts)
    known = {cell.population for cell in told.combined}
    stated = [cell for part in parts for cell in part if ":" in cell.population and cell.population not in known]
    times = Counter(cell.population for cell in stated)
    return add([told.combined, [cell for cell in stated if times[cell.population] == 1]])


async def ask_region(network: Network, place: Resolved, skip: int, limit: int) -> RegionAnswer:
    """The alleles of a region or gene: rows `skip` to `skip + limit` of those that the nodes' first pages hold.

    A node that has more than one page of `PAGE` tells of its later alleles nothing; rows from there on would be
    sums without it. They are left out and `complete` is False: a smaller region shows them. It is False,
    too, when a node gave no answer.
    """
    query = beacon.BeaconQuery(
        beacon.RequestParameters(_parameters(place)),
        (),
        beacon.IncludeResultsets.HIT,
        beacon.Pagination(0, PAGE),
        beacon.Granularity.RECORD,
    )
    outcomes = await network.ask(beacon_question("/g_variants", query), read_variants)
    merged = merge_rows([outcome.answer for outcome in outcomes if outcome.answer is not None])
    page = merged.rows[skip : skip + limit]
    return RegionAnswer(
        place,
        len(merged.rows),
        merged.complete and all(outcome.answer is not None for outcome in outcomes),
        skip,
        limit,
        tuple(_row(place.contig, row) for row in page),
        tuple(
            _node(outcome, count=len(outcome.answer.alleles()) if outcome.answer is not None else None)
            for outcome in outcomes
        ),
    )


Row = tuple[Place, list[list[Cells]]]
"""An allele, and for each node that told of it what its datasets told."""


class MergedRows(NamedTuple):
    """Alleles by position; `complete` unless a node has more than it gave, or gave what does not say its allele."""

    rows: list[Row]
    complete: bool


def merge_rows(answers: Sequence[Told]) -> MergedRows:
    """The alleles of all nodes, up to where the first node that has more than it gave stops."""
    rows: dict[Place, list[list[Cells]]] = {}
    known_up_to = math.inf
    for told in answers:
        for place, parts in told.alleles().items():
            if place is not ANYWHERE:
                rows.setdefault(place, []).append(parts)
        if told.more:
            known_up_to = min(known_up_to, _last_start(told))
    # at the last start of a page that was cut, further alleles of the same start may be missing
    whole = sorted((place, parts) for place, parts in rows.items() if place.start < known_up_to)
    readable = not any(dataset.unread for told in answers for dataset in told.datasets)
    return MergedRows(whole, known_up_to == math.inf and readable)


def _last_start(told: Told) -> float:
    """Where the page of a node that has more than it gave ends; 0 where its records are not in order."""
    cut = [dataset for dataset in told.datasets if dataset.more] or [d for d in told.datasets if d.rows]
    if not cut or any(dataset.rows and dataset.last is None for dataset in told.datasets):
        return 0
    lengths = {len(dataset.rows) for dataset in cut}
    if len(lengths) == 1 and lengths != {len(told.alleles())}:
        # pages of one length, each dataset's own: the first to end decides
        return min(-1 if dataset.last is None else dataset.last for dataset in cut)
    # one page for all datasets, as our nodes give it
    return max(dataset.last or 0 for dataset in told.datasets)


def _row(contig: str, row: Row) -> VariantRow:
    place, nodes = row
    return VariantRow(
        f"{contig}-{place.start + 1}-{place.ref}-{place.alt}",
        place.start,
        place.end,
        place.ref,
        place.alt,
        len(nodes),
        with_intervals(add(add_with_totals(parts) for parts in nodes)),
    )


async def ask_cohort(network: Network, question: CohortQuestion, defined: Defined | None = None) -> CohortAnswer:
    """How many people match, summed over nodes: nobody is linked across borders, so each counts where they are."""
    outcomes = await network.ask(beacon_question("/individuals", question.query), read_people)
    nodes = tuple(
        _node(outcome, count=people_told(outcome.answer) if outcome.answer is not None else None)
        for outcome in outcomes
    )
    return CohortAnswer(
        question.text,
        any(outcome.answer is not None and outcome.answer.exists for outcome in outcomes),
        sum(node.count or 0 for node in nodes),
        nodes,
        *(defined or ()),
    )


def people_told(told: Told) -> int | None:
    """The people that a node counts; None where it withholds how many."""
    return told.count if told.status is NodeStatus.ANSWERED else None


def _node(outcome: Outcome[Told], cells: Cells = (), count: int | None = None) -> NodeAnswer:
    told = outcome.answer
    return NodeAnswer(
        outcome.node.id,
        outcome.node.title,
        outcome.node.country,
        outcome.node.url,
        told.status if told is not None else outcome.status,
        round(outcome.elapsed_ms, 1),
        outcome.message,
        with_intervals(cells),
        count,
        told.floor if told is not None else None,
        tuple(
            DatasetAnswer(each.id, each.told, each.count, with_intervals(add(each.rows.values())) if cells else ())
            for each in (told.datasets if told is not None else ())
        ),
    )
