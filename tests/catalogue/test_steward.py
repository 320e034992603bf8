# SPDX-License-Identifier: Apache-2.0
"""What data stewards do, and nobody else, in Python and over HTTP."""

from datetime import timedelta

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from litestar.types import ASGIApp, Receive, Scope, Send

from megagenome.catalogue.preview import Previews
from megagenome.catalogue.steward import Stewardship
from megagenome.catalogue.steward_routes import steward_router
from megagenome.collection import Collection, publication
from megagenome.collection.datasets import move_dataset
from megagenome.collection.model import DatasetState
from megagenome.kernel import clock
from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled, NotFound, Unauthenticated, Unavailable
from megagenome.standards.catalogue_pages import StewardView, ToWrite
from megagenome.standards.dataset_record import DatasetRecord, Party, decode_record, with_value
from megagenome.synthetic.governance import made_up_record
from tests.catalogue.samples import CLOSED, DRAFT, OPEN
from tests.collection.clocks import NoJournal

pytestmark = [
    pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.usefixtures("database"),
]

STEWARD = Caller("sofia@idp", "Sofia", frozenset({Role.DATA_STEWARD}))
OTHERS = Caller("x@idp", "X", frozenset(Role) - {Role.DATA_STEWARD})
RECORD = made_up_record(CLOSED, country="EE")


def state(collection: Collection, dataset: str = CLOSED) -> str:
    collection.refresh()
    return next(each.state for each in collection.snapshot().datasets if each.id == dataset)


def test_a_steward_sees_what_is_left_to_state(stewardship: Stewardship) -> None:
    lines = {each.id: each for each in stewardship.datasets(STEWARD)}
    assert set(lines) == {CLOSED, OPEN, DRAFT}
    assert (lines[OPEN].missing, lines[OPEN].state) == (0, "published")
    assert lines[CLOSED].missing > 20
    stewardship.write(STEWARD, CLOSED, ToWrite(with_value(RECORD, "keywords", ()), draft=True))
    [line] = [each for each in stewardship.datasets(STEWARD) if each.id == CLOSED]
    assert (line.has_draft, line.version, line.missing) == (True, 0, 1)
    view = stewardship.view(STEWARD, CLOSED)
    assert [problem.field for problem in view.problems] == ["keywords"]
    assert [each.by for each in view.history] == ["sofia@idp"]


def test_an_id_by_gdis_pattern_is_stated_already(stewardship: Stewardship) -> None:
    for dataset in (CLOSED, DRAFT):
        view = stewardship.view(STEWARD, dataset)
        is_gdis = "identifier" not in {problem.field for problem in view.problems}
        assert view.record.identifier == (dataset if dataset.startswith("GDI-") else "")
        assert is_gdis is dataset.startswith("GDI-")


def test_of_each_dataset_one_record_is_read(stewardship: Stewardship, monkeypatch: pytest.MonkeyPatch) -> None:
    stewardship.write(STEWARD, CLOSED, ToWrite(RECORD))
    for keywords in (("a",), ("b",), ("c",)):
        stewardship.write(STEWARD, CLOSED, ToWrite(with_value(RECORD, "keywords", keywords), draft=True))
    read: list[str] = []

    def noting(text: str) -> DatasetRecord:
        read.append(text)
        return decode_record(text)

    monkeypatch.setattr(publication, "decode_record", noting)
    with stewardship.collection.engine.connect() as connection:
        assert publication.missing_of(connection, DRAFT)
    assert read == []  # it has none, and those of others are not its own
    assert len(stewardship.datasets(STEWARD)) == 3
    assert len(read) <= 3


def test_nobody_else_does_anything(stewardship: Stewardship) -> None:
    for caller, refusal in ((PUBLIC, Unauthenticated), (OTHERS, NotEntitled)):
        with pytest.raises(refusal):
            stewardship.datasets(caller)
        with pytest.raises(refusal):
            stewardship.view(caller, OPEN)
        with pytest.raises(refusal):
            stewardship.write(caller, OPEN, ToWrite(RECORD))
        with pytest.raises(refusal):
            stewardship.move(caller, OPEN, "withdrawn")
    assert state(stewardship.collection, OPEN) == DatasetState.PUBLISHED


def test_one_act_publishes(stewardship: Stewardship) -> None:
    with pytest.raises(Conflict, match="ethics approval"):
        stewardship.move(STEWARD, CLOSED, "published")
    assert state(stewardship.collection) == DatasetState.DRAFT
    assert stewardship.write(STEWARD, CLOSED, ToWrite(RECORD)).version == 1
    assert stewardship.move(STEWARD, CLOSED, "published") == "draft"
    assert state(stewardship.collection) == DatasetState.PUBLISHED
    assert stewardship.move(STEWARD, CLOSED, "withdrawn") == "published"
    assert stewardship.move(STEWARD, CLOSED, "published") == "withdrawn"
    with stewardship.collection.engine.begin() as connection:
        move_dataset(connection, CLOSED, DatasetState.WITHDRAWN)  # by another process
    assert stewardship.move(STEWARD, CLOSED, "published") == "withdrawn"
    for wrong in ("approved", "draft", ""):
        with pytest.raises(Invalid):
            stewardship.move(STEWARD, CLOSED, wrong)
    with pytest.raises(NotFound):
        stewardship.move(STEWARD, "NONE", "published")


def test_who_moved_a_dataset_is_entered_and_nothing_that_was_refused(stewardship: Stewardship) -> None:
    journal = stewardship.collection.journal = NoJournal()
    with pytest.raises(Conflict):
        stewardship.move(STEWARD, CLOSED, "published")
    assert journal.moved == []
    stewardship.write(STEWARD, CLOSED, ToWrite(RECORD))
    for to in ("published", "published", "withdrawn", "published"):
        stewardship.move(STEWARD, CLOSED, to)
    moves = [("draft", "published"), ("published", "withdrawn"), ("withdrawn", "published")]
    assert journal.moved == [("sofia@idp", "Sofia", CLOSED, *move) for move in moves]


def test_what_cannot_be_entered_is_not_published(stewardship: Stewardship, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise Unavailable("the ledger cannot be written")

    journal = stewardship.collection.journal = NoJournal()
    monkeypatch.setattr(journal, "enter_state", full)
    stewardship.write(STEWARD, CLOSED, ToWrite(RECORD))
    with pytest.raises(Unavailable):
        stewardship.move(STEWARD, CLOSED, "published")
    assert state(stewardship.collection) == DatasetState.DRAFT


def test_nobody_approves_on_a_day_that_is_still_to_come(stewardship: Stewardship) -> None:
    for field in ("governance.ethics.on", "governance.sign_off.on"):
        later = (clock.now() + timedelta(days=2)).date().isoformat()
        written = stewardship.write(STEWARD, CLOSED, ToWrite(with_value(RECORD, field, later)))
        assert [(each.field, each.says) for each in written.problems] == [(field, "This day is still to come")]
        assert stewardship.view(STEWARD, CLOSED).history == ()


def test_what_stands_against_a_record_is_said_and_nothing_is_written(stewardship: Stewardship) -> None:
    written = stewardship.write(STEWARD, CLOSED, ToWrite(with_value(RECORD, "publisher", Party("Biobank"))))
    assert written.version == 0
    assert [problem.field for problem in written.problems] == ["publisher.email", "publisher.url"]
    assert stewardship.view(STEWARD, CLOSED).history == ()
    # of open data only the shapes have something to say
    [found] = stewardship.write(STEWARD, OPEN, ToWrite(DatasetRecord(health_categories=()))).problems
    assert found.field == "health_categories"


def test_a_record_that_a_load_brings_is_held_to_the_same(stewardship: Stewardship) -> None:
    new = "GDI-EE-NEW-1"
    assert stewardship.check_new(new, made_up_record(new), is_open=False) == ()
    [found] = stewardship.check_new(new, made_up_record(new), is_open=True) or [None]
    assert found is None
    [found] = stewardship.check_new(OPEN, DatasetRecord(themes=()), is_open=True)
    assert found.field == "themes"


def client(stewardship: Stewardship, previews: Previews, caller: Caller) -> TestClient[Litestar]:
    def middleware(app: ASGIApp) -> ASGIApp:
        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            scope["caller"] = caller
            await app(scope, receive, send)

        return run

    return TestClient(Litestar([steward_router(stewardship, previews)], middleware=[middleware], openapi_config=None))


def test_the_same_over_http(stewardship: Stewardship, previews: Previews) -> None:
    with client(stewardship, previews, STEWARD) as http:
        assert {each["id"] for each in http.get("/metadata").json()} == {CLOSED, OPEN, DRAFT}
        sent = msgspec.to_builtins(ToWrite(RECORD))
        assert http.post(f"/metadata/{CLOSED}", json=sent).json() == {"version": 1, "problems": []}
        assert http.post(f"/metadata/{CLOSED}/state", json={"to": "published"}).json()["is"] == "published"
        view = msgspec.json.decode(http.get(f"/metadata/{CLOSED}").content, type=StewardView)
        assert (view.record, view.state, view.problems) == (RECORD, "published", ())
        assert http.get("/metadata/NONE").status_code == 404
        assert http.post(f"/metadata/{CLOSED}/state", json={"to": "draft"}).status_code == 400
        assert http.post(f"/metadata/{CLOSED}", json={"record": {"titel": "A"}}).status_code == 400
        assert http.post(f"/metadata/{CLOSED}", content="{}", headers={"content-type": "text/plain"}).status_code == 400
        assert http.post(f"/metadata/{DRAFT}/state", json={"to": "published"}).status_code == 409
    for caller, status in ((PUBLIC, 401), (OTHERS, 403)):
        with client(stewardship, previews, caller) as http:
            assert http.get("/metadata").status_code == status
            assert http.post(f"/metadata/{OPEN}/state", json={"to": "withdrawn"}).status_code == status
