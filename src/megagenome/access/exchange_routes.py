# SPDX-License-Identifier: Apache-2.0
"""`POST /access/exchange` of the hub, for nodes that joined (`standards.exchange`). Errors are RFC 9457 problems."""

from litestar import Response, Router, post
from litestar.params import RawBody

from megagenome.access.exchange import Exchange
from megagenome.standards.exchange import LARGEST_MESSAGE_BYTES, MEDIA_TYPE, PATH
from megagenome.web import problems


def exchange_router(exchange: Exchange) -> Router:
    """The route, to be mounted at the hub's root."""

    @post(PATH, sync_to_thread=True, status_code=200)
    def tell_and_ask(body: RawBody) -> Response[str]:
        answer = exchange.answer(body)
        return Response(answer, media_type=MEDIA_TYPE, headers={"cache-control": "no-store"})

    return Router(
        "/",
        route_handlers=[tell_and_ask],
        exception_handlers=problems(),
        request_max_body_size=LARGEST_MESSAGE_BYTES,
        include_in_schema=False,
    )
