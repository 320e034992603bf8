# SPDX-License-Identifier: Apache-2.0
"""A hub's process with the exchange in front, and nodes that joined it, each with a key of its own."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from megagenome.access.exchange import Exchange, verify_decision
from megagenome.access.heard_clocks import HeardClocks, always_agreed
from megagenome.access.needs import BelievedNode
from megagenome.access.process import Process
from megagenome.access.reading import Reader
from megagenome.kernel.callers import Caller
from megagenome.kernel.keys import SigningKeys
from megagenome.standards.application import ApplicationId
from megagenome.standards.exchange import Answer, Message, read_answer, sign_message
from megagenome.standards.permit import DECISION_TYPE, CountryDecision, DatasetDecision, Verdict
from tests.access.hub import EEVA, Hub, open_hub


class Nodes:
    """`Members`: who joined. Nodes are added and removed as a test wants."""

    def __init__(self) -> None:
        self.joined: dict[str, BelievedNode] = {}
        self.sent: dict[str, datetime] = {}

    def find(self, node: str, _descriptor: str = "") -> BelievedNode | None:
        return self.joined.get(node)

    def note_message(self, node: str, sent_at: datetime) -> bool:
        is_newer = node not in self.sent or sent_at > self.sent[node]
        self.sent[node] = max(sent_at, self.sent.get(node, sent_at))
        return is_newer


class Exchanging:
    """One hub, as its nodes see it."""

    def __init__(self, hub: Hub, folder: Path, *, by_nodes: bool) -> None:
        self.hub, self.nodes, self.awake_s = hub, Nodes(), 0.0
        self.clocks = HeardClocks(lambda: self.awake_s, lambda: self.nodes.joined)
        self.knocked: list[set[str]] = []
        hub.world = replace(
            hub.world,
            verify_decision=partial(verify_decision, self.nodes),
            knock=lambda nodes: self.knocked.append(set(nodes)),
            agree=self.clocks.agreement if by_nodes else always_agreed,
        )
        hub.process, hub.reader = Process(hub.store, hub.world), Reader(hub.store, hub.world)
        self.keys = SigningKeys.open(folder / "hub-keys")
        self.node_keys = {name: SigningKeys.open(folder / f"{name}-keys") for name in ("node-ee", "node-fi")}
        for name, keys in self.node_keys.items():
            self.nodes.joined[name] = BelievedNode(name, name[-2:].upper(), keys.key_set())
        self.exchange = Exchange(hub.process, hub.reader, self.nodes, self.keys, "the hub's descriptor", self.clocks)

    def message(self, node: str = "node-ee", **other: Any) -> Message:
        self.hub.now += timedelta(milliseconds=1)
        fields: dict[str, Any] = {
            "node": node,
            "hub": "org.example.hub",
            "nonce": secrets.token_urlsafe(24),
            "sent_at": self.hub.now,
            "since": 0,
            "decisions": (),
            "descriptor": "the node's descriptor",
        }
        return Message(**{**fields, **other})

    def send(self, message: Message, keys: SigningKeys | None = None) -> Answer:
        token = sign_message(keys or self.node_keys[message.node], message)
        return read_answer(self.exchange.answer(token.encode()).encode(), self.keys.key_set())

    def tell(self, node: str = "node-ee", **other: Any) -> Answer:
        return self.send(self.message(node, **other))

    def decided(
        self, application: ApplicationId, verdicts: dict[str, Verdict], who: Caller = EEVA, **other: Any
    ) -> str:
        """A decision that the node of `who` signed."""
        token = self.hub.sign(who, application, verdicts, **other).removeprefix("signed.")
        decision = msgspec.json.decode(token, type=CountryDecision)
        return self.node_keys[f"node-{decision.country.lower()}"].sign(msgspec.to_builtins(decision), DECISION_TYPE)


def approve(*datasets: str) -> tuple[DatasetDecision, ...]:
    return tuple(DatasetDecision(each, Verdict.APPROVED) for each in datasets)


@contextmanager
def exchanging(folder: Path, *, by_nodes: bool = False) -> Iterator[Exchanging]:
    """A hub at an hour of its own, whose nodes joined; with `by_nodes` it goes by what their clocks say."""
    with open_hub(folder) as hub:
        yield Exchanging(hub, folder, by_nodes=by_nodes)
