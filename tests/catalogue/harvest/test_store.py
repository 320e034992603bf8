# SPDX-License-Identifier: Apache-2.0
"""What is kept of harvests: the last good version of each description, and of what is gone no more than its name."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from megagenome.catalogue.harvest import tables as t
from megagenome.catalogue.harvest.find import Finder, Question, question
from megagenome.catalogue.harvest.model import Known, Outcome, Visited
from megagenome.catalogue.harvest.store import Store, folded, title_of
from megagenome.standards.harvested import Described, Labelled
from tests.catalogue.harvest.visits import BEGAN, POINT, URL, at, fault, read, same, walked, way

pytestmark = pytest.mark.usefixtures("database")

NAMES = ("a", "b", "c")


@pytest.fixture
def store(engine: sa.Engine) -> Store:
    made = Store(engine)
    made.add_point(POINT)
    return made


def shown(store: Store, *, is_gone: bool = False) -> set[str]:
    found = Finder(store.engine).find(Question(is_gone=is_gone), 0, 100)
    return {line.title.removeprefix("Title of ") for line in found.datasets}


def rows(store: Store, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    with store.engine.connect() as connection:
        return list(connection.execute(sa.select(table)))


def test_points_are_those_that_are_named_and_what_a_command_named_stays(store: Store) -> None:
    node = POINT._replace(id="n1", node="node.ee", by="node", name="Estonia")
    other = POINT._replace(id="s1", by="settings", name="Other")
    store.name_points([node, other], ("node", "settings"))
    assert store.points() == (node, POINT, other)  # nodes first
    renamed = node._replace(name="Eesti", url="https://new.example.org", hosts=("x.example",))
    store.name_points([renamed], ("node", "settings"))
    assert store.points() == (renamed, POINT)
    before = rows(store, t.point)
    store.name_points([renamed], ("node", "settings"))
    assert rows(store, t.point) == before
    store.name_points([renamed, other], ("node", "settings"))
    assert store.points() == (renamed, POINT, other)


def test_a_dataset_is_made_of_its_own_description_and_those_of_its_ways(store: Store) -> None:
    beacon, files = f"{URL}/way/1", f"{URL}/way/2"
    store.keep(POINT, [read("a", children=(beacon, files)), way(beacon, "Counts")])
    store.settle(POINT, walked("a", more=[beacon, files]), (), BEGAN)
    [line] = Finder(store.engine).find(Question(), 0, 10).datasets
    assert [each.title for each in Finder(store.engine).view(line.id).described.ways] == ["Counts"]
    store.keep(POINT, [same("a"), way(files, "Files")])
    store.settle(POINT, walked("a", more=[beacon, files]), (), BEGAN)
    assert [each.title for each in Finder(store.engine).view(line.id).described.ways] == ["Counts", "Files"]


def test_what_could_not_be_had_keeps_its_last_good_version(store: Store) -> None:
    store.keep(POINT, [read("a"), fault("b")])
    store.settle(POINT, walked("ab", problem="some"), (), BEGAN)
    known = store.known(POINT)
    assert set(known) == {at("a")}  # of the other there never was one
    assert isinstance(known[at("a")], Known)
    store.keep(POINT, [fault("a", "x" * 5_000), fault("b")])
    assert store.known(POINT) == known
    store.settle(POINT, walked("ab", problem="some"), (), BEGAN)
    [line] = Finder(store.engine).find(Question(), 0, 10).datasets
    assert len(Finder(store.engine).view(line.id).problem) == 500
    store.keep(POINT, [same("a")])
    store.settle(POINT, walked("ab"), (), BEGAN)
    assert Finder(store.engine).view(line.id).problem == ""


def test_nothing_but_name_and_identifiers_is_left_of_what_is_gone(store: Store) -> None:
    said = Described(
        title="Title of a",
        description="Secret plan",
        keywords=("secret",),
        identifiers=("GDI-1",),
        access="PUBLIC",
        categories=(Labelled("HEAL", "Health"),),
    )
    store.keep(POINT, [read("a", said)])
    store.settle(POINT, walked("a"), (), BEGAN)
    assert len(rows(store, t.facet)) == 2
    store.settle(POINT, walked(""), (), BEGAN)
    left = "".join(map(str, [*rows(store, t.dataset), *rows(store, t.document), *rows(store, t.facet)]))
    assert "ecret" not in left
    assert "HEAL" not in left
    assert "GDI-1" in left
    assert Finder(store.engine).find(question("secret", {}, is_gone=True), 0, 10).total == 0


def test_a_catalogue_that_is_removed_while_it_is_harvested_stays_away(store: Store) -> None:
    store.keep(POINT, [read("a")])
    store.remove_point(POINT)
    store.keep(POINT, [read("b")])
    store.settle(POINT, walked("ab"), (), BEGAN)
    assert shown(store) == set()
    assert rows(store, t.document) == []
    assert store.points() == ()


def test_a_look_is_noted_unless_something_is_wrong(store: Store) -> None:
    store.note_look(POINT, "2026-02-01T00:00:00.000000+00:00")
    assert Finder(store.engine).sources()[0].succeeded.startswith("2026-02-01")
    store.note_failure(POINT, "2026-02-02T00:00:00.000000+00:00", "a fault")
    store.note_look(POINT, "2026-02-03T00:00:00.000000+00:00")
    [source] = Finder(store.engine).sources()
    assert (source.tried[:10], source.succeeded[:10], source.problem) == ("2026-02-02", "2026-02-01", "a fault")


def test_more_than_one_statement_takes_is_kept_and_forgotten(store: Store) -> None:
    many = [f"d{n:03}" for n in range(450)]
    store.keep(POINT, [read(each) for each in many])
    store.settle(POINT, walked(many), (), BEGAN)
    store.keep(POINT, [fault(each) for each in many])
    store.keep(POINT, [same(each) for each in many])
    assert not [row for row in rows(store, t.document) if row.problem]
    store.settle(POINT, walked(many[:1]), (), BEGAN)
    assert shown(store) == {"d000"}
    assert len(rows(store, t.dataset)) == 450


HARVESTS = st.lists(
    st.tuples(
        st.fixed_dictionaries({name: st.sampled_from(["read", "fault", "same", "gone", "unlisted"]) for name in NAMES}),
        st.booleans(),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(harvests=HARVESTS)
def test_after_any_harvests_it_shows_what_was_read_and_not_said_to_be_gone(
    engine: sa.Engine, harvests: list[tuple[dict[str, str], bool]]
) -> None:
    with engine.begin() as connection:
        for table in reversed(t.METADATA.sorted_tables):
            connection.execute(sa.delete(table))
    store = Store(engine)
    store.add_point(POINT)
    expected, ever = set[str](), set[str]()
    for outcomes, is_whole in harvests:
        here = {"read": read, "fault": fault, "same": same, "gone": lambda n: Visited(at(n), Outcome.GONE)}
        store.keep(POINT, [here[each](name) for name, each in outcomes.items() if each in here])
        gone = [at(name) for name, each in outcomes.items() if each == "gone"]
        listed = [name for name, each in outcomes.items() if each != "unlisted"]
        store.settle(POINT, walked(listed, is_whole=is_whole), gone, BEGAN)
        expected |= {name for name, each in outcomes.items() if each == "read"}
        ever |= expected
        expected -= {name for name, each in outcomes.items() if each == "gone" or (each == "unlisted" and is_whole)}
    assert shown(store) == expected
    assert shown(store, is_gone=True) == ever - expected


def test_words_are_looked_for_without_case_and_accents() -> None:
    assert folded("ÉPILEPSIE Straße ﬁx") == "epilepsie strasse fix"


def test_what_has_no_title_is_called_by_its_identifier_or_address() -> None:
    assert title_of(Described(title="T", identifiers=("I",)), "https://x/y") == "T"
    assert title_of(Described(identifiers=("I",)), "https://x/y") == "I"
    assert title_of(Described(), "https://x/y/") == "y"
    assert len(title_of(Described(title="x" * 2_000), "")) == 1_000
