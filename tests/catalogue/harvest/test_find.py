# SPDX-License-Identifier: Apache-2.0
"""Finding among what was harvested: the same as going through all datasets one by one."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from megagenome.catalogue.harvest.find import Finder, Question, question
from megagenome.catalogue.harvest.model import Point, dataset_id, point_id
from megagenome.catalogue.harvest.store import Store
from megagenome.kernel.errors import Invalid, NotFound
from megagenome.standards.harvested import Described, Labelled
from tests.catalogue.harvest.visits import BEGAN, POINT, at, read, walked

pytestmark = pytest.mark.usefixtures("database")

NODE_URL = "https://node.example.org"
NODE = Point(point_id("", "node.ee"), f"{NODE_URL}/fairdp", "Estonia", "EE", "node.ee", (), "node")
TITLES = ("Épilepsie", "epilepsy of 100%", "heart_1", "HEART 2", "heart\\3")
ACCESS = ("", "PUBLIC", "NON_PUBLIC")
CATEGORIES = ("HEAL", "human-genomic", "x%y")
DESCRIBED = st.lists(
    st.builds(
        lambda n, title, access, categories: Described(
            title=f"{title} {n}", access=access, categories=tuple(Labelled(each, each.upper()) for each in categories)
        ),
        st.integers(0, 99),
        st.sampled_from(TITLES),
        st.sampled_from(ACCESS),
        st.lists(st.sampled_from(CATEGORIES), unique=True),
    ),
    max_size=8,
)


def fill(engine: sa.Engine, *described: Described, point: Point = POINT) -> Finder:
    store = Store(engine)
    store.add_point(point)
    names = [f"d{n}" for n in range(len(described))]
    visited = [read(name, said) for name, said in zip(names, described, strict=True)]
    store.keep(point, visited)
    store.settle(point, walked(names), (), BEGAN)
    return Finder(engine)


def plain(text: str) -> str:
    return text.casefold().replace("é", "e")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    described=DESCRIBED,
    text=st.sampled_from(["", "epil", "EPILEPSIE", "100%", "heart 1", "heart_", "\\", "%", "_", "nothing"]),
    access=st.lists(st.sampled_from(ACCESS[1:]), unique=True),
    category=st.lists(st.sampled_from(CATEGORIES), unique=True),
)
def test_words_and_facets_find_what_a_look_at_each_finds(
    engine: sa.Engine, described: list[Described], text: str, access: list[str], category: list[str]
) -> None:
    finder = fill(engine, *described)
    found = finder.find(question(text, {"access": access, "category": category}), 0, 100)

    def fits(said: Described, but: str = "") -> bool:
        words = plain("\n".join([said.title, *(each.label for each in said.categories)]))
        has_words = all(word in words for word in plain(text).split())
        has_access = but == "access" or not access or said.access in access
        mine = {each.value for each in said.categories}
        return has_words and has_access and (but == "category" or not category or bool(mine & set(category)))

    expected = [said.title for said in described if fits(said)]
    first = " ".join(plain(text).split())
    assert sorted(line.title for line in found.datasets) == sorted(expected)
    ordered = sorted(expected, key=lambda title: (not plain(title).startswith(first), title.lower()))
    assert [line.title.lower() for line in found.datasets if line.title.isascii()] == [
        title.lower() for title in ordered if title.isascii()
    ]
    assert (found.total, found.known) == (len(expected), len(described))
    counted = {facet.name: {each.value: each.count for each in facet.values} for facet in found.facets}
    for value in ACCESS[1:]:
        there = sum(said.access == value and fits(said, "access") for said in described)
        assert counted["access"].get(value, 0) == there
    for value in CATEGORIES:
        there = sum(value in {each.value for each in said.categories} and fits(said, "category") for said in described)
        assert counted["category"].get(value, 0) == there


def test_what_was_chosen_can_be_unchosen_where_nothing_fits(engine: sa.Engine) -> None:
    finder = fill(engine, Described(title="T", access="PUBLIC"))
    found = finder.find(question("none", {"access": ["PUBLIC"], "country": ["FI"]}), 0, 10)
    chosen = {(facet.name, each.value, each.count) for facet in found.facets for each in facet.values if each.is_chosen}
    assert chosen == {("access", "PUBLIC", 0), ("country", "FI", 0)}


def test_pages_hold_each_dataset_once_in_the_order_of_titles(engine: sa.Engine) -> None:
    finder = fill(engine, *(Described(title=f"T{n:02}") for n in range(23)))
    pages = [finder.find(Question(), skip, 10).datasets for skip in range(0, 40, 10)]
    assert [line.title for page in pages for line in page] == [f"T{n:02}" for n in range(23)]
    assert [len(page) for page in pages] == [10, 10, 3, 0]


def test_countries_and_catalogues_are_facets(engine: sa.Engine) -> None:
    fill(engine, Described(title="A"), Described(title="B"))
    finder = fill(engine, Described(title="C"), point=NODE)
    facets = {each.name: each for each in finder.find(Question(), 0, 10).facets}
    assert [(each.value, each.count) for each in facets["country"].values] == [("PT", 2), ("EE", 1)]
    assert [each.label for each in facets["source"].values] == ["Elsewhere", "Estonia"]
    only = finder.find(question("", {"source": [NODE.id]}), 0, 10)
    assert [(line.title, line.country, line.is_of_node) for line in only.datasets] == [("C", "EE", True)]
    assert [(source.id, source.datasets) for source in finder.sources()] == [(NODE.id, 1), (POINT.id, 2)]


def test_only_a_dataset_of_a_node_has_a_name_there(engine: sa.Engine) -> None:
    store = Store(engine)
    store.add_point(NODE)
    address = f"{NODE_URL}/fairdp/dataset/GDI-EE-1"
    store.keep(NODE, [read("x")._replace(address=address)])
    store.settle(NODE, walked("", more=[address]), (), BEGAN)
    assert Finder(engine).view(dataset_id(NODE, address)).local == "GDI-EE-1"
    fill(engine, Described(title="A"))
    assert Finder(engine).view(dataset_id(POINT, at("d0"))).local == ""


def test_long_descriptions_are_cut_in_lists_alone(engine: sa.Engine) -> None:
    finder = fill(engine, Described(title="T", description="x" * 301), Described(title="U", description="x" * 300))
    long, fits = finder.find(Question(), 0, 10).datasets
    assert (len(long.summary), long.summary[-1], fits.summary) == (300, "…", "x" * 300)
    assert finder.view(long.id).described.description == "x" * 301


def test_what_nobody_types_is_refused() -> None:
    assert question("  A  a b ", {"use": []}) == Question(("a", "b"), {})
    for text, chosen in (("x" * 501, {}), (" ".join(map(str, range(13))), {}), ("a\0", {}), ("", {"use": ["\0"]})):
        with pytest.raises(Invalid):
            question(text, chosen)
    with pytest.raises(Invalid):
        question("", {"use": ["a"] * 51})


def test_a_name_that_never_was_is_not_found(engine: sa.Engine) -> None:
    finder = fill(engine)
    for ask in (finder.view, finder.resource, finder.state):
        with pytest.raises(NotFound):
            ask("none")
    assert finder.listed("none") == ((), "")
