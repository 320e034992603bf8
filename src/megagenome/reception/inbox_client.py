# SPDX-License-Identifier: Apache-2.0
"""A node's inbox over HTTP, for `megagenome send`."""

import contextlib
import hashlib
import time
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from megagenome.kernel.errors import Invalid, NoRoom, NotFound, Unavailable
from megagenome.kernel.public_keys import PublicKeys, read_public_keys
from megagenome.standards.by_token import condition_of, parse_server, read_answer, unauthenticated
from megagenome.standards.crypt4gh_keys import RECIPIENT_PATH, read_public_key
from megagenome.standards.descriptor import KEYS_PATH
from megagenome.standards.submission import (
    DIGEST_HEADER,
    MAY_SEND,
    ROOT,
    Completed,
    Manifest,
    Part,
    Submission,
    content_digest,
)
from megagenome.standards.validation_report import Report

_TIMEOUT_S = 120.0
_WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0)
"""Between tries of what may be done twice: two minutes, in which a node may be started again."""

T = TypeVar("T")


class Inbox:
    """A node's inbox, as one person. Each method raises the condition that the node answered with."""

    def __init__(self, url: str, token: str) -> None:
        """`url` is the node's. Raises `Invalid` for an address over which the token would travel openly."""
        self.url = parse_server(url, "node", has_token=True)
        self._authorization = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(timeout=_TIMEOUT_S, trust_env=False)

    def __repr__(self) -> str:
        return f"Inbox({self.url!r})"  # without the token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def recipient(self) -> X25519PublicKey:
        """The key that files for this node are sealed for. Asked once, for it is the first that is asked of a node."""
        try:
            return read_public_key(self._once("GET", RECIPIENT_PATH).text)
        except NotFound:
            raise Invalid(f"{self.url} is not the address of a node: {RECIPIENT_PATH} is not there") from None

    def require_known(self) -> None:
        """Raise `Unauthenticated` where the node does not know whose token this is, or there is none."""
        if not self._authorization:
            raise unauthenticated(self.url, "without a token the node does not know who you are")
        self.recipient()  # whatever answers is a node
        self._once("GET", ROOT)

    def require_welcome(self, dataset: str) -> None:
        """Raise what `begin` would before the files are known. A node that does not say so says it when one begins."""
        with contextlib.suppress(NotFound):
            self._once("GET", f"{MAY_SEND}/{quote(dataset, safe='')}")

    def keys(self) -> PublicKeys:
        """The keys with which the node signs."""
        return read_public_keys(self._ask("GET", KEYS_PATH).content)

    def begin(self, manifest: Manifest) -> Submission:
        """A new submission. Asked once: the node may have made it though no answer came."""
        return _read(self._once("POST", ROOT, content=msgspec.json.encode(manifest)), Submission)

    def show(self, submission: str) -> Submission:
        """A submission as it is now."""
        return _read(self._ask("GET", f"{ROOT}/{submission}"), Submission)

    def put(self, submission: str, file: int, number: int, content: bytes | memoryview) -> Part:
        """Send a part, again and again until the node has it."""
        digest = content_digest(hashlib.sha256(content).digest())
        path = f"{ROOT}/{submission}/files/{file}/parts/{number}"
        headers = {DIGEST_HEADER: digest, "content-type": "application/octet-stream"}
        return _read(self._ask("PUT", path, content=bytes(content), headers=headers), Part)

    def complete(self, submission: str, parts: tuple[int, ...]) -> Submission:
        """Say that all was sent."""
        return _read(
            self._ask("POST", f"{ROOT}/{submission}/complete", content=msgspec.json.encode(Completed(parts))),
            Submission,
        )

    def cancel(self, submission: str) -> None:
        """End it."""
        self._ask("DELETE", f"{ROOT}/{submission}")

    def report(self, submission: str) -> Report:
        """What validation found."""
        return _read(self._ask("GET", f"{ROOT}/{submission}/report"), Report)

    def receipt(self, submission: str) -> str:
        """The receipt, signed."""
        return self._ask("GET", f"{ROOT}/{submission}/receipt").text

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """What may be done twice."""
        waits_s = iter(_WAITS_S)
        while True:
            try:
                return self._once(method, path, **more)
            except Unavailable as error:
                wait_s = next(waits_s, None)
                if wait_s is None or isinstance(error, NoRoom):  # room is not made in minutes
                    raise
                time.sleep(wait_s)

    def _once(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"content-type": "application/json"} if method == "POST" else {}
        if path.startswith(ROOT):  # a token is good nowhere else
            headers |= self._authorization
        headers |= more.pop("headers", {})
        try:
            response = self._client.request(method, self.url + path, headers=headers, **more)
        except httpx.HTTPError as error:
            raise Unavailable(f"the node at {self.url} does not answer: {str(error) or type(error).__name__}") from None
        if response.status_code >= 300:
            if response.is_redirect:
                where = response.headers["location"][:200]
                raise Invalid(f"{self.url} leads to {where}: give the address to which it leads")
            raise condition_of(self.url, "node", response.status_code, response.content)
        return response


def _read(response: httpx.Response, answer: type[T]) -> T:
    return read_answer(response.url, "node", response.content, answer)
