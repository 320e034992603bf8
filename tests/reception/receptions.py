# SPDX-License-Identifier: Apache-2.0
"""A reception in a folder, with an archive and a collection, whose jobs are done when a test says so."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from megagenome.archive.archive import Archive
from megagenome.collection import Collection
from megagenome.kernel.blob_store import BlobStore
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.worker import Worker
from megagenome.reception import process
from megagenome.reception.forget import forget_file
from megagenome.reception.model import Expectations, Submitted
from megagenome.reception.needs import AllelesTold
from megagenome.reception.parts import Parts
from megagenome.reception.reception import Reception
from megagenome.reception.settings import ReceptionSettings
from megagenome.reception.validators.formats import format_of_name
from megagenome.standards.crypt4gh_stream import seal
from megagenome.standards.submission import PEOPLE_FORMATS, Manifest, SubmittedFile
from megagenome.standards.validation_report import FileReport, Report, Result
from tests.archive.archives import open_archive
from tests.reception.handing_in import DATASET, samples, write_people, write_vcf

PROVIDER = Caller("paula@idp.example", "Paula")
STEWARD = Caller("sofia@idp.example", "Sofia", frozenset({Role.DATA_STEWARD}))
OTHER = Caller("otto@idp.example", "Otto")
PUBLIC = Caller()


def no_ontology(_curie: str) -> None:
    """Every CURIE is kept flat."""


class House(NamedTuple):
    """All that a reception needs, open on one folder."""

    folder: Path
    archive: Archive
    collection: Collection
    reception: Reception
    parts: Parts

    def do_jobs(self) -> int:
        """All that are due, one after the other; how many."""
        worker, done = Worker(self.parts.engine, self.reception.performing()), 0
        while worker.do_one():
            done += 1
        return done

    def blobs(self) -> list[str]:
        """What lies in the inbox and the archive, but for what says that something was shredded."""
        top = self.folder / "blobs"
        paths = (path for path in top.rglob("*") if path.is_file() and path.suffix != ".shred")
        return sorted(path.relative_to(top).as_posix() for path in paths)

    def keys(self) -> SigningKeys:
        return SigningKeys.open(self.folder / "keys")

    def send(self, files: dict[str, bytes], manifest: Manifest | None = None, *, part_bytes: int = 1000) -> str:
        """Send files as a program would, in small parts, and complete; the submission's id."""
        manifest = manifest or manifest_of(files)
        ident = self.reception.begin(PROVIDER, manifest).id
        counts = []
        for number, each in enumerate(manifest.files):
            sealed = self.sealed(files[each.path])
            pieces = [sealed[at : at + part_bytes] for at in range(0, len(sealed), part_bytes)]
            for k, piece in enumerate(pieces):
                put(self, ident, number, k, piece)
            counts.append(len(pieces))
        self.reception.complete(PROVIDER, ident, tuple(counts))
        return ident

    def sealed(self, plain: bytes) -> bytes:
        return b"".join(map(bytes, seal([plain], [self.archive.keys.newest()[1]])))


def put(house: House, ident: str, file: int, part: int, content: bytes, caller: Caller = PROVIDER) -> bool:
    """Send a part; whether it was new."""
    return house.reception.put_part(caller, ident, file, part, content, hashlib.sha256(content).hexdigest())[1]


def open_house(
    folder: Path, settings: ReceptionSettings | None = None, store: BlobStore | None = None, **changed: Any
) -> House:
    """What is in the folder; made where there is nothing. `changed` fields of `Parts`."""
    archive = open_archive(folder, store, forget=forget_file)
    (folder / "genotypes").mkdir(exist_ok=True)
    inner = archive._parts
    collection = Collection(folder, inner.engine, no_ontology)

    def may_send(subject: str, dataset: DatasetId) -> bool:
        return (subject, dataset) in ((PROVIDER.subject, DATASET), (STEWARD.subject, DATASET))

    def counts_told(_dataset: DatasetId) -> AllelesTold:
        return AllelesTold(7, 3)

    parts = Parts(
        collection,
        inner.store,
        archive,
        inner.ledger,
        SigningKeys.open(folder / "keys").sign,
        may_send,
        counts_told,
        "node.ee",
        "",
        settings or ReceptionSettings(),
    )._replace(**changed)
    return House(folder, archive, collection, Reception(parts), parts)


def files_of(folder: Path) -> dict[str, bytes]:
    """Genotypes and people that can be loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    write_vcf(folder / "cohort.vcf.gz")
    write_people(folder / "people.tsv")
    return {name: (folder / name).read_bytes() for name in ("cohort.vcf.gz", "people.tsv")}


def manifest_of(files: dict[str, bytes], json: str = "phenopackets", **changed: Any) -> Manifest:
    """What states them truly; `json`: what JSON files hold."""
    kinds = {name: format_of_name(name) for name in files}
    stated = tuple(
        SubmittedFile(
            name, len(content), hashlib.sha256(content).hexdigest(), json if kinds[name] == "json" else kinds[name]
        )
        for name, content in files.items()
    )
    people = tuple(each.path for each in stated if each.format in PEOPLE_FORMATS)
    return msgspec.structs.replace(Manifest(DATASET, "GRCh37", stated, people), **changed)


def restated(manifest: Manifest, path: str, **changed: Any) -> Manifest:
    """The manifest with one file stated otherwise."""
    files = tuple(msgspec.structs.replace(each, **changed) if each.path == path else each for each in manifest.files)
    return msgspec.structs.replace(manifest, files=files)


Validate = Callable[[Sequence[Submitted], Expectations, ReceptionSettings], Report]


def passing(submitted: Sequence[Submitted], _expected: Expectations, _settings: ReceptionSettings) -> Report:
    """In place of the processes that validate, which take half a second each: every file is read, and is fine."""
    return Report(Result.PASSED, tuple(_passed(each) for each in submitted), isolated=True)


def _passed(submitted: Submitted) -> FileReport:
    read = 0
    assert not isinstance(submitted.content, Path)
    for piece in submitted.content():
        read += len(piece)
    kind = format_of_name(submitted.name)
    names = tuple(samples()) if kind in ("vcf", "people-table") else ()
    return FileReport(submitted.name, kind, Result.PASSED, (), names, (), 20, read)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """An empty one, whose validation finds nothing wrong but what the manifest shows."""
    monkeypatch.setattr(process, "validate", passing)
    found = open_house(tmp_path / "node")
    yield found
    found.collection.close()
