# SPDX-License-Identifier: Apache-2.0
"""The node's Beacon: from a request to an answer, in plain synchronous functions."""

import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from megagenome.collection import Collection, Reading
from megagenome.collection.model import Asked, Use
from megagenome.discovery import describe
from megagenome.discovery.count import SLICE_BASES, count_people, count_variants
from megagenome.discovery.model import Identity, KnownTerms, VariantQuestion, VariantsTold
from megagenome.discovery.needs import CountAggregate, Reference
from megagenome.discovery.query import DEFAULT_LIMIT, people_question, refuse_questions, variant_question
from megagenome.discovery.records import Cells, cells, frequencies, variant
from megagenome.discovery.scheme import Scheme, floor_of, scheme_of
from megagenome.discovery.settings import DiscoverySettings
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Unavailable
from megagenome.reference import resolve
from megagenome.standards import beacon
from megagenome.standards.beacon import CountPrecision, Granularity, IncludeResultsets
from megagenome.standards.federation import Resolved


class _Precision(NamedTuple):
    """`countPrecision` and `countAdjustedTo`."""

    precision: CountPrecision
    adjusted_to: tuple[int, ...] = ()


MOST_WIDE = 8
"""Wide regions that are counted at once. Each takes a thread of the server for seconds; the others answer the rest."""

_INCLUDED = {
    IncludeResultsets.ALL: (True, False),
    IncludeResultsets.HIT: (True,),
    IncludeResultsets.MISS: (False,),
    IncludeResultsets.NONE: (),
}
"""Whether result sets of datasets that have something, or have not, are in the answer."""

_EXACT = _Precision(CountPrecision.EXACT)


def _imprecise(floor: int) -> _Precision:
    """States the largest count that looks like none."""
    return _Precision(CountPrecision.IMPRECISE, (floor - 1,) if floor else ())


class Beacon:
    """Answers of one node's Beacon. Safe to call from many threads."""

    def __init__(
        self,
        collection: Collection,
        reference: Reference,
        identity: Identity,
        settings: DiscoverySettings,
        count_aggregate: CountAggregate = lambda _subject, _datasets: None,
    ) -> None:
        """`count_aggregate` is told of each answer with numbers of people or alleles in it."""
        self.identity = identity
        self.settings = settings
        self.reference = reference
        self._collection = collection
        self._count_aggregate = count_aggregate
        # what a caller may see depends on nothing of theirs but whether they have registered access
        self._schemes: dict[tuple[bool, Asked], tuple[int, Scheme]] = {}
        self._terms: dict[bool, tuple[int, KnownTerms]] = {}
        self._building = threading.Lock()
        self._wide = threading.BoundedSemaphore(MOST_WIDE)

    def variants(self, caller: Caller, request: beacon.BeaconRequest) -> beacon.BeaconResponse:
        """Answer of `/g_variants`. Raises `Invalid` for what is not understood or not supported, and `Unavailable` for
        a wide region while `MOST_WIDE` others are being counted.

        What is told: cells of the datasets whose alleles the caller may see, as far as they pass disclosure control. Of
        an allele with fewer copies than the floor, and of one that nobody has, the answer is the same.
        """
        reading, scheme = self._open(caller, Asked.ALLELES)
        question = variant_question(
            request,
            scheme.index,
            _assemblies(scheme),
            page=self.settings.largest_page,
            widest=self.settings.widest_region,
        )
        with self._room_for(question):
            told = count_variants(reading, scheme, question)
        self._count_aggregate(caller.subject, [scheme.datasets[k].id for k in question.datasets])
        meta = self._meta(request, describe.VARIANT, question.limit)
        summary = _summary(told.total > 0, told.total, self._precision_of_variants(scheme, question, told), meta)
        if meta.returned_granularity is not Granularity.RECORD:
            return beacon.BeaconResponse(meta, summary)
        return beacon.BeaconResponse(meta, summary, self._variant_sets(scheme, question, told, request))

    def at_hand(self, caller: Caller, request: beacon.BeaconRequest) -> bool:
        """Whether `variants` answers this at once, from memory and mapped files: one allele, nobody counted one by one,
        and no look into the database due."""
        variant = request.query.request_parameters.g_variant
        known = self._schemes.get((caller.registered, Asked.ALLELES))
        return (
            variant is not None
            and variant.reference_bases != ""
            and variant.gene_id == ""
            and known is not None
            and self._collection.is_fresh(known[0])
            and not (known[1].exact and known[1].shared.any())
        )

    def individuals(self, caller: Caller, request: beacon.BeaconRequest) -> beacon.BeaconResponse:
        """Answer of `/individuals`: counts of people, never records of them.

        At `record` granularity there is a result set for each dataset, with its count and no results, because that is
        what the GDI portal reads; `returnedGranularity` says `count`.
        """
        # who carries an allele is both: only datasets that may tell the caller either are asked
        with_allele = request.query.request_parameters.g_variant is not None
        asked = Asked.BOTH if with_allele else Asked.PEOPLE
        _, scheme = self._open(caller, asked)
        known_terms = partial(self._known_terms, caller)
        question = people_question(request, scheme.index, _assemblies(scheme), self.reference.ontology_for, known_terms)
        told = count_people(self._collection, scheme, caller, asked, question)
        self._count_aggregate(caller.subject, [scheme.datasets[k].id for k in question.datasets])
        meta = self._meta(request, describe.INDIVIDUAL, DEFAULT_LIMIT)
        floor = max((int(scheme.floors[k]) for k in question.datasets), default=0)
        precision = _EXACT if told.exact else _imprecise(floor)
        summary = _summary(told.total > 0, told.total, precision, meta)
        if meta.returned_granularity is not Granularity.RECORD:
            return beacon.BeaconResponse(meta, summary)
        included = _INCLUDED[request.query.include_resultset_responses]
        counts = np.where(told.told, told.counts, 0).tolist()
        sets = tuple(
            _result_set(scheme, k, counts[k], withheld=not told.told[k])
            for k in question.datasets
            if (counts[k] > 0) in included
        )
        return beacon.BeaconResponse(_counted(meta), summary, beacon.ResultSets(sets))

    def datasets(self, caller: Caller, request: beacon.BeaconRequest) -> beacon.CollectionsResponse:
        """Answer of `/datasets`: the published ones, also those of which the caller is told nothing else, with what
        they need and how to get it. All where no limit is said."""
        del caller
        refuse_questions(request)
        published = self._collection.published
        listed = [describe.dataset(each, floor_of(each, self.settings.floor)) for each in published]
        page = request.query.pagination
        end = page.skip + page.limit if page.limit else None
        meta = self._meta(request, describe.DATASET, page.limit or 0)
        summary = beacon.ResponseSummary(bool(listed), len(listed))
        return beacon.CollectionsResponse(meta, summary, beacon.Collections(tuple(listed[page.skip : end])))

    def filtering_terms(self, caller: Caller, page: beacon.Pagination) -> beacon.FilteringTermsResponse:
        """Answer of `/filtering_terms`: no term that fewer people than the floor are described with."""
        listed = self._known_terms(caller).listed.values()
        return describe.filtering_terms(self.identity, listed, self.reference.ontologies, page)

    def resolve(self, text: str, assembly: str | None) -> Resolved:
        """What a text names, for `/resolve`; without an assembly on the only one that the node has."""
        _, scheme = self._open(PUBLIC, Asked.ALLELES)
        assemblies = _assemblies(scheme)
        return resolve(text, assembly, default=next(iter(assemblies)) if len(assemblies) == 1 else None)

    def error(self, status: int, message: str) -> beacon.ErrorResponse:
        """The envelope of an error."""
        return beacon.ErrorResponse(beacon.ResponseMeta(self.identity.id), beacon.BeaconError(status, message))

    @contextlib.contextmanager
    def _room_for(self, question: VariantQuestion) -> Iterator[None]:
        place = question.place
        if isinstance(place, Allele) or place.end - place.start <= SLICE_BASES:
            yield
        elif self._wide.acquire(blocking=False):
            try:
                yield
            finally:
                self._wide.release()
        else:
            raise Unavailable(
                f"{MOST_WIDE} wide regions are being counted: ask for up to {SLICE_BASES} bases, or again in a moment"
            )

    def _open(self, caller: Caller, asked: Asked) -> tuple[Reading, Scheme]:
        version = self._collection.version
        reading = self._collection.open(caller, Use.AGGREGATES, asked=asked)
        known = self._schemes.get((caller.registered, asked))
        if known is not None and known[0] == version and known[1].fits(reading):
            return reading, known[1]
        with self._building:
            scheme = scheme_of(reading, self.settings.floor)
            self._schemes[caller.registered, asked] = version, scheme
        return reading, scheme

    def _known_terms(self, caller: Caller) -> KnownTerms:
        version = self._collection.version
        known = self._terms.get(caller.registered)
        if known is None or known[0] != version:
            reading, scheme = self._open(caller, Asked.PEOPLE)
            listed = {term.id: term for term in reading.terms(np.maximum(scheme.floors, 1).tolist())}
            curies = (term.id for term in reading.terms() if term.kind != "custom")
            terms = KnownTerms(listed, frozenset(curie.partition(":")[0] for curie in curies))
            known = self._terms[caller.registered] = version, terms
        return known[1]

    def _meta(self, request: beacon.BeaconRequest, schema: beacon.RequestedSchema, limit: int) -> beacon.ResponseMeta:
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
        return beacon.ResponseMeta(self.identity.id, beacon.API_VERSION, (schema,), granularity, received)

    def _precision_of_variants(self, scheme: Scheme, question: VariantQuestion, told: VariantsTold) -> _Precision:
        """Of the number of alleles. It depends on what is withheld only in that one told allele is known to be one."""
        floors = [int(scheme.floors[k]) for k in question.datasets]
        if not any(floors) or (told.total and isinstance(question.place, Allele)):
            return _EXACT
        return _imprecise(max(floors))

    def _variant_sets(
        self, scheme: Scheme, question: VariantQuestion, told: VariantsTold, request: beacon.BeaconRequest
    ) -> beacon.ResultSets:
        exactly = isinstance(question.place, Allele)
        told_cells = cells(scheme.margins, told.told)
        records = self._records(scheme, told, told_cells)
        included = _INCLUDED[request.query.include_resultset_responses]
        found = told.by_dataset.tolist()
        sets = tuple(
            _result_set(
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
            notes = beacon.AnswerNotes(frequencies(summed[0], self.identity.name, self.identity.url)[0])
        return beacon.ResultSets(sets, notes)

    def _records(
        self, scheme: Scheme, told: VariantsTold, told_cells: list[Cells]
    ) -> list[list[beacon.GenomicVariant]]:
        """For each dataset the records of its rows."""
        where = f"{self.identity.url}{describe.PREFIX}/datasets"
        records: list[list[beacon.GenomicVariant]] = [[] for _ in scheme.datasets]
        known: Allele | None = None
        one = beacon.GenomicVariant()
        for allele, k, row in zip(told.alleles, told.datasets, told_cells, strict=True):
            if allele != known:
                known, one = allele, variant(allele)
            named = frequencies(row, scheme.datasets[k].title or scheme.datasets[k].id, where)
            records[k].append(beacon.GenomicVariant(one.variant_internal_id, one.variation, one.identifiers, named))
        return records


def _assemblies(scheme: Scheme) -> frozenset[str]:
    return frozenset(assembly for dataset in scheme.datasets for assembly in dataset.assemblies)


def _summary(exists: bool, total: int, precision: _Precision, meta: beacon.ResponseMeta) -> beacon.ResponseSummary:
    if meta.returned_granularity is Granularity.BOOLEAN:
        return beacon.ResponseSummary(exists)
    return beacon.ResponseSummary(exists, total, precision.precision, precision.adjusted_to)


def _counted(meta: beacon.ResponseMeta) -> beacon.ResponseMeta:
    return beacon.ResponseMeta(
        meta.beacon_id, meta.api_version, meta.returned_schemas, Granularity.COUNT, meta.received_request_summary
    )


def _result_set(
    scheme: Scheme, k: int, count: int, records: tuple[beacon.GenomicVariant, ...] = (), *, withheld: bool
) -> beacon.ResultSet:
    """A dataset's answer; `withheld` where more may be there than is told."""
    precision = _imprecise(int(scheme.floors[k])) if withheld else _EXACT
    return beacon.ResultSet(
        scheme.datasets[k].id,
        "dataset",
        count > 0,
        count,
        records,
        precision.precision,
        precision.adjusted_to,
    )
