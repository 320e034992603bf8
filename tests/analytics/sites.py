# SPDX-License-Identifier: Apache-2.0
"""Nodes with real collections as sites of studies, and a hub's coordinator over them, in one process."""

import atexit
import contextlib
import functools
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from megagenome.analytics.settings import AnalyticsSettings
from megagenome.analytics.site import StudySite
from megagenome.analytics.studied import _sets
from megagenome.collection.acts import Act, say
from megagenome.collection.collection import Collection
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.people import YES
from megagenome.collection.permits import store_permit
from megagenome.kernel.ids import DatasetId, IndividualId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.network.studies.coordinate import Coordinator
from megagenome.network.studies.methods import METHODS
from megagenome.standards.study import Frequencies, StudyDocument, Variants
from megagenome.standards.study_exchange import Reply, Said
from megagenome.synthetic.governance import made_up_record
from tests.collection import clocks
from tests.collection.conftest import no_ontology
from tests.network.joining import server
from tests.network.studies.nodes import ADA, PERMIT, AtOnce, World

COUNTING = Frequencies(Variants("GRCh38", ("22",), least_count=1))
MODEST = AnalyticsSettings(least_people_in_all=30, least_allele_count=2)


class RealNode:
    """A node whose people are these numbers of `clocks`."""

    def __init__(self, name: str, folder: Path, numbers: range, settings: AnalyticsSettings, *, is_open: bool) -> None:
        shutil.copytree(_filled(name, numbers, is_open=is_open), folder)
        self.name, self.numbers, self.settings, self.is_dead = name, set(numbers), settings, False
        self.first = numbers.start
        self.parts: dict[str, frozenset[int]] = {}
        self.keys = SigningKeys.open(folder / "keys")
        self.collection = Collection.open_folder(folder, no_ontology)
        self.collection.journal = clocks.NoJournal()
        self.ledger = Ledger(self.collection.engine, self.keys, name)
        self.start()

    def start(self, settings: AnalyticsSettings | None = None) -> None:
        """The node's process begins, or begins anew."""
        self.settings = settings or self.settings
        self.site = StudySite(self.collection, self.name, self.keys, self.ledger, self.settings, AtOnce())
        record = self.site._studied.record

        def noting(run: str, numbers: Any) -> None:
            record(run, numbers)
            self.parts[run] = frozenset((numbers + self.first).tolist())

        self.site._studied.record = noting  # type: ignore[method-assign]

    def turn(self, coordinator: Coordinator) -> bool:
        """One message of the exchange, and what follows from it; whether something happened."""
        if self.is_dead:
            return False
        offer = coordinator.offer(self.name, self.site.holds(), self.site.at_work())
        self.site.forget(offer.over)
        if offer.task is not None:
            self.site.give(offer.task, offer.payload)
        return self.speak(coordinator) or offer.task is not None

    def speak(self, coordinator: Coordinator) -> bool:
        """Tell the hub what waits to be said."""
        spoken = self.site.next_reply()
        while found := self.site.next_reply():
            coordinator.take(self.name, *found)
            self.site.taken(found[0])
        return spoken is not None

    def said(self) -> Said:
        """The one thing that it has to say."""
        spoken = self.site.next_reply()
        assert spoken is not None
        assert isinstance(spoken[0], Reply)
        self.site.taken(spoken[0])
        assert self.site.next_reply() is None
        return spoken[0].said

    def withdraw(self, number: int) -> None:
        say(self.collection, IndividualId(f"I{number}"), Act.WITHDRAW, by="desk", longest_delay_days=30)
        self.numbers.discard(number)

    def recorded(self) -> list[set[int]]:
        """The sets of people of whom sums left, oldest first."""
        with self.collection.engine.connect() as connection:
            return [set((each + self.first).tolist()) for each in _sets(connection).values()]

    def acts(self) -> list[tuple[str, str, int]]:
        """What its ledger has of studies, but for the run's id."""
        entries = [each for each in self.ledger.items() if not isinstance(each, str) and each.kind == "study"]
        return [(each.dataset, each.detail.rpartition(":")[0], each.count) for each in entries]


@functools.cache
def _filled(name: str, numbers: range, *, is_open: bool) -> Path:
    """A folder to be copied, of a node with these people in one dataset, and Ada's permit."""
    top = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, top)
    collection = Collection.create(top / "node", no_ontology)
    dataset = f"{name}-data"
    record = None if is_open else made_up_record(dataset)
    declared = True if is_open else None
    stated = DatasetStatement(DatasetId(dataset), open=declared, collection_year=2020, publish=True, record=record)
    people = clocks.table(dict.fromkeys(numbers, YES))
    load(collection, stated, people, [clocks.source_of(numbers)], "GRCh38")  # type: ignore[list-item]
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(PERMIT, (dataset,), people=frozenset({str(ADA.subject)})))
    collection.close()
    return top / "node"


class RealWorld(World):
    """`World` over such nodes."""

    nodes: Mapping[str, RealNode]  # type: ignore[assignment]

    def document(self, **other: Any) -> StudyDocument:
        return super().document(**{"method": COUNTING, "least_sites": 1, **other})


@contextlib.contextmanager
def real_world(
    folder: Path,
    sizes: Mapping[str, int],
    settings: AnalyticsSettings = MODEST,
    *,
    is_open: bool = False,
) -> Iterator[RealWorld]:
    """Nodes of so many people each."""
    nodes, first = {}, 0
    for name, size in sizes.items():
        nodes[name] = RealNode(name, folder / name, range(first, first + size), settings, is_open=is_open)
        first += size
    with server(folder, "org.example.hub") as at:
        yield RealWorld(at, nodes, AtOnce(), METHODS)  # type: ignore[arg-type]
    for node in nodes.values():
        node.collection.close()
