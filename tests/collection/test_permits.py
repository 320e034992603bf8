# SPDX-License-Identifier: Apache-2.0
"""What a permit is here, who may read by it, and that what ended stays so."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection.cohort import All, FromCountry, HasSex, cohort_id
from megagenome.collection.collection import Collection
from megagenome.collection.datasets import move_dataset
from megagenome.collection.load import load
from megagenome.collection.model import DatasetState, Sex, Use
from megagenome.collection.people import YES
from megagenome.collection.permits import (
    change_permit,
    granted_permit,
    read_permit,
    read_permits,
    require_permit,
    store_permit,
    take_back,
)
from megagenome.collection.tables import collection_version
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled, NotFound, Unavailable
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.standards.permit import (
    CountryDecision,
    DatasetDecision,
    PermitDataset,
    PermitDocument,
    PermitPerson,
    PermitState,
    Verdict,
    digest,
)
from tests.collection import clocks
from tests.collection.clocks import ALICE, CLOSED, MALLORY, OTHER
from tests.collection.memory import empty_tables

ONE = PermitId("permit-1")
STRANGER = "there is no permit with this id by which you may read here"
ACTIVE, SUSPENDED, REVOKED = PermitState


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two datasets, and a permit of Alice's for one of them."""
    folder = tmp_path_factory.mktemp("made") / "node"
    collection = Collection.create(folder, lambda _: None)
    for dataset in (CLOSED, OTHER):
        consents = dict.fromkeys(range(20), YES)
        load(collection, clocks.statement(dataset), clocks.table(consents), [clocks.source_of(range(20))], "GRCh38")
    grant(collection)
    collection.close()
    return folder


@pytest.fixture
def node(made: Path, copy_of: Callable[[Path], Collection]) -> Collection:
    """The same, the test's own."""
    collection = copy_of(made)
    collection.journal = clocks.NoJournal()
    return collection


def grant(collection: Collection, **other: object) -> None:
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(**other))


def change(collection: Collection, state: PermitState, sequence: int | None = None) -> bool:
    with collection.engine.begin() as connection:
        return change_permit(connection, ONE, state, "a breach", sequence=sequence)


def refused(collection: Collection, caller: Caller = ALICE, use: Use = Use.RESEARCH, permit: str = ONE) -> str:
    """Why the door stays closed; empty where it opens."""
    try:
        collection.open(caller, use, permit=PermitId(permit))
    except NotEntitled as error:
        return str(error)
    return ""


def test_its_people_read_by_it(node: Collection) -> None:
    assert refused(node) == ""
    assert node.open(ALICE, Use.RESEARCH, permit=ONE).datasets[0].id == CLOSED


@pytest.mark.parametrize("use", [use for use in Use if use is not Use.AGGREGATES])
def test_without_a_permit_there_are_aggregates_only(node: Collection, use: Use) -> None:
    for caller in (PUBLIC, ALICE, MALLORY):
        with pytest.raises(NotEntitled, match=f"{use} needs a permit"):
            node.open(caller, use)


Spoil = Callable[[Collection], object]
LATER, EARLIER = timedelta(days=2), timedelta(days=-2)


def store(**other: object) -> Spoil:
    return lambda collection: grant(collection, identity="permit-2", **other)


def end(state: PermitState) -> Spoil:
    return lambda collection: change(collection, state)


def take(collection: Collection) -> None:
    with collection.engine.begin() as connection:
        take_back(connection, ONE, DatasetId(CLOSED), "no longer")


def withdraw(collection: Collection) -> None:
    with collection.engine.begin() as connection:
        move_dataset(connection, DatasetId(CLOSED), DatasetState.WITHDRAWN)
    collection.refresh()


NOW = datetime.now(UTC)
REFUSALS: list[tuple[str, Spoil, str, str]] = [
    ("not yet", store(not_before=NOW + LATER / 2), "permit-2", "it begins at"),
    ("over", store(not_before=NOW + 2 * EARLIER, expires=NOW + EARLIER), "permit-2", "it ended at"),
    ("another use", store(uses=[Use.POLICY]), "permit-2", "it is for policy, not for research"),
    ("suspended", end(SUSPENDED), ONE, "it is suspended: a breach"),
    ("revoked", end(REVOKED), ONE, "it is revoked: a breach"),
    ("its datasets taken back", take, ONE, "none of its datasets can be read now"),
    ("its datasets withdrawn", withdraw, ONE, "none of its datasets can be read now"),
    ("no dataset of this node", store(datasets=["ELSEWHERE"]), "permit-2", "none of its datasets can be read now"),
]


@pytest.mark.parametrize(("spoil", "permit", "reason"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_its_own_people_are_told_why_and_strangers_nothing(
    node: Collection, spoil: Spoil, permit: str, reason: str
) -> None:
    spoil(node)
    assert reason in refused(node, permit=permit)
    for stranger in (MALLORY, PUBLIC, Caller("alice@example.org2")):
        assert refused(node, stranger, permit=permit) == STRANGER
    assert refused(node, permit="unknown") == STRANGER


def test_it_reads_approved_datasets_too_and_never_drafts(node: Collection) -> None:
    for state, reads in ((DatasetState.APPROVED, True), (DatasetState.DRAFT, False)):
        with node.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE dataset SET state = '{state}'")
            connection.execute(sa.update(collection_version).values(version=collection_version.c.version + 1))
        node.refresh()
        assert (refused(node) == "") is reads


def test_nothing_is_read_where_it_cannot_be_entered(node: Collection) -> None:
    node.journal = None
    with pytest.raises(Unavailable, match="journal"):
        node.open(ALICE, Use.RESEARCH, permit=ONE)


def test_each_reading_is_entered_before_it_is_given(node: Collection) -> None:
    journal = node.journal
    assert isinstance(journal, clocks.NoJournal)
    reading = node.open(ALICE, Use.RESEARCH, permit=ONE)
    assert journal.read == []
    reading.individuals(0, 7)
    reading.count_people()
    assert journal.read == [(ALICE.subject, ONE, CLOSED, Use.RESEARCH, n) for n in (7, 1)]

    def full(*_: object) -> None:
        raise OSError("disk full")

    journal.enter_read = full
    for ask in (
        reading.individuals,
        reading.count_people,
        lambda: reading.calls(Allele("GRCh38", *clocks.RECORDS[0][:3], "C")),
    ):
        with pytest.raises(OSError, match="disk full"):
            ask()


def test_storing_again_changes_nothing_and_another_document_is_refused(node: Collection) -> None:
    with node.engine.begin() as connection:
        before = read_permits(connection)
        store_permit(connection, clocks.permit())
        assert read_permits(connection)[0].secret == before[0].secret
        with pytest.raises(Conflict, match="another document"):
            store_permit(connection, clocks.permit(digest="sha256:other"))


def test_a_later_decision_adds_datasets_and_never_what_was_taken_back(node: Collection) -> None:
    with node.engine.begin() as connection:
        assert take_back(connection, ONE, DatasetId(CLOSED), "no longer")
        assert not take_back(connection, ONE, DatasetId(CLOSED), "again")
        store_permit(connection, clocks.permit(datasets=[CLOSED, OTHER], countersignature="d.e.f"))
        known = read_permit(connection, ONE)
        assert known is not None
        assert known.datasets == (OTHER,)
        with pytest.raises(NotFound):
            take_back(connection, ONE, DatasetId("NONE"), "")
    assert [each.id for each in node.open(ALICE, Use.RESEARCH, permit=ONE).datasets] == [OTHER]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"countersignature": ""}, "countersignature"),
        ({"datasets": []}, "no dataset"),
        ({"people": frozenset()}, "nobody"),
        ({"uses": [Use.RESEARCH, Use.AGGREGATES]}, "without a permit"),
        ({"expires": NOW + EARLIER, "not_before": NOW}, "ends before it begins"),
    ],
)
def test_what_could_never_work_is_not_stored(connection: sa.Connection, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        store_permit(connection, clocks.permit(**wrong))
    assert read_permits(connection) == ()


words = st.lists(
    st.tuples(st.sampled_from(PermitState), st.none() | st.integers(1, 6), st.just(0)) | st.just("stored"), max_size=8
)


@given(words)
def test_revoked_is_for_ever_and_older_words_change_nothing(said: list[object]) -> None:
    hub: tuple[int, PermitState] = (0, ACTIVE)
    own = ACTIVE
    with empty_tables() as connection:
        for each in said:
            if each == "stored":
                store_permit(connection, clocks.permit())
                continue
            state, sequence, _ = each
            change_permit(connection, ONE, state, "", sequence=sequence)
            if sequence is None:
                own = own if own is REVOKED else state
            elif sequence > hub[0]:
                hub = sequence, hub[1] if hub[1] is REVOKED else state
        store_permit(connection, clocks.permit())
        known = read_permit(connection, ONE)
        assert known is not None
        both = {hub[1], own}
        assert known.state is (REVOKED if REVOKED in both else SUSPENDED if SUSPENDED in both else ACTIVE)
        if known.state is ACTIVE:
            assert require_permit(connection, ONE, ALICE, Use.RESEARCH) == known


COHORT = All((HasSex(Sex.FEMALE), FromCountry("EE")))


def document(**other: object) -> PermitDocument:
    values = {
        "id": "permit-9", "hub": "hub", "application": "a", "cohort": cohort_id(COHORT),
        "definition": msgspec.json.encode(COHORT).decode(),
        "datasets": (PermitDataset("node.ee", "EE", "A"), PermitDataset("node.ee", "EE", "B"),
                     PermitDataset("node.fi", "FI", "C")),
        "uses": ("research",), "people": (PermitPerson("alice", "Alice"),), "starts": date(2025, 1, 1),
        "ends": date(2025, 12, 31), "conditions": ("one", "two"), "form_digest": "x", "proposed_at": NOW,
    }  # fmt: skip
    return PermitDocument(**(values | other))


def decision(of: PermitDocument, *verdicts: tuple[str, Verdict]) -> CountryDecision:
    decisions = tuple(DatasetDecision(dataset, verdict, "because") for dataset, verdict in verdicts)
    return CountryDecision(of.id, digest(of), "node.ee", "EE", decisions, "bob", NOW)


def test_a_document_and_its_decision_make_what_is_stored() -> None:
    whole = document()
    made = granted_permit(whole, decision(whole, ("A", Verdict.APPROVED), ("B", Verdict.REFUSED)), "a.b.c")
    assert (made.id, made.digest, made.datasets) == ("permit-9", digest(whole), ("A",))
    assert cohort_id(made.cohort) == whole.cohort
    assert (made.uses, made.people, made.conditions) == ({Use.RESEARCH}, {"alice"}, "one\ntwo")
    assert (made.not_before, made.expires) == (datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"uses": ("marketing",)}, "marketing"),
        ({"definition": '{"type":"sex","sex":"male"}'}, "id is not that of its definition"),
        ({"definition": '{"type":"nothing"}'}, "cannot be read"),
    ],
)
def test_a_document_that_contradicts_itself_is_refused(other: dict[str, object], message: str) -> None:
    wrong = document(**other)
    with pytest.raises(Invalid, match=message):
        granted_permit(wrong, decision(wrong, ("A", Verdict.APPROVED)), "a.b.c")


def test_a_decision_of_another_document_or_dataset_is_refused() -> None:
    whole = document()
    with pytest.raises(Invalid, match="another document"):
        granted_permit(whole, decision(document(uses=("policy",)), ("A", Verdict.APPROVED)), "a.b.c")
    with pytest.raises(Invalid, match="does not name at this node"):
        granted_permit(whole, decision(whole, ("C", Verdict.APPROVED)), "a.b.c")
