# SPDX-License-Identifier: Apache-2.0
"""Problem details for HTTP APIs, RFC 9457, and the one table from condition to status.

https://www.rfc-editor.org/rfc/rfc9457
"""

import msgspec

from megagenome.kernel.errors import (
    Conflict,
    Corrupt,
    Invalid,
    MegagenomeError,
    NoRoom,
    NotEntitled,
    NotFound,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[MegagenomeError], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    NotEntitled: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    RateLimited: 429,
    Corrupt: 500,
    Unavailable: 503,
    NoRoom: 507,
}
"""The HTTP status of each condition. Every interface of the house answers by this table."""

CONDITIONS = {status: condition for condition, status in STATUS.items() if status < 500 or condition is NoRoom}
"""What a server's status means to who asked it. Any other one says only that the server cannot answer now."""

_TITLES = {
    400: "Invalid request",
    401: "Not signed in",
    403: "Not entitled",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    413: "Too large",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
    507: "No room",
}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem of the generic kind (`about:blank`): status, its name, and what happened."""

    title: str
    status: int
    detail: str = ""
    type: str = msgspec.field(default_factory=lambda: "about:blank")


def status_of(error: Exception) -> int:
    """The HTTP status of a condition; 500 for anything that is not one."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def problem(status: int, detail: str = "") -> Problem:
    """The problem of a status."""
    return Problem(_TITLES.get(status, f"HTTP status {status}"), status, detail)


def decode_detail(body: bytes) -> str:
    """The `detail` of another service's problem (its title when it has none); empty when there is none to read."""
    try:
        found = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    text = found.get("detail") or found.get("title")
    return text if isinstance(text, str) else ""
