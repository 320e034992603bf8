# SPDX-License-Identifier: Apache-2.0
"""Genotypes and files of a dataset that its holder declared open, for anybody, without a permit.

That data are open does not make up for a person's no: of who does not say yes to research and to being counted, or has
withdrawn either, nothing is read.
"""

import time
from collections.abc import Collection

import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap, tables
from megagenome.collection.consent import read_consenting
from megagenome.collection.file_admission import FileAdmission, watched
from megagenome.collection.genotype_slice import GenotypeSlice, slice_tiles
from megagenome.collection.model import Dataset, DatasetState
from megagenome.collection.needs import Journal
from megagenome.collection.people import YES
from megagenome.collection.snapshot import Snapshot
from megagenome.collection.values import read_sexes
from megagenome.collection.version import current_version
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import NotEntitled
from megagenome.kernel.ids import DatasetId, PermitId

_CHECK_S = 0.2
_dataset = tables.dataset.c
_STATE = sa.select(_dataset.state, _dataset.open).where(_dataset.number == sa.bindparam("dataset"))
NO_PERMIT = PermitId("")


class OpenReading:
    """What anybody may read of one open dataset: while it is published and declared open, of those who consent.

    Made by `Collection.open_data`. Every method raises `NotEntitled` once that does not hold any more.
    """

    def __init__(self, snapshot: Snapshot, engine: sa.Engine, index: int, caller: Caller, journal: Journal) -> None:
        """For `Collection.open_data`; `index` in `snapshot.datasets`."""
        self._snapshot, self._engine, self._index = snapshot, engine, index
        self._caller, self._journal = caller, journal
        self._number = snapshot.numbers[index]
        self._version, self._checked = -1, 0.0
        self._members = bitmap.nobody(snapshot.batches)
        self.dataset: Dataset = snapshot.datasets[index]
        self.still_valid()

    def still_valid(self) -> None:
        """Raise `NotEntitled` unless the dataset is open and published now; let go of who withdrew. Cost: a query."""
        with self._engine.connect() as connection, connection.begin():
            row = connection.execute(_STATE, {"dataset": self._number}).one()
            if row.state != DatasetState.PUBLISHED or not row.open:
                raise NotEntitled(f"dataset {self.dataset.id} is not open to everybody")
            version = current_version(connection)
            if version != self._version:
                members = self._snapshot.members[self._index]
                for use in sorted(YES):
                    members = members & read_consenting(connection, use, self._snapshot.batches)
                self._members, self._version = members, version
        self._checked = time.monotonic()

    def admit(self, dataset: DatasetId, samples: Collection[str]) -> FileAdmission:
        """That files of none but these samples of the dataset may be read. A file that names none, such as a table of
        people, is for nobody: whoever withdrew could still be in it."""
        self._people()
        if dataset != self.dataset.id:
            raise NotEntitled(f"this reading is of {self.dataset.id}")
        known, check = watched(self._engine, self._number, samples, self._people)
        return FileAdmission(self._caller, NO_PERMIT, dataset, frozenset(known), check)

    def slice(self, dataset: DatasetId, assembly: str) -> GenotypeSlice:
        """The genotypes on an assembly of everybody who consents now, in the order of their samples' names. Entered in
        the journal."""
        self._people()
        if dataset != self.dataset.id:
            raise NotEntitled(f"this reading is of {self.dataset.id}")
        batches = self._snapshot.batches
        tiles, having = slice_tiles(self._snapshot.tiles, self._number, assembly, batches)
        with self._engine.connect() as connection:
            names = self._names(connection, having & self._members)
            numbers = np.array([number for _, number in names], np.int64)
            sexes = read_sexes(connection, numbers, batches)
        self._journal.enter_slice(self._caller, NO_PERMIT, dataset, "open", len(names))
        return GenotypeSlice(assembly, tiles, [name for name, _ in names], numbers, sexes, self._people)

    def _names(self, connection: sa.Connection, people: bitmap.Planes) -> list[tuple[str, int]]:
        """Of each of these people the first of their samples' names, ascending, and their number."""
        sample = tables.biosample.c
        mine = sa.select(sa.func.min(sample.id), sample.individual).where(sample.dataset == self._number)
        wanted = set(bitmap.to_numbers(people).tolist())
        rows = connection.execute(mine.group_by(sample.individual))
        return sorted((name, number) for name, number in rows if number in wanted)

    def _people(self) -> bitmap.Planes:
        if time.monotonic() - self._checked >= _CHECK_S:
            self.still_valid()
        return self._members
