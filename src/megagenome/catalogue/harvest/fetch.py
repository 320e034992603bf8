# SPDX-License-Identifier: Apache-2.0
"""One description over HTTP: conditional, as Turtle, bounded in size and time, from allowed hosts only, following no
redirect. What comes of it is a `Fetched`, or a `Fault` with the reason."""

import asyncio
import functools
import http.cookiejar
import logging
import ssl
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from megagenome.catalogue.harvest.model import Known, Point
from megagenome.catalogue.harvest.settings import HarvestSettings

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would note each of thousands of requests

_TURTLE = ("text/turtle", "application/x-turtle", "text/n3", "application/n-triples", "text/plain")
"""What is read as Turtle, which N-Triples are part of."""
_PORTS = {"http": 80, "https": 443}
_LONGEST_TAG = 500


class Fault(Exception):
    """Why a description could not be had. `is_silence`: its server did not answer at all, or not whole in time."""

    def __init__(self, reason: str, *, is_silence: bool = False) -> None:
        super().__init__(reason)
        self.is_silence = is_silence


class Answered(StrEnum):
    """What a server said."""

    CONTENT = "content"
    SAME = "same"
    GONE = "gone"


class Fetched(NamedTuple):
    """An answer; content with what its server knows it by."""

    answered: Answered
    content: bytes = b""
    tag: str = ""
    modified: str = ""


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def connect(settings: HarvestSettings) -> httpx.AsyncClient:
    """Connections to one catalogue; to be closed."""
    return httpx.AsyncClient(
        verify=_tls(),
        trust_env=False,
        timeout=settings.request_s,
        follow_redirects=False,
        cookies=http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[])),
        limits=httpx.Limits(max_connections=settings.connections, max_keepalive_connections=settings.connections),
        # identity: a compressed gigabyte must not unfold in memory
        headers={"accept": "text/turtle", "accept-encoding": "identity", "user-agent": "megagenome-harvester"},
    )


def is_allowed(point: Point, address: str) -> bool:
    """Whether a catalogue may send the hub to this address: its own scheme, host and port, or a host listed for it."""
    try:
        wanted, own = urlsplit(address), urlsplit(point.url)
        port = wanted.port or _PORTS.get(wanted.scheme)
        own_port = own.port or _PORTS.get(own.scheme)
    except ValueError:
        return False
    if wanted.scheme not in _PORTS or not wanted.hostname or wanted.username is not None or not address.isprintable():
        return False
    if (wanted.scheme, wanted.hostname, port) == (own.scheme, own.hostname, own_port):
        return True
    return any(_is_listed(listed, wanted.hostname, port, wanted.scheme) for listed in point.hosts)


def _is_listed(listed: str, host: str, port: int | None, scheme: str) -> bool:
    parts = urlsplit(f"//{listed}")
    return parts.hostname == host and (parts.port or _PORTS[scheme]) == port


async def fetch(client: httpx.AsyncClient, address: str, known: Known | None, settings: HarvestSettings) -> Fetched:
    """Ask for a description, unless its server says that it is as `known`. Raises `Fault`."""
    headers = {}
    if known is not None and known.tag:
        headers["if-none-match"] = known.tag
    elif known is not None and known.modified:
        headers["if-modified-since"] = known.modified
    try:
        async with asyncio.timeout(settings.request_s), client.stream("GET", address, headers=headers) as answer:
            return await _take(answer, settings.largest_bytes)
    except TimeoutError:
        raise Fault(f"no whole answer within {settings.request_s:g} s", is_silence=True) from None
    except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, OSError) as error:
        reason = _one_line(str(error)) or type(error).__name__
        raise Fault(f"it does not answer: {reason}", is_silence=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Fault(f"it cannot be asked: {_one_line(str(error)) or type(error).__name__}") from None


async def _take(answer: httpx.Response, most: int) -> Fetched:
    status = answer.status_code
    if status == 304:
        return Fetched(Answered.SAME)
    if status == 410:
        return Fetched(Answered.GONE)
    if 300 <= status < 400:
        where = _one_line(answer.headers.get("location", ""))
        raise Fault(f"it answers {status}, to ask at {where or 'another address'}: redirects are not followed")
    if status != 200:
        raise Fault(f"it answers {status}")
    kind = answer.headers.get("content-type", "text/turtle").partition(";")[0].strip().lower()
    if kind not in _TURTLE:
        raise Fault(f"it answers {_one_line(kind)} instead of text/turtle")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise Fault("it answers compressed, which was not asked for")
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > most:
            raise Fault(f"it is longer than {most:,} bytes")
    tag, modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
    return Fetched(
        Answered.CONTENT, bytes(body), tag if len(tag) <= _LONGEST_TAG else "", modified if len(modified) < 100 else ""
    )


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]
