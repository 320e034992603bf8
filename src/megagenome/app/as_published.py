# SPDX-License-Identifier: Apache-2.0
"""What a node would tell of a dataset if it were published, by the roles that will tell it: for previews."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from megagenome.app.node import Node
from megagenome.archive.archive import Archive
from megagenome.collection import Collection
from megagenome.delivery.delivery import leaving
from megagenome.discovery.answer import Beacon
from megagenome.discovery.foresee import Foreseen, foresee
from megagenome.discovery.model import Identity
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.errors import Unavailable
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.sealed_files import FileState
from megagenome.standards.catalogue_pages import Answers

_PATIENCE_S = 2.0
"""For so long a page waits for counts: a dataset of some 100,000 alleles is counted by then, others when it is looked
at again."""


class AsPublished:
    """Counts of supposed collections, one at a time, each once for a version of the collection."""

    def __init__(self, node: Node, archive: Archive, identity: Identity) -> None:
        self._node, self._archive, self._identity = node, archive, identity
        self._counting = ThreadPoolExecutor(1, "as-published")
        self._known: dict[tuple[DatasetId, int], Future[Foreseen]] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def people(self, supposed: Collection) -> Mapping[DatasetId, int]:
        """What its catalogue would tell of people. Nothing is entered in the ledger."""
        settings = self._node.settings.discovery
        return Beacon(supposed, self._node.reference, self._identity, settings).people_told(PUBLIC)

    def answers(self, supposed: Collection, dataset: DatasetId) -> Answers | None:
        """What everybody could ask; None while it is being counted."""
        [known] = (each for each in supposed.published if each.id == dataset)
        try:
            told = self._foreseen(supposed, dataset).result(_PATIENCE_S)
        except TimeoutError:
            return None
        files = [each for each in self._archive.files_of(dataset) if each.state is FileState.READY]
        leave = leaving(files, is_open=known.open)
        return Answers(
            told.floor,
            known.alleles_tier,
            known.people_tier,
            known.individuals,
            told.people_told,
            told.alleles.told if told.alleles else None,
            told.alleles.held_back if told.alleles else None,
            told.terms,
            told.terms_held_back,
            leave,
            len(files) - leave,
        )

    def close(self) -> None:
        """End what is being counted."""
        self._stopped.set()
        self._counting.shutdown(cancel_futures=True)

    def _foreseen(self, supposed: Collection, dataset: DatasetId) -> Future[Foreseen]:
        with self._lock:
            for key in [key for key in self._known if key[1] != supposed.version]:
                self._known.pop(key).cancel()
            known = self._known.get((dataset, supposed.version))
            if known is None or (known.done() and known.exception() is not None):
                floor = self._node.settings.discovery.floor
                known = self._counting.submit(foresee, supposed, dataset, floor, self._go_on)
                self._known[dataset, supposed.version] = known
            return known

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise Unavailable("the node is stopping")
