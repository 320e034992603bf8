# SPDX-License-Identifier: Apache-2.0
"""A hub and two nodes in real processes, and a third that signs and masks as it must and then says what a node must
not, or nothing in time: it is named, and the study goes on with the others or stops, as its document says."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from megagenome.analytics.settings import AnalyticsSettings
from megagenome.analytics.site import StudySite
from megagenome.app.describe import describe_node
from megagenome.app.journal import LedgerJournal
from megagenome.app.ledger import open_keys, open_ledger
from megagenome.app.node import open_node
from megagenome.network import study_exchange
from megagenome.network.studies.coordinate import NO_SECOND_SUM
from megagenome.network.study_exchange import StudyExchange
from megagenome.standards.study_arrays import Arrays, pack, unpack
from megagenome.standards.study_exchange import Said, Sent, Task
from tests.journeys.studying import POSITIONS, Network, pooled, studying

ROUND_S = 12
LIAR = "node.se"
PARTNERS = {"EE": '\n[analytics]\npartners = ["node.fi"]\n', "FI": '\n[analytics]\npartners = ["node.ee"]\n'}
TALL = {
    "type": "linear",
    "variants": {"assembly": "GRCh37", "regions": ["22:16050001-16060000"]},
    "trait": {"type": "measured", "term": "height"},
}

Lie = Callable[[Said, bytes], tuple[Said, bytes]]
Wrong = Callable[[Arrays], Arrays]


class LyingSite(StudySite):
    """A node's site that does all that is right, but for one step.

    computes   what it makes there of the arrays that are right, before it looks at them itself, masks and sends them
    says       what it makes of what it would say
    """

    step = ""
    computes: Wrong | None = None
    says: Lie | None = None

    def tell_the_truth(self) -> None:
        self.step, self.computes, self.says = "", None, None

    def _answer(self, task: Task, payload: bytes) -> tuple[Said, bytes]:
        found = super()._answer(task, payload)
        return self.says(*found) if self.says is not None and task.step == self.step else found

    def _open(self, task: Task, document: Any) -> Any:
        held = super()._open(task, document)
        right = held.method.answer

        def answer(step: str, parameters: Arrays) -> Arrays:
            found = right(step, parameters)
            return self.computes(found) if self.computes is not None and step == self.step else found

        held.method.answer = answer
        return held


@contextlib.contextmanager
def served_here(folder: Path) -> Iterator[LyingSite]:
    """A node's folder and keys, in this process, by the exchange of every node."""
    node, keys, ending = open_node(folder), open_keys(folder), threading.Event()
    me, engine = node.settings.node.id, node.collection.engine
    ledger = open_ledger(folder, engine, me)
    node.collection.journal = LedgerJournal(ledger)
    with contextlib.closing(node.collection), ThreadPoolExecutor(2) as executor:
        site = LyingSite(node.collection, me, keys, ledger, AnalyticsSettings(), executor)
        exchange = StudyExchange(engine, keys, me, describe_node(node.settings, keys), site)

        async def run() -> None:
            async with exchange.lifespan(None):
                await asyncio.to_thread(ending.wait)

        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        try:
            yield site
        finally:
            ending.set()
            thread.join()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Network, LyingSite]]:
    """Estonia and Finland agreed to studies of two; Sweden's node was served as it must be until it had decided. All
    data are open: others are not lent to one study with Sweden and to the next one without."""
    timing = f"silence_s = {ROUND_S}\nround_s = {ROUND_S}"
    with studying(tmp_path_factory.mktemp("lying"), timing, PARTNERS, is_open=True) as network:
        network.get_permit()
        sweden = network.nodes["SE"]
        sweden.kill()
        with pytest.MonkeyPatch.context() as changed, served_here(sweden.folder) as site:
            changed.setattr(study_exchange, "WAIT_S", 1.0)  # it is heard all the time, whatever it is at
            yield network, site


@pytest.fixture
def network(both: tuple[Network, LyingSite]) -> Network:
    return both[0]


@pytest.fixture
def liar(both: tuple[Network, LyingSite]) -> Iterator[LyingSite]:
    yield both[1]
    both[1].tell_the_truth()


def shorter(said: Said, content: bytes) -> tuple[Said, bytes]:
    """A vector that lacks a number."""
    assert isinstance(said, Sent)
    return Sent(said.masked_bytes - 8, said.opened_bytes), content[8:]


def beyond(said: Said, content: bytes) -> tuple[Said, bytes]:
    """A vector with half the ring on top of it."""
    return said, (np.frombuffer(content, "<u8") + np.uint64(1 << 63)).tobytes()


def opening(name: str, values: npt.NDArray[Any]) -> Lie:
    """Another array is opened."""

    def lie(_said: Said, content: bytes) -> tuple[Said, bytes]:
        opened = pack({**unpack(content), name: values})
        return Sent(0, len(opened)), opened

    return lie


def counting(values: npt.NDArray[Any]) -> Wrong:
    """Other counts are found."""
    return lambda found: {**found, "counts": values}


ALLELES = len(POSITIONS)
SAID: list[tuple[str, Lie, str]] = [
    ("count", shorter, "it sends a vector of another shape: 1,912 bytes, and 1,920 were asked"),
    ("alleles", opening("start", np.full(ALLELES, np.nan)), "it sends start with values that are no numbers"),
    ("alleles", opening("contig", np.full(ALLELES, 7)), "it sends a list of alleles with one that is nowhere"),
]
COMPUTED: list[tuple[npt.NDArray[Any], str]] = [
    (np.full((ALLELES, 6), np.nan), "counts is not finite, or too large for a sum of 3 with 0 digits after the point"),
    (np.full((ALLELES, 6), 1 << 61), "counts is too large for a sum of 3"),
    (np.zeros((ALLELES, 5)), "counts is not what was asked: of shape (40, 5)"),
]


def until_over(network: Network, **document: Any) -> tuple[str, Any]:
    """A study's id, and how it ended."""
    study = network.begin(network.document(least_sites=2, **document))
    return study, network.until(study, "finished", "stopped")


def of_the_liar(shown: Any) -> tuple[str, str]:
    [part] = [each for each in shown["sites"] if each["node"] == LIAR]
    return part["state"], part["reason"]


def require_others(network: Network, study: str, shown: Any) -> None:
    """It found what the two others have."""
    assert (shown["state"], shown["reason"]) == ("finished", "")
    assert network.counts(study) == pooled(countries=("EE", "FI"))


@pytest.mark.parametrize(("step", "lie", "why"), SAID, ids=["shape", "no numbers", "out of bounds"])
@pytest.mark.parametrize("rule", ["go on", "stop"])
def test_who_says_what_cannot_be_is_named(
    network: Network, liar: LyingSite, step: str, lie: Lie, why: str, rule: str
) -> None:
    liar.step, liar.says = step, lie
    study, shown = until_over(network, when_one_fails=rule)
    assert of_the_liar(shown) == ("failed", why)
    if rule == "go on":
        require_others(network, study, shown)
    else:
        assert (shown["state"], shown["reason"]) == ("stopped", f"{LIAR} failed: {why}")


@pytest.mark.parametrize(("values", "why"), COMPUTED, ids=["no numbers", "out of bounds", "shape"])
def test_who_computes_what_cannot_be_sends_nothing_and_says_so(
    network: Network, liar: LyingSite, values: npt.NDArray[Any], why: str
) -> None:
    liar.step, liar.computes = "count", counting(values)
    study, shown = until_over(network, when_one_fails="go on")
    assert of_the_liar(shown) == ("failed", why)
    require_others(network, study, shown)


def test_under_masks_nobody_can_be_named_and_nothing_is_told(network: Network, liar: LyingSite) -> None:
    liar.step, liar.says = "count", beyond
    _, shown = until_over(network, when_one_fails="go on")
    assert (shown["state"], of_the_liar(shown)) == ("stopped", ("answered", ""))
    assert shown["reason"] == "the sum of counts is out of all bounds: a node sent what it must not"


def test_after_a_sum_was_opened_no_other_one_is(network: Network, liar: LyingSite) -> None:
    liar.step, liar.says = "products", shorter
    _, shown = until_over(network, method=TALL, when_one_fails="go on")
    assert shown["state"] == "stopped"
    assert shown["reason"].startswith(f"{LIAR} failed: it sends a vector of another shape")
    assert shown["reason"].endswith(NO_SECOND_SUM)


def test_who_is_late_is_named_and_what_they_say_then_changes_nothing(network: Network, liar: LyingSite) -> None:
    may_go_on = threading.Event()

    def later(said: Said, content: bytes) -> tuple[Said, bytes]:
        may_go_on.wait(60)
        return said, content

    liar.step, liar.says = "alleles", later
    try:
        study, shown = until_over(network, when_one_fails="go on")
    finally:
        may_go_on.set()
    assert of_the_liar(shown) == ("late", f"it works longer than {ROUND_S} s on a round")
    require_others(network, study, shown)
    liar.tell_the_truth()
    study, shown = until_over(network)
    assert (shown["state"], shown["reason"]) == ("finished", "")
    assert network.counts(study) == pooled()
