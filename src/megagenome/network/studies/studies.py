# SPDX-License-Identifier: Apache-2.0
"""Studies to those who run them: what is against one, begin, look, cancel, the result."""

import secrets
from collections.abc import Callable, Mapping

from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, NotEntitled, NotFound
from megagenome.network.stamps import stamp
from megagenome.network.studies.check import findings
from megagenome.network.studies.coordinate import Coordinator
from megagenome.network.studies.methods import METHODS
from megagenome.network.studies.needs import Permits
from megagenome.network.studies.receipt import receipt_of
from megagenome.network.studies.run import Part, Run
from megagenome.network.studies.shown import method_of, shown
from megagenome.network.studies.store import StoredRun
from megagenome.standards import study as study_document
from megagenome.standards.study import StudyDocument
from megagenome.standards.study_receipt import Receipt
from megagenome.standards.study_shown import OVER, Begun, CheckShown, ResultShown, RunState, StudyList, StudyShown

_SEE_ALL = frozenset({Role.AUDITOR, Role.DATA_STEWARD})


class Studies:
    """Decides who may begin and see what. Whoever is neither a run's owner nor an auditor nor a data steward of the hub
    is told that there is none. Safe for threads."""

    def __init__(
        self,
        coordinator: Coordinator,
        permits: Permits,
        keys_of_nodes: Callable[[], Mapping[str, str]],
        most_running: int,
        hub: str = "",
        read_cohort: Callable[[str], object] = str,
    ) -> None:
        """`keys_of_nodes` are thumbprints of the keys with which nodes that joined sign now, by node; `most_running`
        is for one person, at once; `hub` is the hub's id; `read_cohort` raises `Invalid` for what defines no cohort."""
        self._hub, self._read_cohort = hub, read_cohort
        self.coordinator, self._store = coordinator, coordinator.store
        self._permits, self._keys_of_nodes, self._most_running = permits, keys_of_nodes, most_running

    def check(self, caller: Caller, content: bytes) -> CheckShown:
        """What is against a study, as far as the hub can say. Raises `Invalid` for what is no study document."""
        document = study_document.decode(content)
        return CheckShown(study_document.digest(document), self._findings(caller, document))

    def begin(self, caller: Caller, content: bytes) -> Begun:
        """Run a study; durable on return. Raises `Invalid` for a document that is none or that something is against,
        `RateLimited` where too many of the caller's are running."""
        document = study_document.decode(content)
        if found := self._findings(caller, document):
            raise Invalid("; ".join(found))
        run = _new_run(caller, document)
        self.coordinator.add(run, self._most_running)
        return Begun(run.id, run.digest)

    def cancel(self, caller: Caller, run: str) -> None:
        """End a run of the caller's. Idempotent. Raises `NotFound` for everybody else's."""
        if self._require(caller, run).owner != caller.subject:
            raise NotFound(f"there is no study {run[:40]!r}, or it is not yours")
        self.coordinator.end(run, "cancelled by its owner")

    def listed(self, caller: Caller) -> StudyList:
        """The caller's runs; an auditor's and a data steward's list is of everybody's."""
        subject = caller.require_subject()
        return StudyList(self._store.listed(None if caller.roles & _SEE_ALL else subject))

    def show(self, caller: Caller, run: str) -> StudyShown:
        """A run to its owner, to an auditor or a data steward. Raises `NotFound` to everybody else."""
        self._require(caller, run)
        if now := self.coordinator.shown(run):
            return now
        stored = self._require(caller, run)  # again: it may have ended meanwhile
        return shown(stored, self._store.sites(run), stored.rounds, "")

    def result(self, caller: Caller, run: str) -> ResultShown:
        """What a run found. Raises `Conflict` as long as it is not released, but to data stewards, who release it."""
        stored = self._require(caller, run)
        looks = stored.state is RunState.WAITING and self.may_check(caller, stored)
        if stored.state is not RunState.FINISHED and not looks:
            why = f": {stored.reason}" if stored.reason else ""
            raise Conflict(f"study {run} has no result, it is {stored.state}{why}")
        found = self._store.result(stored)
        if found is None:
            raise Corrupt(f"the result of study {run} is gone")
        return found

    def may_check(self, caller: Caller, stored: StoredRun) -> bool:
        """Whether they may look at a result that waits: a data steward of this hub without a part in the study."""
        permit = self._permits.find(stored.permit)
        named = permit.people if permit is not None else frozenset()
        return Role.DATA_STEWARD in caller.roles and caller.subject not in {stored.owner, *named}

    def stored(self, caller: Caller, run: str) -> StoredRun:
        """A run as it was written down, to its owner or an auditor. Raises `NotFound` to everybody else."""
        return self._require(caller, run)

    def keys_of_nodes(self, caller: Caller) -> Mapping[str, str]:
        """Thumbprints of the keys with which the network's nodes sign now, as a study document names them."""
        caller.require_subject()
        return self._keys_of_nodes()

    def receipt(self, caller: Caller, run: str) -> Receipt:
        """What was computed with whom, and how the result came to be told. Raises `Conflict` while it is running."""
        stored = self._require(caller, run)
        if stored.state not in OVER:
            raise Conflict(f"study {run} is {stored.state}: its receipt is made when it is over")
        return receipt_of(self._store, stored, self._hub)

    def _findings(self, caller: Caller, document: StudyDocument) -> tuple[str, ...]:
        caller.require_subject()
        if caller.node:
            raise NotEntitled("a node takes part in studies and runs none: sign in as who has a permit")
        permit = self._permits.find(document.permit)
        found = findings(document, caller, permit, self._keys_of_nodes(), clock.now().date(), self._read_cohort)
        if type(document.method) not in METHODS:
            found += (f"this hub does not know the method {method_of(document)}",)
        return found

    def _require(self, caller: Caller, run: str) -> StoredRun:
        subject = caller.require_subject()
        found = self._store.find(run)
        if found is None or not (found.owner == subject or caller.roles & _SEE_ALL):
            raise NotFound(f"there is no study {run[:40]!r}, or it is not yours")
        return found


def _new_run(caller: Caller, document: StudyDocument) -> Run:
    return Run(
        id="S" + secrets.token_hex(8),
        owner=caller.subject or "",
        name=caller.name,
        document=document,
        content=study_document.encode(document),
        digest=study_document.digest(document),
        created=stamp(clock.now()),
        state=RunState.CHECKING,
        parts={site.node: Part(site.node) for site in document.sites},
    )
