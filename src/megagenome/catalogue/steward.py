# SPDX-License-Identifier: Apache-2.0
"""What data stewards do: keep drafts, record, publish and withdraw. Every record that comes from people, by page, by
API or from a file, is written here."""

from megagenome.catalogue.check import check
from megagenome.catalogue.listing import filled
from megagenome.catalogue.model import Listed, Place
from megagenome.collection import Collection
from megagenome.collection.datasets import change_state
from megagenome.collection.model import Dataset, DatasetState, Tier
from megagenome.collection.needs import Actor
from megagenome.collection.publication import (
    read_history,
    read_records,
    write_draft,
    write_record,
)
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Invalid, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.standards.catalogue_pages import StewardLine, StewardView, ToWrite, Written
from megagenome.standards.dataset_fields import begun, missing
from megagenome.standards.dataset_record import DatasetRecord, Problem, RecordVersion

MOVES = (DatasetState.PUBLISHED, DatasetState.WITHDRAWN)
"""What a steward may make of a dataset."""


class Stewardship:
    """The records of one node's datasets, for its data stewards."""

    def __init__(self, collection: Collection, place: Place) -> None:
        self.collection = collection
        self.place = place

    def datasets(self, caller: Caller) -> tuple[StewardLine, ...]:
        """All datasets of the node, whatever their state. Raises `Unauthenticated` or `NotEntitled`."""
        caller.require(Role.DATA_STEWARD)
        with self.collection.engine.connect() as connection:
            newest = read_records(connection, drafts=True)
        return tuple(_line(each, newest.get(number)) for each, number in self._known())

    def view(self, caller: Caller, dataset: DatasetId) -> StewardView:
        """A dataset's record as it was saved last, what stands against publishing it, and all versions."""
        caller.require(Role.DATA_STEWARD)
        known, number = self._find(dataset)
        with self.collection.engine.connect() as connection:
            history = read_history(connection, dataset)
            record = history[0].record if history else begun(known.id, known.title, known.description)
            listed = Listed(known, filled(record, known, number, self.place), None, "1", known.updated)
            problems = check(connection, dataset, record, listed, self.place)
        return StewardView(known.id, known.title, known.state, known.open, record, problems, history)

    def write(self, caller: Caller, dataset: DatasetId, to_write: ToWrite) -> Written:
        """Record it, or keep it as a draft; where something stands against it, nothing is written and it is said."""
        return self.write_as(caller.require(Role.DATA_STEWARD), dataset, to_write)

    def write_as(self, by: str, dataset: DatasetId, to_write: ToWrite) -> Written:
        """The same for the node's operator."""
        self.collection.refresh()
        known, number = self._find(dataset)
        if to_write.draft:
            with begin_writing(self.collection.engine) as connection:
                return Written(write_draft(connection, dataset, to_write.record, by))
        listed = Listed(known, filled(to_write.record, known, number, self.place), None, "1", known.updated)
        with self.collection.engine.connect() as connection:  # no lock is held while shapes are looked at
            if found := check(connection, dataset, to_write.record, listed, self.place):
                return Written(0, found)
        with begin_writing(self.collection.engine) as connection:
            version = write_record(connection, dataset, to_write.record, by)
        self.collection.refresh()
        return Written(version)

    def move(self, caller: Caller, dataset: DatasetId, to: str) -> str:
        """Publish or withdraw a dataset, in one transaction with its entry in the ledger; the state it had. A draft is
        approved on the way.

        Raises `Conflict` naming what is missing, `Invalid` for another state.
        """
        by = Actor(caller.require(Role.DATA_STEWARD), caller.name)
        if to not in MOVES:
            raise Invalid(f"{to[:20]!r}: a steward makes a dataset {' or '.join(MOVES)}")
        self.collection.refresh()
        known, _ = self._find(dataset)
        anew = to == DatasetState.PUBLISHED and known.state in (DatasetState.DRAFT, DatasetState.WITHDRAWN)
        steps = (DatasetState.APPROVED, DatasetState(to)) if anew else (DatasetState(to),)
        return change_state(self.collection, dataset, *steps, by=by)

    def check_new(self, dataset: DatasetId, record: DatasetRecord, *, is_open: bool) -> tuple[Problem, ...]:
        """What stands against the record that a load brings, of a dataset that need not be there yet."""
        found = [(each, n) for each, n in self._known() if each.id == dataset]
        known, number = found[0] if found else (_not_yet(dataset, is_open=is_open), len(self._known()))
        listed = Listed(known, filled(record, known, number, self.place), None, "1", known.updated)
        with self.collection.engine.connect() as connection:
            return check(connection, dataset, record, listed, self.place)

    def _known(self) -> list[tuple[Dataset, int]]:
        snapshot = self.collection.snapshot()
        return list(zip(snapshot.datasets, snapshot.numbers, strict=True))

    def _find(self, dataset: DatasetId) -> tuple[Dataset, int]:
        for each, number in self._known():
            if each.id == dataset:
                return each, number
        raise NotFound(f"there is no dataset {dataset[:100]} at this node")


def _not_yet(dataset: DatasetId, *, is_open: bool) -> Dataset:
    now = clock.now().isoformat()
    return Dataset(
        id=dataset,
        title="",
        description="",
        state=DatasetState.DRAFT,
        open=is_open,
        floor=0,
        alleles_tier=Tier.PUBLIC,
        people_tier=Tier.PUBLIC,
        collection_year=None,
        individuals=0,
        assemblies=(),
        created=now,
        updated=now,
    )


def _line(dataset: Dataset, newest: RecordVersion | None) -> StewardLine:
    left = missing(newest.record if newest else DatasetRecord(), is_open=dataset.open)
    has_draft = newest is not None and newest.draft
    return StewardLine(
        dataset.id, dataset.title, dataset.state, dataset.open, dataset.record_version, has_draft, len(left)
    )
