# SPDX-License-Identifier: Apache-2.0
"""Asks the running network, as any member of the public would by HTTP, and turns answers to facts."""

from collections.abc import Iterable, Mapping
from typing import Any

import httpx
import msgspec

from megagenome.app.demo.expect import Facts, cell_facts
from megagenome.app.demo.rule import Cell, Cells
from megagenome.kernel.errors import Unavailable
from megagenome.standards import beacon
from megagenome.standards.federation import CohortAnswer, Frequency, RegionAnswer, VariantAnswer
from megagenome.synthetic.truth import AlleleTruth, CohortQuestion, RegionTruth

TIMEOUT_S = 30.0
_SEXES = {"female": "NCIT:C16576", "male": "NCIT:C20197"}


def connect(url: str) -> httpx.Client:
    """A client of a server of the demo."""
    return httpx.Client(base_url=url, trust_env=False, timeout=TIMEOUT_S)


def ask_variant(hub: httpx.Client, allele: AlleleTruth, assembly: str) -> Facts:
    """The hub's API about an allele."""
    body = _get(hub, "/api/variant", {"q": allele.text, "assembly": assembly})
    answer = msgspec.json.decode(body, type=VariantAnswer)
    facts = {"found": _yes(answer.exists), **cell_facts(_cells(answer.frequencies))}
    for node in answer.nodes:
        facts[node.id] = str(node.status)
        facts |= cell_facts(_cells(node.frequencies), f"{node.id} ")
        for dataset in node.datasets:
            facts |= cell_facts(_cells(dataset.frequencies), f"{dataset.id} ")
    return facts


def ask_region(hub: httpx.Client, region: RegionTruth, assembly: str) -> Facts:
    """The hub's API about a region or gene."""
    body = _get(hub, "/api/region", {"q": region.text, "assembly": assembly, "limit": "1000"})
    answer = msgspec.json.decode(body, type=RegionAnswer)
    facts = {"alleles": f"{answer.total:,}", "complete": _yes(answer.complete)}
    for row in answer.rows:
        facts |= cell_facts(_cells(row.frequencies), f"{row.text} ")
    return facts


def ask_cohort(hub: httpx.Client, question: CohortQuestion, assembly: str) -> Facts:
    """The hub's API about a cohort."""
    body = _get(hub, "/api/cohort", {"q": cohort_text(question), "assembly": assembly})
    answer = msgspec.json.decode(body, type=CohortAnswer)
    facts = {"found": _yes(answer.exists), "people": f"{answer.count:,}"}
    for node in answer.nodes:
        facts[node.id] = str(node.status) if node.count is None else f"{node.status} {node.count:,}"
        facts |= {dataset.id: f"{dataset.count:,}" for dataset in node.datasets if dataset.count}
    return facts


def cohort_text(question: CohortQuestion) -> str:
    """The question in the language of `megagenome ask cohort`."""
    clauses = [f"sex={question.sex}"] if question.sex else []
    clauses += [] if question.at_least is None else [f"age>={question.at_least}"]
    clauses += [] if question.at_most is None else [f"age<={question.at_most}"]
    clauses += [f"{_word(term)}={term}" for term in question.terms]
    clauses += [f"!{_word(term)}={term}" for term in question.excluded]
    clauses += [f"smoking={question.smoking}"] if question.smoking else []
    clauses += [f"carries={question.carries}"] if question.carries else []
    return " ".join(clauses)


def _word(term: str) -> str:
    return "phenotype" if term.startswith("HP:") else "disease"


def beacon_allele(server: httpx.Client, allele: AlleleTruth, assembly: str) -> Facts:
    """A Beacon, of the hub or a node, about an allele: GET with flat parameters."""
    query = {name: str(value) for name, value in _parameters(allele.text, assembly).items()}
    body = _get(server, "/beacon/v2/g_variants", {**query, "requestedGranularity": "record"})
    answer = beacon.decode_answer(body)
    combined = answer.response.info.combined
    cells: Cells = {}
    for each in combined.frequencies if combined else ():
        if ":" not in each.population:
            trio = each.allele_count_homozygous, each.allele_count_heterozygous, each.allele_count_hemizygous
            cells[each.population] = _cell(each.allele_count, each.allele_number, trio)
    return {"found": _yes(answer.response_summary.exists), **cell_facts(cells)}


def beacon_people(server: httpx.Client, question: CohortQuestion, assembly: str) -> Facts:
    """A Beacon, of the hub or a node, about a cohort: POST."""
    query: dict[str, Any] = {"filters": list(_filters(question)), "requestedGranularity": "count"}
    if question.carries:
        query["requestParameters"] = {"g_variant": _parameters(question.carries, assembly)}
    request = {"meta": {"apiVersion": "v2.0"}, "query": query}
    answer = beacon.decode_answer(_read(server.post("/beacon/v2/individuals", json=request)))
    summary = answer.response_summary
    return {"found": _yes(summary.exists), "people": f"{summary.num_total_results or 0:,}"}


def _filters(question: CohortQuestion) -> Iterable[dict[str, str]]:
    if question.sex:
        yield {"id": _SEXES[question.sex]}
    for operator, age in ((">=", question.at_least), ("<=", question.at_most)):
        if age is not None:
            yield {"id": "age", "operator": operator, "value": str(age)}
    yield from ({"id": term} for term in question.terms)
    yield from ({"id": term, "operator": "!"} for term in question.excluded)
    if question.smoking:
        yield {"id": "smoking", "operator": "=", "value": question.smoking}


def _parameters(text: str, assembly: str) -> dict[str, Any]:
    contig, pos1, ref, alt = text.split("-")
    return {
        "assemblyId": assembly,
        "referenceName": contig,
        "start": int(pos1) - 1,
        "referenceBases": ref,
        "alternateBases": alt,
    }


def _cells(frequencies: Iterable[Frequency]) -> Cells:
    """Countries, sexes and totals; holders' own populations (`FI:WFI`) are not in the truth."""
    return {
        each.population: _cell(
            each.allele_count, each.allele_number, (each.homozygous, each.heterozygous, each.hemizygous)
        )
        for each in frequencies
        if ":" not in each.population
    }


def _cell(ac: int | None, an: int | None, people: tuple[int | None, int | None, int | None]) -> Cell:
    hom, het, hemi = people
    told = None if hom is None or het is None or hemi is None else (hom, het, hemi)
    return Cell(ac or 0, an or 0, told)


def _get(server: httpx.Client, path: str, query: Mapping[str, str]) -> bytes:
    return _read(server.get(path, params=query))


def _read(response: httpx.Response) -> bytes:
    if response.status_code != 200:
        raise Unavailable(f"{response.url} answers {response.status_code}: {response.text[:300]}")
    return response.content


def _yes(found: bool) -> str:
    return "yes" if found else "no"
