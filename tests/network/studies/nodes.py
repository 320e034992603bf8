# SPDX-License-Identifier: Apache-2.0
"""A hub's coordinator over a real database, with nodes in memory that mask as real ones do, and a clock that is set."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa

from megagenome.analytics.masking import RoundSecret
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import Conflict
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Act
from megagenome.network.studies import tables as t
from megagenome.network.studies.coordinate import Coordinator
from megagenome.network.studies.model import Ask, Combine, Quantity, StudyResult, Table
from megagenome.network.studies.needs import KnownPermit
from megagenome.network.studies.settings import StudySettings
from megagenome.network.studies.settle import Settle, Settled
from megagenome.network.studies.store import StudyStore
from megagenome.network.studies.studies import Studies
from megagenome.standards import ring
from megagenome.standards.permit import PermitState
from megagenome.standards.study import Frequencies, Site, StudyDocument, Variants, encode
from megagenome.standards.study_arrays import Arrays, pack, unpack
from megagenome.standards.study_exchange import (
    NO_TERMS,
    PEOPLE_COUNTS,
    PEOPLE_STEP,
    Agreed,
    Changed,
    Keyed,
    Place,
    Reply,
    Said,
    Sent,
    Stage,
    Task,
    Terms,
    decode_keys,
    split,
)
from megagenome.standards.study_masks import Round, read_keys, sign_key
from megagenome.standards.study_shown import RunState, StudyShown
from tests.network.joining import Server, server

ADA = Caller("ada@https://idp.example", "Ada")
BOB = Caller("bob@https://idp.example", "Bob")
CHECKER = Caller("olga@https://idp.example", "Olga", frozenset({Role.DATA_STEWARD}))
AUDITOR = Caller("una@https://idp.example", "Una", frozenset({Role.AUDITOR}))
PERMIT = "permit-1"
SETTINGS = StudySettings(silence_s=10, round_s=60)


def adding(_method: Frequencies, sites: int, _least: int) -> Combine:
    """A method in three rounds: a list, sums of numbers, and sums that need these."""
    listed = yield Ask("alleles", {}, opened=("start",))
    largest = max(int(each.max()) for each in listed.values())
    first = yield Ask("first", {"times": np.array([float(largest)])}, (Quantity("x", (2, 2), 30), Quantity("n", (), 0)))
    second = yield Ask("second", {"mean": first["x"] / first["n"]}, (Quantity("y", (3,), 30),))
    found = Table({"y": second["y"], "name": ["a", "b", "c"]})
    return StudyResult({"y": found}, {"n": int(first["n"]), "sites": sites, "nan": float("nan")}, ("a note",))


class AtOnce(Executor):
    """Does what is submitted before it returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class Later(Executor):
    """Does it when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.waiting.append(lambda: fn(*args, **kwargs))
        return Future()

    def work(self) -> None:
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            each()


class Permits:
    """Permits that a test changes."""

    def __init__(self, nodes: tuple[str, ...]) -> None:
        datasets = frozenset((node, f"{node}-data") for node in nodes)
        people = frozenset({str(ADA.subject)})
        uses, starts, ends = frozenset({"research"}), date(2020, 1, 1), date(2099, 1, 1)
        self.known = {PERMIT: KnownPermit(PermitState.ACTIVE, people, datasets, uses, starts, ends)}

    def find(self, permit: str) -> KnownPermit | None:
        return self.known.get(permit)

    def change(self, **fields: Any) -> None:
        self.known[PERMIT] = self.known[PERMIT]._replace(**fields)


Answer = Said | tuple[Said, bytes] | None


@dataclass
class FakeNode:
    """A node. `values` is its data; `instead` what it says in place of what is right, by step (or stage)."""

    name: str
    keys: SigningKeys
    values: np.ndarray[Any, Any]
    terms: Terms = NO_TERMS
    instead: dict[str, Callable[[Task, bytes], Answer]] = field(default_factory=dict)
    held: dict[str, StudyDocument] = field(default_factory=dict)
    secrets: dict[tuple[str, int, int], RoundSecret] = field(default_factory=dict)
    is_dead: bool = False
    tasks: list[Task] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    def turn(self, coordinator: Coordinator) -> bool:
        """Ask, and answer at once; whether there was a task."""
        if self.is_dead:
            return False
        offer = coordinator.offer(self.name, tuple(self.held), ())
        for run in offer.over:
            del self.held[run]
        if offer.task is None:
            return False
        self.tasks.append(offer.task)
        answer = self.answer(offer.task, offer.payload)
        if answer is None:
            return False
        said, payload = answer if isinstance(answer, tuple) else (answer, b"")
        if isinstance(said, Sent) and said.masked_bytes:
            self.sent.append(payload)
        coordinator.take(self.name, Reply(offer.task.place, said), payload)
        return True

    def restart(self) -> None:
        """It forgets everything."""
        self.held, self.secrets, self.is_dead = {}, {}, False

    def answer(self, task: Task, payload: bytes) -> Answer:
        document, parameters, keys = split(payload, (task.document_bytes, task.parameters_bytes, task.keys_bytes))
        if document:
            self.held[task.place.run] = msgspec.json.decode(document, type=StudyDocument)
        assert task.place.run in self.held, "the hub takes it to hold what it was never given"
        for name in (task.step, task.place.stage.value):
            if name in self.instead:
                return self.instead[name](task, payload)
        return self.right(task, unpack(parameters) if parameters else {}, keys)

    def right(self, task: Task, parameters: Arrays, keys: bytes) -> Answer:
        """What a node that works says."""
        turn = Round(task.digest, task.place.epoch, task.place.round, task.sites)
        at = (task.place.run, *turn[1:3])
        if task.place.stage is Stage.CHECK:
            return Agreed(self.terms)
        if task.place.stage is Stage.KEYS:
            self.secrets[at] = RoundSecret()
            return Keyed(sign_key(self.keys, turn, self.name, self.secrets[at].public))
        answer = self.compute(task.step, parameters)
        parts = [ring.encode(answer[each.name], each.bits, len(turn.sites)).reshape(-1) for each in task.sums]
        vector = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
        if parts and len(turn.sites) > 1:
            thumbprints = {site.node: site.key for site in self.held[task.place.run].sites}
            publics = read_keys(decode_keys(keys), turn, {node: thumbprints[node] for node in turn.sites})
            vector = self.secrets.pop(at).mask(vector, turn, self.name, publics)
        opened = pack({name: answer[name] for name in task.opened}) if task.opened else b""
        return Sent(vector.nbytes, len(opened)), vector.tobytes() + opened

    def compute(self, step: str, parameters: Arrays) -> dict[str, Any]:
        """The method's site side."""
        v = self.values
        if step == PEOPLE_STEP:
            return {name: np.array(0) for name in PEOPLE_COUNTS} | {
                "people": np.array(len(v)),
                "incomplete": np.array(1),
            }
        if step == "alleles":
            return {"start": np.array([3, len(v)], np.int64)}
        if step == "first":
            x = v * float(parameters["times"][0])
            return {"x": np.outer(*[np.array([x.sum(), 1.0])] * 2) * 0.001, "n": np.array(len(v))}
        return {"y": np.array([(v - parameters["mean"][0, 1]).sum(), v.sum(), parameters["mean"][1, 1]])}


class World:
    """A hub and its nodes."""

    def __init__(self, at: Server, nodes: Mapping[str, FakeNode], executor: Executor, methods: Any) -> None:
        self.hub, self.nodes, self.executor, self.methods = at, dict(nodes), executor, methods
        self.permits, self.now_s, self.acts = Permits(tuple(nodes)), 1000.0, list[Act]()
        self.settle: Settle = lambda result, _terms: Settled(result, "")
        self.start()

    def start(self) -> None:
        """The hub's process begins, or begins anew after it was killed."""
        store = StudyStore(self.hub.engine, lambda _connection, acts: self.acts.extend(acts))
        self.coordinator = Coordinator(
            store,
            self.permits,
            SETTINGS,
            self.executor,
            settle=self.settle,
            methods=self.methods,
            seconds=lambda: self.now_s,
        )
        self.studies = Studies(self.coordinator, self.permits, self.thumbprints, 5)
        self.coordinator.resume()

    def thumbprints(self) -> dict[str, str]:
        return {name: node.keys.kid for name, node in self.nodes.items()}

    def document(self, **other: Any) -> StudyDocument:
        fields: dict[str, Any] = {
            "version": 1,
            "title": "A study",
            "permit": PERMIT,
            "cohort": '{"type":"everyone"}',
            "sites": tuple(Site(n, (f"{n}-data",), node.keys.kid) for n, node in sorted(self.nodes.items())),
            "method": Frequencies(Variants("GRCh38")),
            "least_people": 1,
        }
        return StudyDocument(**{**fields, **other})

    def begin(self, caller: Caller = ADA, **other: Any) -> str:
        return self.studies.begin(caller, encode(self.document(**other))).id

    def go(self, most: int = 1000) -> None:
        """Let nodes take turns until nobody has a task any more, or `most` tasks were done."""
        done, idle = 0, 0
        names = list(self.nodes)
        while idle < len(names) and done < most:
            name = names[(done + idle) % len(names)]
            if self.nodes[name].turn(self.coordinator):
                done, idle = done + 1, 0
            else:
                idle += 1

    def until(self, run: str, step: str, stage: Stage | None = None) -> None:
        """Until the run asks this of all nodes."""
        for _ in range(200):
            found = self.coordinator._runs[run]
            if found.step == step and (stage is None or (found.turn is not None and found.turn.stage is stage)):
                return
            self.go(1)
        raise AssertionError(f"{run} never came to {step}")

    def wait(self, seconds: float, alive: bool = True) -> None:
        """Time passes; nodes that are alive are heard."""
        self.now_s += seconds
        for name, node in self.nodes.items():
            if alive and not node.is_dead:
                self.coordinator.hear(name)
        self.coordinator.tick()

    def show(self, run: str) -> StudyShown:
        return self.studies.show(ADA, run)

    def withdraw(self, name: str, run: str) -> None:
        """Somebody of a node withdraws, and the node says so."""
        node = self.nodes[name]
        node.values = node.values[:-1]
        found = self.coordinator._runs[run]
        self.coordinator.take(name, Reply(Place(run, found.epoch, 0, Stage.CHECK), Changed()), b"")

    def pooled(self, *names: str) -> np.ndarray[Any, Any]:
        """What the method finds on everybody's values at once (of these nodes, by default all)."""
        chosen = [self.nodes[name] for name in names or self.nodes]
        times = float(max(max(3, len(node.values)) for node in chosen))
        n = sum(len(node.values) for node in chosen)
        mean = [sum(node.values.sum() * times for node in chosen) * 0.001 / n, len(chosen) * 0.001 / n]
        everybody = np.concatenate([node.values for node in chosen])
        return np.array([(everybody - mean[0]).sum(), everybody.sum(), len(chosen) * mean[1]])


@contextlib.contextmanager
def world(
    folder: Path,
    names: tuple[str, ...] = ("node.a", "node.b", "node.c"),
    executor: Executor | None = None,
    methods: Any = None,
) -> Iterator[World]:
    """A hub whose nodes have some random numbers each."""
    random = np.random.default_rng(7)
    with server(folder, "org.example.hub") as at:
        nodes = {
            name: FakeNode(name, SigningKeys.open(folder / f"{name}-keys"), random.normal(size=10 + k))
            for k, name in enumerate(names)
        }
        yield World(at, nodes, executor or AtOnce(), methods or {Frequencies: adding})


def rows(engine: sa.Engine, table: sa.Table) -> list[Any]:
    """All of a table."""
    with engine.connect() as connection:
        return list(connection.execute(sa.select(table)))


def found(at: World, run: str) -> np.ndarray[Any, Any]:
    column = at.studies.result(ADA, run).tables["y"]["y"]
    return np.array(column, np.float64)


def finished(at: World, run: str, *names: str) -> None:
    """The run ended with what the pooled computation finds."""
    shown = at.show(run)
    assert (shown.state, shown.reason) == (RunState.FINISHED, "")
    assert found(at, run) == pytest.approx(at.pooled(*names), abs=1e-7)


def stopped(at: World, run: str, *says: str) -> None:
    shown = at.show(run)
    assert shown.state is RunState.STOPPED
    assert all(word in shown.reason for word in says), shown.reason
    assert shown.ended
    with pytest.raises(Conflict, match="has no result"):
        at.studies.result(ADA, run)
    assert rows(at.hub.engine, t.study_sum) == []
