# SPDX-License-Identifier: Apache-2.0
"""The hub over HTTP: the network's Beacon, the JSON API of `standards.federation`, and `/resolve`.

    GET        /api/nodes, /api/variant, /api/region, /api/cohort, /api/cohort/definition, /api/terms, /resolve
    GET        /beacon/v2/ , /info, /service-info, /configuration, /map, /entry_types, /filtering_terms
    GET, POST  /beacon/v2/datasets, /g_variants, /individuals

Handlers parse, ask and render. A question ends when its caller leaves: what is still asked of nodes is cancelled.
Errors are Beacon's envelope below /beacon/v2 and RFC 9457 problems elsewhere, never a trace.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, NoReturn, TypeVar

import msgspec
from litestar import HttpMethod, Litestar, Response, Router, get, route
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from megagenome.kernel.errors import Invalid, NotFound
from megagenome.kernel.every import meanwhile, repeat
from megagenome.network import answers, describe, listing, merge
from megagenome.network.fanout import Network
from megagenome.network.joined_nodes import Joined, none_joined, with_joined
from megagenome.network.needs import Define, Resolve, SpeakFor, as_the_public
from megagenome.network.question import CohortQuestion, read_question
from megagenome.network.settings import HubIdentity, NetworkSettings, Node
from megagenome.standards.beacon import (
    BeaconError,
    BeaconRequest,
    ErrorResponse,
    ResponseMeta,
    decode_request,
    request_from_parameters,
)
from megagenome.standards.federation import CohortDefined, Resolved
from megagenome.web import Http, answer_json, caller_of, errors, parameters_of, problems

T = TypeVar("T")

LARGEST_BODY_BYTES = 1_000_000
ROWS = 100
"""Rows of a region where the caller does not say how many."""
MOST_ROWS = 1000
_CALLER_LEFT = 499
"""What servers note where a caller left before the answer; nobody reads it."""
_BOTH = [HttpMethod.GET, HttpMethod.POST]
_json = partial(answer_json, headers={})


@dataclass(frozen=True, slots=True)
class Hub:
    """What the handlers work with."""

    identity: HubIdentity
    network: Network
    resolve: Resolve
    terms: listing.Terms
    speak_for: SpeakFor
    define: Define | None = None

    def address(self, request: Http) -> str:
        """The address that others reach the hub under."""
        return self.identity.url or str(request.base_url).rstrip("/")

    def asked_by(self, request: Http) -> Network:
        """The network as the caller asks it."""
        return self.network.speaking_for(self.speak_for(caller_of(request)))

    def resolved(self, given: dict[str, str]) -> Resolved:
        """What `q` names, on `assembly` or the one that the text says, else on the hub's default."""
        if not given.get("q"):
            raise Invalid("say what to look up: q=22-16050075-A-G, q=22:16050000-16060000 or q=BRCA2")
        return self.resolve(given["q"], given.get("assembly") or None, default=self.network.settings.assembly)


class HubRoutes(NamedTuple):
    """The hub's part of an application: mount `router`; pass `lifespan` to Litestar, which holds the connections of
    `network`."""

    router: Router
    lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]]
    network: Network


def hub_routes(
    identity: HubIdentity,
    settings: NetworkSettings,
    nodes: Sequence[Node],
    resolve: Resolve,
    joined: Joined = none_joined,
    speak_for: SpeakFor = as_the_public,
    define: Define | None = None,
) -> HubRoutes:
    """All that the hub serves to programs. Raises `Invalid` when a node stands twice.

    nodes   those of the settings
    joined  those that joined; asked for every `members_poll_s`, in a thread
    speak_for  makes the tokens by which those that joined learn who asks
    define  the cohort of a question, for who applies for its data; None where nobody can
    """
    members = joined()
    network = Network(with_joined(nodes, members), settings, members)
    hub = Hub(identity, network, resolve, listing.Terms(network), speak_for, define)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with network, meanwhile(_follow(network, nodes, joined)):
            yield

    def beacon_error(status: int, message: str) -> Response[bytes]:
        return _json(ErrorResponse(ResponseMeta(identity.id), BeaconError(status, message)), status)

    api = [nodes_now, variant, region, cohort, cohort_definition, terms, resolve_text, no_such_api]
    own_beacon = [
        info,
        service_info,
        configuration,
        beacon_map,
        entry_types,
        filtering_terms,
        datasets,
        g_variants,
        individuals,
        not_served,
    ]
    router = Router(
        "/",
        route_handlers=[
            Router("/", route_handlers=api, exception_handlers=problems({})),
            Router(describe.PREFIX, route_handlers=own_beacon, exception_handlers=errors(beacon_error)),
        ],
        exception_handlers={CallerLeft: _note_left},
        dependencies={"hub": Provide(lambda: hub, sync_to_thread=False)},
        request_max_body_size=LARGEST_BODY_BYTES,
        include_in_schema=False,
    )
    return HubRoutes(router, lifespan, network)


def _follow(network: Network, nodes: Sequence[Node], joined: Joined) -> Coroutine[Any, Any, NoReturn]:
    """Keep asking those who belong to the network, while nodes join and are removed."""

    async def follow() -> None:
        members = await asyncio.to_thread(joined)
        everybody = with_joined(nodes, members)
        if (everybody, frozenset(members)) != (network.nodes, network.joined):
            network.replace_nodes(everybody, members)

    failing = "the list of nodes that joined cannot be read, those that are known are asked on"
    return repeat(network.settings.members_poll_s, follow, failing, at_once=False)


class CallerLeft(Exception):
    """The caller closed the connection before the answer."""


async def while_connected(request: Http, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled when the caller leaves (`CallerLeft`)."""
    asking = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_leave(request))
    try:
        await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise CallerLeft
        return asking.result()
    finally:
        asking.cancel()
        leaving.cancel()
        await asyncio.gather(asking, leaving, return_exceptions=True)


async def _leave(request: Http) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _answer(request: Http, work: Coroutine[Any, Any, msgspec.Struct]) -> Response[bytes]:
    return _json(await while_connected(request, work))


def _note_left(_: Http, __: CallerLeft) -> Response[bytes]:
    return Response(b"", status_code=_CALLER_LEFT)


def _parameters(request: Http, *known: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parameters_of(request):
        if name not in known:
            raise Invalid(f"unknown parameter {name[:50]!r}; known are {', '.join(known) or 'none'}")
        if name in given:
            raise Invalid(f"parameter {name!r} is given twice")
        given[name] = value.strip()
    return given


def _whole(given: dict[str, str], name: str, default: int, low: int, high: int) -> int:
    text = given.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and low <= int(text) <= high):
        raise Invalid(f"{name} {text[:20]!r}: give a whole number from {low} to {high}")
    return int(text)


@get("/api/nodes")
async def nodes_now(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """The nodes of the network as they answer now."""
    _parameters(request)
    return await _answer(request, listing.ask_nodes(hub.asked_by(request)))


@get("/api/variant")
async def variant(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """One allele over the network."""
    place = hub.resolved(_parameters(request, "q", "assembly"))
    if place.kind != "allele":
        raise Invalid(f"{place.text} names a {place.kind}, not one allele: ask for a region, or write 22-16050075-A-G")
    return await _answer(request, answers.ask_variant(hub.asked_by(request), place))


@get("/api/region")
async def region(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """The alleles of a region or gene over the network."""
    given = _parameters(request, "q", "assembly", "skip", "limit")
    place = hub.resolved(given)
    if place.kind == "allele":
        raise Invalid(f"{place.text} names one allele, not a region: ask for a variant, or write 22:16050000-16060000")
    skip, limit = _whole(given, "skip", 0, 0, 999_999_999), _whole(given, "limit", ROWS, 1, MOST_ROWS)
    return await _answer(request, answers.ask_region(hub.asked_by(request), place, skip, limit))


@get("/api/cohort")
async def cohort(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """How many people match, over the network."""
    question = _question(request, hub)
    defined = hub.define(question.query) if hub.define else None
    return await _answer(request, answers.ask_cohort(hub.asked_by(request), question, defined))


@get("/api/cohort/definition", sync_to_thread=True)
def cohort_definition(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """The cohort that a question asks for; no node is asked."""
    question = _question(request, hub)
    if hub.define is None:
        raise NotFound("this hub defines no cohorts")
    defined = hub.define(question.query)
    return _json(CohortDefined(defined.id, defined.definition))


def _question(request: Http, hub: Hub) -> CohortQuestion:
    given = _parameters(request, "q", "assembly")
    default = hub.network.settings.assembly
    return read_question(given.get("q", ""), hub.resolve, given.get("assembly") or None, default)


@get("/api/terms")
async def terms(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """Terms that people of the network are described with, by id or name."""
    return await _answer(request, hub.terms.search(_parameters(request, "q").get("q", "")))


@get("/resolve", sync_to_thread=True)  # the first gene is 80 ms of reading
def resolve_text(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """What a text names."""
    return _json(hub.resolved(_parameters(request, "q", "assembly")))


@route("/api/{path:path}", http_method=_BOTH, sync_to_thread=False, status_code=404)
def no_such_api(path: FromPath[str]) -> None:
    """Any other path below /api."""
    raise NotFound(f"/api{path[:100]} is not served: /api/nodes, variant, region, cohort and terms are")


@get(["/", "/info"])
async def info(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """Who this Beacon is."""
    return _json(describe.info(hub.identity, hub.address(request)))


@get("/service-info")
async def service_info(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """The same in GA4GH's form for all services."""
    return _json(describe.service_info(hub.identity, hub.address(request)))


@get("/configuration")
async def configuration(hub: NamedDependency[Hub]) -> Response[bytes]:
    """What is served, to whom."""
    return _json(describe.configuration(hub.identity))


@get("/map")
async def beacon_map(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """Where it is served."""
    return _json(describe.beacon_map(hub.identity, hub.address(request)))


@get("/entry_types")
async def entry_types(hub: NamedDependency[Hub]) -> Response[bytes]:
    """What can be asked for."""
    return _json(describe.entry_types(hub.identity))


@get("/filtering_terms")
async def filtering_terms(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """Each filter that some node takes."""
    return await _answer(request, merge.list_terms(hub.terms, hub.identity, await _asked(request)))


@route("/datasets", http_method=_BOTH, status_code=200)
async def datasets(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """The published datasets of all nodes."""
    return await _answer(request, merge.list_datasets(hub.asked_by(request), hub.identity, await _asked(request)))


@route("/g_variants", http_method=_BOTH, status_code=200)
async def g_variants(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """Variants over the network."""
    return await _answer(request, merge.ask_variants(hub.asked_by(request), hub.identity, await _asked(request)))


@route("/individuals", http_method=_BOTH, status_code=200)
async def individuals(request: Http, hub: NamedDependency[Hub]) -> Response[bytes]:
    """Counts of people over the network."""
    return await _answer(request, merge.ask_people(hub.asked_by(request), hub.identity, await _asked(request)))


@route("/{path:path}", http_method=_BOTH, sync_to_thread=False, status_code=404)
def not_served(path: FromPath[str]) -> None:
    """Any other path of the Beacon."""
    raise NotFound(f"{path[:100]} is not served by this Beacon: /map lists what is")


async def _asked(request: Http) -> BeaconRequest:
    if request.method == HttpMethod.POST:
        asked = decode_request(await request.body())
    else:
        asked = request_from_parameters(parameters_of(request))
    if asked.query.request_parameters.permit:
        raise Invalid("a permit is used at each country's node, not over the network: ask the node's own Beacon")
    return asked
