# SPDX-License-Identifier: Apache-2.0
"""Reception over PostgreSQL: the same way, as short as it is."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from megagenome.archive.archive import Archive
from megagenome.archive.keys import RecipientKeys
from megagenome.collection import Collection
from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.open_store import open_store
from megagenome.kernel.sealed_files import FileState
from megagenome.reception import process
from megagenome.reception.needs import AllelesTold
from megagenome.reception.parts import Parts
from megagenome.reception.reception import Reception
from megagenome.reception.settings import ReceptionSettings
from megagenome.standards.crypt4gh import MAGIC
from megagenome.standards.submission import KEPT_DAYS, Decision, State
from tests.archive.archives import SETTINGS
from tests.reception.handing_in import DATASET, PEOPLE
from tests.reception.receptions import PROVIDER, STEWARD, House, files_of, manifest_of, no_ontology, passing, put

pytestmark = pytest.mark.postgres


@pytest.fixture
def house(tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(process, "validate", passing)
    folder = tmp_path / "node"
    collection = Collection.create(folder, no_ontology, postgres)
    store, signing = open_store(str(folder / "blobs")), SigningKeys.open(folder / "keys")
    ledger = Ledger(collection.engine, signing, "node.ee")
    keys = RecipientKeys.open(folder / "keys")
    archive = Archive(collection.engine, store, keys, ledger, signing, SETTINGS)
    parts = Parts(
        collection,
        store,
        archive,
        ledger,
        signing.sign,
        lambda _subject, _dataset: True,
        lambda _dataset: AllelesTold(1, 2),
        "node.ee",
        "",
        ReceptionSettings(),
    )
    yield House(folder, archive, collection, Reception(parts), parts)
    collection.close()


def test_a_submission_comes_into_the_dataset(house: House, tmp_path: Path) -> None:
    ident = house.send(files_of(tmp_path / "files"))
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.REPORTED
    assert house.reception.preview(STEWARD, ident).counted == PEOPLE
    house.reception.decide(STEWARD, ident, Decision(True))
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.ACCEPTED
    house.collection.refresh()
    assert [each.id for each in house.collection.snapshot().datasets] == [DATASET]
    assert {each.state for each in house.archive.files_of()} == {FileState.READY}
    assert house.parts.ledger.verify().fine


def test_a_rejected_one_leaves_nothing_and_parts_are_taken_once(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = files_of(tmp_path / "files")
    ident = house.send(files)
    house.do_jobs()
    house.reception.decide(STEWARD, ident, Decision(False, "no"))
    house.do_jobs()
    assert house.blobs() == []
    ident = house.reception.begin(PROVIDER, manifest_of(files)).id
    assert [put(house, ident, 0, 0, MAGIC + b"x") for _ in range(2)] == [True, False]
    with pytest.raises(Conflict):
        put(house, ident, 0, 0, MAGIC + b"y")
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=KEPT_DAYS + 1))
    put(house, ident, 0, 1, b"z")
    house.reception.tidy()
    assert [each.id for each in house.reception.all(PROVIDER).submissions] == [ident]
