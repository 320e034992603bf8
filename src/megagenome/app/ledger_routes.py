# SPDX-License-Identifier: Apache-2.0
"""The ledger of a node or hub for its auditors, version 1; no outside standard.

    GET /ledger/entries   ?permit=&dataset=&kind=&since=2026-11-01&until=&before=   newest first, by pages
    GET /ledger/verdict   what verifying every entry from the first one on finds
    GET /ledger/export    the whole ledger as JSON Lines (`kernel.ledger_export`), with a head of this moment

For whoever has the role auditor here; everybody else is refused. Errors are RFC 9457 problems.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from litestar import Response, Router, get
from litestar.response import Stream

from megagenome.kernel.callers import Role
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ledger import Kind, Ledger
from megagenome.kernel.ledger_export import export_lines
from megagenome.kernel.ledger_pages import Chosen, page
from megagenome.web import PRIVATE, Http, answer_json, caller_of, problems

_PAGE = 100


def ledger_router(ledger: Ledger) -> Router:
    """The three, over this ledger."""

    @get("/ledger/entries", sync_to_thread=True)
    def entries(request: Http) -> Response[bytes]:
        caller_of(request).require(Role.AUDITOR)
        asked = request.query_params
        before = asked.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 19):
            raise Invalid("before is the number of an entry")
        with ledger.engine.connect() as connection:
            found = page(connection, _chosen(asked), before=int(before) if before else None, limit=_PAGE)
        return answer_json(found)

    @get("/ledger/verdict", sync_to_thread=True)
    def verdict(request: Http) -> Response[bytes]:
        caller_of(request).require(Role.AUDITOR)
        return answer_json(ledger.verify())

    @get("/ledger/export", sync_to_thread=True)
    def export(request: Http) -> Stream:
        caller_of(request).require(Role.AUDITOR)
        name = "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in ledger.issuer)
        headers = {**PRIVATE, "content-disposition": f'attachment; filename="ledger-{name}.jsonl"'}
        return Stream(_lines(ledger), media_type="application/jsonl", headers=headers)

    return Router(
        "/",
        route_handlers=[entries, verdict, export],
        exception_handlers=problems(),
        include_in_schema=False,
    )


def _lines(ledger: Ledger) -> Iterator[bytes]:
    yield from export_lines(ledger)


def _chosen(asked: Any) -> Chosen:
    kind, dataset = asked.get("kind", ""), asked.get("dataset", "")
    if kind and kind not in list(Kind):
        raise Invalid(f"kind is one of {', '.join(Kind)}")
    return Chosen(
        datasets=(dataset,) if dataset else (),
        permit=asked.get("permit") or None,
        kinds=(Kind(kind),) if kind else (),
        since=_day(asked.get("since", ""), "since"),
        until=_day(asked.get("until", ""), "until"),
    )


def _day(text: str, name: str) -> datetime | None:
    """The beginning of a day, UTC."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Invalid(f"{name} is a day such as 2026-11-30") from None
