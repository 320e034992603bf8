# SPDX-License-Identifier: Apache-2.0
"""A hub served in process over running stub nodes, for tests."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import httpx
from litestar import Litestar

from megagenome.network.routes import hub_routes
from megagenome.network.settings import HubIdentity, NetworkSettings
from megagenome.reference import resolve
from tests.network.documents import answer, info, people, record, result_set
from tests.network.stubs import Behaviour, Stub, routes, running

SETTINGS = NetworkSettings(deadline_s=1.0)
HUB = HubIdentity("org.example.hub", "The hub")
CELLS = {"Total": (30, 200, 2, 26, 0), "FI": (30, 200, 2, 26, 0)}
ALLELE = [record(16050074, "A", "G", CELLS)]
ASK_ALLELE = {"assemblyId": "GRCh37", "referenceName": "22", "start": [16050074], "referenceBases": "A"} | {
    "alternateBases": "G"
}


def node(id_: str, cells: dict[str, Any] = CELLS) -> Behaviour:
    """A node with one allele, one dataset, ten people and three terms."""
    terms = [
        {"id": "HP:0001250", "type": "ontology", "label": "Seizure", "scopes": ["individual"]},
        {"id": "ICD10:I83", "type": "ontology", "label": "", "scopes": ["individual"]},
        {"id": f"smoking{id_}", "type": "custom", "scopes": ["individual"]},
    ]
    datasets = {
        "meta": {"beaconId": id_},
        "responseSummary": {"exists": True},
        "response": {"collections": [{"id": f"D-{id_}", "name": "Data", "info": {"open": True, "floor": 0}}]},
    }
    return routes(
        {
            "/beacon/v2/info": info(id_),
            "/beacon/v2/datasets": datasets,
            "/beacon/v2/filtering_terms": {"meta": {"beaconId": id_}, "response": {"filteringTerms": terms}},
            "/beacon/v2/g_variants": answer(
                id_, [result_set(f"D-{id_}", [record(16050074, "A", "G", cells)]), result_set(f"E-{id_}", [])]
            ),
            "/beacon/v2/individuals": people(id_, 10, {f"D-{id_}": 10}),
        }
    )


class Serving:
    """A hub over running stubs, and a client of it."""

    def __init__(self, client: httpx.AsyncClient, app: Litestar, nodes: dict[str, Stub]) -> None:
        self.client, self.app, self.nodes = client, app, nodes

    async def get(self, path: str, **query: Any) -> Any:
        return self._read(await self.client.get(path, params=query))

    async def post(self, path: str, body: Any) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._read(await self.client.post(path, content=content))

    @staticmethod
    def _read(response: httpx.Response) -> Any:
        return response.json() | {"HTTP": response.status_code}


@contextlib.asynccontextmanager
async def serving(config: NetworkSettings = SETTINGS, **behaviours: Behaviour) -> AsyncIterator[Serving]:
    async with contextlib.AsyncExitStack() as stack:
        nodes = {id_: await stack.enter_async_context(running(behave)) for id_, behave in behaviours.items()}
        parts = hub_routes(HUB, config, [stub.node(id_, id_) for id_, stub in nodes.items()], resolve)
        app = Litestar([parts.router], lifespan=[parts.lifespan], openapi_config=None, logging_config=None)
        await stack.enter_async_context(parts.lifespan(app))
        transport = httpx.ASGITransport(app)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://hub.test"))
        yield Serving(client, app, nodes)


def asking(ask: Callable[[Serving], Coroutine[Any, Any, Any]], **behaviours: Behaviour) -> Any:
    async def run() -> Any:
        async with serving(**behaviours) as hub:
            return await ask(hub)

    return asyncio.run(run())


def ask_variants(hub: Serving, **query: Any) -> Coroutine[Any, Any, Any]:
    return hub.post("/beacon/v2/g_variants", {"meta": {"apiVersion": "v2.2.0"}, "query": query})
