# SPDX-License-Identifier: Apache-2.0
"""`demo --check`: a fixed set of questions to the running network, each compared with what must be answered."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import httpx
import msgspec

from megagenome.app.demo import answers, expect
from megagenome.app.demo.expect import Expectation, Facts
from megagenome.app.demo.model import Checked, Login, Running
from megagenome.app.demo.walk.browser import Browser
from megagenome.app.demo.walk.tiers import accept_terms
from megagenome.kernel.errors import MegagenomeError
from megagenome.synthetic.truth import AlleleTruth, CohortTruth, RegionTruth

_NOTHING = "nothing told"
_REGISTERED = ", registered"


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


def check_registered(expectation: Expectation, network: Running, login: Login) -> Iterator[Checked]:
    """Ask about cohorts as somebody with registered access, at the hub and at each node."""
    with ExitStack() as closing:
        browser = closing.enter_context(Browser())
        hub, *nodes = (
            closing.enter_context(_registered(browser, url, login))
            for url in (network.hub.url, *(node.url for node in network.nodes))
        )
        for cohort in expectation.cohorts(registered=True):
            for question in _of_cohort(expectation, cohort, hub, registered=True):
                yield _compare(question)
            for place, node in enumerate(network.nodes):
                yield _compare(_of_people(expectation, cohort, place, node.id, nodes[place], registered=True))


def _registered(browser: Browser, url: str, login: Login) -> httpx.Client:
    browser.sign_in(url, login.name, login.password)
    return browser.client_of(accept_terms(browser, url))


def _compare(question: _Question) -> Checked:
    expected = question.expected
    try:
        got = question.ask()
    except (MegagenomeError, httpx.HTTPError, msgspec.DecodeError) as error:
        return Checked(question.text, question.asked, _short(question, expected), str(error), ok=False)
    for key in dict.fromkeys((*expected, *got)):
        right, given = expected.get(key, _NOTHING), got.get(key, _NOTHING)
        if right != given:
            return Checked(question.text, question.asked, f"{key}: {right}", f"{key}: {given}", ok=False)
    return Checked(question.text, question.asked, _short(question, expected), _short(question, got), ok=True)


def _short(question: _Question, facts: Facts) -> str:
    return facts.get(question.short, _NOTHING)


def _of_hub(expectation: Expectation, hub: httpx.Client) -> Iterator[_Question]:
    truth = expectation.truth
    for allele in truth.alleles:
        yield from _of_allele(expectation, allele, hub)
    for region in truth.regions:
        yield _of_region(expectation, region, hub)
    for cohort in expectation.cohorts():
        yield from _of_cohort(expectation, cohort, hub)


def _of_allele(expectation: Expectation, allele: AlleleTruth, hub: httpx.Client) -> Iterator[_Question]:
    assembly, nodes = expectation.truth.assembly, expectation.allele(allele)
    name = _name(allele)
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


def _of_cohort(
    expectation: Expectation, cohort: CohortTruth, hub: httpx.Client, *, registered: bool = False
) -> Iterator[_Question]:
    assembly, nodes, asked = (
        expectation.truth.assembly,
        expectation.cohort(cohort, registered=registered),
        cohort.question,
    )
    name, who = answers.cohort_text(asked), _REGISTERED if registered else ""
    ask_hub, ask_beacon = (partial(ask, hub, asked, assembly) for ask in (answers.ask_cohort, answers.beacon_people))
    yield _Question(name, "hub" + who, expect.cohort_facts(nodes), ask_hub, "people")
    yield _Question(name, "hub's Beacon" + who, expect.people_facts(nodes), ask_beacon, "people")


def _of_node(expectation: Expectation, place: int, node: str, client: httpx.Client) -> Iterator[_Question]:
    """Every allele and cohort, of one node alone."""
    assembly = expectation.truth.assembly
    for allele in expectation.truth.alleles:
        facts = expect.combined_facts([expectation.allele(allele)[place]])
        ask = partial(answers.beacon_allele, client, allele, assembly)
        yield _Question(_name(allele), node, facts, ask, "Total")
    for cohort in expectation.cohorts():
        yield _of_people(expectation, cohort, place, node, client)


def _of_people(
    expectation: Expectation,
    cohort: CohortTruth,
    place: int,
    node: str,
    client: httpx.Client,
    *,
    registered: bool = False,
) -> _Question:
    facts = expect.people_facts([expectation.cohort(cohort, registered=registered)[place]])
    ask = partial(answers.beacon_people, client, cohort.question, expectation.truth.assembly)
    who = _REGISTERED if registered else ""
    return _Question(answers.cohort_text(cohort.question), node + who, facts, ask, "people")


def _name(allele: AlleleTruth) -> str:
    return f"{allele.text} ({allele.note})" if allele.note else allele.text
