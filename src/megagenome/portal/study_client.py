# SPDX-License-Identifier: Apache-2.0
"""Studies as functions: the hub's `/studies` routes, called in process as the reader of the page."""

import re
from typing import NamedTuple, TypeVar

import anyio.to_thread
import msgspec

from megagenome.kernel.errors import NotFound
from megagenome.portal.client import Reader, Reply, Sent, ask_own_app, read_content, read_reply, send_own_app
from megagenome.standards.study_shown import (
    Begun,
    CheckShown,
    Decision,
    ResultShown,
    SiteKeys,
    StudyList,
    StudyShown,
    WaitingList,
)

Answer = TypeVar("Answer")
_ID = re.compile(r"S[0-9a-f]{1,64}")
_ROOT = "/studies"


class Studies(NamedTuple):
    """Each function raises the condition that the API answered with, with its words."""

    reader: Reader

    async def list(self) -> StudyList:
        """The reader's."""
        return await self._get(_ROOT, StudyList)

    async def show(self, study: str) -> StudyShown:
        """One run, as it is now."""
        return await self._get(_at(study), StudyShown)

    async def result(self, study: str) -> ResultShown:
        """What it found. Of a million alleles it is read for a second, meanwhile others are answered."""
        return await self._result(f"{_at(study)}/result")

    async def content(self, study: str, what: str) -> bytes:
        """Its `document` or `crate`."""
        return read_content(await ask_own_app(self.reader, f"{_at(study)}/{what}", {}))

    async def sites(self) -> SiteKeys:
        """Keys of the network's nodes."""
        return await self._get(f"{_ROOT}/sites", SiteKeys)

    async def check(self, document: bytes) -> CheckShown:
        """What is against a document."""
        return read_reply(await self._post(f"{_ROOT}/check", document), f"{_ROOT}/check", CheckShown)

    async def run(self, document: bytes) -> Begun:
        """Begin a study."""
        return read_reply(await self._post(_ROOT, document), _ROOT, Begun)

    async def cancel(self, study: str) -> None:
        """End a study."""
        read_content(await self._post(f"{_at(study)}/cancel", b"{}"))

    async def waiting(self) -> WaitingList:
        """Results that wait for a check."""
        return await self._get(f"{_ROOT}/waiting", WaitingList)

    async def held(self, study: str) -> ResultShown:
        """One of them."""
        return await self._result(f"{_at(study)}/held")

    async def decide(self, study: str, decision: Decision) -> None:
        """Release it, or refuse to."""
        read_content(await self._post(f"{_at(study)}/decision", msgspec.json.encode(decision)))

    async def _result(self, path: str) -> ResultShown:
        reply = await ask_own_app(self.reader, path, {})
        return await anyio.to_thread.run_sync(read_reply, reply, path, ResultShown)

    async def _get(self, path: str, kind: type[Answer]) -> Answer:
        return read_reply(await ask_own_app(self.reader, path, {}), path, kind)

    async def _post(self, path: str, body: bytes) -> Reply:
        return await send_own_app(self.reader, path, {}, Sent(body))


def _at(study: str) -> str:
    if not _ID.fullmatch(study):
        raise NotFound(f"there is no study {study[:40]!r}, or it is not yours")
    return f"{_ROOT}/{study}"
