# SPDX-License-Identifier: Apache-2.0
"""The JSON routes of studies, version 1 (`standards.study_shown`), and the one for nodes (`standards.study_exchange`).

    GET   /studies                       the caller's runs; an auditor's or data steward's list is of everybody's
    POST  /studies                       run the study document that is the body
    POST  /studies/check                 what is against running it
    GET   /studies/{id}                  ?after=VERSION waits, up to 20 s, until it is another one
    GET   /studies/{id}/result
    POST  /studies/{id}/cancel
    GET   /studies/{id}/receipt          a JWS of the hub (`standards.study_receipt`), once it is over
    POST  /studies/exchange              for nodes that joined

The caller is `request.scope["caller"]`, which `app` puts there. Whoever is neither a run's owner nor an auditor nor a
data steward of the hub is told that there is none. Errors are RFC 9457 problems.
"""

import asyncio
from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath, RawBody

from megagenome.kernel.callers import Caller
from megagenome.kernel.keys import SigningKeys
from megagenome.network.studies.exchange import StudyExchange
from megagenome.network.studies.studies import Studies
from megagenome.standards.study import LARGEST_DOCUMENT_BYTES
from megagenome.standards.study_exchange import LARGEST_PAYLOAD_BYTES, MEDIA_TYPE
from megagenome.standards.study_receipt import MEDIA_TYPE as RECEIPT_MEDIA_TYPE
from megagenome.standards.study_receipt import sign_receipt
from megagenome.standards.study_shown import OVER, StudyShown
from megagenome.web import PRIVATE, Http, answer_json, caller_of, problems, require_json

LONGEST_WAIT_S = 20.0
_LARGEST_FRAME_BYTES = LARGEST_PAYLOAD_BYTES + (1 << 20)


def study_router(studies: Studies, exchange: StudyExchange, keys: SigningKeys) -> Router:
    """All of them, to be mounted at the hub's root. `keys` sign receipts."""
    return Router(
        "/studies",
        route_handlers=[*_begin(studies), *_look(studies), _receipt(studies, keys), _exchange(exchange)],
        exception_handlers=problems(),
        request_max_body_size=LARGEST_DOCUMENT_BYTES,
        include_in_schema=False,
    )


def _begin(studies: Studies) -> list[Any]:
    @post("/", sync_to_thread=True, status_code=201)
    def run(request: Http, body: RawBody) -> Response[bytes]:
        require_json(request)
        return answer_json(studies.begin(caller_of(request), body), 201)

    @post("/check", sync_to_thread=True, status_code=200)
    def check(request: Http, body: RawBody) -> Response[bytes]:
        require_json(request)
        return answer_json(studies.check(caller_of(request), body))

    @post("/{study:str}/cancel", sync_to_thread=True, status_code=204)
    def cancel(request: Http, study: FromPath[str]) -> None:
        studies.cancel(caller_of(request), study)

    return [run, check, cancel]


def _look(studies: Studies) -> list[Any]:
    @get("/", sync_to_thread=True)
    def list_(request: Http) -> Response[bytes]:
        return answer_json(studies.listed(caller_of(request)))

    @get("/{study:str}")
    async def show(request: Http, study: FromPath[str]) -> Response[bytes]:
        return answer_json(await _after(studies, caller_of(request), study, request.query_params.get("after", "")))

    @get("/{study:str}/result", sync_to_thread=True)
    def result(request: Http, study: FromPath[str]) -> Response[bytes]:
        return answer_json(studies.result(caller_of(request), study))

    return [list_, show, result]


def _receipt(studies: Studies, keys: SigningKeys) -> Any:
    @get("/{study:str}/receipt", sync_to_thread=True)
    def receipt(request: Http, study: FromPath[str]) -> Response[str]:
        token = sign_receipt(keys, studies.receipt(caller_of(request), study))
        return Response(token, media_type=RECEIPT_MEDIA_TYPE, headers=PRIVATE)

    return receipt


def _exchange(exchange: StudyExchange) -> Any:
    @post("/exchange", status_code=200, request_max_body_size=_LARGEST_FRAME_BYTES)
    async def tell_and_ask(request: Http) -> Response[bytes]:
        answer = await exchange.answer(aiter(request.stream()))
        return Response(answer, media_type=MEDIA_TYPE, headers={"cache-control": "no-store"})

    return tell_and_ask


async def _after(studies: Studies, caller: Caller, study: str, version: str) -> StudyShown:
    """The run, once it is another than `version` or over, or the time is."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + LONGEST_WAIT_S
    while True:
        seen = studies.coordinator.board.changes
        shown = await asyncio.to_thread(studies.show, caller, study)
        left_s = until_s - loop.time()
        if not version or shown.version != version or shown.state in OVER or left_s <= 0:
            return shown
        await studies.coordinator.board.wait(seen, left_s)
