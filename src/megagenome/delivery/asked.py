# SPDX-License-Identifier: Apache-2.0
"""What the routes of delivery read of every request alike, and how they answer."""

import base64
import binascii
import logging
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from megagenome.delivery.permitted import PERMIT_FIELD, USE_FIELD, Terms
from megagenome.kernel.errors import Invalid, MegagenomeError, NotFound, TooLarge
from megagenome.standards.crypt4gh_keys import public_key, read_public_key
from megagenome.standards.htsget import KEY_FIELD, PREFLIGHT_MAX_AGE_S
from megagenome.standards.problem import status_of
from megagenome.web import Http

RANGES = "/delivery"
"""Below this are the bytes, which are fetched by tickets."""

_KEY_BYTES = 32
_AGAIN = {"retry-after": "5"}
_HINTS: Mapping[int, Mapping[str, str]] = {
    401: {"www-authenticate": "Bearer"},  # RFC 6750, 3
    429: _AGAIN,
    503: _AGAIN,
}
"""What an error's answer has beside its text: what to do next."""
_log = logging.getLogger(__name__)
"""Faults of ours only; no question, ticket or key is ever logged."""


def terms_of(request: Http, *, sealed: bool = False) -> Terms:
    """By which permit and use, and for which key. Raises `Invalid` for a key that is none."""
    key = request.headers.get(KEY_FIELD)
    recipient = None if key is None else _read_key(key)
    permit, use = (request.headers.get(field, "").strip() for field in (PERMIT_FIELD, USE_FIELD))
    return Terms(permit, use, recipient, sealed=sealed or recipient is not None)


def _read_key(field: str) -> X25519PublicKey:
    try:
        content = base64.b64decode(field, validate=True)
        if len(content) == _KEY_BYTES:
            return public_key(content)
        return read_public_key(content.decode("ascii"))
    except (binascii.Error, UnicodeDecodeError):
        raise Invalid(f"{KEY_FIELD} is not a public key file of Crypt4GH in base64") from None


def address_of(request: Http, configured: str) -> str:
    """This server's address: what it is configured to be, else as it is asked."""
    return configured or str(request.base_url).rstrip("/")


def across_origins(request: Http) -> dict[str, str]:
    """The fields by which a page of another site may read an answer. It never brings the reader's session with it."""
    origin = request.headers.get("origin")
    if origin is None:
        return {}
    told = "ETag, Content-Range, Accept-Ranges, Content-Length, Retry-After"
    return {"access-control-allow-origin": origin, "access-control-expose-headers": told, "vary": "Origin"}


def preflight(request: Http) -> Response[bytes]:
    """The answer to a browser that asks whether a page of another site may ask."""
    fields = {
        "access-control-allow-methods": "GET, HEAD, POST, OPTIONS",
        "access-control-allow-headers": request.headers.get("access-control-request-headers", "Authorization")[:1000],
        "access-control-max-age": str(PREFLIGHT_MAX_AGE_S),
    }
    return Response(b"", status_code=204, headers=across_origins(request) | fields)


def errors(render: Callable[[Exception], bytes], media_type: str) -> ExceptionHandlersMap:
    """Errors in a standard's own envelope."""

    def respond(request: Http, error: Exception, status: int) -> Response[bytes]:
        fields = {**across_origins(request), **_HINTS.get(status, {})}
        return Response(render(error), media_type=media_type, status_code=status, headers=fields)

    def condition(request: Http, error: MegagenomeError) -> Response[bytes]:
        return respond(request, error, status_of(error))

    def http(request: Http, error: HTTPException) -> Response[bytes]:
        kinds = {404: NotFound, 413: TooLarge}
        known = kinds.get(error.status_code, Invalid)(error.detail)
        return respond(request, known, error.status_code)

    def fault(request: Http, error: Exception) -> Response[bytes]:
        _log.error("answering failed", exc_info=error)
        return respond(request, error, 500)

    return {MegagenomeError: condition, HTTPException: http, Exception: fault}
