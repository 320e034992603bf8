# SPDX-License-Identifier: Apache-2.0
"""Saved cohorts: each its owner's alone, the same definition once, and no application changes with them."""

import hashlib
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from megagenome.access import command_types as c
from megagenome.access import tables as t
from megagenome.access.cohorts import Cohorts
from megagenome.access.erasing import erase_person
from megagenome.access.settings import AccessSettings
from megagenome.access.store import Transaction
from megagenome.collection.cohort import Cohort, HasAge, HasSex, canonical
from megagenome.collection.model import Sex
from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.kernel.database import begin_erasing
from megagenome.kernel.errors import Conflict, Invalid, MegagenomeError, NotFound, TooLarge, Unauthenticated
from megagenome.standards.application import CohortRef
from megagenome.standards.federation import NodeStatus
from megagenome.standards.saved_cohort import NodeCount, RecountCohort, RenameCohort, SaveCohort, SavedCohort
from tests.access.hub import ADA, BEN, COHORT, DATASETS, DEFINITION, START, Hub, open_hub, person

pytestmark = pytest.mark.usefixtures("database")

ABSENT = "sha256:" + "0" * 64
TOLD = (
    NodeCount("node-ee", "Estonia", "EE", NodeStatus.ANSWERED, 12, 10),
    NodeCount("node-fi", "Finland", "FI", NodeStatus.WITHHELD, None, 10),
    NodeCount("node-se", "Sweden", "SE", NodeStatus.ANSWERED, 30, 0),
)


def order(cohort: Cohort = COHORT, title: str = "Women", **other: object) -> SaveCohort:
    """What the page of a counted cohort sends."""
    definition = msgspec.json.encode(canonical(cohort)).decode()
    digest = "sha256:" + hashlib.sha256(definition.encode()).hexdigest()
    fields: dict[str, object] = {"question": "sex=female", "title": title, "told": TOLD, **other}
    return msgspec.convert({"cohort": digest, "definition": definition, **fields}, SaveCohort)


@pytest.fixture
def cohorts(hub: Hub) -> Cohorts:
    return Cohorts(hub.store, hub.world)


def erase(hub: Hub, who: Caller) -> int | None:
    with begin_erasing(hub.store.engine) as connection:
        return erase_person(Transaction(connection), hub.world.attachments, str(who.subject), hub.now)


def titles(cohorts: Cohorts, caller: Caller) -> list[str]:
    return [each.title for each in cohorts.list(caller, 0, 50).cohorts]


def test_what_was_saved_is_what_was_counted(cohorts: Cohorts) -> None:
    saved = cohorts.save(ADA, order(title="  All\twomen\n ", note=" why\nnot "))
    assert saved == SavedCohort(
        CohortRef(order().cohort, DEFINITION), "All women", "why\nnot", "sex=female", START, TOLD
    )
    assert cohorts.find(ADA, saved.cohort.id) == saved
    assert saved.count() == 42


def test_the_same_definition_is_one_cohort_as_it_was_saved_first(hub: Hub, cohorts: Cohorts) -> None:
    first = cohorts.save(ADA, order())
    hub.pass_time(days=1)
    assert cohorts.save(ADA, order(title="Again", told=())) == first
    assert cohorts.save(BEN, order(title="Ben's")).title == "Ben's"
    assert titles(cohorts, ADA) == ["Women"]


def test_the_newest_stand_first_in_pages(hub: Hub, cohorts: Cohorts) -> None:
    for years in range(5):
        cohorts.save(ADA, order(HasAge(years), title=f"from {years}"))
        hub.pass_time(minutes=1)
    page = cohorts.list(ADA, 1, 2)
    assert (page.total, page.skip, [each.title for each in page.cohorts]) == (5, 1, ["from 3", "from 2"])
    assert cohorts.list(BEN, 0, 50).total == 0


def test_a_cohort_is_renamed_and_deleted(cohorts: Cohorts) -> None:
    saved = cohorts.save(ADA, order())
    renamed = cohorts.rename(ADA, saved.cohort.id, RenameCohort("Others", "a note"))
    assert renamed == msgspec.structs.replace(saved, title="Others", note="a note")
    assert cohorts.find(ADA, saved.cohort.id) == renamed
    assert cohorts.delete(ADA, saved.cohort.id) == renamed
    assert titles(cohorts, ADA) == []
    assert cohorts.save(ADA, order(title="anew")).title == "anew"


def test_a_cohort_is_recounted(hub: Hub, cohorts: Cohorts) -> None:
    cohorts.save(BEN, order())
    saved = cohorts.save(ADA, order())
    hub.pass_time(days=3)
    now = cohorts.recount(ADA, saved.cohort.id, RecountCohort(TOLD[:1]))
    later = START + timedelta(days=3)
    assert now == msgspec.structs.replace(saved, told=TOLD[:1], saved=later) == cohorts.find(ADA, saved.cohort.id)
    assert cohorts.find(BEN, saved.cohort.id).told == TOLD


@pytest.mark.parametrize("role", [None, *Role])
def test_what_others_saved_is_as_what_nobody_did(hub: Hub, cohorts: Cohorts, role: Role | None) -> None:
    theirs = cohorts.save(ADA, order()).cohort.id
    caller = person("Eve", *([role] if role else []))
    naming = RenameCohort("mine now")

    def refusals(cohort: str) -> list[str]:
        found = []
        for act in (
            lambda: cohorts.find(caller, cohort),
            lambda: cohorts.rename(caller, cohort, naming),
            lambda: cohorts.recount(caller, cohort, RecountCohort(())),
            lambda: cohorts.delete(caller, cohort),
        ):
            with pytest.raises(NotFound) as error:
                act()
            found.append(str(error.value).replace(cohort, "…"))
        return found

    assert refusals(theirs) == refusals(ABSENT)
    cohorts.save(caller, order(HasSex(Sex.MALE)))  # who has others is told no more
    assert refusals(theirs) == refusals(ABSENT)
    assert titles(cohorts, ADA) == ["Women"]


def test_the_public_has_none(cohorts: Cohorts) -> None:
    theirs = cohorts.save(ADA, order()).cohort.id
    for act in (
        lambda: cohorts.list(PUBLIC, 0, 50),
        lambda: cohorts.find(PUBLIC, theirs),
        lambda: cohorts.save(PUBLIC, order()),
        lambda: cohorts.rename(PUBLIC, theirs, RenameCohort("x")),
        lambda: cohorts.recount(PUBLIC, theirs, RecountCohort(())),
        lambda: cohorts.delete(PUBLIC, theirs),
    ):
        with pytest.raises(Unauthenticated):
            act()


@pytest.mark.parametrize(
    "changed",
    [
        {"cohort": ABSENT},
        {"definition": DEFINITION + " "},  # means the same, and is not the canonical text
        {"definition": '{"type":"all","parts":[{"type":"sex","sex":"female"}]}'},
        {"title": "a\0b"},
        {"note": "\0"},
    ],
)
def test_what_is_no_cohort_is_not_saved(cohorts: Cohorts, changed: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        cohorts.save(ADA, msgspec.structs.replace(order(), **changed))
    assert titles(cohorts, ADA) == []


def test_a_person_saves_as_many_as_the_hub_keeps(tmp_path: Path) -> None:
    with open_hub(tmp_path, AccessSettings(saved_cohorts=2)) as hub:
        cohorts = Cohorts(hub.store, hub.world)
        saved = [cohorts.save(ADA, order(HasAge(years))) for years in range(2)]
        with pytest.raises(TooLarge, match=r"saved 2 cohorts.*delete one first"):
            cohorts.save(ADA, order(HasAge(2)))
        assert cohorts.save(ADA, order(HasAge(1))) == saved[1]  # what is there needs no room
        assert cohorts.save(BEN, order(HasAge(2))).title == "Women"
        assert cohorts.list(ADA, 0, 50).most == 2
        cohorts.delete(ADA, saved[0].cohort.id)
        cohorts.save(ADA, order(HasAge(2)))


def test_nobody_fills_the_hub_with_what_nodes_told(cohorts: Cohorts) -> None:
    few, many = (tuple(NodeCount(f"n{k}", "x" * 300, "EE", NodeStatus.ANSWERED) for k in range(n)) for n in (200, 500))
    with pytest.raises(TooLarge, match="what the nodes told"):
        cohorts.save(ADA, order(told=many))
    assert cohorts.list(ADA, 0, 50).total == 0
    assert cohorts.save(ADA, order(told=few)).told == few


def test_an_application_keeps_the_cohort_that_it_was_begun_with(hub: Hub, cohorts: Cohorts) -> None:
    saved = cohorts.save(ADA, order())
    create = c.Create(hub.id(), saved.cohort.id, DATASETS, "data-access")
    begun = hub.process.create(ADA, create)
    cohorts.rename(ADA, saved.cohort.id, RenameCohort("Others"))
    cohorts.delete(ADA, saved.cohort.id)
    assert hub.show(ADA, begun.application).cohort == saved.cohort == CohortRef(order().cohort, DEFINITION)
    assert hub.process.create(ADA, create) == begun  # sent again, after the cohort is gone
    with pytest.raises(NotFound, match="saved no cohort"):
        hub.process.create(ADA, c.Create(hub.id(), saved.cohort.id, DATASETS, "data-access"))


def test_nobody_applies_with_a_cohort_that_somebody_else_saved(hub: Hub, cohorts: Cohorts) -> None:
    theirs = cohorts.save(ADA, order()).cohort.id
    messages = []
    for cohort in (theirs, ABSENT):
        with pytest.raises(NotFound) as error:
            hub.process.create(BEN, c.Create(hub.id(), cohort, DATASETS, "data-access"))
        messages.append(str(error.value).replace(cohort, "…"))
    assert messages[0] == messages[1]


def test_a_person_is_erased_with_their_cohorts(tmp_path: Path) -> None:
    with open_hub(tmp_path) as hub:
        cohorts = Cohorts(hub.store, hub.world)
        cohorts.save(ADA, order(title="Zebrafish", note="Quagga"))
        cohorts.save(BEN, order(title="Ben's"))
        assert erase(hub, ADA) == 0
        with hub.store.engine.connect() as connection:
            assert connection.scalars(sa.select(t.cohort.c.title)).all() == ["Ben's"]
        assert titles(cohorts, ADA) == []
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert [word for word in (b"Zebrafish", b"Quagga", b"ada@") if word in left] == []


def test_nobody_is_erased_by_half(hub: Hub, cohorts: Cohorts) -> None:
    hub.active()  # first: it may copy where another test's hub was led
    cohorts.save(ADA, order())
    with pytest.raises(Conflict):
        erase(hub, ADA)
    assert titles(cohorts, ADA) == ["Women"]


@pytest.mark.parametrize("cohort", ["", "x", "sha256:", "../applications", "sha256:" + "g" * 64, "\0"])
def test_no_id_is_an_error_of_ours(cohorts: Cohorts, cohort: str) -> None:
    with pytest.raises(MegagenomeError):
        cohorts.find(ADA, cohort)
