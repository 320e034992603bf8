# SPDX-License-Identifier: Apache-2.0
"""Why was I refused: a passport, rule by rule. Nothing of it is kept, logged or shown again, and it gives no access."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from litestar import Response, Router, get, post
from litestar.types import ExceptionHandlersMap

from megagenome.identity.explain import Explanation
from megagenome.kernel.errors import Invalid
from megagenome.portal.commands import text_of
from megagenome.portal.pages import html, render
from megagenome.standards.passport import MAX_PASSPORT_BYTES
from megagenome.web import Http

Explain = Callable[[str, str], Awaitable[Explanation]]
"""What this server makes of a passport (signed text), asked for a dataset (its URL; empty for none)."""

LARGEST_FORM_BYTES = 4 * MAX_PASSPORT_BYTES
_LONGEST_DATASET = 2000


def passport_page(found: Explanation | None, *, dataset: str = "", problem: str = "", on_node: bool = False) -> str:
    """The page; without `found` only its form."""
    return render(
        "passport.html",
        found=found,
        accounts=[found.passport, *found.visas] if found else [],
        dataset=dataset,
        problem=problem,
        time=_time,
        on_node=on_node,
    )


def passport_router(explain: Explain, errors: ExceptionHandlersMap, *, on_node: bool) -> Router:
    """`/passport`, of hub and node alike. `errors` are the error pages of this server."""

    @get("/passport", sync_to_thread=False)
    def form() -> Response[str]:
        return _kept_by_nobody(passport_page(None, on_node=on_node))

    @post("/passport", status_code=200)
    async def explained(request: Http) -> Response[str]:
        posted = await request.form()
        passport, dataset = text_of(posted, "passport"), text_of(posted, "dataset")[:_LONGEST_DATASET]
        if not passport:
            raise Invalid("paste a passport: one signed text with two dots in it")
        found = await explain(passport, dataset)
        return _kept_by_nobody(passport_page(found, dataset=dataset, on_node=on_node))

    return Router(
        "/",
        route_handlers=[form, explained],
        exception_handlers=errors,
        include_in_schema=False,
        request_max_body_size=LARGEST_FORM_BYTES,
    )


def _kept_by_nobody(text: str) -> Response[str]:
    page = html(text)
    page.headers["cache-control"] = "no-store"
    return page


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
