# SPDX-License-Identifier: Apache-2.0
"""The genome collection of a node: its folder, its database, and the one door to read through."""

import threading
import time
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from megagenome.collection.cohort import EVERYONE, Cohort
from megagenome.collection.model import DatasetState, Use
from megagenome.collection.needs import OntologyFor
from megagenome.collection.reading import Reading
from megagenome.collection.snapshot import Snapshot, current_version, take_snapshot
from megagenome.kernel.blobs import make_folder
from megagenome.kernel.callers import Caller
from megagenome.kernel.database import open_database, require_revision, sqlite_url, upgrade

_FRESH_S = 0.2
"""For so long a snapshot is used without asking the database whether the collection changed."""


class Collection:
    """Genotypes and people of one node. Open it once per process; it is safe to use from many threads."""

    def __init__(self, folder: Path, engine: sa.Engine, ontology_for: OntologyFor) -> None:
        """For `create` and `open_folder`; `folder` holds `genotypes/`, `engine` the records."""
        self.folder = folder
        self.engine = engine
        self.ontology_for = ontology_for
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._checked = 0.0

    @classmethod
    def create(cls, folder: Path, ontology_for: OntologyFor, database_url: str = "") -> Self:
        """Make an empty collection in a folder, or bring an older one's schema up to date. Durable on return."""
        make_folder(folder / "genotypes")
        engine = open_database(database_url or sqlite_url(folder / "node.sqlite"))
        upgrade(engine)
        return cls(folder, engine, ontology_for)

    @classmethod
    def open_folder(cls, folder: Path, ontology_for: OntologyFor, database_url: str = "") -> Self:
        """Open a collection that `create` made. Raises `Conflict` when its schema is of another version."""
        engine = open_database(database_url or sqlite_url(folder / "node.sqlite"))
        require_revision(engine)
        return cls(folder, engine, ontology_for)

    @property
    def version(self) -> int:
        """Grows with each change of people, genotypes or datasets; at most 0.2 s behind."""
        return self.snapshot().version

    def open(self, caller: Caller, use: Use, cohort: Cohort = EVERYONE, permit: None = None) -> Reading:
        """The one door: what `caller` may read for `use`, of the people in `cohort`.

        The public reads published datasets, of people who consent to the use, and must be told only what disclosure
        control passes. (Permits come with the access role; until then `permit` is None.) What changes in the collection
        is seen by readings opened more than 0.2 s later. Cost: microseconds; cohorts are evaluated when first used.
        """
        del caller, use, permit  # one public, one use: both are folded into the snapshot's people
        snapshot = self.snapshot()
        visible = [i for i, dataset in enumerate(snapshot.datasets) if dataset.state is DatasetState.PUBLISHED]
        return Reading(snapshot, self.engine, visible, cohort, self.ontology_for)

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
