# SPDX-License-Identifier: Apache-2.0
"""The network's Beacon answers: the question passed on as it was understood, the answers of all nodes in one.

Nodes are always asked for records of all their datasets; what the caller wants less of is left out here. Only so can
the network count an allele that several nodes have once, and say of its count whether it is exact.
"""

from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from msgspec.structs import replace

from megagenome.kernel.errors import Invalid, Unavailable
from megagenome.network import describe, listing
from megagenome.network.answers import PAGE, allele_sum, beacon_question
from megagenome.network.combine import Cells, add
from megagenome.network.fanout import Network, Outcome
from megagenome.network.settings import HubIdentity
from megagenome.network.told import ANYWHERE, Told, read_people, read_variants
from megagenome.standards import beacon
from megagenome.standards.beacon import CountPrecision, Granularity, IncludeResultsets
from megagenome.standards.federation import NodeStatus

T = TypeVar("T")


async def ask_variants(network: Network, identity: HubIdentity, request: beacon.BeaconRequest) -> beacon.BeaconResponse:
    """POST or GET `/g_variants` over the network.

    `numTotalResults` counts distinct alleles; it is exact when every node told an exact count and gave all it counted,
    else a lower bound and `imprecise`. `response.info.combined` has the sums over nodes when one allele was asked for.
    """
    query = request.query
    granularity = query.requested_granularity or Granularity.RECORD
    page = query.pagination if granularity is Granularity.RECORD else beacon.Pagination(0, PAGE)
    outcomes = await network.ask(beacon_question("/g_variants", _in_full(query, page)), read_variants)
    told = _require_answers(outcomes)
    places = {place for one in told for place in one.alleles()}
    whole = page.skip == 0 and ANYWHERE not in places and not any(one.more for one in told)
    count = len(places) if whole else max([len(places), *(one.count or 0 for one in told)])
    summary = _summary(outcomes, count, exact=whole)
    combined = None
    # open data also say in how many an allele was looked for that nobody has
    if len(places) <= 1 and _asks_one_allele(query):
        combined = _divided(add(allele_sum(one) for one in told))
    meta = _meta(identity, request, granularity, describe.VARIANT)
    return _response(meta, summary, outcomes, combined)


async def ask_people(network: Network, identity: HubIdentity, request: beacon.BeaconRequest) -> beacon.BeaconResponse:
    """POST or GET `/individuals` over the network: counts only. Nobody is linked across nodes, so counts are added."""
    granularity = request.query.requested_granularity or Granularity.RECORD
    query = _in_full(request.query, beacon.Pagination(0, 1))
    outcomes = await network.ask(beacon_question("/individuals", query), read_people)
    told = _require_answers(outcomes)
    summary = _summary(outcomes, sum(one.count or 0 for one in told), exact=True)
    meta = _meta(identity, request, granularity, describe.INDIVIDUAL)
    return _response(meta, summary, outcomes, None)


async def list_datasets(
    network: Network, identity: HubIdentity, request: beacon.BeaconRequest
) -> beacon.CollectionsResponse:
    """POST or GET `/datasets`: the published datasets of all nodes, each with its Beacon's id; a page of them."""
    _refuse_questions(request)
    outcomes = await network.ask(listing.DATASETS, listing.read_datasets)
    _require_answers(outcomes)
    datasets = tuple(
        replace(each, info=replace(each.info, beacon_id=outcome.node.id))
        for outcome in outcomes
        for each in outcome.answer or ()
    )
    exact = all(outcome.answer is not None for outcome in outcomes)
    precision = CountPrecision.EXACT if exact else CountPrecision.IMPRECISE
    return beacon.CollectionsResponse(
        _meta(identity, request, Granularity.RECORD, describe.DATASET),
        beacon.ResponseSummary(bool(datasets), len(datasets), precision),
        beacon.Collections(_page(datasets, request.query.pagination)),
    )


async def list_terms(
    terms: listing.Terms, identity: HubIdentity, request: beacon.BeaconRequest
) -> beacon.FilteringTermsResponse:
    """GET `/filtering_terms`: each filter that some node takes; a page of them."""
    _refuse_questions(request)
    union = await terms.union()
    page = _page(union.filtering_terms, request.query.pagination)
    return describe.filtering_terms(identity, replace(union, filtering_terms=page))


def _refuse_questions(request: beacon.BeaconRequest) -> None:
    query = request.query
    if query.filters or query.request_parameters.g_variant or query.request_parameters.datasets:
        raise Invalid("this list takes skip and limit only: ask /g_variants or /individuals")


def _page(rows: tuple[T, ...], page: beacon.Pagination) -> tuple[T, ...]:
    """All where no limit is said, or 0."""
    return rows[page.skip : page.skip + page.limit if page.limit else None]


def _in_full(query: beacon.BeaconQuery, page: beacon.Pagination) -> beacon.BeaconQuery:
    return replace(
        query,
        include_resultset_responses=IncludeResultsets.ALL,
        requested_granularity=Granularity.RECORD,
        pagination=page,
    )


def _require_answers(outcomes: Sequence[Outcome[T]]) -> list[T]:
    """The answers, at least one. Without any there is nothing to merge, and an empty 200 would read as a no.

    Raises `Invalid` with a node's reason when nodes refuse the question, else `Unavailable` naming every node.
    """
    answers = [outcome.answer for outcome in outcomes if outcome.answer is not None]
    return answers or _explain(outcomes)


def _explain(outcomes: Sequence[Outcome[Any]]) -> NoReturn:
    refused = [outcome for outcome in outcomes if outcome.status is NodeStatus.REFUSED]
    if refused:
        raise Invalid(f"{refused[0].node.title} refuses the question: {refused[0].message}")
    if not outcomes:
        raise Unavailable("this network has no node yet: invite one with `megagenome hub invite`")
    states = ", ".join(f"{outcome.node.title} is {outcome.status}" for outcome in outcomes)
    raise Unavailable(f"no node answered: {states}; try again in a minute")


def _summary(outcomes: Sequence[Outcome[Told]], count: int, *, exact: bool) -> beacon.ResponseSummary:
    exact = exact and all(outcome.answer is not None and outcome.answer.exact for outcome in outcomes)
    exists = any(outcome.answer is not None and outcome.answer.exists for outcome in outcomes)
    return beacon.ResponseSummary(exists, count, CountPrecision.EXACT if exact else CountPrecision.IMPRECISE)


def _response(
    meta: beacon.ResponseMeta,
    summary: beacon.ResponseSummary,
    outcomes: Sequence[Outcome[Told]],
    combined: beacon.FrequencyInPopulations | None,
) -> beacon.BeaconResponse:
    notes = {"nodes": [_node_note(outcome) for outcome in outcomes]}
    if meta.returned_granularity is Granularity.BOOLEAN:
        return beacon.BeaconResponse(meta, beacon.ResponseSummary(summary.exists), info=notes)
    if meta.returned_granularity is Granularity.COUNT:
        return beacon.BeaconResponse(meta, summary, info=notes)
    include = meta.received_request_summary.include_resultset_responses
    sets = tuple(
        replace(each, beacon_id=outcome.node.id)
        for outcome in outcomes
        if outcome.answer is not None
        for each in outcome.answer.sets
        if include in (IncludeResultsets.ALL, IncludeResultsets.HIT if each.exists else IncludeResultsets.MISS)
    )
    response = beacon.ResultSets(sets, beacon.AnswerNotes(combined)) if combined else beacon.ResultSets(sets)
    return beacon.BeaconResponse(meta, summary, response, notes)


def _meta(
    identity: HubIdentity, request: beacon.BeaconRequest, granularity: Granularity, schema: beacon.RequestedSchema
) -> beacon.ResponseMeta:
    query = request.query
    received = beacon.ReceivedRequest(
        request.meta.api_version,
        request.meta.requested_schemas,
        tuple(map(str, query.filters)),
        query.request_parameters,
        query.include_resultset_responses,
        query.pagination,
        granularity,
        query.test_mode,
    )
    return beacon.ResponseMeta(identity.id, beacon.API_VERSION, (schema,), granularity, received)


def _node_note(outcome: Outcome[Told]) -> dict[str, Any]:
    """How a node took part, for `info.nodes` of a Beacon answer."""
    status = outcome.status if outcome.answer is None else outcome.answer.status
    note = {"beaconId": outcome.node.id, "name": outcome.node.title, "country": outcome.node.country}
    timing = {"status": str(status), "elapsedMs": round(outcome.elapsed_ms, 1)}
    return note | timing | ({"message": outcome.message} if outcome.message else {})


def _asks_one_allele(query: beacon.BeaconQuery) -> bool:
    variant = query.request_parameters.g_variant
    return variant is not None and bool(
        variant.genomic_allele_short_form or (variant.reference_bases and variant.alternate_bases and not variant.end)
    )


def _divided(cells: Cells) -> beacon.FrequencyInPopulations | None:
    """Sums in the form of Beacon frequencies; None where there are none, which the schema has no way to say."""
    if not cells:
        return None
    return beacon.FrequencyInPopulations(
        tuple(
            beacon.Frequency(
                cell.population,
                cell.allele_count / cell.allele_number if cell.allele_number else 0.0,
                cell.allele_count,
                cell.allele_number,
                *(cell.people or (None, None, None)),
            )
            for cell in cells
        ),
        source="The Genome of Europe",
        source_reference="https://genomeofeurope.eu/",
    )
