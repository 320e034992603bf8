# SPDX-License-Identifier: Apache-2.0
"""How a FAIR Data Point answers over HTTP, a node's and a hub's: conditions (RFC 9110, 13), other sites' pages."""

import msgspec
from litestar import HttpMethod, Response
from litestar.handlers import HTTPRouteHandler, route

from megagenome.catalogue.serialise import Form
from megagenome.kernel.errors import Invalid
from megagenome.standards import problem
from megagenome.standards.entity_tags import status_instead
from megagenome.web import Http

CROSS_ORIGIN = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "etag, last-modified, link",
}
"""Any page may read what everybody may; nothing here depends on who asks, but for the head of a page."""

_PREFLIGHT = {
    **CROSS_ORIGIN,
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "accept, if-none-match",
    "access-control-max-age": "86400",
    "allow": "GET, HEAD, OPTIONS",
}
_MOST_DIGITS = 9


def answer(
    request: Http, content: bytes, form: Form, headers: dict[str, str], *, gone: bool = False
) -> Response[bytes]:
    """200 with the content, 304 where the asker has it already, 410 with what is told of what is gone."""
    if not gone and has_it(request, headers["etag"]):
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type=form.media_type, status_code=410 if gone else 200, headers=headers)


def has_it(request: Http, tag: str) -> bool:
    """Whether the asker says that this is what they have; a proxy may have made the tag a weak one."""
    return status_instead(None, ", ".join(request.headers.getall("if-none-match", [])) or None, tag) == 304


def not_acceptable() -> Response[bytes]:
    """406 with the forms that there are."""
    offered = ", ".join(form.media_type for form in Form)
    content = msgspec.json.encode(problem.problem(406, f"this is served as {offered}"))
    headers = {"vary": "accept", **CROSS_ORIGIN}
    return Response(content, media_type=problem.MEDIA_TYPE, status_code=406, headers=headers)


def allowing(paths: list[str]) -> HTTPRouteHandler:
    """A route for browsers that ask before a page of another site may. It must stand before the routes that answer, so
    that Litestar does not answer by itself."""

    @route(paths, http_method=[HttpMethod.OPTIONS], status_code=204)
    async def allowed() -> Response[None]:
        return Response(None, status_code=204, headers=_PREFLIGHT)

    return allowed


def number(text: str, name: str) -> int:
    """A whole number of a query. Raises `Invalid`."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Invalid(f"{name}={text[:20]!r}: write a whole number")
    return int(text)
