# SPDX-License-Identifier: Apache-2.0
"""What the network is made of: its nodes, their datasets, the terms that their people are described with."""

import asyncio
import time
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from megagenome.kernel.errors import Corrupt
from megagenome.network.fanout import Network, Outcome, Question
from megagenome.network.question import SEX_TERMS
from megagenome.network.settings import Node
from megagenome.standards import beacon
from megagenome.standards.federation import DatasetState, NodeList, NodeState, NodeStatus, Term, TermList

INFO = Question("/info")
# Beacon v2 lets a server give 10 where no limit is said, and all where it is 0
DATASETS = Question("/datasets?limit=0")
TERMS = Question("/filtering_terms?limit=0")

MOST_TERMS = 50
"""Terms in one answer: a form shows no more, and a reader types another letter."""

RETRY_S = 5.0
"""How soon nodes are asked for terms again after one did not answer: not at every letter, for each would wait."""

PHENOTYPE_ONTOLOGIES = ("HP", "MP")

Datasets = tuple[beacon.Dataset, ...]


def read_info(node: Node, body: bytes) -> beacon.BeaconInfo:
    """A node's `/info`, under the id that the hub knows it by."""
    info = beacon.decode_info(body)
    if info.id != node.id:
        raise Corrupt(f"it calls itself {info.id[:100]!r}, not {node.id!r}: another service at its address?")
    return info


def read_datasets(_node: Node, body: bytes) -> Datasets:
    """A node's `/datasets`, no id twice."""
    datasets = beacon.decode_datasets(body)
    if len({dataset.id for dataset in datasets}) < len(datasets):
        raise Corrupt("it lists a dataset twice")
    return datasets


def read_terms(_node: Node, body: bytes) -> beacon.FilteringTerms:
    """A node's `/filtering_terms`."""
    return beacon.decode_filtering_terms(body)


async def ask_nodes(network: Network) -> NodeList:
    """Every node: whether it answers now, its version, its published datasets."""
    infos, datasets = await asyncio.gather(network.ask(INFO, read_info), network.ask(DATASETS, read_datasets))
    return NodeList(tuple(map(_state, infos, datasets)))


def _state(info: Outcome[beacon.BeaconInfo], datasets: Outcome[Datasets]) -> NodeState:
    worse = info if info.answer is None else datasets
    return NodeState(
        info.node.id,
        info.node.title,
        info.node.country,
        info.node.url,
        worse.status,
        round(max(info.elapsed_ms, datasets.elapsed_ms), 1),
        worse.message,
        info.answer.version if info.answer is not None else "",
        tuple(
            DatasetState(each.id, each.name, each.description, each.info.open, each.info.people)
            for each in datasets.answer or ()
        ),
    )


class Terms:
    """The filtering terms of the network. A node's last answer is used again for `terms_ttl_s`, and in place of an
    answer that it does not give: a form that completes words asks at every letter, and terms seldom change."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._told: dict[str, beacon.FilteringTerms] = {}
        self._fresh_until = -float("inf")

    async def union(self) -> beacon.FilteringTerms:
        """Each term once, by id, with a label from the first node that gives one and the scopes of all."""
        if time.monotonic() >= self._fresh_until:
            outcomes = await self._network.ask(TERMS, read_terms)
            self._told |= {each.node.id: each.answer for each in outcomes if each.answer is not None}
            fresh_s = self._network.settings.terms_ttl_s
            if not all(each.status is NodeStatus.ANSWERED for each in outcomes):
                fresh_s = min(fresh_s, RETRY_S)
            self._fresh_until = time.monotonic() + fresh_s
        return unite(self._told.values())

    async def search(self, text: str) -> TermList:
        """The terms whose id or label has `text` in it, at most `MOST_TERMS`: the nearest matches first."""
        return TermList(tuple(_matching((await self.union()).filtering_terms, text)))


def unite(lists: Iterable[beacon.FilteringTerms]) -> beacon.FilteringTerms:
    """Each term and each ontology once, in the order of ids."""
    terms: dict[str, beacon.FilteringTerm] = {}
    resources: dict[str, beacon.Resource] = {}
    for each in lists:
        for resource in each.resources:
            resources.setdefault(resource.id, resource)
        for term in each.filtering_terms:
            known = terms.get(term.id, term)
            terms[term.id] = replace(
                known,
                label=known.label or term.label,
                scopes=tuple(dict.fromkeys((*known.scopes, *term.scopes))),
                values=tuple(dict.fromkeys((*known.values, *term.values))),
            )
    return beacon.FilteringTerms(
        tuple(terms[id_] for id_ in sorted(terms)), tuple(resources[id_] for id_ in sorted(resources))
    )


def _matching(terms: Sequence[beacon.FilteringTerm], text: str) -> list[Term]:
    wanted = " ".join(text.casefold().split())
    ranked: list[tuple[int, int, str, Term]] = []
    for term in terms:
        label = term.label or term.id
        rank = _rank(term.id.casefold(), label.casefold(), wanted)
        if rank is not None:
            ranked.append((rank, len(label), term.id, Term(term.id, label, _kind(term))))
    ranked.sort(key=lambda row: row[:3])
    return [term for *_, term in ranked[:MOST_TERMS]]


def _kind(term: beacon.FilteringTerm) -> str:
    """`phenotype`, `disease`, `sex`, or the filter's own type. Beacon has no field for it; the id's ontology tells.

    A term of any other ontology counts as a disease: those that holders use are classifications of diseases (ICD,
    MONDO, ORPHA, OMIM, NCIT, SNOMED).
    """
    if term.type != "ontology":
        return term.type
    if term.id in SEX_TERMS.values():
        return "sex"
    return "phenotype" if term.id.partition(":")[0] in PHENOTYPE_ONTOLOGIES else "disease"


def _rank(id_: str, label: str, wanted: str) -> int | None:
    """0 is it, 1 begins with it, 2 has a word that begins with it, 3 has it inside; None has it not."""
    if wanted in (id_, label):
        return 0
    if id_.startswith(wanted) or label.startswith(wanted):
        return 1
    if f" {wanted}" in label:
        return 2
    return 3 if wanted in label or wanted in id_ else None
