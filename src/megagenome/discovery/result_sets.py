# SPDX-License-Identifier: Apache-2.0
"""What was counted as a Beacon's answer: meta, summary and result sets. The same for the public and by permit."""

from collections.abc import Mapping
from typing import NamedTuple

from megagenome.discovery import describe
from megagenome.discovery.model import Identity, VariantQuestion, VariantsTold
from megagenome.discovery.records import Cells, cells, frequencies, variant
from megagenome.discovery.scheme import Scheme
from megagenome.kernel.coordinates import Allele
from megagenome.standards import beacon
from megagenome.standards.beacon import CountPrecision, Granularity, IncludeResultsets


class Precision(NamedTuple):
    """`countPrecision` and `countAdjustedTo`."""

    precision: CountPrecision
    adjusted_to: tuple[int, ...] = ()


EXACT = Precision(CountPrecision.EXACT)

INCLUDED = {
    IncludeResultsets.ALL: (True, False),
    IncludeResultsets.HIT: (True,),
    IncludeResultsets.MISS: (False,),
    IncludeResultsets.NONE: (),
}
"""Whether result sets of datasets that have something, or have not, are in the answer."""

Cases = Mapping[tuple[Allele, int], tuple[beacon.CaseLevelData, ...]]
"""Who carries an allele, by allele and dataset's index; only where a permit lets the reader know them."""

_NO_CASES: Cases = {}


def imprecise(floor: int) -> Precision:
    """States the largest count that looks like none."""
    return Precision(CountPrecision.IMPRECISE, (floor - 1,) if floor else ())


def answer_meta(
    identity: Identity, request: beacon.BeaconRequest, schema: beacon.RequestedSchema, limit: int
) -> beacon.ResponseMeta:
    """Who answers, and the question as it was understood."""
    query = request.query
    granularity = query.requested_granularity or Granularity.RECORD
    received = beacon.ReceivedRequest(
        request.meta.api_version,
        request.meta.requested_schemas,
        tuple(str(each) for each in query.filters),
        query.request_parameters,
        query.include_resultset_responses,
        beacon.Pagination(query.pagination.skip, limit),
        granularity,
        query.test_mode,
    )
    return beacon.ResponseMeta(identity.id, beacon.API_VERSION, (schema,), granularity, received)


def counted(meta: beacon.ResponseMeta) -> beacon.ResponseMeta:
    """The same of an answer that says no more than counts."""
    return beacon.ResponseMeta(
        meta.beacon_id, meta.api_version, meta.returned_schemas, Granularity.COUNT, meta.received_request_summary
    )


def summary(total: int, precision: Precision, meta: beacon.ResponseMeta) -> beacon.ResponseSummary:
    """The answer in short."""
    if meta.returned_granularity is Granularity.BOOLEAN:
        return beacon.ResponseSummary(total > 0)
    return beacon.ResponseSummary(total > 0, total, precision.precision, precision.adjusted_to)


def result_set(
    scheme: Scheme, k: int, count: int, records: tuple[beacon.GenomicVariant, ...] = (), *, withheld: bool
) -> beacon.ResultSet:
    """A dataset's answer; `withheld` where more may be there than is told."""
    precision = imprecise(int(scheme.floors[k])) if withheld else EXACT
    return beacon.ResultSet(
        scheme.datasets[k].id, "dataset", count > 0, count, records, precision.precision, precision.adjusted_to
    )


def variant_sets(
    identity: Identity,
    scheme: Scheme,
    question: VariantQuestion,
    told: VariantsTold,
    request: beacon.BeaconRequest,
    cases: Cases = _NO_CASES,
) -> beacon.ResultSets:
    """The result sets of a question about variants, of what is told of them."""
    exactly = isinstance(question.place, Allele)
    told_cells = cells(scheme.margins, told.told)
    records = _records(identity, scheme, told, told_cells, cases)
    included = INCLUDED[request.query.include_resultset_responses]
    found = told.by_dataset.tolist()
    sets = tuple(
        result_set(
            scheme,
            k,
            found[k],
            tuple(records[k]),
            withheld=bool(scheme.floors[k]) and not (exactly and found[k]),
        )
        for k in question.datasets
        if (found[k] > 0) in included
    )
    notes = beacon.AnswerNotes(shared=() if exactly else scheme.told_twice(question.datasets))
    if told.combined is not None:
        summed = told_cells if told.combined is told.told and told_cells else cells(scheme.margins, told.combined)
        notes = beacon.AnswerNotes(frequencies(summed[0], identity.name, identity.url)[0])
    return beacon.ResultSets(sets, notes)


def _records(
    identity: Identity, scheme: Scheme, told: VariantsTold, told_cells: list[Cells], cases: Cases
) -> list[list[beacon.GenomicVariant]]:
    """For each dataset the records of its rows."""
    where = f"{identity.url}{describe.PREFIX}/datasets"
    records: list[list[beacon.GenomicVariant]] = [[] for _ in scheme.datasets]
    known: Allele | None = None
    one = beacon.GenomicVariant()
    for allele, k, row in zip(told.alleles, told.datasets, told_cells, strict=True):
        if allele != known:
            known, one = allele, variant(allele)
        named = frequencies(row, scheme.datasets[k].title or scheme.datasets[k].id, where)
        same = (one.variant_internal_id, one.variation, one.identifiers, named)
        who = cases.get((allele, k)) if cases else None
        records[k].append(beacon.VariantWithCases(*same, who) if who else beacon.GenomicVariant(*same))
    return records
