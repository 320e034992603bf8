# SPDX-License-Identifier: Apache-2.0
"""The hub's side of the exchange with a node that joined (`standards.exchange`): verifies its message, records the
decisions in it, and answers what is new for it."""

import hashlib
import logging
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from megagenome.access import command_types as c
from megagenome.access import tables as t
from megagenome.access.heard_clocks import HeardClocks
from megagenome.access.needs import BelievedNode, Members
from megagenome.access.news import Asked, News, read_news
from megagenome.access.process import Process
from megagenome.access.reading import Reader
from megagenome.access.store import Transaction
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller
from megagenome.kernel.database import begin_snapshot
from megagenome.kernel.errors import (
    Conflict,
    Corrupt,
    Invalid,
    MegagenomeError,
    NotEntitled,
    NotFound,
    TooLarge,
    Unauthenticated,
)
from megagenome.kernel.jwt import read_token
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.signatures import LARGEST_TOKEN_BYTES, quoted, verify
from megagenome.standards.application import ApplicationId
from megagenome.standards.exchange import (
    Answer,
    Message,
    Receipt,
    is_near,
    read_message,
    sign_answer,
    sign_proposal,
    stated_message,
)
from megagenome.standards.permit import DECISION_TYPE, CountryDecision, Revocation, decode_decision

_log = logging.getLogger(__name__)

_ATTEMPTS = 5
_ENOUGH_BYTES = 2 << 20
"""After so many bytes of proposals an answer takes no further news."""


class Exchange:
    """Answers messages. Safe for threads; nothing is kept in memory but the nodes' clocks."""

    def __init__(
        self,
        process: Process,
        reader: Reader,
        members: Members,
        keys: SigningKeys,
        descriptor: str,
        clocks: HeardClocks,
    ) -> None:
        """`descriptor` is this hub's own, as it is served; `clocks` are told what time it is at each node."""
        self._process, self._reader, self._members, self._clocks = process, reader, members, clocks
        self._keys, self._descriptor = keys, descriptor
        self._hub = process.world.hub

    def answer(self, token: bytes) -> str:
        """The signed answer to a signed message. What it acknowledges is durable.

        Raises `Unauthenticated` where no node that joined signed it; `Invalid` where it is for another hub or the
        clocks disagree, `Conflict` where it was sent before. Nothing is read or recorded for it then.
        """
        node, message = self._verified(token)
        if message.hub != self._hub:
            raise Invalid(f"the message is for {message.hub}, not for {self._hub}")
        now = clock.now()
        if not is_near(message.sent_at, now):
            self._clocks.hear_if_newer(node.id, message.sent_at)
            ahead = round((message.sent_at - now).total_seconds())
            raise Invalid(f"the clock of {node.id} is {ahead} s ahead of the hub's: set both by a time server")
        if not self._members.note_message(node.id, message.sent_at):
            raise Conflict("this message, or a newer one, was sent before")
        self._clocks.hear(node.id, message.sent_at)
        receipts = [self._record(node, decision) for decision in message.decisions]
        with begin_snapshot(self._reader.store.engine) as connection:
            news = read_news(connection, message.node, message.since)
            answer = self._answer(Transaction(connection), message, news, [each for each in receipts if each])
        return sign_answer(self._keys, answer)

    def _verified(self, token: bytes) -> tuple[BelievedNode, Message]:
        try:
            stated = stated_message(token)
            node = self._members.find(stated.sender, stated.descriptor)
            if node is None:
                raise Unauthenticated(f"{stated.sender[:100]} has not joined this network, or was removed from it")
            return node, read_message(token, node.keys)
        except (Corrupt, TooLarge) as error:
            raise Unauthenticated(f"the message is not signed as it must be: {error}") from None

    def _record(self, node: BelievedNode, token: str) -> Receipt | None:
        """What became of a decision; None where it is to be sent again."""
        sha256 = hashlib.sha256(token.encode()).hexdigest()
        try:
            decision = verify_decision(self._members, token)
            return Receipt(sha256) if self._do(node, decision, sha256, token) else None
        except (Invalid, NotEntitled, Conflict, NotFound) as error:
            _log.warning("a decision of %s is not recorded: %s", node.id, error)
            return Receipt(sha256, str(error))

    def _do(self, node: BelievedNode, decision: CountryDecision, sha256: str, token: str) -> bool:
        """Record it at whatever version the application is; False where others were always faster."""
        caller, application = node_caller(node.id), self._application(decision.permit)
        if self._was_done(caller, sha256):
            return True
        for attempt in range(_ATTEMPTS):
            version = self._version(application)
            try:
                order = c.Order(sha256, version, c.RecordDecision(token))
                self._process.do(caller, application, order)
            except Conflict:
                # twice at the same version, so it was not somebody who wrote at the same moment
                if attempt and self._version(application) == version:
                    raise
            else:
                return True
        return False

    def _was_done(self, caller: Caller, command: str) -> bool:
        with self._reader.store.transaction() as transaction:
            person = transaction.find_person(caller.subject or "")
            return person is not None and transaction.done(person, command) is not None

    def _application(self, permit: str) -> ApplicationId:
        asked = sa.select(t.application.c.id).where(t.application.c.permit == permit)
        with self._reader.store.engine.connect() as connection:
            found = connection.execute(asked).scalar()
        if found is None:
            raise NotFound(f"permit {permit[:40]} is not, or no longer, what is proposed")
        return ApplicationId(found)

    def _version(self, application: ApplicationId) -> int:
        asked = sa.select(t.application.c.version).where(t.application.c.id == application)
        with self._reader.store.engine.connect() as connection:
            return int(connection.execute(asked).scalar_one())

    def _answer(self, transaction: Transaction, message: Message, news: News, receipts: Iterable[Receipt]) -> Answer:
        sequence, complete = news.sequence, news.complete
        proposals: list[str] = []
        revocations: list[Revocation] = []
        for item in news.items:
            if sum(map(len, proposals)) > _ENOUGH_BYTES:
                sequence, complete = item.sequence - 1, False
                break
            if isinstance(item, Revocation):
                revocations.append(item)
            else:
                proposals += self._proposals(transaction, item, message.node)
        return Answer(
            self._hub,
            message.node,
            message.nonce,
            clock.now(),
            sequence,
            complete,
            tuple(proposals),
            tuple(revocations),
            tuple(receipts),
            self._descriptor,
        )

    def _proposals(self, transaction: Transaction, asked: Asked, node: str) -> list[str]:
        try:
            found = self._reader.proposals_of(transaction, ApplicationId(asked.application), node)
        except MegagenomeError:  # erased, or not to be read: it must hold up no other
            _log.exception("the proposal of application %s", asked.application)
            return []
        return [sign_proposal(self._keys, each) for each in found if each.country == asked.country]


def node_caller(node: str) -> Caller:
    """A node that speaks for itself."""
    return Caller(f"node:{node}", node=node)


def verify_decision(members: Members, token: str) -> CountryDecision:
    """What a country's signed decision says, for `World.verify_decision`.

    Raises `NotEntitled` unless a node that joined signed it, which is the one that it names, of the country that it
    names; `Invalid` for a decision that contradicts itself.
    """
    try:
        said = read_token(token, LARGEST_TOKEN_BYTES).claims.get("node")
        node = members.find(said) if isinstance(said, str) else None
        if node is None:
            raise NotEntitled(f"{quoted(said)} has not joined this network, or was removed from it")
        claims = verify(token, node.keys, DECISION_TYPE)
    except (Corrupt, TooLarge) as error:
        raise NotEntitled(f"the decision is not signed by a node of this network: {error}") from None
    decision = decode_decision(msgspec.json.encode(claims))
    if (decision.node, decision.country) != (node.id, node.country):
        raise NotEntitled(f"{node.id} decides for {node.country} only")
    return decision
