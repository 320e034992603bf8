# SPDX-License-Identifier: Apache-2.0
"""The JSON routes of a node's desk, version 1; no outside standard.

    GET   /access/desk                       ?skip=&limit=
    GET   /access/desk/{permit}
    POST  /access/desk/{permit}/decision     {"decisions": [{"dataset": …, "verdict": "approved", "reasons": …}]}
    POST  /access/knock                      from anybody, without content: the node asks its hub now

The caller is `request.scope["caller"]`, which `app` puts there. Errors are RFC 9457 problems.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, RawBody

from megagenome.access.desk import Desk
from megagenome.access.routes import LARGEST_COMMAND_BYTES, LARGEST_PAGE, whole_number
from megagenome.standards.exchange import KNOCK_PATH
from megagenome.standards.permit import DatasetDecision
from megagenome.web import Http, answer_json, caller_of, problems, read_json

_LARGEST_KNOCK_BYTES = 16


class Decided(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody decides: each dataset once."""

    decisions: Annotated[tuple[DatasetDecision, ...], msgspec.Meta(min_length=1, max_length=500)]


def desk_router(desk: Desk, knocked: Callable[[], None]) -> Router:
    """All of them, to be mounted at the node's root. `knocked` must return at once."""
    return Router(
        "/",
        route_handlers=[*_desk(desk), _knock(knocked)],
        exception_handlers=problems(),
        request_max_body_size=LARGEST_COMMAND_BYTES,
        include_in_schema=False,
    )


def _desk(desk: Desk) -> list[Any]:
    @get("/access/desk", sync_to_thread=True)
    def page(request: Http) -> Response[bytes]:
        asked = request.query_params
        skip = whole_number(asked.get("skip", "0"), "skip", 1_000_000)
        return answer_json(
            desk.page(caller_of(request), skip, whole_number(asked.get("limit", "50"), "limit", LARGEST_PAGE))
        )

    @get("/access/desk/{permit:str}", sync_to_thread=True)
    def show(request: Http, permit: FromPath[str]) -> Response[bytes]:
        return answer_json(desk.permit(caller_of(request), permit))

    @post("/access/desk/{permit:str}/decision", sync_to_thread=True, status_code=200)
    def decide(request: Http, permit: FromPath[str], body: RawBody) -> Response[bytes]:
        decided = read_json(request, body, Decided)
        return answer_json(desk.decide(caller_of(request), permit, decided.decisions))

    return [page, show, decide]


def _knock(knocked: Callable[[], None]) -> Any:
    @post(KNOCK_PATH, status_code=204, request_max_body_size=_LARGEST_KNOCK_BYTES)
    async def knock() -> None:
        knocked()

    return knock
