# SPDX-License-Identifier: Apache-2.0
"""A publication, by command or with a load, that is killed (SIGKILL) at any durable step or statement shows the dataset
everywhere or nowhere: collection, Beacon, catalogue, and the rule for permits read the one state.

A forked process kills itself before its n-th step; n grows until it comes through.
"""

import functools
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from megagenome.catalogue.catalogue import Catalogue
from megagenome.catalogue.model import Profile
from megagenome.catalogue.serialise import Form
from megagenome.catalogue.steward import Stewardship
from megagenome.collection import Collection, Use
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.people import YES
from megagenome.collection.publication import read_history
from megagenome.discovery.answer import Beacon
from megagenome.discovery.settings import DiscoverySettings
from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.kernel.errors import NotFound
from megagenome.standards import beacon
from megagenome.standards.catalogue_pages import ToWrite
from megagenome.synthetic.governance import made_up_record
from tests.catalogue.samples import CLOSED, PLACE
from tests.collection import clocks
from tests.collection.conftest import no_ontology
from tests.discovery.fake import IDENTITY, FakeReference
from tests.faults.dying import Death, run_child
from tests.faults.test_archive_killed import fork


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset that is not open, a draft without a record."""
    folder = tmp_path_factory.mktemp("made") / "node"
    collection = Collection.create(folder, no_ontology)
    people = range(20, 60)
    table, source = clocks.table(dict.fromkeys(people, YES)), clocks.source_of(people)
    load(collection, DatasetStatement(CLOSED), table, [source], "GRCh38")
    collection.close()
    return folder


def act_and_die(folder: Path, last: int, act: str) -> None:
    """Die before the `last` step, or else once it is acknowledged."""
    death = Death(last)
    collection = Collection.open_folder(folder, no_ontology)
    record, steward = made_up_record(CLOSED, country="EE"), Caller("s@idp", "S", frozenset({Role.DATA_STEWARD}))
    if act == "load":
        death.at_files()
        death.at_commits(collection.engine)
        people = range(60, 80)
        statement = DatasetStatement(CLOSED, publish=True, record=record, by="loader")
        load(collection, statement, clocks.table(dict.fromkeys(people, YES)), [clocks.source_of(people)], "GRCh38")
    else:
        stewardship = Stewardship(collection, PLACE)
        if act == "publish":
            assert stewardship.write(steward, CLOSED, ToWrite(record)).version == 1
        death.at_statements(collection.engine)
        stewardship.move(steward, CLOSED, {"publish": "published", "withdraw": "withdrawn"}[act])
    acknowledgement(folder).touch()
    os.kill(os.getpid(), signal.SIGKILL)


def acknowledgement(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}-acknowledged")


def run(folder: Path, last: int, act: str) -> bool:
    """Whether the child came through before it killed itself."""
    assert fork(lambda: act_and_die(folder, last, act)) == -signal.SIGKILL
    return acknowledgement(folder).exists()


def shown(folder: Path) -> list[bool]:
    """Whether each of those who tell of datasets tells of this one."""
    collection = Collection.open_folder(folder, no_ontology)
    try:
        asked = Beacon(collection, FakeReference(), IDENTITY, DiscoverySettings())
        catalogue = Catalogue(collection, PLACE, functools.partial(asked.people_told, PUBLIC))
        listed = asked.datasets(PUBLIC, beacon.BeaconRequest()).response.collections
        reading = collection.open(Caller("r@idp", registered=True), Use.AGGREGATES)
        return [
            CLOSED in [each.id for each in collection.published],
            CLOSED in [each.id for each in reading.datasets],
            CLOSED in [each.id for each in listed],
            CLOSED in [each.dataset.id for each in catalogue.listing().published],
            _answers(catalogue, ("dataset", CLOSED)),
            PLACE.dataset(CLOSED).encode() in document(catalogue, ("catalog", PLACE.id)),
        ]
    finally:
        collection.close()


def document(catalogue: Catalogue, address: tuple[str, str]) -> bytes:
    return catalogue.document(address, Profile.GDI, Form.N_TRIPLES).content


def _answers(catalogue: Catalogue, address: tuple[str, str]) -> bool:
    try:
        return not catalogue.document(address, Profile.GDI, Form.N_TRIPLES).gone
    except NotFound:
        return False


def until_it_comes_through(folder: Path, act: str) -> int:
    """How many died, after each of whom all show what they showed. Forks, so it runs in a process without threads."""
    if act == "withdraw":
        assert run(folder, 0, "publish")
    before: Any = shown(folder)
    assert len(set(before)) == 1
    killed = 0
    while True:
        copy = Path(shutil.copytree(folder, f"{folder}-killed{killed}"))
        if run(copy, killed + 1, act):
            break
        killed += 1
        assert shown(copy) == before
        shutil.rmtree(copy)
    assert shown(copy) == [not before[0]] * len(before)
    collection = Collection.open_folder(copy, no_ontology)
    with collection.engine.connect() as connection:
        assert [each.version for each in read_history(connection, CLOSED)] == [1]
    collection.close()
    return killed


@pytest.mark.parametrize(("act", "least"), [("publish", 5), ("withdraw", 5), ("load", 8)])
def test_all_show_it_or_none_does(made: Path, tmp_path: Path, act: str, least: int) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "node"))
    done = run_child(f"from {__name__} import *; print(until_it_comes_through(Path({str(folder)!r}), {act!r}))")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= least
