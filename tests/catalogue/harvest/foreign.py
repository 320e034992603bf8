# SPDX-License-Identifier: Apache-2.0
"""A foreign FAIR Data Point on this machine that says what a test wants, and remembers what it was asked."""

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix fdp: <https://w3id.org/fdp/fdp-o#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix ldp: <http://www.w3.org/ns/ldp#> .
@prefix health: <http://healthdataportal.eu/ns/health#> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
"""


class Answer(NamedTuple):
    """What it answers at a path."""

    body: bytes
    status: int = 200
    kind: str = "text/turtle"
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0
    has_tag: bool = True


class Foreign:
    """The server: `answers` by path may be changed while it serves."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, int]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    def say(self, path: str, turtle: str, **more: object) -> None:
        """Answer this, with the prefixes; `{url}` is its own address."""
        body = (PREFIXES + turtle.replace("{url}", self.url)).encode()
        self.answers[path] = Answer(body, **more)

    def contain(self, *names: str, catalogues: tuple[str, ...] = ("main",)) -> None:
        """A root, its catalogues, and in the first of them these datasets."""
        contained = ", ".join(f"<{{url}}/catalog/{name}>" for name in catalogues)
        self.say("/", f"<{{url}}/> a fdp:FAIRDataPoint . <{{url}}/c> ldp:contains {contained} .")
        listed = ", ".join(f"<{{url}}/dataset/{name}>" for name in names)
        contains = f"<{{url}}/catalog/main/d> ldp:contains {listed} ." if names else ""
        self.say("/catalog/main", f'<{{url}}/catalog/main> a dcat:Catalog ; dct:title "All" . {contains}')

    def dataset(self, name: str, more: str = "") -> None:
        """A dataset with a title and whatever else, in a catalogue or not."""
        said = f'<{{url}}/dataset/{name}> a dcat:Dataset ; dct:title "Title of {name}" {more} .'
        self.say(f"/dataset/{name}", said)

    def take(self) -> list[tuple[str, int]]:
        """What was asked since, and what was answered."""
        asked, self.asked = self.asked, []
        return asked


@contextlib.contextmanager
def serving_foreign() -> Iterator[Foreign]:
    """One that serves on a free port."""
    foreign = Foreign()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = foreign.answers.get(self.path, Answer(b"", 404))
            time.sleep(answer.delay_s)
            tag = f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'
            is_known = answer.has_tag and answer.status == 200 and self.headers.get("if-none-match") == tag
            status = 304 if is_known else answer.status
            foreign.asked.append((self.path, status))
            foreign.headers.append(dict(self.headers))
            self.send_response(status)
            if answer.has_tag:
                self.send_header("etag", tag)
            for name, value in answer.headers:
                self.send_header(name, value)
            if not is_known:
                self.send_header("content-type", answer.kind)
                self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            if not is_known:
                with contextlib.suppress(OSError):  # who asked may have had enough
                    self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    foreign.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield foreign
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
