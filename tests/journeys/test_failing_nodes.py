# SPDX-License-Identifier: Apache-2.0
"""A node that is killed, hangs or fails: the hub names it, and the others' numbers stay right and in time."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from megagenome.kernel.errors import Unavailable
from megagenome.network.add_node import add_node
from tests.journeys.network import Served, hub_over, serving
from tests.journeys.small import ALLELE, COPIES, make_small

pytestmark = pytest.mark.promise

DEADLINE_S = 1.5
PROMISED_S = DEADLINE_S + 1.5
"""Within the deadline, and what a loaded machine takes to say it."""


class Fragile(BaseHTTPRequestHandler):
    """A node that says who it is, and fails at every question."""

    def do_GET(self) -> None:
        organization = {"id": "x", "name": "x", "welcomeUrl": "http://x"}
        info = {"id": "node.fragile", "name": "Fragile", "environment": "test", "apiVersion": "v2.0"}
        meta = {"beaconId": "node.fragile", "apiVersion": "v2.0"}
        body = json.dumps({"meta": meta, "response": {**info, "organization": organization}}).encode()
        self._answer(200, body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(500, b'{"detail": "secret of the node"}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


class Troubled(NamedTuple):
    """A hub over two sound nodes (FI, EE), one to be killed, one to be stopped, and one that answers 500."""

    hub: Served
    killed: Served
    stopped: Served


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Troubled]:
    top = tmp_path_factory.mktemp("troubled")
    folders = [make_small(top / country, country) for country in ("FI", "EE", "SE", "GB")]
    fragile = ThreadingHTTPServer(("127.0.0.1", 0), Fragile)
    threading.Thread(target=fragile.serve_forever, daemon=True).start()
    with serving("node", folders) as nodes:
        addresses = [*(node.url for node in nodes), f"http://127.0.0.1:{fragile.server_port}"]
        with hub_over(top / "hub", addresses, f"deadline_s = {DEADLINE_S}") as hub:
            yield Troubled(hub, nodes[2], nodes[3])
    fragile.shutdown()
    fragile.server_close()


def ask(hub: Served) -> dict[str, Any]:
    began = time.monotonic()
    answer: dict[str, Any] = hub.get("/api/variant", q=ALLELE, assembly="GRCh37")
    assert time.monotonic() - began < PROMISED_S
    return answer


def test_the_others_stay_right_whatever_happens_to_some(troubled: Troubled) -> None:
    hub = troubled.hub
    sound = ask(hub)
    status = {node["id"]: node["status"] for node in sound["nodes"]}
    assert status.pop("node.fragile") == "faulty"
    assert set(status.values()) == {"answered"}
    assert total(sound) == (4 * COPIES, 4 * 12)

    troubled.killed.process.send_signal(signal.SIGKILL)
    troubled.killed.process.wait(10)
    troubled.stopped.process.send_signal(signal.SIGSTOP)
    try:
        answer = ask(hub)
        people = hub.get("/api/cohort", q="phenotype=HP:0001250")
        beacon = hub.get(
            "/beacon/v2/g_variants",
            assemblyId="GRCh37",
            referenceName="22",
            start=16_050_074,
            referenceBases="A",
            alternateBases="G",
            requestedGranularity="record",
        )
    finally:
        os.kill(troubled.stopped.process.pid, signal.SIGCONT)
    expected = {
        "node.fi": "answered",
        "node.ee": "answered",
        "node.se": "unreachable",
        "node.gb": "late",
        "node.fragile": "faulty",
    }
    assert {node["id"]: node["status"] for node in answer["nodes"]} == expected
    assert total(answer) == (2 * COPIES, 2 * 12)
    assert people["count"] == 2 * 6
    assert {each["beaconId"]: each["status"] for each in beacon["info"]["nodes"]} == {
        **expected,
        "node.fragile": "faulty",
    }
    sums = {each["population"]: each["alleleCount"] for each in beacon["response"]["info"]["combined"]["frequencies"]}
    assert sums["Total"] == 2 * COPIES
    assert all("secret" not in node["message"] for node in answer["nodes"])

    # who was only stopped for a while is asked again
    assert {node["id"]: node["status"] for node in ask(hub)["nodes"]}["node.gb"] == "answered"


def total(answer: dict[str, Any]) -> tuple[int, int]:
    [cell] = [each for each in answer["frequencies"] if each["population"] == "Total"]
    return cell["allele_count"], cell["allele_number"]


def test_what_does_not_answer_is_not_added(troubled: Troubled) -> None:
    path = troubled.hub.folder / "hub.toml"
    before = path.read_bytes()
    with pytest.raises(Unavailable, match="nothing was changed"):
        add_node(troubled.hub.folder, "http://127.0.0.1:9")
    assert path.read_bytes() == before
