# SPDX-License-Identifier: Apache-2.0
"""Checks of a network name the part that is wrong."""

import asyncio
import email.utils
import socket
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from megagenome.network.check import Finding, check_hub, check_network
from megagenome.network.settings import NetworkSettings, Node
from tests.network import stubs
from tests.network.documents import answer, info, people, withheld
from tests.network.stubs import Behaviour, Stub, running, says

SETTINGS = NetworkSettings(deadline_s=1.0, connect_timeout_s=1.0)


def documents(id_: str = "FI", **changes: Any) -> dict[str, Any]:
    return {
        "/beacon/v2/info": info(id_),
        "/beacon/v2/datasets": {
            "meta": {"beaconId": id_},
            "responseSummary": {"exists": False},
            "response": {"collections": []},
        },
        "/beacon/v2/g_variants": withheld(id_),
        "/beacon/v2/individuals": people(id_, 10),
    } | changes


def check(behave: Behaviour, change: Callable[[Stub], Node] = Stub.node) -> list[Finding]:
    async def run() -> list[Finding]:
        async with running(behave) as stub:
            return await asyncio.to_thread(check_network, [change(stub)], SETTINGS)

    return asyncio.run(run())


def wrong(findings: list[Finding]) -> list[str]:
    assert all(finding.do for finding in findings if not finding.fine)
    return [f"{finding.part}: {finding.says}" for finding in findings if not finding.fine]


def test_a_node_in_order_has_every_part_fine() -> None:
    findings = check(stubs.routes(documents()))
    assert wrong(findings) == []
    parts = ("connection", "Beacon", "speed", "clock", "datasets", "variants", "people")
    assert [finding.part for finding in findings] == [f"FI: {part}" for part in parts]
    assert all("\n" not in finding.says + finding.do for finding in findings)


def test_a_name_that_is_nowhere() -> None:
    findings = check_network([Node(id="FI", url="http://node.invalid")], SETTINGS)
    assert wrong(findings) == ["FI: name: node.invalid has no address"]


def test_a_port_where_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        findings = check_network([Node(id="FI", url=f"http://127.0.0.1:{port}")], SETTINGS)
    (said,) = wrong(findings)
    assert said.startswith(f"FI: port: nothing answers on port {port} of 127.0.0.1")


def test_a_port_that_does_not_speak_tls() -> None:
    findings = check(stubs.hangs, lambda stub: Node(id="FI", url=f"https://127.0.0.1:{stub.port}"))
    (said,) = wrong(findings)
    assert said.startswith("FI: certificate: port ")
    assert said.endswith(" of 127.0.0.1 does not speak TLS")


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "1",
    ]
    names = ["-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*request, *names], check=True, capture_output=True, timeout=60)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate, key)

    async def run() -> list[Finding]:
        stub = Stub(stubs.hangs)
        server = await asyncio.start_server(stub.accept, "127.0.0.1", 0, ssl=server_side)
        port = server.sockets[0].getsockname()[1]
        try:
            node = Node(id="FI", url=f"https://localhost:{port}")
            return await asyncio.to_thread(check_network, [node], SETTINGS)
        finally:
            server.close()
            await stub.stop()
            await server.wait_closed()

    (said,) = wrong(asyncio.run(run()))
    assert said.startswith("FI: certificate: the certificate of localhost is not trusted")


def test_what_is_no_beacon() -> None:
    assert wrong(check(says({}, status=404))) == ["FI: Beacon: /info is refused: HTTP 404"]
    assert wrong(check(says(b"<html>", kind="text/html"))) == [
        "FI: Beacon: /info is faulty: it answers text/html, not JSON"
    ]
    assert wrong(check(stubs.hangs)) == ["FI: Beacon: /info is late: no whole answer within 1 s"]
    (said,) = wrong(check(stubs.closes))
    assert said.startswith("FI: Beacon: /info is unreachable: the connection broke")


def test_another_beacon_at_the_address() -> None:
    (said,) = wrong(check(stubs.routes(documents("ES"))))
    assert "it calls itself 'ES', not 'FI'" in said


def test_an_old_protocol() -> None:
    (said, *_) = wrong(check(stubs.routes(documents() | {"/beacon/v2/info": info("FI", apiVersion="v1.1.0")})))
    assert said == "FI: Beacon: speaks Beacon v1.1.0"


def test_a_slow_node() -> None:
    quick = stubs.routes(documents())

    async def behave(asked: stubs.Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.6 if asked.path.endswith("/info") else 0)
        await quick(asked, writer)

    (said,) = wrong(check(behave))
    assert said.startswith("FI: speed: /info took ")


def test_a_clock_that_is_wrong() -> None:
    late = email.utils.format_datetime(datetime.now(UTC) - timedelta(seconds=600), usegmt=True)

    async def behave(asked: stubs.Asked, writer: asyncio.StreamWriter) -> None:
        body = stubs.json.dumps(documents()[asked.path.partition("?")[0]]).encode()
        writer.write(stubs.response(body, more=f"date: {late}\r\n"))

    (said,) = wrong(check(behave))
    assert said.startswith("FI: clock: its clock is 60")
    assert said.endswith("s behind ours")


def test_a_node_that_lies_in_its_numbers() -> None:
    lying = documents() | {"/beacon/v2/individuals": answer("FI", [], numTotalResults=-1)}
    assert wrong(check(stubs.routes(lying))) == [
        "FI: people: faulty: its answer is not what it must be: its numTotalResults cannot be a count"
    ]
    lying = documents() | {"/beacon/v2/g_variants": {}, "/beacon/v2/datasets": []}
    said = wrong(check(stubs.routes(lying)))
    assert [line.partition(" is ")[0].partition(": faulty")[0] for line in said] == [
        "FI: datasets: /datasets",
        "FI: variants",
    ]


def test_nodes_that_stand_twice_and_no_nodes() -> None:
    node = Node(id="FI", url="http://127.0.0.1:1")
    (said,) = wrong(check_network([node, node], SETTINGS))
    assert "stands twice" in said
    assert check_network([], SETTINGS)[0].fine


def test_one_broken_node_leaves_the_others_findings_as_they_are() -> None:
    async def run() -> list[Finding]:
        async with running(stubs.hangs) as slow, running(stubs.routes(documents("ES"))) as fine:
            return await asyncio.to_thread(check_network, [slow.node("FI"), fine.node("ES")], SETTINGS)

    findings = asyncio.run(run())
    assert wrong(findings) == ["FI: Beacon: /info is late: no whole answer within 1 s"]
    assert sum(finding.part.startswith("ES") for finding in findings) == 7


def test_a_hub_is_checked_with_its_nodes_as_it_sees_them() -> None:
    def state(id_: str, status: str, message: str = "") -> dict[str, Any]:
        about = {"id": id_, "name": id_, "country": id_, "url": f"http://{id_}"}
        return about | {"status": status, "elapsed_ms": 12.4, "message": message}

    states = {"nodes": [state("FI", "answered"), state("ES", "late", "no whole answer within 5 s")]}
    hub = stubs.routes({"/beacon/v2/info": info("hub"), "/api/nodes": states})

    async def run(behave: Behaviour) -> list[Finding]:
        async with running(behave) as stub:
            return await asyncio.to_thread(check_hub, stub.url + "/", SETTINGS)

    findings = asyncio.run(run(hub))
    assert [(finding.part, finding.fine) for finding in findings] == [
        ("hub: connection", True),
        ("hub: Beacon", True),
        ("FI", True),
        ("ES", False),
    ]
    assert wrong(findings) == ["ES: http://ES late in 12 ms: no whole answer within 5 s"]
    findings = asyncio.run(run(stubs.routes(documents())))
    assert wrong(findings) == ["hub: nodes: /api/nodes is refused: no such path"]


def test_a_hub_that_is_not_there() -> None:
    assert [finding.part for finding in check_hub("hub.example.org")] == ["hub"]
    assert wrong(check_hub("http://hub.invalid", SETTINGS)) == ["hub: name: hub.invalid has no address"]
