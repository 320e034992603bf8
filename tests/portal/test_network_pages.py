# SPDX-License-Identifier: Apache-2.0
"""Search, nodes, help and errors."""

import pytest

from megagenome.identity.caller_middleware import VISIT
from megagenome.identity.sessions import Visit
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.portal.countries import PLACES
from megagenome.portal.examples import EXAMPLES
from megagenome.portal.network_pages import Search, Size, error_page, help_page, network_size, nodes_page, search_page
from megagenome.standards.federation import NodeList, NodeState, NodeStatus
from tests.portal import fake_hub
from tests.portal.document import Document


def test_the_size_of_the_network() -> None:
    assert network_size(fake_hub.states().nodes) == Size(6, 6, 12, 4)
    twins = fake_hub.states(("FI",)).nodes * 2
    assert network_size(twins) == Size(2, 1, 4, 2)


def test_the_start_page_says_who_takes_part_and_offers_examples() -> None:
    document = Document(search_page(fake_hub.states(), EXAMPLES, Search()))
    document.check()
    assert "National nodes 6 Countries 6 Datasets 12 Nodes answering now 4 of 6" in document.text
    links = [a["href"] for a in document.all("a")]
    assert "/?q=22-16050075-A-G&assembly=GRCh37" in links
    assert "/cohort" in links
    assert [a["value"] for a in document.all("input") if "checked" in a] == ["GRCh38"]


@pytest.mark.parametrize(
    ("visit", "is_led"),
    [
        (Visit(PUBLIC, offered=True), True),
        (Visit(PUBLIC), False),  # a hub without a sign-in
        (Visit(Caller("rosa@example.org", "Rosa"), offered=True), False),
    ],
    ids=["a visitor", "no sign-in here", "signed in"],
)
def test_the_start_page_leads_visitors_to_what_needs_a_sign_in(visit: Visit, is_led: bool) -> None:
    before = VISIT.set(visit)
    try:
        document = Document(search_page(fake_hub.states(), EXAMPLES, Search()))
    finally:
        VISIT.reset(before)
    document.check()
    assert ("/login?next=%2Ffor-you" in [a["href"] for a in document.all("a")]) is is_led


def test_a_text_that_names_nothing_is_kept_with_the_reason_beside_it() -> None:
    document = Document(search_page(None, EXAMPLES, Search("BRCA99", "GRCh37"), "BRCA99 is no gene"))
    document.check()
    (box,) = [a for a in document.all("input") if a["name"] == "q"]
    assert (box["value"], box["aria-describedby"], box["aria-invalid"]) == ("BRCA99", "q-problem", "true")
    assert "BRCA99 is no gene" in document.text
    assert [a["value"] for a in document.all("input") if "checked" in a] == ["GRCh37"]


def test_a_network_that_is_not_known_now_is_not_a_network_of_nobody() -> None:
    assert "is not known at the moment" in Document(search_page(None, EXAMPLES, Search())).text
    assert "No node has joined" in Document(search_page(NodeList(()), EXAMPLES, Search())).text


@pytest.mark.parametrize("codes", [(), ("FI",), tuple(sorted(PLACES))[:27], ("US", "ZZ")])
def test_nodes_pages_of_every_size(codes: tuple[str, ...]) -> None:
    network = fake_hub.states(codes)
    document = Document(nodes_page(network))
    document.check()
    Document(search_page(network, EXAMPLES, Search())).check()
    assert document.text.count("-COHORT-001") == len(codes)


def test_hostile_nodes() -> None:
    node = NodeState(
        fake_hub.EVIL, fake_hub.EVIL, fake_hub.EVIL, "javascript:1", NodeStatus.FAULTY, 1, fake_hub.EVIL, fake_hub.EVIL,
        (fake_hub.DatasetState(fake_hub.EVIL, fake_hub.EVIL, fake_hub.EVIL),),
    )  # fmt: skip
    for page in (
        nodes_page(NodeList((node,))),
        search_page(NodeList((node,)), EXAMPLES, Search(fake_hub.EVIL), fake_hub.EVIL),
    ):
        document = Document(page)
        document.check()
        assert not [a for a in document.all("a") if "javascript" in a["href"]]


def test_help_gives_this_hubs_addresses() -> None:
    document = Document(help_page("https://hub.example/"))
    document.check()
    assert "https://hub.example/beacon/v2" in document.text
    assert "https://hub.example/api/variant?q=22-16050075-A-G&assembly=GRCh37" in document.text


@pytest.mark.parametrize("status", [400, 403, 404, 413, 429, 500, 503, 418])
def test_errors_are_pages_and_say_the_reason_once(status: int) -> None:
    document = Document(error_page(status, fake_hub.EVIL))
    document.check()
    assert document.text.count(fake_hub.EVIL) == 1
    assert str(status) in document.text
    assert "/cohort" in [a["href"] for a in document.all("a")]


def test_an_error_of_a_node_does_not_lead_to_pages_that_only_a_hub_has() -> None:
    assert {a["href"] for a in Document(error_page(404, on_node=True)).all("a")} == {"#main", "/", "/fairdp"}


def test_a_network_that_no_node_has_joined_says_so_and_shows_no_zeros() -> None:
    document = Document(search_page(NodeList(()), EXAMPLES, Search()))
    document.check()
    assert "No node has joined this network yet" in document.text
    assert "National nodes" not in document.text


@pytest.mark.parametrize("visit", [Visit(PUBLIC, notice="<b>all made up</b>"), Visit(PUBLIC)])
def test_a_notice_stands_on_each_page_as_text(visit: Visit) -> None:
    before = VISIT.set(visit)
    try:
        pages = [search_page(fake_hub.states(), EXAMPLES, Search()), help_page("https://hub"), error_page(404)]
    finally:
        VISIT.reset(before)
    for page in pages:
        document = Document(page)
        document.check()
        assert ("<b>all made up</b>" in document.text) is bool(visit.notice)
