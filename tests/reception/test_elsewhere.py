# SPDX-License-Identifier: Apache-2.0
"""A reception whose inbox is in a real object store takes, keeps and removes what it does on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from megagenome.kernel.errors import Conflict
from megagenome.kernel.open_store import open_store
from megagenome.kernel.sealed_files import FileState
from megagenome.reception import process
from megagenome.standards.crypt4gh import MAGIC
from megagenome.standards.submission import Decision, State
from tests.kernel.object_store import BUCKET, settings_for
from tests.reception.receptions import PROVIDER, STEWARD, House, files_of, manifest_of, open_house, passing, put

pytestmark = pytest.mark.s3


@pytest.fixture
def house(object_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(process, "validate", passing)
    store = open_store(f"s3://{BUCKET}/{tmp_path.name}", settings_for(object_store))
    found = open_house(tmp_path / "node", store=store)
    yield found
    found.collection.close()


def stored(house: House, prefix: str = "") -> list[str]:
    return list(house.parts.store.keys(prefix))


def test_parts_become_files_that_can_be_read(house: House, tmp_path: Path) -> None:
    files = files_of(tmp_path / "files")
    ident = house.send(files)
    assert len(stored(house, "inbox/")) > len(files)  # in several parts
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.REPORTED
    house.reception.decide(STEWARD, ident, Decision(True))
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.ACCEPTED
    assert stored(house, "inbox/") == []
    kept = house.archive.files_of()
    assert {each.state for each in kept} == {FileState.READY}
    read = {each.name: b"".join(house.archive.open_inside(each.id, "test").read()) for each in kept}
    assert read.items() <= files.items()
    assert read


def test_a_part_is_taken_once_and_what_is_refused_leaves_nothing(house: House, tmp_path: Path) -> None:
    files = files_of(tmp_path / "files")
    ident = house.reception.begin(PROVIDER, manifest_of(files)).id
    assert [put(house, ident, 0, 0, MAGIC + b"x") for _ in range(2)] == [True, False]
    with pytest.raises(Conflict, match="another content"):
        put(house, ident, 0, 0, MAGIC + b"y")
    [key] = stored(house)
    assert b"".join(house.parts.store.read(key)) == MAGIC + b"x"
    house.reception.cancel(PROVIDER, ident)
    house.do_jobs()
    assert stored(house) == []
    ident = house.send(files)
    house.do_jobs()
    house.reception.decide(STEWARD, ident, Decision(False, "no"))
    house.do_jobs()
    assert {Path(key).suffix for key in stored(house)} == {".shred"}
    assert house.blobs() == []
