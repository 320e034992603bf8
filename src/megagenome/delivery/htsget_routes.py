# SPDX-License-Identifier: Apache-2.0
"""htsget 1.3: tickets for reads of archived files and for genotypes of the collection.

GET, POST  /ga4gh/htsget/v1/reads/{file}                   a BAM or CRAM file, or regions of it
GET, POST  /ga4gh/htsget/v1/variants/{dataset}[/assembly]  VCF or BCF of the people whom the caller may read
GET        /ga4gh/htsget/v1/reads/service-info, /ga4gh/htsget/v1/variants/service-info
"""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import HttpMethod, Response, Router, get, route
from litestar.concurrency import sync_to_thread

from megagenome.delivery import asked
from megagenome.delivery.asked import terms_of
from megagenome.delivery.delivery import Delivery, Granted
from megagenome.delivery.permitted import Terms
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Invalid
from megagenome.standards import htsget
from megagenome.standards.htsget import FORMATS, Kind, SliceRequest
from megagenome.standards.service_info import ServiceInfo, ServiceType
from megagenome.web import Http, caller_of, parameters_of

LARGEST_BODY_BYTES = 4 << 20

MakeTicket = Callable[[Caller, str, SliceRequest, Terms], Granted]


def htsget_router(delivery: Delivery, node: ServiceInfo, url: str) -> Router:
    """Its routes. `node` is the node's own service-info; `url` its address; empty: as it is asked."""
    makes: dict[Kind, MakeTicket] = {Kind.READS: delivery.reads_ticket, Kind.VARIANTS: delivery.variants_ticket}
    handlers = [each for kind in Kind for each in (_info(kind, node), *_tickets(kind, makes[kind], url))]
    return Router(
        htsget.PREFIX,
        route_handlers=handlers,
        exception_handlers=asked.errors(htsget.error, "application/json"),
        request_max_body_size=LARGEST_BODY_BYTES,
    )


def _tickets(kind: Kind, make: MakeTicket, url: str) -> list[Any]:
    async def answer(request: Http, read: Callable[[], SliceRequest]) -> Response[bytes]:
        caller, place = caller_of(request), request.path_params["id"].strip("/")

        def work() -> bytes:
            wanted = read()
            granted = make(caller, place, wanted, terms_of(request, sealed=wanted.sealed))
            where = f"{asked.address_of(request, url)}{asked.RANGES}/{granted.object}"
            headers = {"Authorization": f"Bearer {granted.token}"}
            part = htsget.TicketUrl(where, headers, "header" if wanted.header_only else "")
            return htsget.ticket(wanted.format, [part])

        content = await sync_to_thread(work)
        headers = {"cache-control": "no-store"} | asked.across_origins(request)
        return Response(content, media_type=htsget.MEDIA_TYPE, headers=headers)

    path = f"/{kind}/{{id:path}}"

    @get(path, name=f"htsget {kind}")
    async def by_query(request: Http) -> Response[bytes]:
        return await answer(request, lambda: htsget.from_query(kind, parameters_of(request)))

    @route(path, http_method=[HttpMethod.POST], status_code=200)
    async def by_body(request: Http) -> Response[bytes]:
        body = await request.body()

        def read() -> SliceRequest:
            if parameters_of(request):
                raise Invalid("a POST says everything in its body, and nothing in the address")
            return htsget.from_body(kind, body)

        return await answer(request, read)

    @route(path, http_method=[HttpMethod.OPTIONS], sync_to_thread=False, status_code=200)
    def may_ask(request: Http) -> Response[bytes]:
        return asked.preflight(request)

    return [may_ask, by_query, by_body]  # whose path comes first without OPTIONS, Litestar answers OPTIONS for (2.25)


def _info(kind: Kind, node: ServiceInfo) -> Any:
    fields = msgspec.structs.asdict(node) | {
        "id": f"{node.id}.htsget.{kind}",
        "name": f"{node.name}: {kind}",
        "type": ServiceType("org.ga4gh", "htsget", htsget.VERSION),
        "htsget": htsget.HtsgetParameters(kind, FORMATS[kind]),
    }
    content = msgspec.json.encode(htsget.HtsgetServiceInfo(**fields))

    @get(f"/{kind}/service-info", sync_to_thread=False, name=f"htsget {kind} info")
    def info(request: Http) -> Response[bytes]:
        return Response(content, media_type="application/json", headers=asked.across_origins(request))

    return info
