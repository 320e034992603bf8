# SPDX-License-Identifier: Apache-2.0
"""One bounded request to a server whose address is known: no redirect, no cookie, no proxy of the environment."""

import http.cookiejar

import httpx

from megagenome.kernel.errors import Corrupt, MegagenomeError, Unavailable
from megagenome.network.fanout import one_line, tls
from megagenome.standards.problem import CONDITIONS, decode_detail

_ERROR_BYTES = 16 * 1024
_CONDITIONS = {status: condition for status, condition in CONDITIONS.items() if status != 404}
"""What a refusal is here, too. A 404 may be of anybody: there may be no such service at the address."""


def connect(timeout_s: float) -> httpx.AsyncClient:
    """A client for such requests; to be closed. `timeout_s` is for each step; the caller bounds the whole."""
    return httpx.AsyncClient(
        verify=tls(),
        trust_env=False,
        timeout=timeout_s,
        cookies=http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[])),
        # identity: a compressed gigabyte must not unfold in memory
        headers={"accept-encoding": "identity", "user-agent": "megagenome"},
    )


async def call(
    client: httpx.AsyncClient, url: str, most_bytes: int, content: bytes | None = None, kind: str = "application/json"
) -> bytes:
    """The body of the answer to a GET, or to a POST of `content`.

    Raises the condition that the server's problem says, `Unavailable` where nothing answers as it must, `Corrupt` for
    an answer longer than `most_bytes`.
    """
    method, headers = ("GET", {}) if content is None else ("POST", {"content-type": kind})
    try:
        async with client.stream(method, url, content=content, headers=headers) as response:
            if 200 <= response.status_code < 300:
                return await _take(response, most_bytes)
            raise _condition(url, response.status_code, await _take(response, _ERROR_BYTES))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        reason = one_line(str(error)) or type(error).__name__
        raise Unavailable(f"{url} does not answer: {reason}") from None


async def _take(response: httpx.Response, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most_bytes:
            raise Corrupt(f"{response.url.copy_with(query=None)} answers more than {most_bytes:,} bytes")
    return bytes(body)


def _condition(url: str, status: int, body: bytes) -> MegagenomeError:
    detail = one_line(decode_detail(body))
    condition = _CONDITIONS.get(status)
    if condition is None or not detail:
        return Unavailable(f"{url} answers {status}: {detail or 'nothing more'}")
    return condition(detail)
