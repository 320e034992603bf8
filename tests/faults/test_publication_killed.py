# SPDX-License-Identifier: Apache-2.0
"""A publication, by command or with a load, that is killed (SIGKILL) or loses power at any durable step or statement
shows the dataset everywhere or nowhere: collection, Beacon, catalogue, and access, where a permit for it reads or does
not, by the one state. What was recorded for it is on record whole or not at all. The ledger's chain is whole, and who
published is in it exactly when it is published.

A forked process kills itself before its n-th step; n grows until it comes through.
"""

import functools
import itertools
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from megagenome.app.journal import LedgerJournal
from megagenome.catalogue.catalogue import Catalogue
from megagenome.catalogue.model import Profile
from megagenome.catalogue.serialise import Form
from megagenome.catalogue.steward import Stewardship
from megagenome.collection import Collection, Use, tables
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.people import YES
from megagenome.collection.permits import store_permit
from megagenome.collection.publication import read_history
from megagenome.discovery.answer import Beacon
from megagenome.discovery.settings import DiscoverySettings
from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.kernel.errors import NotEntitled, NotFound
from megagenome.kernel.ids import PermitId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Kind, Ledger
from megagenome.kernel.ledger_chain import Entry
from megagenome.standards import beacon
from megagenome.standards.catalogue_pages import ToWrite
from megagenome.synthetic.governance import made_up_record
from tests.catalogue.samples import CLOSED, PLACE
from tests.collection import clocks
from tests.collection.conftest import no_ontology
from tests.discovery.fake import IDENTITY, FakeReference
from tests.faults.dying import Death, run_child
from tests.faults.lossy_disk import LossyDisk
from tests.faults.test_archive_killed import fork
from tests.kernel.postgres import new_database

PERMIT = PermitId("permit-1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset that is not open, a draft without a record, and a permit that was granted for it all the same."""
    return make(tmp_path_factory.mktemp("made") / "node")


def make(folder: Path, url: sa.URL | None = None) -> Path:
    """Make it; with records elsewhere, it says where."""
    collection = Collection.create(folder, no_ontology, url)
    if url is not None:
        elsewhere(folder).write_text(url.render_as_string(hide_password=False))
    people = range(20, 60)
    table, source = clocks.table(dict.fromkeys(people, YES)), clocks.source_of(people)
    load(collection, DatasetStatement(CLOSED), table, [source], "GRCh38")
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(PERMIT, [CLOSED]))
    collection.close()
    return folder


def elsewhere(folder: Path) -> Path:
    return folder / "records"


def open_node(folder: Path) -> Collection:
    said = elsewhere(folder)
    return Collection.open_folder(folder, no_ontology, sa.make_url(said.read_text()) if said.exists() else None)


def copied(folder: Path, to: str) -> Path:
    """A copy, with its records, of a node that nobody has open."""
    copy = Path(shutil.copytree(folder, to))
    if (said := elsewhere(copy)).exists():
        url = sa.make_url(said.read_text())
        said.write_text(new_database(url, str(url.database)).render_as_string(hide_password=False))
    return copy


def act_and_die(folder: Path, last: int, act: str, left: Path | None) -> None:
    """Die before the `last` step, or else once it is acknowledged."""
    death = Death(last)
    disk = LossyDisk(folder, but="node.sqlite*")
    if left is not None:
        disk.watch()
        death.before_dying = functools.partial(disk.leave_at, left)
    collection = open_node(folder)
    record, steward = made_up_record(CLOSED, country="EE"), Caller("s@idp", "S", frozenset({Role.DATA_STEWARD}))
    collection.journal = LedgerJournal(ledger_of(folder, collection))
    stewardship = Stewardship(collection, PLACE)
    if act == "load":
        death.at_files()
        death.at_commits(collection.engine)
        people = range(60, 80)
        statement = DatasetStatement(CLOSED, publish=True, record=record, by="loader")
        load(collection, statement, clocks.table(dict.fromkeys(people, YES)), [clocks.source_of(people)], "GRCh38")
    elif act == "record":
        death.at_commits(collection.engine)
        assert stewardship.write(steward, CLOSED, ToWrite(record)).version == 1
    else:
        if act == "publish":
            assert stewardship.write(steward, CLOSED, ToWrite(record)).version == 1
        death.at_statements(collection.engine)
        stewardship.move(steward, CLOSED, {"publish": "published", "withdraw": "withdrawn"}[act])
    acknowledgement(folder).touch()
    if left is not None:
        disk.leave_at(left)
    os.kill(os.getpid(), signal.SIGKILL)


def ledger_of(folder: Path, collection: Collection) -> Ledger:
    return Ledger(collection.engine, SigningKeys.open(folder.with_name("keys")), PLACE.id)


def acknowledgement(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-acknowledged")


def run(folder: Path, last: int, act: str, left: Path | None = None) -> bool:
    """Whether it came through before it killed itself; `left`: where to write what a power cut leaves then. Forks, so
    it runs in a process without threads (`apart`)."""
    assert fork(lambda: act_and_die(folder, last, act, left)) == -signal.SIGKILL
    return acknowledgement(folder).exists()


def apart(call: str, folder: Path) -> int:
    """What a function here answers of a folder, in a process of its own."""
    done = run_child(f"from {__name__} import *; folder = Path({str(folder)!r}); print({call})")
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def shown(folder: Path) -> list[bool]:
    """Whether each of those who tell of datasets tells of this one."""
    collection = open_node(folder)
    try:
        asked = Beacon(collection, FakeReference(), IDENTITY, DiscoverySettings())
        catalogue = Catalogue(
            collection, PLACE, functools.partial(asked.people_told, PUBLIC), lambda _subject, _datasets: None
        )
        listed = asked.datasets(PUBLIC, beacon.BeaconRequest()).response.collections
        reading = collection.open(Caller("r@idp", registered=True), Use.AGGREGATES)
        return [
            CLOSED in [each.id for each in collection.published],
            CLOSED in [each.id for each in reading.datasets],
            CLOSED in [each.id for each in listed],
            CLOSED in [each.dataset.id for each in catalogue.listing().published],
            _answers(catalogue, ("dataset", CLOSED)),
            PLACE.dataset(CLOSED).encode() in document(catalogue, ("catalog", PLACE.id)),
            _may_be_read(collection),
        ]
    finally:
        collection.close()


def _may_be_read(collection: Collection) -> bool:
    collection.journal = clocks.NoJournal()
    try:
        reading = collection.open(clocks.ALICE, Use.RESEARCH, permit=PERMIT)
    except NotEntitled:
        return False
    return CLOSED in [each.id for each in reading.datasets]


def document(catalogue: Catalogue, address: tuple[str, str]) -> bytes:
    return catalogue.document(address, Profile.GDI, Form.N_TRIPLES).content


def _answers(catalogue: Catalogue, address: tuple[str, str]) -> bool:
    try:
        return not catalogue.document(address, Profile.GDI, Form.N_TRIPLES).gone
    except NotFound:
        return False


def until_it_comes_through(folder: Path, act: str) -> int:
    """How many died, after each of whom all show what they showed."""
    if act == "withdraw":
        assert run(folder, 0, "publish")
    before: Any = shown(folder)
    assert len(set(before)) == 1
    entered = moves(folder)
    killed = 0
    while True:
        copy = copied(folder, f"{folder}-killed{killed}")
        if run(copy, killed + 1, act):
            break
        killed += 1
        assert shown(copy) == before
        assert moves(copy) == entered
        shutil.rmtree(copy)
    assert shown(copy) == [not before[0]] * len(before)
    assert moves(copy) == [*entered, MOVED[act]]
    assert versions(copy) == [1]
    return killed


MOVED = {
    "publish": ("s@idp", "draft:published"),
    "withdraw": ("s@idp", "published:withdrawn"),
    "load": ("loader", "draft:published"),
}
"""Who did it and what the ledger says of it."""


def moves(folder: Path) -> list[tuple[str, str]]:
    """What the ledger says of the dataset, and by whom; its chain is whole."""
    collection = open_node(folder)
    ledger = ledger_of(folder, collection)
    assert ledger.verify().fine
    found = []
    for each in ledger.items():
        if isinstance(each, Entry) and (each.kind, each.dataset) == (Kind.PUBLICATION, CLOSED):
            actor = ledger.person(each.actor)
            found.append((actor.subject if actor else "", each.detail))
    collection.close()
    return found


def versions(folder: Path) -> list[int]:
    """Of the dataset's record."""
    collection = open_node(folder)
    with collection.engine.connect() as connection:
        found = [each.version for each in read_history(connection, CLOSED)]
    collection.close()
    return found


@pytest.mark.parametrize(("act", "least"), [("publish", 5), ("withdraw", 5), ("load", 8)])
def test_all_show_it_or_none_does(made: Path, tmp_path: Path, act: str, least: int) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "node"))
    assert apart(f"until_it_comes_through(folder, {act!r})", folder) >= least


@pytest.mark.postgres
@pytest.mark.parametrize(("act", "least"), [("publish", 5), ("load", 8)])
def test_all_show_it_or_none_does_on_postgresql(postgres: sa.URL, tmp_path: Path, act: str, least: int) -> None:
    folder = make(tmp_path / "node", postgres)
    assert apart(f"until_it_comes_through(folder, {act!r})", folder) >= least


def changed(folder: Path) -> list[Path]:
    """Genotype files of which other bytes are there than were written."""
    collection, pack = open_node(folder), tables.pack.c
    found: list[Path] = []
    with collection.engine.connect() as connection:
        for tiles in itertools.chain.from_iterable(collection.snapshot().tiles.values()):
            mine = (pack.load == tiles.key.load, pack.assembly == tiles.key.assembly, pack.contig == tiles.key.contig)
            written = sa.select(pack.genotypes_sha256, pack.counts_sha256).where(*mine)
            found += tiles.verify(*connection.execute(written).one())
    collection.close()
    return found


def cut_until_it_comes_through(folder: Path) -> int:
    """How often the power was cut during a load, after each of which nothing of it was left."""
    before: Any = shown(folder)
    assert moves(folder) == []
    for last in itertools.count(1):
        copy, left = Path(shutil.copytree(folder, f"{folder}-cut{last}")), Path(f"{folder}-left{last}")
        came_through = run(copy, last, "load", left)
        assert shown(left) == ([not before[0]] * len(before) if came_through else before)
        assert moves(left) == [MOVED["load"]] * came_through
        assert changed(left) == []
        if came_through:
            break
    return last - 1


def test_a_load_that_publishes_and_loses_power_shows_all_or_nothing(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "node"))
    assert apart("cut_until_it_comes_through(folder)", folder) >= 8


def recorded_until_it_comes_through(folder: Path) -> int:
    """How many died who wrote a record, after each of whom there was none."""
    before: Any = shown(folder)
    killed = 0
    while True:
        copy = Path(shutil.copytree(folder, f"{folder}-killed{killed}"))
        came_through = run(copy, killed + 1, "record")
        assert versions(copy) == [1] * came_through
        assert shown(copy) == before
        if came_through:
            break
        killed += 1
    acknowledgement(copy).unlink()
    assert run(copy, 0, "publish")
    assert shown(copy) == [not before[0]] * len(before)
    return killed


def test_a_record_is_there_whole_or_not_at_all(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "node"))
    assert apart("recorded_until_it_comes_through(folder)", folder) >= 1
