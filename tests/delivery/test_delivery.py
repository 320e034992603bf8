# SPDX-License-Identifier: Apache-2.0
"""Who finds which file and what a ticket is still good for, by caller, state and dataset; and how many would leave."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from megagenome.collection.collection import Collection
from megagenome.collection.datasets import move_dataset
from megagenome.collection.environments import end_environment, register_environment
from megagenome.collection.load import load
from megagenome.collection.model import DatasetState
from megagenome.collection.people import YES
from megagenome.collection.permits import change_permit, store_permit
from megagenome.delivery.delivery import Delivery, Granted, Stream, Whole, leaving
from megagenome.delivery.permitted import Terms
from megagenome.delivery.tickets import Tickets
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.errors import MegagenomeError, NotEntitled, NotFound, Unauthenticated
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.sealed_files import ArchivedFile, FileId, FileState, new_file_id
from megagenome.standards.crypt4gh_keys import fingerprint
from megagenome.standards.htsget import Format, SliceRequest
from megagenome.standards.permit import PermitState
from tests.collection import clocks
from tests.collection.clocks import ALICE, MALLORY

OPEN, CLOSED = DatasetId(clocks.OPEN), DatasetId(clocks.CLOSED)
ONE = PermitId("permit-1")
KEY = X25519PrivateKey.generate().public_key()
HEADER = SliceRequest(Format.VCF, header_only=True, slices=None)


class Kept:
    """What `delivery.needs.Files` has of rows: nothing of files is opened here."""

    def __init__(self) -> None:
        self.rows: dict[FileId, ArchivedFile] = {}

    def add(self, dataset: DatasetId, kind: str, *samples: str, of: FileId | None = None) -> FileId:
        file, known = new_file_id(), "2026-11-22T10:00:00.000000Z"
        row = (file, dataset, f"{samples}.{kind}", kind, samples, of, 10, "0" * 64, None, "1" * 64)
        self.rows[file] = ArchivedFile(*row, FileState.READY, known, known)
        return file

    def become(self, file: FileId, state: FileState) -> None:
        self.rows[file] = msgspec.structs.replace(self.rows[file], state=state)

    def find(self, file: FileId, /) -> ArchivedFile | None:
        return self.rows.get(file)

    def index_of(self, file: FileId, /) -> ArchivedFile | None:
        return next((each for each in self.rows.values() if each.index_of == file), None)

    def files_of(self, dataset: DatasetId | None = None, /) -> list[ArchivedFile]:
        return [each for each in self.rows.values() if dataset in (None, each.dataset)]


class World:
    """An open dataset (P40 to P44), and a closed one (P0 to P9, of whom P9 says no) for which Alice has a permit."""

    def __init__(self, folder: Path) -> None:
        self.collection = Collection.create(folder / "node", lambda _: None)
        self.collection.journal = clocks.NoJournal()
        for dataset, some in ((CLOSED, range(10)), (OPEN, range(40, 45))):
            people = clocks.table({number: frozenset() if number == 9 else YES for number in some})
            load(self.collection, clocks.statement(dataset), people, [clocks.source_of(some)], "GRCh38")
        with self.collection.engine.begin() as connection:
            store_permit(connection, clocks.permit(ONE))
            register_environment(connection, ONE, KEY.public_bytes_raw(), "workspace", "operator")
        self.files = Kept()
        keys = SigningKeys.open(folder / "keys")
        tickets = Tickets(keys.sign, keys.key_set(), "node.ee", 900)
        self.delivery = Delivery(self.collection, self.files, tickets)  # type: ignore[arg-type]  # `Kept` opens nothing

    def moves(self, dataset: DatasetId, state: DatasetState) -> None:
        with self.collection.engine.begin() as connection:
            move_dataset(connection, dataset, state)
        self.collection.refresh()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One of which nothing but files changes, each test's its own."""
    return World(tmp_path_factory.mktemp("still"))


def refusal(ask: Callable[[], object]) -> type[MegagenomeError] | None:
    """What kind of refusal is raised; None where none is."""
    try:
        ask()
    except MegagenomeError as error:
        return type(error)
    return None


@pytest.mark.parametrize(
    ("dataset", "kind", "samples", "public", "mallory", "alice"),
    [
        (OPEN, "BAM", ("P40",), None, None, None),
        (OPEN, "VCF", ("P40", "P41"), None, None, None),
        (OPEN, "BAM", (), NotFound, NotFound, NotFound),  # nobody's
        (OPEN, "BAM", ("P1",), NotFound, NotFound, NotFound),  # of somebody whom the dataset does not have
        (OPEN, "BAM", ("P40", "P1"), NotFound, NotFound, NotFound),
        (CLOSED, "BAM", ("P1",), Unauthenticated, NotEntitled, None),
        (CLOSED, "CRAM", ("P1", "P2"), Unauthenticated, NotEntitled, None),
        (CLOSED, "BAM", ("P9",), Unauthenticated, NotEntitled, NotFound),  # who said no
        (CLOSED, "BAM", ("P1", "P9"), Unauthenticated, NotEntitled, NotFound),
        (CLOSED, "BAM", ("P40",), Unauthenticated, NotEntitled, NotFound),
        (CLOSED, "BAM", (), Unauthenticated, NotEntitled, NotFound),
        (CLOSED, "VCF", ("P1",), Unauthenticated, NotEntitled, NotFound),  # it names people
        (DatasetId("NONE"), "BAM", ("P1",), NotFound, NotFound, NotFound),
    ],
)
def test_who_finds_a_file(
    still: World,
    dataset: DatasetId,
    kind: str,
    samples: tuple[str, ...],
    public: type[MegagenomeError] | None,
    mallory: type[MegagenomeError] | None,
    alice: type[MegagenomeError] | None,
) -> None:
    file = still.files.add(dataset, kind, *samples)
    index = still.files.add(dataset, "BAI", *samples, of=file)
    nameless = still.files.add(dataset, "BAI", of=file)
    for caller, expected in ((PUBLIC, public), (MALLORY, mallory), (ALICE, alice)):
        for each in (file, index):
            assert refusal(partial(still.delivery.find, caller, each, Terms())) is expected
        # an index that names nobody is nobody's, whatever its file
        assert refusal(partial(still.delivery.find, caller, nameless, Terms())) is (expected or NotFound)


@pytest.mark.parametrize("state", [each for each in FileState if each is not FileState.READY])
@pytest.mark.parametrize("caller", [PUBLIC, MALLORY, ALICE])
def test_what_is_not_ready_is_not_there_in_the_same_words(still: World, state: FileState, caller: Caller) -> None:
    said = set()
    for dataset, sample in ((OPEN, "P40"), (CLOSED, "P1")):
        file = still.files.add(dataset, "BAM", sample)
        still.files.become(file, state)
        for asked in (file, str(new_file_id()), "../etc/passwd"):
            with pytest.raises(NotFound) as refused:
                still.delivery.find(caller, asked, Terms())
            said.add(str(refused.value).replace(asked, "X"))
    assert len(said) == 1


def test_a_withdrawn_dataset_has_no_files(world: World) -> None:
    files = [world.files.add(OPEN, "BAM", "P40"), world.files.add(CLOSED, "BAM", "P1")]
    for dataset in (OPEN, CLOSED):
        world.moves(dataset, DatasetState.WITHDRAWN)
    for file in files:
        for caller in (PUBLIC, MALLORY):
            assert refusal(partial(world.delivery.find, caller, file, Terms())) is NotFound
    assert refusal(lambda: world.delivery.find(ALICE, files[1], Terms())) is NotEntitled


def test_a_ticket_for_an_open_file_is_looked_at_again(world: World) -> None:
    file = world.files.add(OPEN, "BAM", "P40")
    plain = world.delivery.file_ticket(PUBLIC, file, Terms())
    sealed = world.delivery.file_ticket(PUBLIC, file, Terms(recipient=KEY, sealed=True))
    whole, other = world.delivery.redeem(plain.token, file), world.delivery.redeem(sealed.token, file)
    assert isinstance(whole, Whole)
    assert isinstance(other, Whole)
    assert (whole.size_bytes, other.size_bytes) == (10, 124 + 12 + 10 + 16)
    assert whole.etag == f'"{"0" * 64}"'
    assert other.etag == f'"{"1" * 64}-{fingerprint(KEY)}"'
    for token, place in ((plain.token, new_file_id()), (plain.token[:-2], file), ("", file)):
        assert refusal(partial(world.delivery.redeem, token, place)) is Unauthenticated
    world.files.become(file, FileState.WITHDRAWN)
    assert refusal(lambda: world.delivery.redeem(plain.token, file)) is NotFound
    world.files.become(file, FileState.READY)
    world.moves(OPEN, DatasetState.WITHDRAWN)
    assert refusal(lambda: world.delivery.redeem(plain.token, file)) is NotFound


def granted(world: World) -> Granted:
    return world.delivery.variants_ticket(ALICE, CLOSED, HEADER, Terms())


def ends_environment(world: World) -> None:
    with world.collection.engine.begin() as connection:
        end_environment(connection, ONE, KEY.public_bytes_raw())


def ends_permit(world: World) -> None:
    with world.collection.engine.begin() as connection:
        change_permit(connection, ONE, PermitState.REVOKED, "a breach")


def test_a_ticket_by_a_permit_is_good_while_that_is(world: World) -> None:
    ticket = granted(world)
    assert ticket.object == f"{CLOSED}/GRCh38"
    found = world.delivery.redeem(ticket.token, ticket.object)
    assert isinstance(found, Stream)
    assert found.name == f"{CLOSED}.vcf.gz.c4gh"
    assert refusal(lambda: world.delivery.redeem(ticket.token, f"{OPEN}/GRCh38")) is Unauthenticated


@pytest.mark.parametrize(
    "change", [ends_environment, ends_permit, lambda world: world.moves(CLOSED, DatasetState.WITHDRAWN)]
)
def test_a_ticket_by_a_permit_is_over_with_it(world: World, change: Callable[[World], None]) -> None:
    ticket = granted(world)
    change(world)
    assert refusal(lambda: world.delivery.redeem(ticket.token, ticket.object)) is NotEntitled
    assert refusal(lambda: granted(world)) is NotEntitled


def file(kind: str, *samples: str, of: FileId | None = None, state: FileState = FileState.READY) -> ArchivedFile:
    return ArchivedFile(new_file_id(), DatasetId("D"), "", kind, samples, of, 9, "", None, None, state, "", None)


def test_by_permit_reads_and_their_indexes_leave_and_of_open_data_whatever_is_somebodys() -> None:
    reads, variants, people = file("BAM", "S"), file("VCF", "S"), file("people-table")
    files = [reads, file("BAI", of=reads.id), variants, file("TBI", of=variants.id), people]
    assert leaving(files, is_open=False) == 2
    assert leaving(files, is_open=True) == 4
    waiting = [msgspec.structs.replace(each, state=FileState.VERIFIED) for each in files]
    assert leaving(waiting, is_open=True) == leaving(waiting, is_open=False) == leaving([], is_open=True) == 0
