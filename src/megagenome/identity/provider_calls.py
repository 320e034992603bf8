# SPDX-License-Identifier: Apache-2.0
"""Calls of a provider over HTTP, bounded in time and size, following nothing."""

import ssl
import time
from collections.abc import Mapping
from typing import Any

import httpx

from megagenome.kernel.errors import Unauthenticated, Unavailable

PATIENCE_S = 10.0
"""For one whole answer."""
LARGEST_BYTES = 1 << 20


class ProviderCalls:
    """One provider's endpoints. Safe to use from many threads."""

    def __init__(self, name: str, transport: httpx.BaseTransport | None = None) -> None:
        """`name` is what people call it; `transport` stands in place of the network."""
        self._name = name
        self._client = httpx.Client(
            transport=transport,
            verify=ssl.create_default_context() if transport is None else False,
            trust_env=False,
            follow_redirects=False,
            timeout=PATIENCE_S / 2,
            limits=httpx.Limits(max_keepalive_connections=0),  # people sign in seldom: no socket waits for the next
            headers={"accept": "application/json"},
        )

    def get(self, address: str, headers: Mapping[str, str] | None = None) -> bytes:
        """The body of a 200. Raises `Unavailable` for anything else."""
        status, body = self._call("GET", address, headers=headers)
        if status != 200:
            raise Unavailable(f"{self._name} could not be asked (HTTP {status}); try again in a minute")
        return body

    def post(self, address: str, form: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
        """The body of a 200. A 4xx means that the provider refuses what was sent: raises `Unauthenticated`."""
        status, body = self._call("POST", address, data=dict(form), headers=headers)
        if 400 <= status < 500 and status != 429:
            raise Unauthenticated(f"{self._name} did not accept the sign-in (HTTP {status}); sign in again")
        if status != 200:
            raise Unavailable(f"{self._name} could not be asked (HTTP {status}); try again in a minute")
        return body

    def _call(self, method: str, address: str, **more: Any) -> tuple[int, bytes]:
        deadline = time.monotonic() + PATIENCE_S
        body = bytearray()
        try:
            with self._client.stream(method, address, **more) as answer:
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > LARGEST_BYTES or time.monotonic() > deadline:
                        raise Unavailable(f"{self._name} answers too much or too slowly; try again in a minute")
                return answer.status_code, bytes(body)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Unavailable(f"{self._name} does not answer ({type(error).__name__}); try again in a minute") from None
