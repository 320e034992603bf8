# SPDX-License-Identifier: Apache-2.0
"""Catalogues are harvested whole, cheaply the second time, and none can harm the others or lose what was there."""

import asyncio
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from megagenome.catalogue.harvest.find import Finder, Question, question
from megagenome.catalogue.harvest.harvester import COMMAND, Harvester, foreign_point, point_of_node
from megagenome.catalogue.harvest.settings import FairDataPoint, HarvestSettings
from megagenome.catalogue.harvest.store import Store
from megagenome.kernel.errors import Invalid
from tests.catalogue.harvest.foreign import Answer, Foreign, serving_foreign

SETTINGS = HarvestSettings(request_s=1.0, deadline_s=20.0, largest_bytes=100_000, most_resources=500)

EVERYTHING = Question()


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    with serving_foreign() as served:
        yield served


def name(engine: sa.Engine, *served: Foreign, hosts: tuple[str, ...] = ()) -> None:
    for each in served:
        Store(engine).add_point(foreign_point(FairDataPoint(f"{each.url}/", hosts=hosts), COMMAND))


def harvest(engine: sa.Engine, settings: HarvestSettings = SETTINGS) -> None:
    asyncio.run(Harvester(Store(engine), settings, tuple).harvest())


def titles(engine: sa.Engine, asked: Question = EVERYTHING) -> list[str]:
    return [line.title for line in Finder(engine).find(asked, 0, 100).datasets]


def problem(engine: sa.Engine) -> str:
    return "; ".join(source.problem for source in Finder(engine).sources())


def test_everything_that_is_listed_is_found_once_and_nothing_twice(engine: sa.Engine, foreign: Foreign) -> None:
    names = [f"d{n:03}" for n in range(250)]
    foreign.contain(*names, catalogues=("main", "loop"))
    back = "<{url}/>, <{url}/catalog/main>, <{url}/catalog/loop#x>"
    foreign.say("/catalog/loop", f"<{{url}}/catalog/loop> a dcat:Catalog . <{{url}}/l> ldp:contains {back} .")
    for each in names:
        foreign.dataset(each)
    name(engine, foreign)
    harvest(engine)
    found = Finder(engine).find(EVERYTHING, 0, 100)
    assert (found.total, found.known, problem(engine)) == (250, 250, "")
    asked = foreign.take()
    assert len(asked) == len(set(asked)) == 253
    harvest(engine)
    assert {status for _, status in foreign.take()} == {304}
    assert Finder(engine).find(EVERYTHING, 200, 100).total == 250


def test_what_is_not_listed_is_gone_and_may_come_back(engine: sa.Engine, foreign: Foreign) -> None:
    foreign.contain("a", "b")
    foreign.dataset("a", '; dct:description "of private things"')
    foreign.dataset("b")
    name(engine, foreign)
    harvest(engine)
    [first] = Finder(engine).find(question("private", {}), 0, 10).datasets
    foreign.contain("b")
    harvest(engine)
    assert titles(engine) == ["Title of b"]
    assert titles(engine, question("", {}, is_gone=True)) == ["Title of a"]
    assert titles(engine, question("private", {}, is_gone=True)) == []
    view = Finder(engine).view(first.id)
    assert (view.gone != "", view.described.description) == (True, "")
    foreign.contain("a", "b")
    harvest(engine)
    assert Finder(engine).view(first.id).gone == ""
    assert titles(engine, question("private", {})) == ["Title of a"]


def test_a_server_that_says_gone_is_believed(engine: sa.Engine, foreign: Foreign) -> None:
    foreign.contain("a", "b")
    foreign.dataset("a")
    foreign.dataset("b")
    name(engine, foreign)
    harvest(engine)
    foreign.answers["/dataset/a"] = Answer(b"", 410)
    harvest(engine)
    assert titles(engine) == ["Title of b"]


@pytest.mark.parametrize(
    ("path", "bad"),
    [
        ("/", Answer(b"", 500)),
        ("/", Answer(b"no turtle")),
        ("/catalog/main", Answer(b"", 404)),
        ("/catalog/main", Answer(b"no turtle")),
        ("/dataset/a", Answer(b"", 301)),
        ("/dataset/a", Answer(b"x" * 200_000)),
    ],
)
def test_one_bad_answer_buries_nothing_and_is_named(
    engine: sa.Engine, foreign: Foreign, path: str, bad: Answer
) -> None:
    foreign.contain("a", "b")
    foreign.dataset("a")
    foreign.dataset("b")
    name(engine, foreign)
    harvest(engine)
    good, foreign.answers[path] = foreign.answers[path], bad
    harvest(engine)
    assert titles(engine) == ["Title of a", "Title of b"]
    assert problem(engine) != ""
    if path == "/dataset/a":
        [line] = Finder(engine).find(question("title of a", {}), 0, 10).datasets
        assert Finder(engine).view(line.id).problem != ""
    foreign.answers[path] = good
    harvest(engine)
    assert (titles(engine), problem(engine)) == (["Title of a", "Title of b"], "")
    assert not any(Finder(engine).view(line.id).problem for line in Finder(engine).find(EVERYTHING, 0, 10).datasets)


def test_no_other_host_is_asked_unless_it_is_listed(engine: sa.Engine, foreign: Foreign) -> None:
    with serving_foreign() as victim:
        victim.dataset("inside")
        contained = f"<{{url}}/c> ldp:contains <{victim.url}/dataset/inside> ."
        foreign.say("/", f"<{{url}}/> a fdp:FAIRDataPoint . {contained}")
        name(engine, foreign)
        harvest(engine)
        assert (titles(engine), victim.asked) == ([], [])
        assert "at a host that it may not lead to" in problem(engine)
        name(engine, foreign, hosts=(victim.url.removeprefix("http://"),))
        harvest(engine)
        assert titles(engine) == ["Title of inside"]


def test_one_that_hangs_delays_no_other(engine: sa.Engine, foreign: Foreign) -> None:
    with serving_foreign() as slow:
        slow.contain("slow")
        slow.answers["/"] = slow.answers["/"]._replace(delay_s=5)
        foreign.contain("a")
        foreign.dataset("a")
        name(engine, slow, foreign)
        began = time.monotonic()
        harvest(engine)
        assert titles(engine) == ["Title of a"]
        assert "no whole answer within 1 s" in problem(engine)
        assert time.monotonic() - began < 20


def test_a_catalogue_without_end_is_left(engine: sa.Engine, foreign: Foreign) -> None:
    foreign.contain(*(f"d{n}" for n in range(600)))
    name(engine, foreign)
    harvest(engine)
    assert "more than 500 descriptions" in problem(engine)
    assert len(foreign.asked) < 10


def test_a_catalogue_that_is_removed_takes_its_datasets_along(engine: sa.Engine, foreign: Foreign) -> None:
    foreign.contain("a")
    foreign.dataset("a")
    point = point_of_node("node.ee", foreign.url, "EE", "EE")._replace(url=f"{foreign.url}/")
    store = Store(engine)
    named = [point]
    harvester = Harvester(store, SETTINGS, lambda: named)
    asyncio.run(harvester.harvest())
    assert titles(engine) == ["Title of a"]
    named.clear()
    asyncio.run(Harvester(store, SETTINGS, lambda: named).harvest())
    assert (titles(engine), Finder(engine).sources()) == ([], ())


def test_words_and_facets_narrow_together(engine: sa.Engine, foreign: Foreign) -> None:
    right = "<http://publications.europa.eu/resource/authority/access-right/%s>"
    foreign.contain("a", "b", "c")
    foreign.dataset("a", f'; dcat:keyword "Épilepsie 100%" ; dct:accessRights {right % "NON_PUBLIC"}')
    foreign.dataset("b", f'; dcat:keyword "epilepsy" ; dct:accessRights {right % "PUBLIC"}')
    foreign.dataset("c", f"; dct:accessRights {right % 'PUBLIC'}")
    name(engine, foreign)
    harvest(engine)
    finder = Finder(engine)
    assert titles(engine, question("epileps", {})) == ["Title of a", "Title of b"]
    assert titles(engine, question("100%", {})) == ["Title of a"]
    assert titles(engine, question("_", {})) == []
    found = finder.find(question("epileps", {"access": ["PUBLIC"]}), 0, 10)
    assert [line.title for line in found.datasets] == ["Title of b"]
    [access] = [facet for facet in found.facets if facet.name == "access"]
    counted = {each.value: (each.count, each.is_chosen) for each in access.values}
    assert counted == {"PUBLIC": (1, True), "NON_PUBLIC": (1, False)}
    both = finder.find(question("", {"access": ["PUBLIC", "NON_PUBLIC"], "country": ["ZZ"]}), 0, 10)
    assert both.total == 3
    with pytest.raises(Invalid):
        question("x" * 501, {})
