# SPDX-License-Identifier: Apache-2.0
"""The node's Beacon: from a request to an answer, in plain synchronous functions."""

import threading
from functools import partial

import numpy as np

from megagenome.collection import Collection, Reading
from megagenome.collection.cohort import EVERYONE
from megagenome.collection.model import Asked, Use
from megagenome.discovery import describe
from megagenome.discovery.by_permit import PermittedAnswers
from megagenome.discovery.count import count_people, count_variants
from megagenome.discovery.model import Identity, KnownTerms, PeopleQuestion, VariantQuestion, VariantsTold
from megagenome.discovery.needs import CountAggregate
from megagenome.discovery.query import DEFAULT_LIMIT, people_question, refuse_questions, variant_question
from megagenome.discovery.result_sets import (
    EXACT,
    INCLUDED,
    Precision,
    answer_meta,
    counted,
    imprecise,
    result_set,
    summary,
    variant_sets,
)
from megagenome.discovery.scheme import Scheme, floor_of, scheme_of
from megagenome.discovery.settings import DiscoverySettings
from megagenome.discovery.wide import WideRegions
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import NotEntitled
from megagenome.kernel.ids import DatasetId
from megagenome.reference import Reference, resolve
from megagenome.standards import beacon
from megagenome.standards.beacon import Granularity
from megagenome.standards.beacon.people import IndividualsResponse
from megagenome.standards.federation import Resolved

RECORDS_NEED = "Records of individuals are read by permit: sign in and name yours (permit); else people are counted."


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
        self._wide = WideRegions()
        self._by_permit = PermittedAnswers(collection, reference, identity, settings, self._wide)

    def variants(self, caller: Caller, request: beacon.BeaconRequest) -> beacon.BeaconResponse:
        """Answer of `/g_variants`. Raises `Invalid` for what is not understood or not supported, and `Unavailable` for
        a wide region while `MOST_WIDE` others are being counted.

        What is told: cells of the datasets whose alleles the caller may see, as far as they pass disclosure control. Of
        an allele with fewer copies than the floor, and of one that nobody has, the answer is the same. By a permit,
        as `by_permit` says.
        """
        if permit := request.query.request_parameters.permit:
            return self._by_permit.variants(caller, permit, request)
        reading, scheme = self._open(caller, Asked.ALLELES)
        question = variant_question(
            request,
            scheme.index,
            scheme.assemblies,
            page=self.settings.largest_page,
            widest=self.settings.widest_region,
        )
        with self._wide.room_for(question):
            told = count_variants(reading, scheme, question)
        self._count_aggregate(caller.subject, [scheme.datasets[k].id for k in question.datasets])
        meta = answer_meta(self.identity, request, describe.VARIANT, question.limit)
        short = summary(told.total, self._precision_of_variants(scheme, question, told), meta)
        if meta.returned_granularity is not Granularity.RECORD:
            return beacon.BeaconResponse(meta, short)
        return beacon.BeaconResponse(meta, short, variant_sets(self.identity, scheme, question, told, request))

    def at_hand(self, caller: Caller, request: beacon.BeaconRequest) -> bool:
        """Whether `variants` answers this at once, from memory and mapped files: one allele, nobody counted one by one,
        and no look into the database due."""
        variant = request.query.request_parameters.g_variant
        known = self._schemes.get((caller.registered, Asked.ALLELES))
        return (
            variant is not None
            and request.query.request_parameters.permit is None
            and variant.reference_bases != ""
            and variant.gene_id == ""
            and known is not None
            and self._collection.is_fresh(known[0])
            and not (known[1].exact and known[1].shared.any())
        )

    def individuals(self, caller: Caller, request: beacon.BeaconRequest) -> beacon.BeaconResponse | IndividualsResponse:
        """Answer of `/individuals`: counts of people; records of them by a permit only, as `by_permit` says.

        At `record` granularity without one there is a result set for each dataset, with its count and no results,
        because that is what the GDI portal reads; `returnedGranularity` says `count`.
        """
        if permit := request.query.request_parameters.permit:
            return self._by_permit.individuals(caller, permit, request)
        # who carries an allele is both: only datasets that may tell the caller either are asked
        with_allele = request.query.request_parameters.g_variant is not None
        asked = Asked.BOTH if with_allele else Asked.PEOPLE
        _, scheme = self._open(caller, asked)
        known_terms = partial(self._known_terms, caller)
        question = people_question(request, scheme.index, scheme.assemblies, self.reference.ontology_for, known_terms)
        told = count_people(self._collection, scheme, caller, asked, question)
        self._count_aggregate(caller.subject, [scheme.datasets[k].id for k in question.datasets])
        meta = answer_meta(self.identity, request, describe.INDIVIDUAL, DEFAULT_LIMIT)
        precision = EXACT if told.exact and not _leaves_out(scheme, question) else _imprecise(scheme, question)
        short = summary(told.total, precision, meta)
        if meta.returned_granularity is not Granularity.RECORD:
            return beacon.BeaconResponse(meta, short)
        included = INCLUDED[request.query.include_resultset_responses]
        counts = np.where(told.told, told.counts, 0).tolist()
        sets = tuple(
            result_set(scheme, k, counts[k], withheld=not told.told[k])
            for k in question.datasets
            if (counts[k] > 0) in included
        )
        return beacon.BeaconResponse(counted(meta), short, beacon.ResultSets(sets), {"records": RECORDS_NEED})

    def individual(self, caller: Caller, name: str, request: beacon.BeaconRequest) -> IndividualsResponse:
        """Answer of `/individuals/{id}`: one person's record, by a permit only. Without one `NotEntitled`."""
        permit = request.query.request_parameters.permit
        if permit is None:
            raise NotEntitled(RECORDS_NEED)
        return self._by_permit.individual(caller, permit, name, request)

    def datasets(self, caller: Caller, request: beacon.BeaconRequest) -> beacon.CollectionsResponse:
        """Answer of `/datasets`: the published ones, also those of which the caller is told nothing else, with what
        they need and how to get it. All where no limit is said."""
        del caller
        refuse_questions(request)
        published = self._collection.published
        listed = [describe.dataset(each, floor_of(each, self.settings.floor)) for each in published]
        page = request.query.pagination
        end = page.skip + page.limit if page.limit else None
        meta = answer_meta(self.identity, request, describe.DATASET, page.limit or 0)
        short = beacon.ResponseSummary(bool(listed), len(listed))
        return beacon.CollectionsResponse(meta, short, beacon.Collections(tuple(listed[page.skip : end])))

    def people_told(self, caller: Caller) -> dict[DatasetId, int]:
        """How many people there are in each dataset, as far as `/individuals` without filters tells this caller: for
        those who tell of datasets elsewhere in this node. It is not entered in the ledger; who tells it does so."""
        _, scheme = self._open(caller, Asked.PEOPLE)
        question = PeopleQuestion(EVERYONE, tuple(range(len(scheme.datasets))))
        told = count_people(self._collection, scheme, caller, Asked.PEOPLE, question)
        return {each.id: int(told.counts[k]) for k, each in enumerate(scheme.datasets) if told.told[k]}

    def filtering_terms(self, caller: Caller, page: beacon.Pagination) -> beacon.FilteringTermsResponse:
        """Answer of `/filtering_terms`: no term that fewer people than the floor are described with."""
        listed = self._known_terms(caller).listed.values()
        return describe.filtering_terms(self.identity, listed, self.reference.ontologies, page)

    def resolve(self, text: str, assembly: str | None) -> Resolved:
        """What a text names, for `/resolve`; without an assembly on the only one that the node has."""
        _, scheme = self._open(PUBLIC, Asked.ALLELES)
        assemblies = scheme.assemblies
        return resolve(text, assembly, default=next(iter(assemblies)) if len(assemblies) == 1 else None)

    def error(self, status: int, message: str) -> beacon.ErrorResponse:
        """The envelope of an error."""
        return beacon.ErrorResponse(beacon.ResponseMeta(self.identity.id), beacon.BeaconError(status, message))

    def _open(self, caller: Caller, asked: Asked) -> tuple[Reading, Scheme]:
        version = self._collection.version
        reading = self._collection.open(caller, Use.AGGREGATES, asked=asked)
        known = self._schemes.get((caller.registered, asked))
        if known is not None and known[0] == version and known[1].fits(reading):
            return reading, known[1]
        with self._building:
            hides = len(reading.datasets) < len(self._collection.published)
            scheme = scheme_of(reading, self.settings.floor, hides=hides)
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

    def _precision_of_variants(self, scheme: Scheme, question: VariantQuestion, told: VariantsTold) -> Precision:
        """Of the number of alleles. It depends on what is withheld only in that one told allele is known to be one."""
        is_known = bool(told.total) and isinstance(question.place, Allele)
        tells_all = not any(scheme.floors[k] for k in question.datasets) and not _leaves_out(scheme, question)
        return EXACT if is_known or tells_all else _imprecise(scheme, question)


def _leaves_out(scheme: Scheme, question: VariantQuestion | PeopleQuestion) -> bool:
    """Whether the node was asked as a whole and has data of which the caller may not be told this."""
    return scheme.hides and not question.named


def _imprecise(scheme: Scheme, question: VariantQuestion | PeopleQuestion) -> Precision:
    """States the floor only where it bounds what is withheld: of what is hidden nobody is told how little it is."""
    floor = max((int(scheme.floors[k]) for k in question.datasets), default=0)
    return imprecise(0 if _leaves_out(scheme, question) else floor)
