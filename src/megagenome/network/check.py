# SPDX-License-Identifier: Apache-2.0
"""Checks of a network: for each node the part that is wrong, from its name to its numbers, and what to do about it."""

import asyncio
import email.utils
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from megagenome.kernel import clock
from megagenome.kernel.addresses import is_loopback
from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.kernel.findings import Finding
from megagenome.network.answers import beacon_question
from megagenome.network.fanout import Network, Outcome, Question, one_line, tls
from megagenome.network.listing import DATASETS, INFO, read_datasets, read_info
from megagenome.network.settings import NetworkSettings, Node, check_nodes, check_url
from megagenome.network.told import place_of, read_allele, read_people
from megagenome.standards import beacon
from megagenome.standards.federation import NodeList, NodeStatus

T = TypeVar("T")

MOST_SKEW_S = 30.0
"""A clock further off than this makes times in logs and ledgers of two nodes incomparable, and tokens invalid."""
SLOW_SHARE = 0.5
"""A node that takes more of the deadline for its simplest answer will be late under load."""


def check_network(nodes: Sequence[Node], settings: NetworkSettings) -> list[Finding]:
    """Check every node of a list from here, all at once, as long as `deadline_s` for each of its parts.

    Never raises: what fails is a finding. A node's checks end at the first part without which the next make no sense.
    """
    try:
        check_nodes(nodes)
    except Invalid as error:
        return [Finding("nodes", fine=False, says=str(error), do="edit hub.toml")]
    if not nodes:
        return [Finding("nodes", fine=True, says="none yet: invite one with `megagenome hub invite`")]
    return asyncio.run(_check_network(nodes, settings))


async def _check_network(nodes: Sequence[Node], settings: NetworkSettings) -> list[Finding]:
    async with Network(nodes, settings) as network, asyncio.TaskGroup() as group:
        tasks = [group.create_task(_findings(network, node)) for node in nodes]
    return [finding for task in tasks for finding in task.result()]


async def _findings(network: Network, node: Node) -> list[Finding]:
    return [
        msgspec.structs.replace(finding, part=f"{node.id}: {finding.part}")
        async for finding in _check_node(network, node)
    ]


async def _check_node(network: Network, node: Node) -> AsyncIterator[Finding]:
    reached = await _reach(node, network.settings.connect_timeout_s)
    yield reached
    if _unreachable(reached, node):
        return
    info = await network.ask_one(node, INFO, read_info)
    yield _beacon(info)
    if info.answer is None:
        return
    yield _speed(info.elapsed_ms, network.settings.deadline_s)
    yield await _clock(node, network.settings)
    yield _datasets(await network.ask_one(node, DATASETS, read_datasets))
    variant = _variant_question(network.settings.assembly)
    yield _answers("variants", await network.ask_one(node, variant, functools.partial(read_allele, PROBE)))
    yield _answers("people", await network.ask_one(node, PEOPLE, read_people))


PROBE = place_of(999_999, "A", "G")
PEOPLE = beacon_question("/individuals", beacon.BeaconQuery(requested_granularity=beacon.Granularity.COUNT))


def _variant_question(assembly: str) -> Question:
    """An allele that may well be nowhere: that there is an answer matters, not which."""
    start, _, ref, alt = PROBE
    parameters = beacon.VariantParameters(assembly, "1", (start,), (), ref, alt)
    query = beacon.BeaconQuery(beacon.RequestParameters(parameters), requested_granularity=beacon.Granularity.RECORD)
    return beacon_question("/g_variants", query)


def _unreachable(reached: Finding, node: Node) -> bool:
    """Whether it makes no sense to go on. A node that is asked without TLS answers all the same."""
    return not reached.fine and (reached.part != "certificate" or node.url.startswith("https:"))


async def _reach(node: Node, timeout_s: float) -> Finding:
    """Name, port and certificate, in this order: the first that fails is the finding."""
    parts = urlsplit(node.url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        return Finding("name", False, f"{host} has no address", "correct its url in hub.toml, or its entry in DNS")
    try:
        async with asyncio.timeout(timeout_s):
            await _connect(host, port, None)
    except TimeoutError:
        says = f"port {port} of {host} accepts no connection within {timeout_s:g} s"
        return Finding("port", False, says, "open the firewall from this hub to the node")
    except OSError as error:
        says = f"nothing answers on port {port} of {host}: {error.strerror or error}"
        return Finding(
            "port", False, says, "start the node with `megagenome node serve`, or correct its url in hub.toml"
        )
    if secure:
        return await _certificate(host, port, timeout_s)
    if not is_loopback(host):
        says = f"{host} is asked without TLS: whoever is on the way reads and changes what it says"
        return Finding("certificate", False, says, "put a proxy with a certificate before the node, and write https://")
    return Finding("connection", True, f"{host}, port {port}")


async def _certificate(host: str, port: int, timeout_s: float) -> Finding:
    try:
        async with asyncio.timeout(timeout_s):
            await _connect(host, port, tls())
    except ssl.SSLCertVerificationError as error:
        says = f"the certificate of {host} is not trusted: {error.verify_message}"
        return Finding("certificate", False, says, "have its operator renew it, or install the authority's on this hub")
    except (OSError, TimeoutError):
        says = f"port {port} of {host} does not speak TLS"
        return Finding("certificate", False, says, "correct scheme and port of its url in hub.toml")
    return Finding("connection", True, f"{host}, port {port}, TLS")


async def _connect(host: str, port: int, context: ssl.SSLContext | None) -> None:
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    writer.close()


_DO = {
    NodeStatus.LATE: "see what keeps the node busy, or raise deadline_s in hub.toml",
    NodeStatus.UNREACHABLE: "see the node's log: it closes connections",
    NodeStatus.REFUSED: "compare its url and beacon_path in hub.toml with what its operator states",
    NodeStatus.FAULTY: "tell its operator; `megagenome node check` names the part on a node of ours",
}


def _beacon(info: Outcome[beacon.BeaconInfo]) -> Finding:
    if info.answer is None:
        return Finding("Beacon", False, f"/info is {info.status}: {info.message}", _DO[info.status])
    version = info.answer.api_version
    if not version.lstrip("v").startswith("2"):
        return Finding("Beacon", False, f"speaks Beacon {one_line(version)}", "ask its operator for its Beacon v2")
    return Finding("Beacon", True, f"{one_line(info.answer.name)}, {one_line(version)}")


def _speed(elapsed_ms: float, deadline_s: float) -> Finding:
    says = f"/info took {elapsed_ms:.0f} ms of {deadline_s:g} s"
    if elapsed_ms / 1000 <= SLOW_SHARE * deadline_s:
        return Finding("speed", True, says)
    return Finding("speed", False, says, "give the node more processors or a nearer line, or raise deadline_s")


async def _clock(node: Node, settings: NetworkSettings) -> Finding:
    """Its clock beside ours, by the `Date` of an answer, which counts in whole seconds."""
    stated = ""
    try:
        async with (
            asyncio.timeout(settings.deadline_s),
            httpx.AsyncClient(trust_env=False, verify=tls()) as client,
            client.stream("GET", node.beacon_url + INFO.path) as response,
        ):
            stated = response.headers.get("date", "")
            theirs = email.utils.parsedate_to_datetime(stated).replace(tzinfo=UTC)
    except (httpx.HTTPError, TimeoutError, ValueError, TypeError):
        return Finding("clock", True, "does not say its time")
    ahead_s = (theirs - clock.now()).total_seconds()
    if abs(ahead_s) <= MOST_SKEW_S:
        return Finding("clock", True, f"within {MOST_SKEW_S:g} s of ours")
    says = f"its clock is {abs(ahead_s):,.0f} s {'ahead of' if ahead_s > 0 else 'behind'} ours"
    return Finding("clock", False, says, "set both by NTP; compare with a third clock to see which is wrong")


def _datasets(outcome: Outcome[tuple[beacon.Dataset, ...]]) -> Finding:
    if outcome.answer is None:
        return Finding("datasets", False, f"/datasets is {outcome.status}: {outcome.message}", _DO[outcome.status])
    return Finding("datasets", True, f"{len(outcome.answer)} published")


def _answers(what: str, outcome: Outcome[T]) -> Finding:
    if outcome.answer is None:
        return Finding(what, False, f"{outcome.status}: {outcome.message}", _DO[outcome.status])
    return Finding(what, True, f"answered in {outcome.elapsed_ms:.0f} ms")


def check_hub(url: str, settings: NetworkSettings = NetworkSettings()) -> list[Finding]:  # noqa: B008 - it is frozen
    """Check the hub that serves at `url`, and each of its nodes as that hub sees it. Never raises."""
    try:
        check_url(url.rstrip("/"))
    except ValueError as error:
        return [Finding("hub", fine=False, says=str(error), do="write an address such as http://127.0.0.1:8600")]
    return asyncio.run(_check_hub(Node(id="hub", url=url.rstrip("/"), beacon_path=""), settings))


async def _check_hub(hub: Node, settings: NetworkSettings) -> list[Finding]:
    reached = await _reach(hub, settings.connect_timeout_s)
    if _unreachable(reached, hub):
        return [msgspec.structs.replace(reached, part=f"hub: {reached.part}")]
    # the hub itself waits as long as this for its nodes
    patient = msgspec.structs.replace(settings, deadline_s=2 * settings.deadline_s + 5)
    async with Network([hub], patient) as network:
        info = await network.ask_one(hub, Question("/beacon/v2/info"), _decode_info)
        nodes = await network.ask_one(hub, Question("/api/nodes"), _decode_nodes)
    found = [reached, _beacon(info)]
    if nodes.answer is None:
        found.append(Finding("nodes", False, f"/api/nodes is {nodes.status}: {nodes.message}", "is this a hub?"))
        return [msgspec.structs.replace(finding, part=f"hub: {finding.part}") for finding in found]
    found = [msgspec.structs.replace(finding, part=f"hub: {finding.part}") for finding in found]
    for node in nodes.answer.nodes:
        fine = node.status is NodeStatus.ANSWERED
        says = f"{node.url} {node.status} in {node.elapsed_ms:.0f} ms" + (f": {node.message}" if node.message else "")
        found.append(Finding(node.id, fine, says, "" if fine else _DO.get(node.status, "")))
    return found


def _decode_info(_node: Node, body: bytes) -> beacon.BeaconInfo:
    return beacon.decode_info(body)


def _decode_nodes(_node: Node, body: bytes) -> NodeList:
    try:
        return msgspec.json.decode(body, type=NodeList)
    except msgspec.DecodeError as error:
        raise Corrupt(f"not the API of a hub: {error}") from None
