# SPDX-License-Identifier: Apache-2.0
"""Runs studies: asks all nodes the same, opens the sum when all have answered, gives it to the method, asks the next.

What it needs after it was killed is in the database: document, nodes, and what was opened of each round, from which the
method is computed again (`_catch_up`). Vectors that were on their way then are lost, and asked again under new keys.

**One sum only.** Two sums of the same round that differ by one node, or by one person, show that node's or person's
values to the hub. So a run begins again without a node that fails only as long as no sum of people's values was opened;
from then on it stops, and says so. Without somebody who withdrew it begins again also later: their node holds back so
many others that the difference is of no few people.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

import msgspec

from megagenome.kernel import clock
from megagenome.kernel.errors import Corrupt, Invalid, MegagenomeError, RateLimited
from megagenome.kernel.ledger import Act, Kind
from megagenome.network.stamps import stamp
from megagenome.network.studies.board import Board
from megagenome.network.studies.check import permit_ended
from megagenome.network.studies.methods import METHODS, Begin
from megagenome.network.studies.model import Ask, Combine, NodeFault, StudyResult, Sums
from megagenome.network.studies.needs import Permits
from megagenome.network.studies.receipt import BY_RULES, release_acts, result_sha256, round_facts, rules_facts
from megagenome.network.studies.run import (
    MOST_EPOCHS,
    MOST_RESTARTS,
    Part,
    Run,
    Turn,
    asked_digest,
    opened_by,
    strictest,
    with_people,
)
from megagenome.network.studies.settings import StudySettings
from megagenome.network.studies.settle import Settle, Settled, rules_of, settle
from megagenome.network.studies.shown import shown
from megagenome.network.studies.store import StoredRun, StoredSite, StoredSum, StudyStore, encode_result, shown_result
from megagenome.standards import study as study_document
from megagenome.standards.study import LARGEST_DOCUMENT_BYTES
from megagenome.standards.study_exchange import (
    LARGEST_PAYLOAD_BYTES,
    NO_TERMS,
    PEOPLE_STEP,
    Agreed,
    Changed,
    Failed,
    Forgot,
    Keyed,
    Place,
    Refused,
    Reply,
    Said,
    Sent,
    Stage,
    Task,
    Terms,
)
from megagenome.standards.study_masks import Round, read_key
from megagenome.standards.study_receipt import Release
from megagenome.standards.study_shown import (
    OVER,
    RunState,
    SiteState,
    StudyShown,
)

_log = logging.getLogger(__name__)

_BESIDE_BYTES = 1 << 20
"""What a message has beside numbers: keys, names and shapes."""
NO_SECOND_SUM = "sums were opened already, and another one without it would show what it sent"


class Offer(NamedTuple):
    """What a node is told: a task with its payload, and of the runs that it holds those that are over."""

    task: Task | None
    payload: bytes
    over: tuple[str, ...]


class Coordinator:
    """All runs of a hub. Safe for threads."""

    def __init__(
        self,
        store: StudyStore,
        permits: Permits,
        settings: StudySettings,
        executor: Executor,
        *,
        settle: Settle = settle,
        methods: Mapping[type, Begin] = METHODS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`executor` computes between rounds; `seconds` is a clock that nobody sets."""
        self.store, self.board = store, Board()
        self._permits, self._settings = permits, settings
        self._executor, self._settle, self._methods, self._seconds = executor, settle, methods, seconds
        self._turn = threading.RLock()
        self._runs: dict[str, Run] = {}
        self._heard_s: dict[str, float] = {}

    # --- for those who run studies

    def add(self, run: Run, most: int) -> None:
        """Begin a run; durable on return. Raises `RateLimited` where its owner has `most` running."""
        with self._turn:
            if sum(each.owner == run.owner for each in self._runs.values()) >= most:
                raise RateLimited(f"{most} studies of yours are running: wait for one to end, or cancel it")
            self.store.add(run.stored(), run.stored_sites(), self._acts(run, "begun", len(run.sites)))
            run.begin_check(self._seconds())
            self._runs[run.id] = run
        self.board.note()

    def end(self, run: str, reason: str) -> None:
        """Stop a run. Idempotent."""
        with self._turn:
            if found := self._runs.get(run):
                self._stop(found, reason)

    def shown(self, run: str) -> StudyShown | None:
        """A run as it is now; None where it is over, or there is none."""
        with self._turn:
            found = self._runs.get(run)
            if found is None:
                return None
            number = found.rounds if found.turn is None else found.turn.number
            return shown(found.stored(), found.stored_sites(), number, found.step)

    # --- for nodes

    def hear(self, node: str) -> None:
        """The node said something, whatever it was."""
        with self._turn:
            self._heard_s[node] = self._seconds()

    def offer(self, node: str, holds: Sequence[str], at_work: Sequence[Place]) -> Offer:
        """What a node is to do that it is not doing. Cost: microseconds, and the document the first time."""
        with self._turn:
            self._heard_s[node] = self._seconds()
            over = tuple(each for each in holds if each not in self._runs or node not in self._runs[each].sites)
            for run in self._runs.values():
                if run.place() in at_work:
                    self._note_working(run, node)
                elif found := run.offer(node, run.id in holds):
                    run.parts[node].down_bytes += len(found[1])
                    return Offer(*found, over)
        return Offer(None, b"", over)

    def room(self, node: str, reply: Reply) -> int:
        """The most bytes that a reply's payload can have of which anything is used."""
        with self._turn:
            run = self._runs.get(reply.place.run)
            is_awaited = run is not None and reply.place == run.place() and node in run.waited_for
            return run.turn.room() if run is not None and run.turn is not None and is_awaited else 0

    def take(self, node: str, reply: Reply, payload: bytes) -> None:
        """What a node says. What is of an earlier epoch or stage changes nothing; what cannot be used makes the node
        one that failed."""
        with self._turn:
            run = self._runs.get(reply.place.run)
            if run is None or node not in run.sites or reply.place.epoch != run.epoch:
                return
            run.parts[node].up_bytes += len(payload)
            match reply.said:
                case Refused(reason=reason):
                    self._lose(run, node, SiteState.REFUSED, reason)
                case Changed():
                    self._begin_again(run, node)
                case said if run.turn and reply.place == run.place() and node in run.waited_for:
                    self._answered(run, run.turn, node, said, payload)
                case _:
                    return
        self.board.note()

    # --- while the hub runs

    def resume(self) -> None:
        """Take up all runs that are not over, after a start. Every node is asked again, under a new epoch."""
        with self._turn:
            for stored in self.store.open_runs():
                run = _resumed(stored, self.store.sites(stored.id))
                run.has_opened = self.store.has_opened(run.id)
                self._new_epoch(run)
                self._runs[run.id] = run
        self.board.note()

    def tick(self) -> None:
        """Look for permits that ended and for nodes that are gone or late; to be called about once a second."""
        with self._turn:
            runs = list(self._runs.values())
        ended = {run.id: self._permit_ended(run) for run in runs}
        with self._turn:
            for run in runs:
                if run.state in OVER:
                    continue
                if reason := ended[run.id]:
                    self._stop(run, reason)
                else:
                    self._look_for_lost(run)

    def _permit_ended(self, run: Run) -> str:
        return permit_ended(self._permits.find(run.document.permit), run.owner, clock.now().date())

    def _note_working(self, run: Run, node: str) -> None:
        part = run.parts[node]
        if node in run.waited_for and part.state is SiteState.ASKED:
            part.state = SiteState.WORKING
            self.board.note()

    def _answered(self, run: Run, turn: Turn, node: str, said: Said, payload: bytes) -> None:
        wrong = ""
        try:
            match said, turn.stage:
                case Agreed(terms=terms), Stage.CHECK:
                    turn.agreed[node] = run.parts[node].terms = terms
                case Keyed(key=key), Stage.KEYS:
                    read_key(key, Round(run.digest, run.epoch, turn.number, run.sites), node, _thumbprint(run, node))
                    turn.keys[node] = key
                case Sent() as sent, Stage.SUMS:
                    turn.take(node, sent, payload)
                case Failed(reason=reason), _:
                    self._lose(run, node, SiteState.FAILED, reason)
                    return
                case Forgot(), Stage.SUMS:
                    self._new_keys(run, turn)
                    return
                case _:
                    wrong = "it answers something that was not asked"
        except (Corrupt, Invalid) as error:
            wrong = str(error)
        if wrong:
            self._lose(run, node, SiteState.FAILED, wrong)
            return
        run.parts[node].state = SiteState.ANSWERED
        if not run.waited_for:
            self._all_answered(run, turn)

    def _all_answered(self, run: Run, turn: Turn) -> None:
        if turn.stage is Stage.KEYS:
            run.move_on(turn, self._seconds())
            return
        run.turn = None  # nothing is asked of anybody until what was answered is computed with
        if turn.stage is Stage.CHECK:
            run.state = RunState.RUNNING
            self.store.save(run.stored(), run.stored_sites())
            self._executor.submit(
                self._carefully,
                run,
                run.epoch,
                partial(self._catch_up, run, run.epoch, strictest(turn.agreed.values())),
            )
        else:
            self._executor.submit(self._carefully, run, run.epoch, partial(self._open, run, run.epoch, turn))

    def _carefully(self, run: Run, epoch: int, compute: Callable[[], Ask | StudyResult | None]) -> None:
        """Compute the next round, or the result; whatever goes wrong in it ends the run with a reason, unless it is one
        node's fault and the others may go on."""
        following: Ask | StudyResult | NodeFault | str | None
        try:
            following = _sendable(compute())
        except NodeFault as fault:
            following = fault
        except MegagenomeError as error:
            following = str(error)
        except Exception:  # noqa: BLE001 - nobody else would hear of it, and the run would wait for ever
            _log.exception("study %s", run.id)
            following = "the hub could not compute this: a fault of its own, which its operator sees in the log"
        with self._turn:
            if run.state in OVER or run.epoch != epoch or following is None:
                return
            if isinstance(following, str):
                self._stop(run, following)
            elif isinstance(following, NodeFault):
                self._lose(run, following.node, SiteState.FAILED, following.reason)
            elif isinstance(following, StudyResult):
                self._finish(run, following)
            else:
                run.ask(following, self._seconds())
        self.board.note()

    def _catch_up(self, run: Run, epoch: int, terms: Terms) -> Ask | StudyResult | None:
        """From the beginning to where the run was: the method computes again with what was opened."""
        stored = self.store.sums(run.id)
        begin = self._methods[type(run.document.method)]
        method = begin(run.document.method, len(run.sites), rules_of(terms).least)
        combine = with_people(run.document, terms, method)
        following = _next(combine, None)
        for each in stored:
            if isinstance(following, StudyResult) or asked_digest(following) != each.asked:
                raise Invalid("this version of the hub computes otherwise than the one that began: begin a new study")
            following = _next(combine, each.opened)
        with self._turn:
            if run.state in OVER or run.epoch != epoch:
                return None
            run.combine, run.rounds = combine, len(stored)
        return following

    def _open(self, run: Run, epoch: int, turn: Turn) -> Ask | StudyResult | None:
        """Open the round's sum, write it down, and let the method go on with it."""
        opened = opened_by(turn)
        with self._turn:
            combine = run.combine
            if run.state in OVER or run.epoch != epoch or combine is None:
                return None
            if turn.ask.step == PEOPLE_STEP:
                run.people = int(opened["people"])
            act = self._acts(run, f"opened:{turn.number}:{epoch}", sum(each.size for each in opened.values()))
            facts = round_facts(turn.ask, epoch, turn.number, run.sites)
            run.rounds, run.has_opened = run.rounds + 1, run.has_opened or facts.is_of_values
            stored = StoredSum(asked_digest(turn.ask), opened)
            self.store.add_sum(run.stored(), run.stored_sites(), facts, stored, act)
        return _next(combine, opened)

    def _look_for_lost(self, run: Run) -> None:
        turn, now_s = run.turn, self._seconds()
        if turn is None:
            return
        for node in sorted(run.waited_for):
            silence_s = now_s - max(self._heard_s.get(node, turn.began_s), turn.began_s)
            if silence_s > self._settings.silence_s:
                self._lose(run, node, SiteState.SILENT, f"it was not heard for {silence_s:.0f} s")
                return
            if now_s - turn.began_s > self._settings.round_s:
                self._lose(run, node, SiteState.LATE, f"it works longer than {self._settings.round_s:.0f} s on a round")
                return

    def _lose(self, run: Run, node: str, state: SiteState, reason: str) -> None:
        """Go on without a node, or stop, as the document says."""
        part, left = run.parts[node], len(run.sites) - 1
        part.state, part.reason = state, reason
        why = f"{node} {_WORDS[state]}: {reason}"
        if run.document.when_one_fails == "stop":
            self._stop(run, why)
        elif left < run.document.least_sites:
            self._stop(run, f"{why}; {left} nodes are left, and the study needs {run.document.least_sites}")
        elif run.has_opened:
            self._stop(run, f"{why}; {NO_SECOND_SUM}")
        else:
            part.taking_part = False
            self._new_epoch(run, forget=True)

    def _begin_again(self, run: Run, node: str) -> None:
        """Without somebody who withdrew. After a sum of values only where the node holds others back with them: where
        all that it lends is open it does not, and the difference would be one person's."""
        run.restarts += 1
        if run.has_opened and strictest([run.parts[node].terms or NO_TERMS]) == NO_TERMS:
            self._stop(run, f"somebody withdrew at {node}; {NO_SECOND_SUM}")
        elif run.restarts > MOST_RESTARTS:
            self._stop(run, f"people changed at {node} again and again: begin a new study later")
        else:
            self._new_epoch(run, forget=True)

    def _new_epoch(self, run: Run, *, forget: bool = False) -> None:
        """Ask every node anew; with `forget` from the first round on."""
        run.epoch += 1
        if forget:
            run.rounds, run.people = 0, None
        if run.epoch > MOST_EPOCHS:
            self._stop(run, f"it was begun {MOST_EPOCHS} times: nodes or the hub are restarted too often")
            return
        run.begin_check(self._seconds())
        self.store.save(run.stored(), run.stored_sites(), forget=forget)
        self.board.note()

    def _new_keys(self, run: Run, turn: Turn) -> None:
        """The same round under new keys; what was sent of it is dropped unopened."""
        run.epoch += 1
        if run.epoch > MOST_EPOCHS:
            self._stop(run, f"it was begun {MOST_EPOCHS} times: nodes or the hub are restarted too often")
            return
        run.ask(turn.ask, self._seconds())
        self.store.save(run.stored(), run.stored_sites())

    def _finish(self, run: Run, result: StudyResult) -> None:
        terms = [part.terms or NO_TERMS for part in run.parts.values() if part.taking_part]
        try:
            settled = self._settle(result, strictest(terms))
        except Invalid as error:
            self._stop(run, str(error))
            return
        run.reason = settled.waits_for
        self._end(run, RunState.WAITING if settled.waits_for else RunState.FINISHED, settled)

    def _stop(self, run: Run, reason: str) -> None:
        run.reason = reason
        self._end(run, RunState.STOPPED)

    def _end(self, run: Run, state: RunState, settled: Settled | None = None) -> None:
        run.state, run.turn, run.combine, run.ended = state, None, None, stamp(clock.now())
        acts, content, release = self._acts(run, str(state), run.rounds), None, None
        if settled is not None:
            content = encode_result(settled.result)
            digest = result_sha256(shown_result(content, run.id, run.digest))
            by, at = ("", "") if settled.waits_for else (BY_RULES, run.ended)
            release = Release(digest, rules_facts(settled.rules), settled.waits_for, by, at)
            if by:
                acts += release_acts(run.stored(), release, Act(Kind.STUDY, run.owner, run.name))
        self.store.save(run.stored(), run.stored_sites(), result=content, release=release, forget=True, acts=acts)
        self._runs.pop(run.id, None)
        self.board.note()

    def _acts(self, run: Run, what: str, count: int) -> list[Act]:
        return [
            Act(Kind.STUDY, run.owner, run.name, permit=run.document.permit, detail=f"{what}:{run.id}", count=count)
        ]


_WORDS = {
    SiteState.REFUSED: "refuses",
    SiteState.FAILED: "failed",
    SiteState.LATE: "is late",
    SiteState.SILENT: "is gone",
}


def _next(combine: Combine, opened: Sums | None) -> Ask | StudyResult:
    try:
        return next(combine) if opened is None else combine.send(opened)
    except StopIteration as ended:
        result: StudyResult = ended.value
        return result


def _sendable(following: Ask | StudyResult | None) -> Ask | StudyResult | None:
    """Raises `Invalid` where a round's message would be larger than any that is taken."""
    if isinstance(following, Ask):
        down = sum(each.nbytes for each in following.parameters.values()) + LARGEST_DOCUMENT_BYTES
        if max(down, following.vector_bytes) > LARGEST_PAYLOAD_BYTES - _BESIDE_BYTES:
            raise Invalid(
                f"the study's {following.step} are too many for one message: name fewer regions, or raise "
                "least_frequency or least_count"
            )
    return following


def _resumed(stored: StoredRun, sites: Sequence[StoredSite]) -> Run:
    return Run(
        id=stored.id,
        owner=stored.owner,
        name=stored.name,
        document=study_document.decode(stored.document),
        content=stored.document,
        digest=stored.digest,
        created=stored.created,
        state=stored.state,
        parts={each.node: _part(each) for each in sites},
        reason=stored.reason,
        epoch=stored.epoch,
        restarts=stored.restarts,
        people=stored.people,
        rounds=stored.rounds,
    )


def _part(site: StoredSite) -> Part:
    terms = msgspec.json.decode(site.terms, type=Terms) if site.terms else None
    return Part(site.node, site.taking_part, SiteState(site.state), site.reason, terms, site.up_bytes, site.down_bytes)


def _thumbprint(run: Run, node: str) -> str:
    return next(site.key for site in run.document.sites if site.node == node)
