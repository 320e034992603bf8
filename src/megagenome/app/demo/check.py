# SPDX-License-Identifier: Apache-2.0
"""`demo --check`: a fixed set of questions to the running network, each compared with what must be answered."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import httpx
import msgspec

from megagenome.app.demo import answers, expect
from megagenome.app.demo.expect import Expectation, Facts
from megagenome.app.demo.network import Running
from megagenome.kernel.errors import MegagenomeError
from megagenome.synthetic.truth import AlleleTruth, CohortTruth, RegionTruth


class Checked(msgspec.Struct, frozen=True):
    """One question: where it was asked, and the first thing in which the answer differs from what is right.

    expected, got  that thing; where nothing differs, the answer in short
    """

    question: str
    asked: str
    expected: str
    got: str
    ok: bool


class _Question(NamedTuple):
    text: str
    asked: str
    expected: Facts
    ask: Callable[[], Facts]
    short: str


def check_network(expectation: Expectation, network: Running) -> Iterator[Checked]:
    """Ask everything, one after the other; each answer is compared in full."""
    with ExitStack() as closing:
        hub = closing.enter_context(answers.connect(network.hub.url))
        for question in _of_hub(expectation, hub):
            yield _compare(question)
        for place, node in enumerate(network.nodes):
            client = closing.enter_context(answers.connect(node.url))
            for question in _of_node(expectation, place, node.id, client):
                yield _compare(question)


def _compare(question: _Question) -> Checked:
    try:
        got = question.ask()
    except (MegagenomeError, httpx.HTTPError, msgspec.DecodeError) as error:
        return Checked(question.text, question.asked, question.expected[question.short], str(error), ok=False)
    keys = dict.fromkeys((*question.expected, *got))
    for key in keys:
        right, given = (facts.get(key, "nothing") for facts in (question.expected, got))
        if right != given:
            return Checked(question.text, question.asked, f"{key}: {right}", f"{key}: {given}", ok=False)
    return Checked(
        question.text, question.asked, *[_short(facts, question.short) for facts in (question.expected, got)], ok=True
    )


def _short(facts: Facts, key: str) -> str:
    return facts.get(key, "not told of")


def _of_hub(expectation: Expectation, hub: httpx.Client) -> Iterator[_Question]:
    truth = expectation.truth
    for allele in truth.alleles:
        yield from _of_allele(expectation, allele, hub)
    for region in truth.regions:
        yield _of_region(expectation, region, hub)
    for cohort in truth.cohorts:
        yield from _of_cohort(expectation, cohort, hub)


def _of_allele(expectation: Expectation, allele: AlleleTruth, hub: httpx.Client) -> Iterator[_Question]:
    assembly, nodes = expectation.truth.assembly, expectation.allele(allele)
    name = f"{allele.text}  {allele.note}"
    yield _Question(
        name, "hub", expect.variant_facts(nodes), lambda: answers.ask_variant(hub, allele, assembly), "Total"
    )
    yield _Question(
        name,
        "hub's Beacon",
        expect.combined_facts(nodes),
        lambda: answers.beacon_allele(hub, allele, assembly),
        "Total",
    )


def _of_region(expectation: Expectation, region: RegionTruth, hub: httpx.Client) -> _Question:
    expected = expect.region_facts({allele.text: expectation.allele(allele) for allele in region.alleles})
    return _Question(
        region.text,
        "hub",
        expected,
        lambda: answers.ask_region(hub, region, expectation.truth.assembly),
        "alleles",
    )


def _of_cohort(expectation: Expectation, cohort: CohortTruth, hub: httpx.Client) -> Iterator[_Question]:
    assembly, nodes, asked = expectation.truth.assembly, expectation.cohort(cohort), cohort.question
    name = answers.cohort_text(asked)
    yield _Question(name, "hub", expect.cohort_facts(nodes), lambda: answers.ask_cohort(hub, asked, assembly), "people")
    yield _Question(
        name, "hub's Beacon", expect.people_facts(nodes), lambda: answers.beacon_people(hub, asked, assembly), "people"
    )


def _of_node(expectation: Expectation, place: int, node: str, client: httpx.Client) -> Iterator[_Question]:
    """Every allele and cohort, of one node alone."""
    assembly = expectation.truth.assembly
    for allele in expectation.truth.alleles:
        facts = expect.combined_facts([expectation.allele(allele)[place]])
        name = f"{allele.text}  {allele.note}"
        yield _Question(
            name, node, facts, lambda allele=allele: answers.beacon_allele(client, allele, assembly), "Total"
        )
    for cohort in expectation.truth.cohorts:
        facts = expect.people_facts([expectation.cohort(cohort)[place]])
        asked = cohort.question
        name = answers.cohort_text(asked)
        yield _Question(name, node, facts, lambda asked=asked: answers.beacon_people(client, asked, assembly), "people")
