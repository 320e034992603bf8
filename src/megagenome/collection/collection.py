# SPDX-License-Identifier: Apache-2.0
"""The genome collection of a node: its folder, its database, and the one door to read through."""

import math
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self, overload

import sqlalchemy as sa

from megagenome.collection.cohort import EVERYONE, Cohort, mentions_alleles
from megagenome.collection.model import Asked, Dataset, DatasetState, Tier, Use
from megagenome.collection.open_reading import OpenReading
from megagenome.collection.permit_reading import PermitReading
from megagenome.collection.permits import StoredPermit, require_permit
from megagenome.collection.reading import Reading
from megagenome.collection.snapshot import Snapshot, take_snapshot
from megagenome.collection.supposed import suppose_published
from megagenome.collection.version import current_version
from megagenome.kernel.callers import Caller
from megagenome.kernel.database import open_database, require_revision, sqlite_url, upgrade
from megagenome.kernel.durable_files import make_folder
from megagenome.kernel.errors import NotEntitled, Unavailable
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.reference.ontology import OntologyFor
from megagenome.standards.dataset_record import RecordVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from megagenome.collection.needs import Journal

_FRESH_S = 0.2
"""For so long a snapshot is used without asking the database whether the collection changed."""


def may_see(dataset: Dataset, caller: Caller, asked: Asked) -> bool:
    """Whether a caller without a permit may be told all that is asked of a dataset."""
    tiers = {Asked.ALLELES: dataset.alleles_tier, Asked.PEOPLE: dataset.people_tier}
    return dataset.state is DatasetState.PUBLISHED and all(_is_open_to(tiers[each], caller) for each in asked)


def _is_open_to(tier: Tier, caller: Caller) -> bool:
    return tier is Tier.PUBLIC or (tier is Tier.REGISTERED and caller.registered)


def _asked_by(cohort: Cohort) -> Asked:
    """What a cohort's answer tells something about, beside what is asked of its people."""
    if cohort == EVERYONE:
        return Asked(0)
    return Asked.BOTH if mentions_alleles(cohort) else Asked.PEOPLE


class Collection:
    """Genotypes and people of one node. Open it once per process; it is safe to use from many threads."""

    def __init__(self, folder: Path, engine: sa.Engine, ontology_for: OntologyFor) -> None:
        """For `create` and `open_folder`; `folder` holds `genotypes/`, `engine` the records."""
        self.journal: Journal | None = None
        """Where readings by permit are entered; there are none without."""
        self.require_fresh: Callable[[], None] = lambda: None
        """Raises `Unavailable` while this node cannot know whether permits still hold; asked at each reading by one."""
        self.prove: Callable[[sa.Connection, StoredPermit], None] = lambda _connection, _permit: None
        """Raises `Corrupt` for a permit that is not as this node signed it; asked at each reading by one."""
        self.folder = folder
        self.engine = engine
        self.ontology_for = ontology_for
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._checked = 0.0

    @classmethod
    def create(cls, folder: Path, ontology_for: OntologyFor, database_url: sa.URL | None = None) -> Self:
        """Make an empty collection in a folder, or bring an older one's schema up to date. Durable on return."""
        make_folder(folder / "genotypes")
        engine = open_database(database_url or sqlite_url(folder / "node.sqlite"))
        upgrade(engine)
        return cls(folder, engine, ontology_for)

    @classmethod
    def open_folder(cls, folder: Path, ontology_for: OntologyFor, database_url: sa.URL | None = None) -> Self:
        """Open a collection that `create` made. Raises `Conflict` when its schema is of another version."""
        engine = open_database(database_url or sqlite_url(folder / "node.sqlite"))
        require_revision(engine)
        return cls(folder, engine, ontology_for)

    @property
    def version(self) -> int:
        """Grows with each change of people, genotypes or datasets; at most 0.2 s behind."""
        return self.snapshot().version

    @property
    def published(self) -> tuple[Dataset, ...]:
        """What is told of all published datasets to everybody, whatever their tiers: that they exist."""
        return tuple(each for each in self.snapshot().datasets if each.state is DatasetState.PUBLISHED)

    @overload
    def open(
        self, caller: Caller, use: Use, cohort: Cohort = EVERYONE, permit: None = None, *, asked: Asked = Asked.BOTH
    ) -> Reading: ...

    @overload
    def open(self, caller: Caller, use: Use, cohort: Cohort = EVERYONE, *, permit: PermitId) -> PermitReading: ...

    def open(
        self,
        caller: Caller,
        use: Use,
        cohort: Cohort = EVERYONE,
        permit: PermitId | None = None,
        *,
        asked: Asked = Asked.BOTH,
    ) -> Reading:
        """The one door: what `caller` may read for `use`, of the people in `cohort`.

        Without a permit only `Use.AGGREGATES`: counts of the people who are in the public numbers (`released.py`), of
        the published datasets whose tiers let the caller know all that `asked` and the cohort ask for. Who asks for
        alleles alone gets the datasets whose alleles they may see; whatever a tier hides is not in it.
        What is read may be told only as far as disclosure control passes it. Cohorts are evaluated when first used;
        cost: microseconds.

        With a permit: exact counts and individual records, as `PermitReading` says. Raises `NotEntitled` for whatever
        does not hold: to the permit's own people with the reason, to all others as if there were no such permit.

        What changes in the collection is seen by readings opened more than 0.2 s later; what changes in permits and
        consents, by readings by permit opened after it.
        """
        if permit is not None:
            return self._open_by_permit(caller, use, cohort, permit)
        if use is not Use.AGGREGATES:
            raise NotEntitled(f"{use} needs a permit; without one there are {Use.AGGREGATES} only")
        snapshot = self.snapshot()
        needed = asked | _asked_by(cohort)
        visible = [i for i, dataset in enumerate(snapshot.datasets) if may_see(dataset, caller, needed)]
        return Reading(snapshot, self.engine, visible, cohort, self.ontology_for, needed)

    def as_if_published(self, dataset: DatasetId, record: RecordVersion | None = None) -> "Collection":
        """This collection as it would be if a dataset were published now, with this record where one is given: what it
        would answer to anybody is what they would be told. For the dataset's steward, before it is.

        It stays as the collection is at this moment. Nothing is changed by it, and nothing opened by permit or as open
        data. Raises `NotFound`.
        """
        supposed = Collection(self.folder, self.engine, self.ontology_for)
        supposed._snapshot = suppose_published(self.snapshot(), dataset, record)
        supposed._checked = math.inf  # what is supposed is nowhere written, so there is nothing to look for
        return supposed

    def _open_by_permit(self, caller: Caller, use: Use, cohort: Cohort, permit: PermitId) -> PermitReading:
        if self.journal is None:
            raise Unavailable("nothing is read by permit where it cannot be entered in a journal")
        snapshot = self.snapshot()
        with self.engine.connect() as connection, connection.begin():
            reading = PermitReading(
                snapshot,
                self.engine,
                require_permit(connection, permit, caller, use),
                caller,
                use,
                cohort,
                self.ontology_for,
                self.journal,
                self.require_fresh,
                self.prove,
                connection,
            )
        self.require_fresh()
        return reading

    def open_data(self, caller: Caller, dataset: DatasetId) -> OpenReading:
        """What anybody may read of a dataset without a permit, genotypes and files: if it is published and its holder
        declared it open. Raises `NotEntitled` for any other, whether there is such a dataset or not."""
        if self.journal is None:
            raise Unavailable("nothing is read where it cannot be entered in a journal")
        snapshot = self.snapshot()
        for index, each in enumerate(snapshot.datasets):
            if each.id == dataset and each.open and each.state is DatasetState.PUBLISHED:
                return OpenReading(snapshot, self.engine, index, caller, self.journal)
        raise NotEntitled(f"no data of {dataset} are open to everybody")

    def snapshot(self) -> Snapshot:
        """The collection at its current version: for the collection's own modules, and metadata of datasets."""
        with self._lock:
            now = time.monotonic()
            if self._snapshot is None or now - self._checked > _FRESH_S:
                with self.engine.begin() as connection:
                    if self._snapshot is None or current_version(connection) != self._snapshot.version:
                        self._snapshot = take_snapshot(connection, self.folder, self._snapshot)
                self._checked = now
            return self._snapshot

    def is_fresh(self, version: int) -> bool:
        """Whether `open` would read this version now without asking the database. Never waits."""
        known = self._snapshot
        return known is not None and known.version == version and time.monotonic() - self._checked <= _FRESH_S

    def refresh(self) -> None:
        """Let the next reading see what was committed until now."""
        with self._lock:
            self._checked = 0.0

    def close(self) -> None:
        """Give the database connections back."""
        self.engine.dispose()
