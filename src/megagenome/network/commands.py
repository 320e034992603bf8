# SPDX-License-Identifier: Apache-2.0
"""`megagenome ask`: one question to all nodes of a network, by its hub."""

from collections.abc import Iterable, Mapping
from typing import Annotated, TypeVar

import httpx
import msgspec
from cyclopts import App, Parameter
from rich.console import Group, RenderableType

from megagenome.kernel.errors import Invalid, MegagenomeError, TooLarge, Unavailable
from megagenome.kernel.output import Json, printable, show, table
from megagenome.standards.federation import (
    CohortAnswer,
    Frequency,
    NodeAnswer,
    NodeStatus,
    RegionAnswer,
    VariantAnswer,
)
from megagenome.standards.problem import decode_detail

Answer = TypeVar("Answer", VariantAnswer, RegionAnswer, CohortAnswer)

HUB = "http://127.0.0.1:8600"
TIMEOUT_S = 60.0
"""Longer than any hub waits for its nodes."""
ROWS = 1000
SUMS = "Sums are of what is told: withheld groups are in none of them, so M and F need not add up to Total."
SPOKE = (NodeStatus.ANSWERED, NodeStatus.WITHHELD)

Allele = Annotated[str, Parameter(help="An allele such as 22-16050075-A-G, positions counted from 1.")]
Place = Annotated[str, Parameter(help="A region such as 22:16050000-16060000; a gene such as BRCA2.")]
Clauses = Annotated[str, Parameter(help="Clauses that hold together, in quotes; docs/network.md lists them.")]
HubUrl = Annotated[str, Parameter(help="The hub to ask.")]
Assembly = Annotated[str, Parameter(help="GRCh37 or GRCh38; the hub's own default where the text does not say one.")]

ask = App(name="ask", help="Ask all nodes of a network one question.")


@ask.command
def variant(text: Allele, /, *, hub: HubUrl = HUB, assembly: Assembly = "", json: Json = False) -> int:
    """How frequent an allele is, by country and sex: `megagenome ask variant 22-16050075-A-G --assembly GRCh37`."""
    answer = _get(hub, "/api/variant", {"q": text, "assembly": assembly}, VariantAnswer)
    show(answer, json=json, render=_variant)
    return _exit_code(answer.nodes)


@ask.command
def region(text: Place, /, *, hub: HubUrl = HUB, assembly: Assembly = "", skip: int = 0, json: Json = False) -> int:
    """The alleles of a region or gene: `megagenome ask region 22:16050000-16060000`, `megagenome ask region BRCA2`.

    Parameters
    ----------
    skip
        Leave out this many alleles, to see those after the first thousand.
    """
    query = {"q": text, "assembly": assembly, "skip": str(skip), "limit": str(ROWS)}
    answer = _get(hub, "/api/region", query, RegionAnswer)
    show(answer, json=json, render=_region)
    return _exit_code(answer.nodes)


@ask.command
def cohort(question: Clauses, /, *, hub: HubUrl = HUB, assembly: Assembly = "", json: Json = False) -> int:
    """How many people match: `megagenome ask cohort 'sex=female phenotype=HP:0001250 age>=40'`."""
    answer = _get(hub, "/api/cohort", {"q": question, "assembly": assembly}, CohortAnswer)
    show(answer, json=json, render=_cohort)
    return _exit_code(answer.nodes)


def _exit_code(nodes: Iterable[NodeAnswer]) -> int:
    """1 when no node could say anything: the answer is then nobody's."""
    return 0 if any(node.status in SPOKE for node in nodes) else 1


def _get(hub: str, path: str, query: Mapping[str, str], kind: type[Answer]) -> Answer:
    url = hub.rstrip("/") + path
    try:
        response = httpx.get(
            url, params={name: value for name, value in query.items() if value}, timeout=TIMEOUT_S, trust_env=False
        )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise Invalid(f"--hub {hub!r} is no address: write one such as {HUB}") from None
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise Unavailable(
            f"the hub at {hub} does not answer ({reason}): start it with `megagenome hub serve`, or name one with --hub"
        ) from None
    if response.status_code != 200:
        raise _condition(hub, response)
    try:
        return msgspec.json.decode(response.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unavailable(f"{url} is not the API of a hub of this version: check the address of --hub") from None


def _condition(hub: str, response: httpx.Response) -> MegagenomeError:
    detail = decode_detail(response.content)
    match response.status_code:
        case 404:
            return Unavailable(f"{hub} is no hub: name one with --hub, and no node")
        case 400 if detail:
            return Invalid(detail)
        case 413 if detail:
            return TooLarge(detail)
        case _:
            return Unavailable(f"the hub at {hub} answers {response.status_code}: {detail}")


def _variant(answer: VariantAnswer) -> RenderableType:
    name = f"{answer.query.text} ({answer.query.assembly})"
    nodes = table(
        ("node", "country", "status", "ms", "alleles", "of", "note"),
        [(*_node(each), *_total(each.frequencies), _note(each)) for each in answer.nodes],
    )
    if not answer.frequencies:
        return Group(printable(f"{name}: {'is there' if answer.exists else 'no node tells of it'}"), nodes)
    cells = [
        (
            each.population,
            each.allele_count,
            each.allele_number,
            f"{each.allele_frequency:.6f}",
            f"{each.low:.6f}-{each.high:.6f}",
            each.homozygous,
            each.heterozygous,
            each.hemizygous,
        )
        for each in answer.frequencies
    ]
    columns = ("population", "alleles", "of", "frequency", "95 % interval", "hom", "het", "hemi")
    return Group(printable(name), table(columns, cells), SUMS, nodes)


def _region(answer: RegionAnswer) -> RenderableType:
    query, more = answer.query, "" if answer.complete else "at least "
    last = answer.skip + len(answer.rows)
    shown = f"{answer.skip + 1} to {last} of " if answer.rows and len(answer.rows) < answer.total else ""
    note = "" if answer.complete else "; a node has more than it gives at once: ask for smaller regions to see the rest"
    name = f"{query.gene} " if query.gene else ""
    place = f"{query.contig}:{query.start + 1}-{query.end} ({query.assembly})"
    return Group(
        printable(f"{name}{place}: {shown}{more}{answer.total} alleles{note}"),
        table(
            ("allele", "nodes", "alleles", "of", "frequency"),
            [(each.text, each.nodes, *_total(each.frequencies), _share(each.frequencies)) for each in answer.rows],
        ),
        table(
            ("node", "country", "status", "ms", "alleles", "note"),
            [(*_node(each), each.count, _note(each)) for each in answer.nodes],
        ),
    )


def _cohort(answer: CohortAnswer) -> RenderableType:
    is_told = any(each.count is not None for each in answer.nodes)
    return Group(
        f"{answer.count if is_told else 'no'} {'people' if is_told else 'count'} told of: {printable(answer.query)}",
        table(
            ("node", "country", "status", "ms", "people", "note"),
            [(*_node(each), each.count, _note(each)) for each in answer.nodes],
        ),
    )


def _node(node: NodeAnswer) -> tuple[object, ...]:
    return node.name, node.country, str(node.status), round(node.elapsed_ms)


def _note(node: NodeAnswer) -> str:
    if node.status is NodeStatus.WITHHELD and not node.message:
        return "none, or fewer than it tells" if node.floor is None else f"none, or fewer than {node.floor}"
    if node.status is NodeStatus.ANSWERED and not node.frequencies and not node.count:
        return node.message or "none"
    return node.message


def _total(frequencies: Iterable[Frequency]) -> tuple[int | None, int | None]:
    total = next((each for each in frequencies if each.population == "Total"), None)
    return (total.allele_count, total.allele_number) if total else (None, None)


def _share(frequencies: Iterable[Frequency]) -> str | None:
    total = next((each for each in frequencies if each.population == "Total"), None)
    return f"{total.allele_frequency:.6f}" if total else None
