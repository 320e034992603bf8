# SPDX-License-Identifier: Apache-2.0
"""The auditor's page, of hub and node alike: what was entered, whether the whole ledger is as written, its export."""

import msgspec
from litestar import Response, Router, get
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from megagenome.identity.caller_middleware import VISIT
from megagenome.kernel.errors import Invalid, Unauthenticated
from megagenome.kernel.ledger import Kind
from megagenome.kernel.ledger_chain import Verdict
from megagenome.kernel.ledger_pages import Page
from megagenome.portal.client import ask_own_app, read_reply, reader_of
from megagenome.portal.pages import address, html, render
from megagenome.portal.site import to_sign_in
from megagenome.web import Http

KINDS = {
    Kind.READ: "individual records read by permit",
    Kind.SLICE: "slice of a file",
    Kind.FILE: "whole file",
    Kind.STUDY: "step of a federated study",
    Kind.EGRESS: "left a closed environment",
    Kind.DECISION: "decision",
    Kind.GRANT: "grant",
    Kind.REVOCATION: "stop, pause or resumption of a permit",
    Kind.WITHDRAWAL: "consent withdrawn",
    Kind.PUBLICATION: "dataset approved, published, withdrawn or made a draft again",
    Kind.ERASURE: "erasing of somebody's name, or of an application's texts",
    Kind.AGGREGATE: "answers for the public, by the minute",
}


class Asked(msgspec.Struct, frozen=True):
    """What the reader chose, as typed; names are those of the page's address."""

    permit: str = ""
    dataset: str = ""
    kind: str = ""
    since: str = ""
    until: str = ""
    before: str = ""


def ledger_page(asked: Asked, page: Page | None, verdict: Verdict | None, *, on_node: bool, problem: str = "") -> str:
    """The page. `page` is None where the choice was not understood, `verdict` where nothing was verified."""
    query = {name: value for name, value in msgspec.structs.asdict(asked).items() if value and name != "before"}
    return render(
        "ledger.html",
        asked=asked,
        page=page,
        verdict=verdict,
        kinds=KINDS,
        older=address("/ledger", query, before=page.before) if page and page.before else "",
        verify=address("/ledger", query, verify="1"),
        problem=problem,
        on_node=on_node,
    )


def ledger_page_router(errors: ExceptionHandlersMap, *, on_node: bool) -> Router:
    """`/ledger`, for a server that has the ledger's routes mounted. `errors` are the error pages of this server."""

    @get("/ledger")
    async def ledger(request: Http) -> Response[str] | Redirect:
        VISIT.get().caller.require_subject()
        given = {name: request.query_params.get(name, "").strip()[:300] for name in Asked.__struct_fields__}
        asked, reader = Asked(**given), reader_of(request)
        verdict = None
        if "verify" in request.query_params:
            verdict = read_reply(await ask_own_app(reader, "/ledger/verdict", {}), "/ledger/verdict", Verdict)
        try:
            path = "/ledger/entries"
            page = read_reply(await ask_own_app(reader, path, msgspec.structs.asdict(asked)), path, Page)
        except Invalid as error:
            return html(ledger_page(asked, None, verdict, on_node=on_node, problem=f"{error}."), 400)
        return html(ledger_page(asked, page, verdict, on_node=on_node))

    handlers: ExceptionHandlersMap = {**errors, Unauthenticated: to_sign_in}
    return Router("/", route_handlers=[ledger], exception_handlers=handlers, include_in_schema=False)
