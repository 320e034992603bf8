# SPDX-License-Identifier: Apache-2.0
"""One run of a study as the hub has it in memory: what is asked of whom, and what was answered.

Vectors of single nodes are here and nowhere else, under masks: each is added to the others' as it comes, and once all
are there the sum is opened. No clock, no database, no thread: `coordinate` brings these.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.network.studies.model import Ask, Combine, Quantity, Sums
from megagenome.network.studies.store import StoredRun, StoredSite
from megagenome.standards import ring
from megagenome.standards.study import StudyDocument
from megagenome.standards.study_arrays import pack, unpack
from megagenome.standards.study_exchange import (
    NO_TERMS,
    PEOPLE_COUNTS,
    PEOPLE_STEP,
    Place,
    Sent,
    Stage,
    Summed,
    Task,
    Terms,
    encode_keys,
    split,
)
from megagenome.standards.study_masks import SignedKey
from megagenome.standards.study_shown import RunState, SiteState

MOST_RESTARTS = 5
"""So often a run begins again because somebody withdrew."""
MOST_EPOCHS = 50
MOST_OPENED_BYTES = 2 << 30
"""Of the lists that all nodes open in one round."""
_NOTHING = Ask("", {})
_SAID_OF = {
    "incomplete": "People left out because something that the study asks of them is not recorded",
    "held_back": "People held back, so that no two studies at a node differ by a few",
    "duplicates": "Pairs of duplicates or identical twins within nodes",
    "first_degree": "Pairs of relatives of the first degree within nodes",
    "second_degree": "Pairs of relatives of the second degree within nodes",
    "not_compared": "People not compared with everybody of their node, so that relatives among them are not known",
}


@dataclass(slots=True)
class Part:
    """One node's part. `terms` None before it agreed."""

    node: str
    taking_part: bool = True
    state: SiteState = SiteState.ASKED
    reason: str = ""
    terms: Terms | None = None
    up_bytes: int = 0
    down_bytes: int = 0

    def stored(self) -> StoredSite:
        """As it is written down."""
        terms = "" if self.terms is None else msgspec.json.encode(self.terms).decode()
        return StoredSite(self.node, self.taking_part, self.state, self.reason, terms, self.up_bytes, self.down_bytes)


@dataclass(slots=True)
class Turn:
    """What all nodes of an epoch are asked now.

    ask         of the method; for the check one that asks nothing
    parameters  packed
    began_s     of the coordinator's clock
    """

    number: int
    stage: Stage
    ask: Ask
    parameters: bytes
    began_s: float
    agreed: dict[str, Terms] = field(default_factory=dict)
    keys: dict[str, SignedKey] = field(default_factory=dict)
    total: ring.Ring | None = field(default=None, repr=False)
    opened: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    def answered(self) -> set[str]:
        """Who did what this stage asks."""
        by_stage: dict[Stage, dict[str, Any]] = {
            Stage.CHECK: self.agreed,
            Stage.KEYS: self.keys,
            Stage.SUMS: self.opened,
        }
        return set(by_stage[self.stage])

    def take(self, node: str, sent: Sent, payload: bytes) -> None:
        """A node's vector and opened arrays; an empty payload where there was no `room` for it. Raises `Corrupt` or
        `Invalid`, saying what is wrong, where they are not what was asked."""
        if not payload and sent.masked_bytes + sent.opened_bytes > self.room():
            raise Corrupt(
                "it sends more than was asked, or a list of alleles for which there is no room: fewer regions"
            )
        masked, opened = split(payload, (sent.masked_bytes, sent.opened_bytes))
        expected = self.ask.vector_bytes
        if len(masked) != expected:
            raise Corrupt(f"it sends a vector of another shape: {len(masked):,} bytes, and {expected:,} were asked")
        self.opened[node] = _opened(opened, self.ask.opened)
        vector = np.frombuffer(masked, "<u8")
        self.total = vector.copy() if self.total is None else self.total + vector

    def room(self) -> int:
        """The most bytes that a node's answer can have now."""
        if self.stage is not Stage.SUMS:
            return 0
        opened = sum(each.nbytes for lists in self.opened.values() for each in lists.values())
        return self.ask.vector_bytes + (max(MOST_OPENED_BYTES - opened, 0) if self.ask.opened else 0)


@dataclass(slots=True)
class Run:
    """A run that is not over.

    turn        None while what was answered is being computed with
    rounds      how many rounds were opened in this epoch
    has_opened  whether a sum of people's values was: from then on another sum, without one node or person, would show
                theirs by the difference
    """

    id: str
    owner: str
    name: str
    document: StudyDocument
    content: bytes
    digest: str
    created: str
    state: RunState
    parts: dict[str, Part]
    reason: str = ""
    epoch: int = 0
    restarts: int = 0
    people: int | None = None
    ended: str = ""
    turn: Turn | None = None
    combine: Combine | None = None
    rounds: int = 0
    step: str = ""
    has_opened: bool = False

    def stored(self) -> StoredRun:
        """As it is written down."""
        return StoredRun(
            self.id,
            self.owner,
            self.name,
            self.document.permit,
            self.digest,
            self.content,
            self.state,
            self.reason,
            self.epoch,
            self.restarts,
            self.people,
            self.rounds,
            self.created,
            self.ended,
        )

    def stored_sites(self) -> list[StoredSite]:
        """All nodes, also those that were given up."""
        return [part.stored() for part in self.parts.values()]

    @property
    def sites(self) -> tuple[str, ...]:
        """Those that take part, sorted."""
        return tuple(sorted(node for node, part in self.parts.items() if part.taking_part))

    @property
    def waited_for(self) -> set[str]:
        """Nodes that have not answered yet."""
        return set() if self.turn is None else set(self.sites) - self.turn.answered()

    def place(self) -> Place | None:
        """Where the run is; None while it computes."""
        return None if self.turn is None else Place(self.id, self.epoch, self.turn.number, self.turn.stage)

    def offer(self, node: str, holds: bool) -> tuple[Task, bytes] | None:
        """What one node is to do now, with its payload; None where it did or nothing is asked."""
        turn, place = self.turn, self.place()
        if turn is None or place is None or node not in self.waited_for:
            return None
        ask = turn.ask if turn.stage is Stage.SUMS else _NOTHING
        document = b"" if holds else self.content
        parameters = turn.parameters if turn.stage is Stage.SUMS else b""
        keys = encode_keys(turn.keys) if turn.stage is Stage.SUMS and turn.keys else b""
        sums = tuple(Summed(each.name, each.shape, each.bits) for each in ask.sums)
        task = Task(
            place,
            self.digest,
            self.owner,
            self.name,
            self.sites,
            ask.step,
            sums,
            ask.opened,
            len(document),
            len(parameters),
            len(keys),
        )
        return task, document + parameters + keys

    def begin_check(self, now_s: float) -> None:
        """Ask every node whether it takes part."""
        self.state, self.step = RunState.CHECKING, "check"
        self.turn, self.combine = Turn(self.rounds, Stage.CHECK, _NOTHING, b"", now_s), None
        self._all_asked()

    def ask(self, ask: Ask, now_s: float) -> None:
        """Begin a round: with keys for its masks, where there is a sum of more than one node."""
        stage = Stage.KEYS if ask.sums and len(self.sites) > 1 else Stage.SUMS
        self.turn, self.step = Turn(self.rounds, stage, ask, pack(ask.parameters), now_s), ask.step
        self._all_asked()

    def move_on(self, turn: Turn, now_s: float) -> None:
        """From keys to sums."""
        turn.stage, turn.began_s = Stage.SUMS, now_s
        self._all_asked()

    def _all_asked(self) -> None:
        for node in self.sites:
            self.parts[node].state = SiteState.ASKED


def opened_by(turn: Turn) -> Sums:
    """The round's sums, and what was opened of each site. Raises `Invalid` where a sum cannot be true."""
    found: Sums = {}
    for name in turn.ask.opened:
        found |= {f"{name}/{node}": turn.opened[node][name] for node in sorted(turn.opened)}
    if turn.total is not None:
        total, begin = turn.total, 0
        for each in turn.ask.sums:
            end = begin + math.prod(each.shape)
            found[each.name] = _decoded(total[begin:end], each)
            begin = end
    return found


def strictest(agreed: Iterable[Terms]) -> Terms:
    """Terms that all nodes can agree to."""
    terms = [NO_TERMS, *agreed]
    return Terms(
        max(each.least_people for each in terms),
        max(each.least_cell for each in terms),
        max(each.least_allele_count for each in terms),
        min(each.most_parameters for each in terms),
    )


def asked_digest(ask: Ask) -> str:
    """Of all that was asked in a round: what is computed anew must ask the same."""
    stated = msgspec.msgpack.encode((ask.step, pack(ask.parameters), ask.sums, ask.opened))
    return "sha256:" + hashlib.sha256(stated).hexdigest()


def with_people(document: StudyDocument, terms: Terms, method: Combine) -> Combine:
    """A method's hub side after the step `PEOPLE_STEP`. Ends with `Invalid` where there are too few people."""
    sums = yield Ask(PEOPLE_STEP, {}, tuple(Quantity(name, (), 0) for name in PEOPLE_COUNTS))
    people = int(sums["people"])
    least = max(document.least_people, terms.least_people)
    if people < least:
        raise Invalid(f"the nodes have fewer than {least} people together: the study or a node's rules demand more")
    result = yield from method
    notes = (*result.notes, *_left_out(sums, terms))
    return msgspec.structs.replace(result, summary={**result.summary, "people": people}, notes=notes)


def _left_out(sums: Sums, terms: Terms) -> tuple[str, ...]:
    """What is to be said of those who are not in the study, and of relatives; of a few only that they are fewer."""
    counts = {name: int(sums[name]) for name in _SAID_OF}
    return tuple(
        f"{_SAID_OF[name]}: {many_of(count, terms.least_cell)}." for name, count in counts.items() if count > 0
    )


def many_of(count: int, least: int) -> str:
    """A count as it is told: exactly of open data only (`least` 0), for no rule keeps apart those who are not studied,
    and two cohorts that differ by one would show them."""
    if not least:
        return f"{count:,}"
    return f"fewer than {least}" if count < least else f"about {float(f'{count:.0e}'):,.0f}"


def _decoded(total: ring.Ring, quantity: Quantity) -> Any:
    if total.size and int(np.abs(total.view(np.int64).astype(np.float64)).max()) >= 2.0**62:
        raise Invalid(f"the sum of {quantity.name} is out of all bounds: a node sent what it must not")
    return ring.decode(total, quantity.bits).reshape(quantity.shape)


def _opened(content: bytes, names: tuple[str, ...]) -> dict[str, Any]:
    found = unpack(content) if content or names else {}
    if set(found) != set(names):
        raise Corrupt(f"it opens {', '.join(sorted(found))[:100] or 'nothing'}, and {', '.join(names)} was asked")
    for name, array in found.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise Corrupt(f"it sends {name} with values that are no numbers")
    return found
