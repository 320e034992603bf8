# SPDX-License-Identifier: Apache-2.0
"""What becomes of a result: the crate in which its holder takes it away, and the decision of who checks it first."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import Conflict, Corrupt, NotEntitled, NotFound
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Act, Kind
from megagenome.network.joined_nodes import joined_nodes
from megagenome.network.stamps import stamp
from megagenome.network.studies.crate import make_crate, run_record
from megagenome.network.studies.receipt import release_acts
from megagenome.network.studies.shown import method_of
from megagenome.network.studies.store import StoredRun, StudyStore
from megagenome.network.studies.studies import Studies
from megagenome.standards import study as study_document
from megagenome.standards.descriptor import meet
from megagenome.standards.study_shown import Decision, ResultShown, RunState, SiteKeys, WaitingList, WaitingShown


class HubNamed(NamedTuple):
    """The hub as it signs crates; `versions` are of the software of its nodes, by node."""

    id: str
    url: str
    keys: SigningKeys
    versions: Callable[[], Mapping[str, str]]


class Outcomes:
    """Decides who may take what away, and who may release. Safe for threads."""

    def __init__(self, studies: Studies, store: StudyStore, hub: HubNamed) -> None:
        self._studies, self._store, self._hub = studies, store, hub

    def sites(self, caller: Caller) -> SiteKeys:
        """The network's nodes, for who writes a study document."""
        return SiteKeys(dict(sorted(self._studies.keys_of_nodes(caller).items())))

    def document(self, caller: Caller, run: str) -> bytes:
        """The study document of a run, as its digest has it."""
        return self._studies.stored(caller, run).document

    def crate(self, caller: Caller, run: str) -> bytes:
        """The provenance crate of a released result, to the run's owner or an auditor. Raises `Conflict` before."""
        result = self._studies.result(caller, run)
        stored = self._studies.stored(caller, run)
        sites, rounds, hub = self._store.sites(run), self._store.rounds(run), self._hub
        record = run_record(stored, sites, rounds, hub.id, hub.url, hub.versions())
        return make_crate(record, stored.document, result, hub.keys)

    def waiting(self, caller: Caller) -> WaitingList:
        """Results that wait, to a data steward of the hub."""
        caller.require(Role.DATA_STEWARD)
        return WaitingList(
            tuple(_waiting(run, is_mine=not self._studies.may_check(caller, run)) for run in self._store.waiting())
        )

    def held(self, caller: Caller, run: str) -> ResultShown:
        """A result that waits, to a data steward who did not ask for it."""
        found = self._store.result(self._checked_by(caller, run))
        if found is None:
            raise Corrupt(f"the result of study {run} is gone")
        return found

    def decide(self, caller: Caller, run: str, decision: Decision) -> None:
        """Release a result, or refuse to: then it is deleted. Durable on return, entered in the ledger under the name
        of who decided. Raises `Conflict` where it does not wait any more."""
        stored = self._checked_by(caller, run)
        word, state = ("released", RunState.FINISHED) if decision.release else ("refused", RunState.STOPPED)
        now = clock.now()
        reason = f"{word} by {caller.name} on {now.date()}: {decision.reason.strip()}"
        by = Act(Kind.STUDY, caller.subject, caller.name, permit=stored.permit, detail=f"{word}:{run}")
        release, acts = None, [by]
        if decision.release:
            checked = self._store.release(run)
            if checked is None:
                raise Corrupt(f"it is not known by which rules the result of study {run} was checked")
            release = msgspec.structs.replace(checked, by=caller.subject or "", at=stamp(now))
            acts = release_acts(stored, release, by)
        if not self._store.decide(run, state, reason, release, acts):
            raise Conflict(f"study {run} does not wait any more: somebody else decided")

    def _checked_by(self, caller: Caller, run: str) -> StoredRun:
        caller.require(Role.DATA_STEWARD)
        stored = self._store.find(run)
        if stored is None or stored.state is not RunState.WAITING:
            raise NotFound(f"there is no study {run[:40]!r} that waits for a check")
        if not self._studies.may_check(caller, stored):
            raise NotEntitled("you have a part in this study: somebody else must look at its result")
        return stored


def versions_of_nodes(engine: sa.Engine) -> dict[str, str]:
    """The version of each node's software, as its newest descriptor says."""
    with engine.connect() as connection:
        joined = joined_nodes(connection)
    return {each.node.id: meet(each.descriptor).version for each in joined}


def _waiting(run: StoredRun, *, is_mine: bool) -> WaitingShown:
    document = study_document.decode(run.document)
    return WaitingShown(
        run.id,
        document.title,
        method_of(document),
        run.permit,
        run.name,
        is_mine,
        run.reason,
        run.people,
        run.ended,
    )
