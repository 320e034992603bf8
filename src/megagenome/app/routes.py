# SPDX-License-Identifier: Apache-2.0
"""Routes of a service as such: `GET /service-info` and `GET /health`."""

from collections.abc import Callable

import msgspec
from litestar import Router, get

from megagenome.kernel.errors import MegagenomeError, Unavailable
from megagenome.standards.service_info import ServiceInfo


class Health(msgspec.Struct, frozen=True):
    """`ok` is True when the service can answer questions now."""

    ok: bool
    version: str


def service_router(info: ServiceInfo, is_able: Callable[[], bool], version: str) -> Router:
    """`/service-info` (GA4GH service-info 1.0) and `/health`: 200 when `is_able` says so, else 503."""

    @get("/service-info", sync_to_thread=False)
    def service_info() -> ServiceInfo:
        return info

    @get("/health", sync_to_thread=True)
    def health() -> Health:
        try:
            able = is_able()
        except MegagenomeError:
            able = False
        if not able:
            raise Unavailable("this service cannot answer now; its operator's `check` says why")
        return Health(True, version)

    return Router("/", route_handlers=[service_info, health])
