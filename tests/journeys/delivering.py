# SPDX-License-Identifier: Apache-2.0
"""Asking a node for files and slices, and reading what comes."""

import subprocess
from typing import Any

import httpx

from benchmarks.parts.passports.world import sign_passport
from megagenome.standards.crypt4gh_stream import unseal
from tests.delivery.world import World
from tests.journeys.network import Served
from tests.journeys.permit_node import (
    draft,
)

HTSGET, DRS = "/ga4gh/htsget/v1", "/ga4gh/drs/v1"


class Reader:
    """Somebody who asks a node for data."""

    def __init__(self, served: Served, passport: str | None = None) -> None:
        self.served = served
        token = sign_passport(draft(served.url), []) if passport is None else passport
        self.headers = {"authorization": f"Bearer {token}"} if token else {}

    def ask(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        return self.served.client.get(f"{HTSGET}/{path}", params=query, headers=self.headers | (headers or {}))

    def post(self, path: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        """The same, with the question in a body."""
        return self.served.client.post(f"{HTSGET}/{path}", json=body, headers=self.headers | (headers or {}))

    def ticket(self, path: str, **query: Any) -> tuple[str, dict[str, str]]:
        """Where the data are, and with which headers."""
        return place_of(self.ask(path, **query))

    def fetch(self, path: str, **query: Any) -> bytes:
        return self.fetched(self.ask(path, **query))

    def fetched(self, answer: httpx.Response) -> bytes:
        """What the ticket in an answer brings."""
        url, headers = place_of(answer)
        content = self.served.client.get(url, headers=headers)
        assert content.status_code == 200, content.text
        return content.content


def place_of(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/vnd.ga4gh.htsget.v1.3.0+json")
    [part] = answer.json()["htsget"]["urls"]
    assert "eyJ" not in part["url"], "no ticket stands in an address"
    return part["url"], part["headers"]


def nobody(served: Served) -> Reader:
    return Reader(served, "")


def opened(sealed: bytes, world: World) -> bytes:
    return b"".join(unseal([sealed], [world.key]))


def rows_of(content: bytes, *arguments: str) -> list[list[str]]:
    """The records of a VCF or BCF, as bcftools reads them."""
    command = ["bcftools", "view", "-H", *arguments, "-"]
    done = subprocess.run(command, input=content, capture_output=True, check=True)
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["htsget"]["error"]
