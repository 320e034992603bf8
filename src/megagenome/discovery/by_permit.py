# SPDX-License-Identifier: Apache-2.0
"""The Beacon's answers by permit: exact counts of the permit's cohort, individual records, who carries an allele.

Nothing is withheld and nothing is rounded. What may be read is decided by `Collection.open`, anew for each question and
again while it is answered; each reading is entered in the ledger before anything of it leaves. Individuals have the
names that belong to the permit.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import partial

import numpy as np

from megagenome.collection import Collection
from megagenome.collection.cohort import EVERYONE, All, Any, Cohort, InDataset, canonical
from megagenome.collection.individual_records import IndividualRecord
from megagenome.collection.model import Use
from megagenome.collection.permit_reading import AlleleCalls, PermitReading
from megagenome.discovery import describe
from megagenome.discovery.count import count_variants
from megagenome.discovery.individual_records import individual_entry
from megagenome.discovery.model import Identity, Integers, KnownTerms, PeopleQuestion, VariantQuestion, VariantsTold
from megagenome.discovery.query import DEFAULT_LIMIT, people_question, variant_question
from megagenome.discovery.result_sets import EXACT, INCLUDED, Cases, answer_meta, summary, variant_sets
from megagenome.discovery.scheme import Scheme, exact_scheme
from megagenome.discovery.settings import DiscoverySettings
from megagenome.discovery.wide import WideRegions
from megagenome.kernel.callers import Caller
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.errors import Invalid, NotFound, TooLarge, Unauthenticated
from megagenome.kernel.ids import PermitId
from megagenome.reference import Reference
from megagenome.standards import beacon
from megagenome.standards.beacon import Granularity
from megagenome.standards.beacon.people import IndividualSet, IndividualSets, IndividualsResponse
from megagenome.standards.individuals import OntologyTerm

MOST_CASES = 500_000
"""People who carry an allele, over all alleles of one answer: some 70 MB of text."""

_HETEROZYGOUS = OntologyTerm("GENO:0000135", "heterozygous")
_HOMOZYGOUS = OntologyTerm("GENO:0000136", "homozygous")
_UNSPECIFIED = OntologyTerm("GENO:0000137", "unspecified zygosity")
_HEMIZYGOUS = {
    "X": OntologyTerm("GENO:0000604", "hemizygous X-linked"),
    "Y": OntologyTerm("GENO:0000605", "hemizygous Y-linked"),
    "MT": OntologyTerm("GENO:0000602", "homoplasmic"),
}


class PermittedAnswers:
    """Answers of one node's Beacon to those who name a permit. Safe to call from many threads.

    Every method raises `Unauthenticated` for nobody, and `NotEntitled` where the permit does not let the caller read:
    with the reason to the permit's own people, to all others as if there were no such permit.
    """

    def __init__(
        self,
        collection: Collection,
        reference: Reference,
        identity: Identity,
        settings: DiscoverySettings,
        wide: WideRegions,
    ) -> None:
        self._collection = collection
        self._reference = reference
        self._identity = identity
        self._settings = settings
        self._wide = wide

    def variants(
        self, caller: Caller, permit: beacon.PermitSelection, request: beacon.BeaconRequest
    ) -> beacon.BeaconResponse:
        """Answer of `/g_variants`. At `record` granularity each allele has all its frequencies, and who carries it.

        Raises `TooLarge` where more than `MOST_CASES` carriers would be listed.
        """
        reading = self._open(caller, permit, EVERYONE)
        scheme = exact_scheme(reading)
        question = variant_question(
            request,
            scheme.index,
            scheme.assemblies,
            page=self._settings.largest_page,
            widest=self._settings.widest_region,
        )
        with self._wide.room_for(question):
            told = count_variants(reading, scheme, question)
        meta = answer_meta(self._identity, request, describe.VARIANT, question.limit)
        short = summary(told.total, EXACT, meta)
        if meta.returned_granularity is not Granularity.RECORD:
            return beacon.BeaconResponse(meta, short)
        sets = variant_sets(self._identity, scheme, question, told, request, _cases(reading, scheme, question, told))
        return beacon.BeaconResponse(meta, short, sets)

    def individuals(
        self, caller: Caller, permit: beacon.PermitSelection, request: beacon.BeaconRequest
    ) -> beacon.BeaconResponse | IndividualsResponse:
        """Answer of `/individuals`. At `record` granularity a page of people, in the order of their names in this
        permit, each in the result set of every asked dataset that they are in; `numTotalResults` counts each once."""
        question, cohort = self._asked(caller, permit, request)
        reading = self._open(caller, permit, cohort)
        counted = reading.count_people()
        page = request.query.pagination
        most = self._settings.largest_page
        limit = most if page.limit == 0 else min(DEFAULT_LIMIT if page.limit is None else page.limit, most)
        meta = answer_meta(self._identity, request, describe.INDIVIDUAL, limit)
        short = summary(counted.distinct, EXACT, meta)
        if meta.returned_granularity is not Granularity.RECORD:
            return beacon.BeaconResponse(meta, short)
        records = reading.individuals(page.skip, limit)
        return IndividualsResponse(meta, short, self._sets(reading, question, counted.members, records, request))

    def individual(
        self, caller: Caller, permit: beacon.PermitSelection, name: str, request: beacon.BeaconRequest
    ) -> IndividualsResponse:
        """Answer of `/individuals/{id}`. Raises `NotFound` for a name that none of those who are asked for has."""
        question, cohort = self._asked(caller, permit, request)
        reading = self._open(caller, permit, cohort)
        place = bisect_left(reading.individual_ids, name)
        found = reading.individual_ids[place : place + 1] == (name,)
        records = reading.individuals(place, 1) if found else ()
        if not records:
            raise NotFound(
                f"nobody is called {name[:40]!r} in this permit: names are those that /individuals gives by it"
            )
        counts = np.array([int(dataset.id in records[0].datasets) for dataset in reading.datasets])
        meta = answer_meta(self._identity, request, describe.INDIVIDUAL, 1)
        sets = self._sets(reading, question, counts, records, request)
        return IndividualsResponse(meta, summary(1, EXACT, meta), sets)

    def _asked(
        self, caller: Caller, permit: beacon.PermitSelection, request: beacon.BeaconRequest
    ) -> tuple[PeopleQuestion, Cohort]:
        """The question, and the people whom it is about: of the asked datasets only."""
        reading = self._open(caller, permit, EVERYONE)
        scheme = exact_scheme(reading)
        ontology_for = self._reference.ontology_for
        question = people_question(request, scheme.index, scheme.assemblies, ontology_for, partial(_terms, reading))
        if len(question.datasets) == len(reading.datasets):
            return question, question.cohort
        members = Any(tuple(InDataset(reading.datasets[k].id) for k in question.datasets))
        return question, canonical(All((question.cohort, members)))

    def _sets(
        self,
        reading: PermitReading,
        question: PeopleQuestion,
        counts: Integers,
        records: Sequence[IndividualRecord],
        request: beacon.BeaconRequest,
    ) -> IndividualSets:
        asked = {reading.datasets[k].id for k in question.datasets}
        entries = [
            (record.datasets, individual_entry(record, asked, self._reference.ontology_for)) for record in records
        ]
        included = INCLUDED[request.query.include_resultset_responses]
        sets = []
        for k in question.datasets:
            mine, count = reading.datasets[k].id, int(counts[k])
            if (count > 0) in included:
                page = tuple(entry for datasets, entry in entries if mine in datasets)
                sets.append(IndividualSet(mine, count > 0, count, page))
        return IndividualSets(tuple(sets))

    def _open(self, caller: Caller, permit: beacon.PermitSelection, cohort: Cohort) -> PermitReading:
        if caller.subject is None:
            raise Unauthenticated("a permit is used by its own people: sign in, or send a passport as a bearer token")
        try:
            use = Use(permit.use or Use.RESEARCH)
        except ValueError:
            raise Invalid(f"use {permit.use[:50]!r}: kinds of use are {', '.join(Use)}") from None
        return self._collection.open(caller, use, cohort, permit=PermitId(permit.id))


def _terms(reading: PermitReading) -> KnownTerms:
    listed = {term.id: term for term in reading.terms()}
    prefixes = (term.id.partition(":")[0] for term in listed.values() if term.kind != "custom")
    return KnownTerms(listed, frozenset(prefixes))


def _cases(reading: PermitReading, scheme: Scheme, question: VariantQuestion, told: VariantsTold) -> Cases:
    """Who carries the alleles of a page, by allele and dataset."""
    if not told.alleles:
        return {}
    carriers = int(told.told.counts[:3, :, scheme.margins.total].sum())
    if carriers > MOST_CASES:
        raise TooLarge(
            f"{carriers:,} carriers are more than {MOST_CASES:,} at once: ask with a smaller limit, or to count"
        )
    wanted = set(told.alleles)
    asked = [scheme.datasets[k].id for k in question.datasets]
    return {
        (calls.allele, scheme.index[calls.dataset]): _carriers(reading, calls)
        for calls in reading.calls(_span(told.alleles), asked)
        if calls.allele in wanted
    }


def _span(alleles: Sequence[Allele]) -> Allele | Region:
    """One allele itself; else the region from the first to the last."""
    first = alleles[0]
    if all(each == first for each in alleles):
        return first
    return Region(first.assembly, first.contig, first.start, max(each.end for each in alleles))


def _carriers(reading: PermitReading, calls: AlleleCalls) -> tuple[beacon.CaseLevelData, ...]:
    """Everybody with a copy. One copy of one called allele is hemizygous where anybody can be so by ploidy; elsewhere
    the other allele was not called."""
    haploid = bool(reading.copies_possible(calls.allele)[:, 2].any())
    single = _HEMIZYGOUS.get(calls.allele.contig, _UNSPECIFIED) if haploid else _UNSPECIFIED
    who = np.flatnonzero(calls.copies)
    copies, called = calls.copies[who].tolist(), calls.called[who].tolist()
    zygosity = (
        _HOMOZYGOUS if copy == 2 else single if all_called == 1 else _HETEROZYGOUS
        for copy, all_called in zip(copies, called, strict=True)
    )
    return tuple(
        beacon.CaseLevelData(name, name, each)
        for name, each in zip(map(reading.individual_ids.__getitem__, who.tolist()), zygosity, strict=True)
    )
