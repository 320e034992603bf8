# SPDX-License-Identifier: Apache-2.0
"""DRS 1.5: the node's files as objects, and tickets for their bytes.

GET, POST, OPTIONS  /ga4gh/drs/v1/objects/{file}
POST, OPTIONS       /ga4gh/drs/v1/objects
GET, POST           /ga4gh/drs/v1/objects/{file}/access/{access}
POST                /ga4gh/drs/v1/objects/access
GET                 /ga4gh/drs/v1/service-info
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from litestar import HttpMethod, Response, Router, get, route
from litestar.concurrency import sync_to_thread

from megagenome.delivery import asked
from megagenome.delivery.asked import terms_of
from megagenome.delivery.drs_objects import DrsObjects
from megagenome.delivery.needs import ReadPassport
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Unauthenticated
from megagenome.standards import drs
from megagenome.standards.service_info import ServiceInfo, ServiceType
from megagenome.web import Http, caller_of

_POST, _OPTIONS = [HttpMethod.POST], [HttpMethod.OPTIONS]


def drs_router(objects: DrsObjects, node: ServiceInfo, url: str, passport: ReadPassport) -> Router:
    """Its routes. `node` is the node's own service-info, `url` its address (empty: as it is asked);
    `passport` says who shows one."""
    answers = _Answers(objects, url, passport)

    @get("/service-info", name="drs info")
    async def info() -> Response[bytes]:
        return await _json(lambda: _service_info(objects, node))

    return Router(
        drs.PREFIX,
        route_handlers=[*_authorizations(objects), *_objects(answers), *_accesses(answers), info],
        exception_handlers=asked.errors(drs.error, "application/json"),
        request_max_body_size=drs.LARGEST_BODY_BYTES,
    )


class _Answers:
    """From a request, and who makes it, to an answer."""

    def __init__(self, objects: DrsObjects, url: str, passport: ReadPassport) -> None:
        self._objects, self._url, self._passport = objects, url, passport

    async def holder(self, request: Http, passports: Sequence[str]) -> Caller:
        """Who asks: whoever `Authorization` says, else the first whose passport is believed."""
        caller = caller_of(request)
        refusal = Unauthenticated("none of the passports is known here")
        for token in passports if caller.subject is None else ():
            try:
                shown = await self._passport(token)
            except Unauthenticated as error:
                refusal = error
                continue
            if shown is not None:
                return shown
        if passports and caller.subject is None:
            raise refusal
        return caller

    async def object(self, request: Http, caller: Caller) -> Response[bytes]:
        """The object that the path names."""
        identity = request.path_params["id"]
        return await _json(lambda: self._objects.object(self._at(request), caller, identity, terms_of(request)))

    async def objects(self, request: Http, caller: Caller, identities: Sequence[str]) -> Response[bytes]:
        """Several objects."""
        return await _json(lambda: self._objects.objects(self._at(request), caller, identities, terms_of(request)))

    async def access(self, request: Http, caller: Caller) -> Response[bytes]:
        """A ticket for the object that the path names."""
        identity, access = request.path_params["id"], request.path_params["access"]
        return await _json(lambda: self._objects.access(self._at(request), caller, identity, access, terms_of(request)))

    async def accesses(self, request: Http, caller: Caller, wanted: Sequence[drs.ObjectAccess]) -> Response[bytes]:
        """Tickets for several objects."""
        return await _json(lambda: self._objects.accesses(self._at(request), caller, wanted, terms_of(request)))

    def _at(self, request: Http) -> str:
        return asked.address_of(request, self._url)


def _authorizations(objects: DrsObjects) -> list[Any]:
    """How one may ask. Of a path the route that comes first must be this one, or Litestar answers OPTIONS (2.25)."""

    @route("/objects/{id:str}", http_method=_OPTIONS, status_code=200)
    async def how(request: Http) -> Response[bytes]:
        identity = request.path_params["id"]
        return await _json(lambda: objects.authorizations(identity))

    @route("/objects", http_method=_OPTIONS, status_code=200)
    async def how_many(request: Http) -> Response[bytes]:
        body = drs.read_body(await request.body(), drs.BulkObjects)
        return await _json(lambda: objects.all_authorizations(body.bulk_object_ids))

    return [how, how_many]


def _objects(answers: _Answers) -> list[Any]:
    @get("/objects/{id:str}", name="drs object")
    async def one(request: Http) -> Response[bytes]:
        return await answers.object(request, caller_of(request))

    @route("/objects/{id:str}", http_method=_POST, status_code=200)
    async def one_by_passport(request: Http) -> Response[bytes]:
        body = drs.read_body(await request.body(), drs.Passports)
        return await answers.object(request, await answers.holder(request, body.passports))

    @route("/objects", http_method=_POST, status_code=200)
    async def many(request: Http) -> Response[bytes]:
        body = drs.read_body(await request.body(), drs.BulkObjects)
        return await answers.objects(request, await answers.holder(request, body.passports), body.bulk_object_ids)

    return [one, one_by_passport, many]


def _accesses(answers: _Answers) -> list[Any]:
    @get("/objects/{id:str}/access/{access:str}", name="drs access")
    async def access(request: Http) -> Response[bytes]:
        return await answers.access(request, caller_of(request))

    @route("/objects/{id:str}/access/{access:str}", http_method=_POST, status_code=200)
    async def access_by_passport(request: Http) -> Response[bytes]:
        body = drs.read_body(await request.body(), drs.Passports)
        return await answers.access(request, await answers.holder(request, body.passports))

    @route("/objects/access", http_method=_POST, status_code=200)
    async def many_accesses(request: Http) -> Response[bytes]:
        body = drs.read_body(await request.body(), drs.BulkAccess)
        return await answers.accesses(
            request, await answers.holder(request, body.passports), body.bulk_object_access_ids
        )

    return [access, access_by_passport, many_accesses]


async def _json(answer: Callable[[], msgspec.Struct]) -> Response[bytes]:
    content = await sync_to_thread(lambda: msgspec.json.encode(answer()))
    return Response(content, media_type="application/json", headers={"cache-control": "no-store"})


def _service_info(objects: DrsObjects, node: ServiceInfo) -> drs.DrsServiceInfo:
    fields = msgspec.structs.asdict(node) | {
        "id": f"{node.id}.drs",
        "name": f"{node.name}: files",
        "type": ServiceType("org.ga4gh", "drs", drs.VERSION),
        "max_bulk_request_length": drs.MOST_AT_ONCE,
        "drs": objects.counts(),
    }
    return drs.DrsServiceInfo(**fields)
