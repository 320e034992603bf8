# SPDX-License-Identifier: Apache-2.0
"""The application process as functions: the hub's `/access` routes, called in process as the reader of the page."""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from megagenome.kernel.errors import NotFound
from megagenome.portal.client import Reader, Sent, ask_own_app, read_reply, send_own_app
from megagenome.standards.application import ApplicationShown, DatasetRef, FormRef, Outcome, Page, Scope, Verb
from megagenome.standards.application_form import Form
from megagenome.standards.permit import PermitDocument

Answer = TypeVar("Answer")
_ID = re.compile(r"[A-Za-z0-9]{1,100}")
_ROOT = "/access/applications"


def new_order() -> str:
    """An id for a command that is about to be sent: a form carries it, so a form sent twice does one thing."""
    return secrets.token_urlsafe(16)


class Ordered(NamedTuple):
    """What a page's form knew when it was made: the id of its command, and the version that its reader saw."""

    id: str
    version: int


class Access(NamedTuple):
    """Each function raises the condition that the API answered with, with its words."""

    reader: Reader

    async def list(self, scope: Scope, states: Sequence[str] = (), skip: int = 0, limit: int = 50) -> Page:
        """A page of a list."""
        query = {"scope": scope.value, "state": tuple(states), "skip": str(skip), "limit": str(limit)}
        return await self._get(_ROOT, Page, query)

    async def of_cohort(self, cohort: str) -> Page:
        """The reader's own that were begun with a cohort, latest first."""
        return await self._get(_ROOT, Page, {"scope": Scope.MINE.value, "cohort": cohort})

    async def application(self, application: str) -> ApplicationShown:
        """One application, as the reader may see it."""
        return await self._get(_at(application), ApplicationShown)

    async def permit(self, application: str) -> PermitDocument:
        """Its proposed permit."""
        return await self._get(f"{_at(application)}/permit", PermitDocument)

    async def form(self, ref: FormRef) -> Form:
        """The form that is answered."""
        return await self._get(f"/access/forms/{ref.id}/{ref.version}", Form)

    async def create(self, order: str, cohort: str, datasets: Sequence[DatasetRef], form: str) -> Outcome:
        """Begin an application for a cohort that the reader saved."""
        return await self._post(_ROOT, {"id": order, "cohort": cohort, "datasets": datasets, "form": form})

    async def do(self, application: str, ordered: Ordered, verb: Verb, fields: Mapping[str, Any]) -> Outcome:
        """Send a command."""
        body = {"id": ordered.id, "version": ordered.version, "command": {"type": verb.value, **fields}}
        return await self._post(f"{_at(application)}/commands", body)

    async def attach(self, application: str, ordered: Ordered, name: str, content: bytes) -> Outcome:
        """Send a document."""
        path = f"{_at(application)}/attachments"
        query = {"id": ordered.id, "version": str(ordered.version), "name": name}
        sent = Sent(content, "application/octet-stream")
        return read_reply(await send_own_app(self.reader, path, query, sent), path, Outcome)

    async def _get(self, path: str, kind: type[Answer], query: Mapping[str, Any] | None = None) -> Answer:
        return read_reply(await ask_own_app(self.reader, path, query or {}), path, kind)

    async def _post(self, path: str, body: Mapping[str, Any]) -> Outcome:
        sent = Sent(msgspec.json.encode(body))
        return read_reply(await send_own_app(self.reader, path, {}, sent), path, Outcome)


def _at(application: str) -> str:
    if not _ID.fullmatch(application):
        raise NotFound(f"there is no application {application[:100]!r}, or it is not for you")
    return f"{_ROOT}/{application}"
