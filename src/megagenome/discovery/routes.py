# SPDX-License-Identifier: Apache-2.0
"""The HTTP routes of the Beacon and of `/resolve`: they parse, call and render.

    GET        /beacon/v2/ , /info, /service-info, /configuration, /map, /entry_types, /filtering_terms
    GET, POST  /beacon/v2/datasets, /g_variants, /individuals
    GET, POST  /beacon/v2/g_variants/{id}, /g_variants/{id}/individuals, /individuals/{id}
    GET        /resolve?q=&assembly=

Errors are Beacon's envelope with the HTTP status below /beacon/v2, and RFC 9457 problems at /resolve; never a trace.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from litestar import HttpMethod, MediaType, Response, Router, get, route
from litestar.concurrency import sync_to_thread
from litestar.exceptions import HTTPException

from megagenome.discovery import describe
from megagenome.discovery.answer import Beacon
from megagenome.discovery.query import of_allele
from megagenome.kernel.errors import Invalid
from megagenome.standards.beacon import BeaconRequest, decode_request, request_from_parameters
from megagenome.web import Http, answer_json, caller_of, errors, parameters_of, problems

LARGEST_BODY_BYTES = 1_000_000
LONG_BODY_BYTES = 10_000
"""Bodies from here on are read in a thread, so that the event loop goes on serving others."""
_BOTH = [HttpMethod.GET, HttpMethod.POST]
_json = partial(answer_json, headers={})


def discovery_router(beacon: Beacon) -> Router:
    """All routes of discovery, to be mounted at the node's root."""
    entries = [_entry(beacon, path) for path in ("/g_variants", "/individuals", "/datasets")]
    entries += [*_of_variant(beacon), _individual(beacon)]
    own = Router(
        describe.PREFIX,
        route_handlers=[*_informational(beacon), *entries, _filtering_terms(beacon), _anything_else()],
        exception_handlers=errors(lambda status, message: _json(beacon.error(status, message), status)),
        request_max_body_size=LARGEST_BODY_BYTES,
    )
    resolving = Router(
        "/resolve",
        route_handlers=[_resolve(beacon)],
        exception_handlers=problems({}),
    )
    return Router("/", route_handlers=[own, resolving])


def _entry(beacon: Beacon, path: str) -> Any:
    answers: dict[str, Callable[..., msgspec.Struct]] = {
        "/g_variants": beacon.variants,
        "/individuals": beacon.individuals,
        "/datasets": beacon.datasets,
    }
    answer = answers[path]

    @route(path, http_method=_BOTH, status_code=200, name=f"beacon{path}")
    async def entry(request: Http) -> Response[bytes]:
        caller, asked = caller_of(request), await _question(request)
        if path == "/g_variants" and beacon.at_hand(caller, asked):
            return _json(answer(caller, asked))
        return await sync_to_thread(lambda: _json(answer(caller, asked)))

    return entry


def _of_variant(beacon: Beacon) -> list[Any]:
    """One allele by the id that records of it have, and its carriers."""
    answers: dict[str, Callable[..., msgspec.Struct]] = {"": beacon.variants, "/individuals": beacon.individuals}

    def entry(path: str, answer: Callable[..., msgspec.Struct]) -> Any:
        @route(f"/g_variants/{{id:str}}{path}", http_method=_BOTH, status_code=200)
        async def of_variant(request: Http) -> Response[bytes]:
            caller, asked = caller_of(request), of_allele(await _question(request), request.path_params["id"])
            return await sync_to_thread(lambda: _json(answer(caller, asked)))

        return of_variant

    return [entry(path, answer) for path, answer in answers.items()]


def _individual(beacon: Beacon) -> Any:
    @route("/individuals/{id:str}", http_method=_BOTH, status_code=200)
    async def individual(request: Http) -> Response[bytes]:
        caller, asked, name = caller_of(request), await _question(request), request.path_params["id"]
        return await sync_to_thread(lambda: _json(beacon.individual(caller, name, asked)))

    return individual


async def _question(request: Http) -> BeaconRequest:
    if request.method != HttpMethod.POST:
        return _asked(request)
    body = await request.body()
    return decode_request(body) if len(body) < LONG_BODY_BYTES else await sync_to_thread(decode_request, body)


def _informational(beacon: Beacon) -> list[Any]:
    identity, settings = beacon.identity, beacon.settings
    documents: dict[str, msgspec.Struct] = {
        "/info": describe.info(identity, settings),
        "/": describe.info(identity, settings),
        "/service-info": describe.service_info(identity, settings),
        "/configuration": describe.configuration(identity, settings),
        "/map": describe.beacon_map(identity),
        "/entry_types": describe.entry_types(identity),
    }
    return [_document(path, document) for path, document in documents.items()]


def _document(path: str, document: msgspec.Struct) -> Any:
    encoded = msgspec.json.encode(document)

    @get(path, sync_to_thread=False, name=f"beacon{path}")
    def show() -> Response[bytes]:
        return Response(encoded, media_type=MediaType.JSON)

    return show


def _filtering_terms(beacon: Beacon) -> Any:
    @get("/filtering_terms", sync_to_thread=True)
    def filtering_terms(request: Http) -> Response[bytes]:
        return _json(beacon.filtering_terms(caller_of(request), _asked(request).query.pagination))

    return filtering_terms


def _anything_else() -> Any:
    # below a path with a parameter the router looks for nothing else: these are its own
    elsewhere = ["/{path:path}", "/g_variants/{id:str}/{path:path}", "/individuals/{id:str}/{path:path}"]

    @route(elsewhere, http_method=_BOTH, sync_to_thread=False, status_code=404)
    def anything_else(request: Http) -> None:
        path = request.scope["path"][:100]
        raise HTTPException(f"{path} is not served by this Beacon: /map lists what is", status_code=404)

    return anything_else


def _resolve(beacon: Beacon) -> Any:
    @get("/", sync_to_thread=True)
    def resolve(request: Http) -> Response[bytes]:
        asked = dict(parameters_of(request))
        if not asked.get("q", "").strip():
            raise Invalid("say what to look up: /resolve?q=22-16050075-A-G&assembly=GRCh37")
        return _json(beacon.resolve(asked["q"], asked.get("assembly") or None))

    return resolve


def _asked(request: Http) -> BeaconRequest:
    return request_from_parameters(parameters_of(request))
