# SPDX-License-Identifier: Apache-2.0
"""Saved cohorts as functions: the hub's `/access/cohorts`, called in process as the reader of the page."""

import re
from typing import NamedTuple, TypeVar

import msgspec

from megagenome.kernel.errors import Conflict, NotFound
from megagenome.portal.client import Ask, Hub, Reader, Sent, ask_own_app, read_reply, send_own_app
from megagenome.standards.federation import CohortAnswer
from megagenome.standards.saved_cohort import RecountCohort, RenameCohort, SaveCohort, SavedCohort, SavedCohorts

Answer = TypeVar("Answer")
_ID = re.compile(r"sha256:[0-9a-f]{64}")
_ROOT = "/access/cohorts"


class Cohorts(NamedTuple):
    """Each function raises the condition that the API answered with, with its words."""

    reader: Reader
    ask: Ask = ask_own_app

    async def list(self, skip: int = 0) -> SavedCohorts:
        """A page of the reader's own."""
        return read_reply(await self.ask(self.reader, _ROOT, {"skip": str(skip)}), _ROOT, SavedCohorts)

    async def one(self, cohort: str) -> SavedCohort:
        """One of them. Raises `NotFound`."""
        path = _at(cohort)
        return read_reply(await self.ask(self.reader, path, {}), path, SavedCohort)

    async def find(self, cohort: str) -> SavedCohort | None:
        """The same; None where the reader has not saved it."""
        try:
            return await self.one(cohort)
        except NotFound:
            return None

    async def save(self, order: SaveCohort) -> SavedCohort:
        """Save one; as it was saved first, where it was saved before."""
        return await self._send(_ROOT, order)

    async def rename(self, cohort: str, order: RenameCohort) -> SavedCohort:
        """Change title and note."""
        return await self._send(f"{_at(cohort)}/rename", order)

    async def recount(self, cohort: str, order: RecountCohort) -> SavedCohort:
        """Keep what the nodes tell now."""
        return await self._send(f"{_at(cohort)}/recount", order)

    async def delete(self, cohort: str) -> SavedCohort:
        """Delete one."""
        return await self._send(f"{_at(cohort)}/delete", None)

    async def _send(self, path: str, order: msgspec.Struct | None) -> SavedCohort:
        sent = Sent(msgspec.json.encode(order))
        return read_reply(await send_own_app(self.reader, path, {}, sent), path, SavedCohort)


async def ask_again(hub: Hub, saved: SavedCohort) -> CohortAnswer:
    """What the nodes tell of a saved cohort now. Raises `Conflict` where its question means another cohort by now."""
    answer = await hub.cohort(saved.question)
    if answer.cohort != saved.cohort.id:
        raise Conflict("the question of this cohort means another one by now: count it anew, and save that")
    return answer


def _at(cohort: str) -> str:
    if not _ID.fullmatch(cohort):
        raise NotFound(f"you have saved no cohort {cohort[:80]!r}: count it, then save it")
    return f"{_ROOT}/{cohort}"
