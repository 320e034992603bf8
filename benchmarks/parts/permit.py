# SPDX-License-Identifier: Apache-2.0
"""Reading by permit at a node: how soon a withdrawal and a revocation end it, and what it costs. 2,504 people."""

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmarks.harness.claim import Claim, claim
from benchmarks.harness.measure import cpu_s
from benchmarks.parts.countersigning import countersign
from benchmarks.parts.node import PEOPLE, START, make_node, random_genotypes, served
from megagenome.app.journal import LedgerJournal
from megagenome.app.ledger import open_keys, open_ledger
from megagenome.app.node import Node, open_node
from megagenome.collection import Collection
from megagenome.collection.acts import Act, say
from megagenome.collection.model import Use
from megagenome.collection.permits import change_permit
from megagenome.identity.needs import Granted
from megagenome.identity.visa_mint import VisaMint
from megagenome.kernel import clock
from megagenome.kernel.ids import DatasetId, IndividualId, PermitId
from megagenome.kernel.keys import SigningKeys
from megagenome.network.joined_hub import note_answer, pin
from megagenome.standards.descriptor import meet, sign_descriptor
from megagenome.standards.permit import PermitState

READER = "reader@https://login.example.org"
ROUNDS = 5
REQUESTS = 100
VISAS = 10
_DATASET = DatasetId("GDI-EE-OPEN-0")
_WATCH_S = 1.5


def claims(seed: int) -> Iterator[Claim]:
    """Over a real process that is asked without pause; this one makes the changes, as an operator's command does."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name) / "node"
        make_node(folder, random_genotypes(seed), 1)
        opened = open_node(folder)
        collection, address = opened.collection, f"http://127.0.0.1:{opened.settings.server.port}"
        stack.callback(collection.close)
        collection.journal = LedgerJournal(open_ledger(folder, collection.engine, opened.settings.node.id))
        for number in range(ROUNDS + 1):
            _grant(opened, open_keys(folder), PermitId(f"permit-{number}"))
        _join_silent_hub(collection, SigningKeys.open(folder.with_name("hub")))
        passport = VisaMint(open_keys(folder), address, lambda _: ()).mint(READER, [address], _now()).passport
        node = stack.enter_context(served(folder))
        asker = _Asker(node.port, node.pid, passport)
        yield from _endings(collection, asker)
        yield from _costs(asker)
        yield claim(f"minting a passport of {VISAS} visas, least of 40", "CPU ms", _minting_ms(folder), bar="ours < 5")


def _grant(node: Node, keys: SigningKeys, permit: PermitId) -> None:
    me = node.settings.node
    with node.collection.engine.begin() as connection:
        countersign(connection, keys, me.id, me.country, permit, _DATASET, {READER})


def _join_silent_hub(collection: Collection, keys: SigningKeys) -> None:
    """The node's hub was heard just now and not again: so long permits work without one."""
    now, url = clock.now(), "http://127.0.0.1:1"
    iat = int(now.timestamp())
    token = sign_descriptor(
        keys, id="org.hub", kind="hub", name="Hub", country="", url=url, version="1", services=(), iat=iat
    )
    with collection.engine.begin() as connection:
        pin(connection, meet(token), token)
        note_answer(connection, 0, now)


class _Seen(NamedTuple):
    """An answer: when it was whole, whether it was one, and how many people it counts."""

    at: float
    read: bool
    people: int


class _Asker:
    """Asks a node by a passport."""

    def __init__(self, port: int, pid: int, passport: str) -> None:
        self._url = f"http://127.0.0.1:{port}/beacon/v2/"
        self._headers = {"authorization": f"Bearer {passport}"}
        self._client = httpx.Client(trust_env=False, timeout=30)
        self.pid = pid

    def ask(self, path: str, permit: str, parameters: Any = None, **query: Any) -> httpx.Response:
        asked = {"requestParameters": {**(parameters or {}), "permit": {"id": permit}}, **query}
        return self._client.post(self._url + path, json={"meta": {}, "query": asked}, headers=self._headers)

    def watch(self, permit: str, change: Callable[[], None]) -> tuple[float, list[_Seen]]:
        """Ask for pages of records without pause, before and after `change`; when that was done, and what was seen."""
        seen: list[_Seen] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                answer = self.ask("individuals", permit, pagination={"limit": 500})
                summary = answer.json().get("responseSummary", {})
                seen.append(_Seen(time.perf_counter(), answer.status_code == 200, summary.get("numTotalResults", 0)))

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.5)
        change()
        done = time.perf_counter()
        time.sleep(_WATCH_S)
        stop.set()
        asking.join()
        if not seen or not seen[0].read or seen[-1].at <= done:
            raise RuntimeError("nothing was read, so nothing could end")
        return done, seen


def _endings(collection: Collection, asker: _Asker) -> Iterator[Claim]:
    def withdraw(number: int) -> None:
        person = IndividualId(f"P{number}")
        say(collection, person, Act.WITHDRAW, [Use.RESEARCH], by="contact point", longest_delay_days=30)

    def revoke(permit: PermitId) -> None:
        with collection.engine.begin() as connection:
            change_permit(connection, permit, PermitState.REVOKED, "ended")

    words = f"{{}}, committed, until no answer to a reader who asks without pause shows it, worst of {ROUNDS}"
    late = []
    for number in range(ROUNDS):
        done, seen = asker.watch(f"permit-{ROUNDS}", partial(withdraw, number))
        late.append(_last(done, [each for each in seen if each.people == PEOPLE - number]))
        if seen[-1].people != PEOPLE - number - 1:
            raise RuntimeError("who withdrew is still counted")
    yield claim(words.format("withdrawal of consent"), "s", max(late), bar="ours < 1")
    late = []
    for number in range(ROUNDS):
        permit = PermitId(f"permit-{number}")
        done, seen = asker.watch(permit, partial(revoke, permit))
        late.append(_last(done, [each for each in seen if each.read]))
    yield claim(words.format("revocation at the node"), "s", max(late), bar="ours < 1")


def _last(done: float, old: list[_Seen]) -> float:
    """Seconds after `done` in which the last answer of the `old` state was whole; 0 where none was."""
    return max([0.0, *(each.at - done for each in old)])


def _costs(asker: _Asker) -> Iterator[Claim]:
    allele = {"assemblyId": "GRCh38", "referenceName": "22", "start": [START], "referenceBases": "A"}
    exact = {**allele, "alternateBases": "G"}
    asked: list[tuple[str, str, Any, dict[str, Any]]] = [
        ("count of people", "individuals", None, {"requestedGranularity": "count"}),
        ("exact counts of an allele", "g_variants", exact, {"requestedGranularity": "count"}),
        ("500 individual records", "individuals", None, {"pagination": {"limit": 500}}),
    ]
    for words, path, parameters, query in asked:
        asker.ask(path, f"permit-{ROUNDS}", parameters, **query)
        before = cpu_s(asker.pid)
        for _ in range(REQUESTS):
            answer = asker.ask(path, f"permit-{ROUNDS}", parameters, **query)
            if answer.status_code != 200:
                raise RuntimeError(answer.text)
        spent_ms = (cpu_s(asker.pid) - before) / REQUESTS * 1000
        yield claim(f"by permit and passport, {PEOPLE:,} people: {words}", "CPU ms/request", spent_ms)


def _minting_ms(folder: Path) -> float:
    now = clock.now()
    granted = [Granted(f"D{number}", now, now + timedelta(days=1)) for number in range(VISAS)]
    mint = VisaMint(open_keys(folder), "https://ee.example", lambda _: granted)
    spent = []
    for _ in range(40):
        start = time.process_time()
        mint.mint(READER, ["https://spe.example"], _now())
        spent.append(time.process_time() - start)
    return min(spent) * 1000


def _now() -> int:
    return int(clock.now().timestamp())
