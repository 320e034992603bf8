# SPDX-License-Identifier: Apache-2.0
"""Routes of a service as such: `GET /service-info`, `GET /health`, and below `/.well-known` who it is and its keys."""

from collections.abc import Callable, Mapping

import msgspec
from litestar import Response, Router, get

from megagenome.kernel.errors import MegagenomeError, Unavailable
from megagenome.standards import descriptor
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


def identity_router(described: str, jwks: Mapping[str, object]) -> Router:
    """`/.well-known/megagenome`, the signed descriptor (`standards.descriptor`), and `/.well-known/jwks.json`, the
    public keys as RFC 7517 has them. Both as they were when the server started; anybody may read them."""
    encoded = msgspec.json.encode(jwks)

    @get(descriptor.PATH, sync_to_thread=False)
    def describe() -> Response[str]:
        return Response(described, media_type=descriptor.MEDIA_TYPE)

    @get(descriptor.KEYS_PATH, sync_to_thread=False)
    def keys() -> Response[bytes]:
        return Response(encoded, media_type=descriptor.KEYS_MEDIA_TYPE)

    return Router("/", route_handlers=[describe, keys])
