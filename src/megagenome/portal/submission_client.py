# SPDX-License-Identifier: Apache-2.0
"""A node's `/inbox` as functions, called in process as the person who reads the page."""

import hashlib
import re
from typing import NamedTuple, TypeVar

import msgspec

from megagenome.kernel.errors import Conflict, NotEntitled, NotFound
from megagenome.portal.client import Reader, Reply, Sent, ask_own_app, read_content, read_reply, send_own_app
from megagenome.standards.crypt4gh_keys import RECIPIENT_PATH
from megagenome.standards.submission import (
    ROOT,
    Completed,
    Decision,
    Part,
    Preview,
    Submission,
    Submissions,
    content_digest,
)
from megagenome.standards.validation_report import Report

PART_BYTES = 8 << 20

T = TypeVar("T")
_ID = re.compile(r"MGS-[A-Z2-7]{16}")


class InboxOf(NamedTuple):
    """Each raises the condition that the API answered with."""

    reader: Reader

    async def all(self) -> Submissions:
        """One's own submissions, or a data steward's all."""
        return await self._get(ROOT, Submissions)

    async def show(self, submission: str) -> Submission:
        """One."""
        return await self._get(_at(submission), Submission)

    async def report(self, submission: str) -> Report | None:
        """What validation found; None before that."""
        try:
            return await self._get(f"{_at(submission)}/report", Report)
        except Conflict:
            return None

    async def has_receipt(self, submission: str) -> bool:
        """Whether there is one to be downloaded."""
        return (await ask_own_app(self.reader, f"{_at(submission)}/receipt", {})).status == 200

    async def preview(self, submission: str) -> Preview | None:
        """What would become public; None for whom it is not, and before it is known."""
        try:
            return await self._get(f"{_at(submission)}/preview", Preview)
        except (Conflict, NotEntitled):
            return None

    async def recipient(self) -> str:
        """The key that files for this node are sealed for, as a key file."""
        return read_content(await ask_own_app(self.reader, RECIPIENT_PATH, {})).decode()

    async def begin(self, manifest: bytes) -> Submission:
        """A new submission of this manifest."""
        return read_reply(await self._post(ROOT, manifest), ROOT, Submission)

    async def send(self, submission: str, file: int, sealed: bytes) -> None:
        """A whole sealed file, in parts."""
        for number, begin in enumerate(range(0, len(sealed), PART_BYTES)):
            content = sealed[begin : begin + PART_BYTES]
            path = f"{_at(submission)}/files/{file}/parts/{number}"
            digest = content_digest(hashlib.sha256(content).digest())
            sent = Sent(content, "application/octet-stream", digest)
            read_reply(await send_own_app(self.reader, path, {}, sent), path, Part)

    async def complete(self, submission: str) -> None:
        """All that is here is all there is."""
        shown = await self.show(submission)
        said = Completed(tuple(len(file.parts) for file in shown.files))
        read_content(await self._post(f"{_at(submission)}/complete", msgspec.json.encode(said)))

    async def cancel(self, submission: str) -> None:
        """End it."""
        read_content(await self._post(f"{_at(submission)}/cancel", b""))

    async def decide(self, submission: str, decision: Decision) -> None:
        """Accept or reject it."""
        read_content(await self._post(f"{_at(submission)}/decision", msgspec.json.encode(decision)))

    async def _get(self, path: str, kind: type[T]) -> T:
        return read_reply(await ask_own_app(self.reader, path, {}), path, kind)

    async def _post(self, path: str, body: bytes) -> Reply:
        return await send_own_app(self.reader, path, {}, Sent(body))


def _at(submission: str) -> str:
    if not _ID.fullmatch(submission):
        raise NotFound("there is no such submission here")
    return f"{ROOT}/{submission}"
