# SPDX-License-Identifier: Apache-2.0
"""Numbers of what would become public: counted once for a version, and a page waits for no long count."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from megagenome.app import as_published
from megagenome.app.as_published import AsPublished
from megagenome.app.node import Node, open_node
from megagenome.collection import Collection
from megagenome.discovery.foresee import Foreseen
from megagenome.kernel.errors import Unavailable
from megagenome.kernel.ids import DatasetId
from tests.discovery.fake import IDENTITY

SMALL = DatasetId("EE-SMALL")


@pytest.fixture
def node(loaded: Path) -> Iterator[Node]:
    opened = open_node(loaded)
    yield opened
    opened.collection.close()


@pytest.fixture
def told(node: Node) -> Iterator[AsPublished]:
    archive: Any = SimpleNamespace(files_of=lambda _: [])
    made = AsPublished(node, archive, IDENTITY)
    yield made
    made.close()


def test_of_open_data_all_is_told(node: Node, told: AsPublished) -> None:
    supposed = node.collection.as_if_published(SMALL)
    assert told.people(supposed) == {SMALL: 6}
    answers = told.answers(supposed, SMALL)
    assert answers is not None
    assert (answers.floor, answers.people, answers.people_told, answers.files) == (0, 6, True, 0)
    assert (answers.alleles, answers.alleles_held_back) == (4, 0)
    assert (answers.terms, answers.terms_held_back) == (1, 0)


def test_a_long_count_is_waited_for_by_nobody_and_made_once(
    node: Node, told: AsPublished, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, calls = threading.Event(), []

    def slow(_: Collection, dataset: DatasetId, _floor: int, go_on: Callable[[], None]) -> Foreseen:
        calls.append(dataset)
        go.wait(30)
        go_on()
        return Foreseen(0, True, None, None, None)

    monkeypatch.setattr(as_published, "foresee", slow)
    monkeypatch.setattr(as_published, "_PATIENCE_S", 0.01)
    supposed = node.collection.as_if_published(SMALL)
    assert told.answers(supposed, SMALL) is told.answers(supposed, SMALL) is None
    go.set()
    monkeypatch.setattr(as_published, "_PATIENCE_S", 30)
    answers = told.answers(supposed, SMALL)
    assert answers is not None
    assert answers.people_told
    assert calls == [SMALL]


def test_a_count_ends_with_the_node(node: Node, told: AsPublished, monkeypatch: pytest.MonkeyPatch) -> None:
    started, found = threading.Event(), []

    def endless(_: Collection, _dataset: DatasetId, _floor: int, go_on: Callable[[], None]) -> Foreseen:
        started.set()
        while True:
            go_on()

    monkeypatch.setattr(as_published, "foresee", endless)

    def ask() -> None:
        try:
            told.answers(node.collection.as_if_published(SMALL), SMALL)
        except Unavailable as error:
            found.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    assert started.wait(30)
    told.close()
    asking.join(30)
    assert not asking.is_alive()
    assert all(each.startswith("the node is stopping") for each in found)  # who asked may have gone before


def test_a_count_of_a_version_that_is_over_ends(told: AsPublished, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so do those that wait behind it: who asked is told that it is being counted, and asks again."""
    older, newer = (SimpleNamespace(published=[SimpleNamespace(id=SMALL)], version=version) for version in (1, 2))
    started = threading.Event()

    def count(supposed: object, _dataset: DatasetId, _floor: int, go_on: Callable[[], None]) -> Foreseen:
        started.set()
        while supposed is older:
            go_on()
        return Foreseen(0, True, None, None, None)

    monkeypatch.setattr(as_published, "foresee", count)
    counts: Any = told._foreseen
    running = counts(older, "one")
    assert started.wait(30)
    behind = counts(older, "another")
    assert counts(newer, "one").result(30).people_told
    with pytest.raises(Unavailable, match="look again"):
        running.result(30)
    assert behind.cancelled()
    monkeypatch.setattr(told, "_foreseen", lambda *_: behind)
    assert told.answers(older, SMALL) is None  # type: ignore[arg-type]  # no more of it is looked at
