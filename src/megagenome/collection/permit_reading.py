# SPDX-License-Identifier: Apache-2.0
"""Readings by permit: exact counts and individual records of the people whom a permit names, while it holds.

Before each answer and, in answers that take long, several times a second, the permit, its datasets and the consents are
looked at anew. When the permit ends, the reading stops; when somebody withdraws, it goes on without them.

Individuals have pseudonyms that belong to one permit, and everything is in the order of these. So neither names nor
places in a list join what two permits read. (That two people have the same facts and genotypes can be seen, by whoever
holds both.)
"""

import itertools
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor
from functools import cached_property, reduce
from operator import itemgetter, or_
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from megagenome.collection import bitmap, tables
from megagenome.collection.allele_rows import alleles_within
from megagenome.collection.cohort import Cohort, canonical
from megagenome.collection.consent import read_consenting
from megagenome.collection.file_admission import FileAdmission, watched
from megagenome.collection.genotype_slice import GenotypeSlice, slice_tiles
from megagenome.collection.individual_records import IndividualRecord, read_individuals
from megagenome.collection.model import AlleleCounts, Counts, DatasetState, FilteringTerm, PeopleCounts, Use
from megagenome.collection.needs import Journal
from megagenome.collection.permits import StoredPermit, require_permit
from megagenome.collection.reading import Reading
from megagenome.collection.scan import GenotypeScan, PeopleChanged
from megagenome.collection.scan_plan import Load, ScanPlan
from megagenome.collection.snapshot import Snapshot, sharing
from megagenome.collection.standing import Names, Order, pseudonyms
from megagenome.collection.tiles import ContigTiles
from megagenome.collection.values import Membership, PeopleValues, read_sexes
from megagenome.collection.version import current_version
from megagenome.kernel.callers import Caller
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.errors import Invalid, NotEntitled, Unavailable
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.reference import PloidyClass
from megagenome.reference.ontology import OntologyFor
from megagenome.standards.study_arrays import AlleleList

READABLE = frozenset({DatasetState.APPROVED, DatasetState.PUBLISHED})
"""The states in which a dataset is read by permit."""
_READABLE_NOW = sa.select(tables.dataset.c.id).where(tables.dataset.c.state.in_(READABLE))

_CHECK_S = 0.2
"""So often a reading that takes long looks whether it may go on."""
_MOST_ATTEMPTS = 5
_AT_ONCE = 1_000

Answer = TypeVar("Answer")


class AlleleCalls(NamedTuple):
    """The calls of everybody at one allele of one dataset.

    copies  int8 [people]: copies of the allele
    called  int8 [people]: alleles that were called; 0 where none was, where the person is not in the dataset's
            genotypes, and of who withdrew since the reading was opened
    """

    allele: Allele
    dataset: DatasetId
    copies: npt.NDArray[np.int8]
    called: npt.NDArray[np.int8]


class _Changed(Exception):
    """The people changed while an answer was being made."""


class PermitReading(Reading):
    """What one of a permit's people may read by it for one use: the permit's datasets at this node, and of their people
    those who consent to the use now and belong to the permit's cohort and to the one asked for. Nothing is withheld.

    Every method raises `NotEntitled` once the permit does not hold any more, within a second, also while it runs.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        engine: sa.Engine,
        permit: StoredPermit,
        caller: Caller,
        use: Use,
        cohort: Cohort,
        ontology_for: OntologyFor,
        journal: Journal,
        require_fresh: Callable[[], None],
        prove: Callable[[sa.Connection, StoredPermit], None],
        connection: sa.Connection,
    ) -> None:
        """For `Collection.open` only, which has looked, in this connection's transaction, that the permit holds."""
        visible = [
            i for i, each in enumerate(snapshot.datasets) if each.id in permit.datasets and each.state in READABLE
        ]
        if not visible:
            raise NotEntitled(f"permit {permit.id}: none of its datasets can be read now")
        super().__init__(snapshot, engine, visible, cohort, ontology_for)
        self.permit = permit
        self.use = use
        self._caller = caller
        self._journal, self._require_fresh, self._prove = journal, require_fresh, prove
        self._version = -1
        self._consenting: tuple[bitmap.Planes, ...] = ()
        self._let_go(connection, permit)

    def still_valid(self) -> None:
        """Raise `NotEntitled` unless the permit holds now; let go of who withdrew. Cost: some queries, 1 ms."""
        self._require_fresh()
        with self._engine.connect() as connection, connection.begin():
            self._let_go(connection, require_permit(connection, self.permit.id, self._caller, self.use))

    def _let_go(self, connection: sa.Connection, permit: StoredPermit) -> None:
        """Let go of who withdrew, as it is in a transaction in which the permit holds."""
        self._prove(connection, permit)
        version = current_version(connection)
        if version != self._version:
            self._consenting = self._read_consenting(connection, permit)
            self._version = version
        self._checked = time.monotonic()

    def _read_consenting(self, connection: sa.Connection, permit: StoredPermit) -> tuple[bitmap.Planes, ...]:
        readable = set(connection.scalars(_READABLE_NOW)) & set(permit.datasets)
        if not readable:
            raise NotEntitled(f"permit {permit.id}: none of its datasets can be read now")
        batches = self._snapshot.batches
        consenting = read_consenting(connection, self.use, batches)
        return tuple(
            self._snapshot.members[i] & consenting if each.id in readable else bitmap.nobody(batches)
            for i, each in zip(self._visible, self.datasets, strict=True)
        )

    @cached_property
    def shared(self) -> npt.NDArray[np.bool_]:
        """As `Reading.shared`, of the people of the permit."""
        return sharing(self._people)

    def count_alleles(self, place: Allele | Region, datasets: Collection[DatasetId] | None = None) -> AlleleCounts:
        """As `Reading.count_alleles`, of people who consent now. Counted from the genotypes, person by person."""
        count = super().count_alleles
        return self._answer(lambda: count(place, datasets))

    def count_alleles_once(self, allele: Allele) -> tuple[Counts, Counts, Counts, Counts]:
        """As `Reading.count_alleles_once`, of people who consent now."""
        count = super().count_alleles_once
        return self._answer(lambda: count(allele))

    def count_people(self) -> PeopleCounts:
        """As `Reading.count_people`; `totals` are the people of the permit's cohort."""
        return self._answer(super().count_people)

    def terms(self, least: Sequence[int] | None = None) -> tuple[FilteringTerm, ...]:
        """As `Reading.terms`, of people who consent now."""
        terms = super().terms
        return self._answer(lambda: terms(least))

    @cached_property
    def individual_ids(self) -> Names:
        """The pseudonyms of everybody of the cohort who consented when this was first asked for, ascending."""
        return Names(self._order.names[self._listed])

    def individuals(self, offset: int = 0, limit: int = 100) -> tuple[IndividualRecord, ...]:
        """The records of the people at `individual_ids[offset : offset + limit]`, without those who withdrew since,
        also while this runs.

        Places stay as they are when somebody withdraws, so that no page repeats or skips anybody. Entered in the
        journal before anything is returned.
        """
        self.still_valid()
        numbers = self._numbers[offset : offset + limit]
        here = self._everybody & bitmap.from_numbers(numbers, self._snapshot.batches)
        self._enter_people([members & here for members in self._members])
        records = self._read_records(bitmap.to_numbers(here).tolist())
        self._look_again()
        staying = set(bitmap.to_numbers(here & self._everybody).tolist())
        page = zip(self.individual_ids[offset : offset + limit], numbers.tolist(), strict=True)
        return tuple(msgspec.structs.replace(records[number], id=name) for name, number in page if number in staying)

    def calls(self, place: Allele | Region, datasets: Collection[DatasetId] | None = None) -> Iterator[AlleleCalls]:
        """The calls of everybody at an allele, or at all whose reference allele overlaps a region, sorted by (allele,
        dataset). The axis of a row is `individual_ids`. Entered in the journal before the first row is given.

        May be read as slowly as the reader likes: each row is of those who consent when it is given.
        """
        self.still_valid()
        if isinstance(place, Allele):
            place = place.parsimonious()
        wanted = None if datasets is None else {k for k, each in enumerate(self.datasets) if each.id in datasets}
        rows, names = self._rows(place, wanted)
        for dataset in sorted({dataset for _, dataset in names}):
            self._enter(self.datasets[dataset].id, bitmap.count(self._members[dataset]))
        order = sorted(range(len(rows)), key=names.__getitem__)
        return self._calls((names[k], rows[k]) for k in order)

    def values(self) -> PeopleValues:
        """What is recorded of everybody of the cohort who consents now, as columns. Entered in the journal."""
        self.still_valid()
        members = self._members
        self._enter_people(members)
        datasets = [Membership(mine, each.collection_year) for mine, each in zip(members, self.datasets, strict=True)]
        numbers = bitmap.to_numbers(reduce(or_, members))
        return PeopleValues(self._engine, numbers, datasets, self._snapshot.batches, self._truth)

    def alleles(self, regions: Sequence[Region]) -> AlleleList:
        """The alleles whose reference allele overlaps any of the regions (all of one assembly) in part or whole, and
        that a load of the permit's datasets has a record of, whether anybody carries them or not. Entered in the
        journal as one answer for each dataset. Cost: about a microsecond per row."""
        self.still_valid()
        assembly, *others = {place.assembly for place in regions} or {""}
        if others:
            raise Invalid("alleles are listed in regions of one assembly at a time")
        for dataset in self.datasets:
            self._enter(dataset.id, 1)
        return alleles_within(assembly, [(load.contig, load.tiles) for load in self._loads(assembly)], regions)

    def genotyped(self, assembly: str, numbers: bitmap.Numbers) -> npt.NDArray[np.bool_]:
        """Whether each of some of `PeopleValues.numbers` has genotypes of an assembly at all. Of who has none, nothing
        is recorded at any allele: a study leaves them out. Says nothing of what they are, and is not entered."""
        having = (load.tiles.people & load.members for load in self._loads(assembly))
        everybody = reduce(or_, having, bitmap.nobody(self._snapshot.batches))
        held: npt.NDArray[np.bool_] = np.isin(numbers, bitmap.to_numbers(everybody))
        return held

    def scan(
        self, alleles: AlleleList, numbers: bitmap.Numbers | None = None, executor: Executor | None = None
    ) -> GenotypeScan:
        """Sums over the genotypes at some alleles, of everybody of the cohort or of some of `PeopleValues.numbers`, in
        their order. Entered in the journal, once for all that is read by it.

        executor  works on parts of it, in threads, or in processes that can open the node's packs

        The scan's people are fixed: raises `PeopleChanged`, as does whatever is asked of it later, when one of them
        does not consent any more. Cost: microseconds per allele and load.
        """
        self.still_valid()
        numbers = bitmap.to_numbers(self._everybody) if numbers is None else numbers
        chosen = bitmap.from_numbers(numbers, self._snapshot.batches)
        fixed = tuple(members & chosen for members in self._members)
        if (chosen & ~reduce(or_, fixed)).any():
            raise PeopleChanged("one of the people withdrew before the scan began: begin again without them")
        self._enter_people(fixed)
        with self._engine.connect() as connection:
            sexes = read_sexes(connection, numbers, self._snapshot.batches)
        plan = ScanPlan(alleles, self._loads(alleles.assembly), numbers, sexes, self._snapshot.batches)
        return GenotypeScan(plan, self._while_there(fixed), executor)

    def admit(self, dataset: DatasetId, samples: Collection[str]) -> FileAdmission:
        """That files of none but these samples of a dataset may be read by the permit: of those whose people consent
        now and belong to the cohort. Raises `NotEntitled` where the permit does not have the dataset."""
        k = self._place_of(dataset)
        number, members = self._snapshot.numbers[self._visible[k]], lambda: self._members_now(k)
        known, check = watched(self._engine, number, samples, members)
        names = dict(zip(known, pseudonyms(self.permit.secret, [*known.values()]).astype(str).tolist(), strict=True))
        return FileAdmission(self._caller, self.permit.id, dataset, frozenset(known), check, names)

    def slice(self, dataset: DatasetId, assembly: str) -> GenotypeSlice:
        """The genotypes on an assembly of everybody of the cohort in a dataset who consents now, under their pseudonyms
        and in the order of these. Entered in the journal."""
        self._look_again()
        k = self._place_of(dataset)
        order, batches = self._order, self._snapshot.batches
        number = self._snapshot.numbers[self._visible[k]]
        tiles, having = slice_tiles(self._snapshot.tiles, number, assembly, batches)
        mine = np.unpackbits((having & self._members[k]).reshape(-1), bitorder="little")[order.numbers].view(np.bool_)
        numbers, names = order.numbers[mine], order.names[mine].astype(str).tolist()
        with self._engine.connect() as connection:
            sexes = read_sexes(connection, numbers, batches)
        self._journal.enter_slice(self._caller, self.permit.id, dataset, self.use.value, len(names))
        return GenotypeSlice(assembly, tiles, names, numbers, sexes, lambda: self._members_now(k))

    def _members_now(self, k: int) -> bitmap.Planes:
        self._look_again()
        return self._members[k]

    def _place_of(self, dataset: DatasetId) -> int:
        for k, each in enumerate(self.datasets):
            if each.id == dataset:
                return k
        raise NotEntitled(f"permit {self.permit.id} does not have dataset {dataset} here, or it cannot be read now")

    def require_all(self, numbers: bitmap.Numbers) -> None:
        """Raise `PeopleChanged` unless all of these people of `PeopleValues.numbers` are in it now; else as
        `still_valid`. Cost: some queries, 1 ms."""
        self.still_valid()
        chosen = bitmap.from_numbers(numbers, self._snapshot.batches)
        if (chosen & ~reduce(or_, self._members)).any():
            raise PeopleChanged("one of the people withdrew: begin again without them")

    def _while_there(self, fixed: Sequence[bitmap.Planes]) -> Callable[[], None]:
        """A check that the permit holds and that all of these people of the datasets still consent."""
        known = self._consenting

        def go_on() -> None:
            nonlocal known
            if time.monotonic() - self._checked >= _CHECK_S:
                self.still_valid()
            if known is not self._consenting:
                if any((mine & ~here).any() for mine, here in zip(fixed, self._consenting, strict=True)):
                    raise PeopleChanged("one of the people withdrew while they were read: begin again without them")
                known = self._consenting

        return go_on

    def _loads(self, assembly: str) -> list[Load]:
        members = self._members
        return [
            Load(contig, tiles, members[self._index[tiles.dataset]])
            for (of, contig), loads in self._snapshot.tiles.items()
            for tiles in loads
            if of == assembly and tiles.dataset in self._index
        ]

    def _enter_people(self, members: Sequence[bitmap.Planes]) -> None:
        for dataset, mine in zip(self.datasets, members, strict=True):
            self._enter(dataset.id, bitmap.count(mine))

    def _rows(
        self, place: Allele | Region, wanted: Collection[int] | None
    ) -> tuple[list["_Row"], list[tuple[Allele, int]]]:
        """The loads' rows of the place, and what allele and dataset each is of."""
        if isinstance(place, Allele):
            hits = self._hits(place, wanted)
            return [_Row(hit.tiles, hit.region, hit.row) for hit in hits], [(place, hit.dataset) for hit in hits]
        runs = [run for run in self._runs(place) if wanted is None or run.dataset in wanted]
        return [_Row(run.tiles, run.region, int(row)) for run in runs for row in run.rows], self._named(place, runs)

    def _calls(self, found: "Iterator[tuple[tuple[Allele, int], _Row]]") -> Iterator[AlleleCalls]:
        for (allele, dataset), rows in itertools.groupby(found, key=itemgetter(0)):
            self._look_again()
            copies, called = np.zeros((2, len(self.individual_ids)), np.int8)
            for _, row in rows:
                self._add_calls(row, row.tiles.people & self._members[dataset], copies, called)
            yield AlleleCalls(allele, self.datasets[dataset].id, copies, called)

    def _add_calls(
        self, row: "_Row", people: bitmap.Planes, copies: npt.NDArray[np.int8], called: npt.NDArray[np.int8]
    ) -> None:
        """Put the calls of `people` at a row in their places; who renewed their consent since has none."""

        def numbers(planes: bitmap.Planes) -> bitmap.Numbers:
            found = bitmap.to_numbers(planes & people)
            return found[self._place[found] >= 0]

        def of(stream: str) -> bitmap.Numbers:
            planes = row.tiles.members(row.region, row.row, stream, self._snapshot.batches)
            return self._place[numbers(planes)]

        ploidy = self._ploidy(PloidyClass(row.tiles.sites(row.region).ploidy[row.row]))
        everybody = numbers(people)
        called[self._place[everybody]] = ploidy[self._stratum_of[everybody]]
        called[of("half")] -= 1
        called[of("missing")] = 0
        for stream, number in (("het", 1), ("hom", 2), ("hemi", 1)):
            copies[of(stream)] = number

    @cached_property
    def _order(self) -> Order:
        """Everybody of the permit's cohort, consenting or not."""
        return self._snapshot.standing.order(self._key, self.permit.secret, self._read_permitted)

    @property
    def _key(self) -> tuple[PermitId, tuple[DatasetId, ...]]:
        return self.permit.id, tuple(each.id for each in self.datasets)

    @cached_property
    def _listed(self) -> npt.NDArray[np.bool_]:
        """bool [people of `_order`]: who consented when this was first asked for, and is of the cohort."""
        return np.unpackbits(self._everybody.reshape(-1), bitorder="little")[self._order.numbers].view(np.bool_)

    @cached_property
    def _numbers(self) -> bitmap.Numbers:
        """int64 [people of `individual_ids`]: their numbers."""
        return self._order.numbers[self._listed]

    @cached_property
    def _place(self) -> bitmap.Numbers:
        """int64 [people of the node]: each person's place in `individual_ids`, -1 of all others."""
        place = np.full(self._snapshot.batches * bitmap.BATCH, -1, np.int64)
        place[self._numbers] = np.arange(len(self._numbers))
        return place

    def _read_records(self, numbers: list[int]) -> dict[int, IndividualRecord]:
        records: dict[int, IndividualRecord] = {}
        members = self._members
        for at_once in (numbers[k : k + _AT_ONCE] for k in range(0, len(numbers), _AT_ONCE)):
            self._look_again()
            with self._engine.connect() as connection:
                records |= read_individuals(connection, at_once, lambda number: self._datasets_of(number, members))
        return records

    def _datasets_of(self, number: int, members: tuple[bitmap.Planes, ...]) -> tuple[DatasetId, ...]:
        batch, within = divmod(number, bitmap.BATCH)
        mine = np.array([within], np.uint16)
        having = (bitmap.contains(each[batch], mine)[0] for each in members)
        return tuple(each.id for each, has in zip(self.datasets, having, strict=True) if has)

    def _answer(self, compute: Callable[[], Answer]) -> Answer:
        """What `compute` answers of people all of whom consent when it is given."""
        self.still_valid()
        for _ in range(_MOST_ATTEMPTS):
            people = self._consenting
            try:
                answer = compute()
                self._go_on()
            except _Changed:
                continue
            if people is self._consenting:
                for dataset in self.datasets:
                    self._enter(dataset.id, 1)
                return answer
        raise Unavailable("consents changed again and again while this was counted: ask for less, or again in a moment")

    def _look_again(self) -> None:
        """Look whether the reading may go on, if that was a while ago."""
        if time.monotonic() - self._checked >= _CHECK_S:
            self.still_valid()

    def _go_on(self) -> None:
        if time.monotonic() - self._checked < _CHECK_S:
            return
        people = self._consenting
        self.still_valid()
        if people is not self._consenting:
            raise _Changed

    def _enter(self, dataset: DatasetId, records: int) -> None:
        if records:
            self._journal.enter_read(self._caller, self.permit.id, dataset, self.use, records)

    @property
    def _is_stored(self) -> bool:
        return False  # what is stored was counted over the public numbers' people

    @property
    def _permitted(self) -> tuple[bitmap.Planes, ...]:
        return self._snapshot.standing.permitted(self._key, self._read_permitted)

    def _read_permitted(self) -> tuple[bitmap.Planes, ...]:
        everybody = [self._snapshot.members[i] for i in self._visible]
        return self._select(everybody, canonical(self.permit.cohort))

    @cached_property
    def _narrowed(self) -> tuple[bitmap.Planes, ...]:
        return self._select(self._permitted, self._cohort)

    @property
    def _people(self) -> tuple[bitmap.Planes, ...]:
        return tuple(a & b for a, b in zip(self._permitted, self._consenting, strict=True))

    @property
    def _members(self) -> tuple[bitmap.Planes, ...]:
        return tuple(a & b for a, b in zip(self._narrowed, self._consenting, strict=True))


class _Row(NamedTuple):
    """A row of a load's tiles."""

    tiles: ContigTiles
    region: int
    row: int
