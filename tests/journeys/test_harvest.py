# SPDX-License-Identifier: Apache-2.0
"""A dataset is published at a node and found at the hub, beside those of a FAIR Data Point elsewhere; it is withdrawn
and gone there too. People see the same without JavaScript, and every page can be used by everybody."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import rdflib
from playwright.sync_api import sync_playwright
from rdflib import DCAT, DCTERMS, RDF, URIRef

from megagenome.app.hub import init_hub
from megagenome.network.add_node import add_node
from megagenome.standards.dataset_record import encode_record
from megagenome.synthetic.governance import made_up_record
from tests.catalogue.harvest.foreign import Foreign, serving_foreign
from tests.journeys.network import Served, megagenome, serving
from tests.journeys.permit_node import serving_at_its_address
from tests.journeys.small import load_options, make_small
from tests.portal.test_browser import ARGUMENTS, check_looks, opened

CLOSED = "GDI-EE-COHORT-001"
SETTINGS = """
[harvest]
interval_s = 2
watch_s = 0.5

[[fair_data_points]]
url = "{url}/"
name = "Registry <b>elsewhere</b>"
country = "PT"
"""
HOSTILE = """; dct:description "<script>window.hacked = 1</script>"@xx ; dcat:landingPage <javascript:window.hacked=1> ;
 dcat:contactPoint [ vcard:fn "Desk \\u202E <img src=x onerror=window.hacked=1>" ;
 vcard:hasEmail <mailto:desk@example.org> ]"""


class Network(NamedTuple):
    """Two nodes, one of which has a dataset that is not published yet, a foreign catalogue, and the hub over them."""

    hub: Served
    node: Served
    other: Served
    foreign: Foreign


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    top = tmp_path_factory.mktemp("harvest")
    folders = [make_small(top / country, country) for country in ("EE", "FI")]
    files = load_options(top / "more", "EE")
    record = top / "record.json"
    record.write_text(encode_record(made_up_record(CLOSED, "Epilepsy in Estonia", country="EE")))
    people = ["--individuals", files[files.index("--individuals") + 1], "--consent-all"]
    megagenome("node", "load", folders[0], "--dataset", CLOSED, *people, "--metadata", record)
    with contextlib.ExitStack() as stack:
        foreign = stack.enter_context(serving_foreign())
        foreign.contain("one", "two")
        foreign.dataset("one", HOSTILE)
        foreign.say("/dataset/two", "this is no Turtle")
        node, other = (stack.enter_context(serving_at_its_address(folder)) for folder in folders)
        init_hub(top / "hub", name="Test network", identity="org.example.hub", port=0, assembly="GRCh37")
        settings = top / "hub" / "hub.toml"
        settings.write_text(settings.read_text() + SETTINGS.replace("{url}", foreign.url))
        for each in (node, other):
            add_node(top / "hub", each.url)
        [hub] = stack.enter_context(serving("hub", [top / "hub"]))
        yield Network(hub, node, other, foreign)


def until(see: Callable[[], Any], what: Callable[[Any], bool]) -> Any:
    """What is seen once it is so; within a minute on a busy machine."""
    end = time.monotonic() + 60
    while not what(seen := see()):
        assert time.monotonic() < end, seen
        time.sleep(0.2)
    return seen


def titles(hub: Served, **query: str) -> set[str]:
    return {line["title"] for line in hub.get("/api/datasets", **query)["datasets"]}


def test_what_is_published_is_found_and_what_is_withdrawn_is_gone(network: Network) -> None:
    hub, node = network.hub, network.node
    first = until(lambda: titles(hub), lambda found: len(found) == 3)
    assert "Title of one" in first
    assert "Epilepsy in Estonia" not in first
    megagenome("node", "dataset", node.folder, CLOSED, "approve")
    megagenome("node", "dataset", node.folder, CLOSED, "publish")
    until(lambda: titles(hub), lambda found: "Epilepsy in Estonia" in found)
    assert titles(hub, q="EPILÉPSY estonia", country="EE", use="DUO:0000006") == {"Epilepsy in Estonia"}
    [line] = [each for each in hub.get("/api/datasets")["datasets"] if each["title"] == "Epilepsy in Estonia"]
    view = hub.get(f"/api/datasets/{line['id']}")
    assert (view["local"], view["source"]["country"], view["described"]["access"]) == (CLOSED, "EE", "NON_PUBLIC")
    page = hub.client.get(f"/datasets/{line['id']}").text
    assert "Who uses it needs the approval of an ethics committee." in page
    assert f"/applications/new?dataset={view['source']['node']}+EE+{CLOSED}" in page
    megagenome("node", "dataset", node.folder, CLOSED, "withdraw")
    until(lambda: titles(hub), lambda found: "Epilepsy in Estonia" not in found)
    assert titles(hub, gone="yes") == {"Epilepsy in Estonia"}
    for path in (f"/api/datasets/{line['id']}", f"/datasets/{line['id']}"):
        answer = hub.client.get(path)
        assert answer.status_code == 410
        assert CLOSED in answer.text
        assert "ethics committee" not in answer.text
    assert hub.client.get(f"/fairdp/dataset/{line['id']}").status_code == 410


def test_what_cannot_be_read_is_named_and_holds_up_nobody(network: Network) -> None:
    until(lambda: titles(network.hub), lambda found: "Title of one" in found)
    sources = {each["country"]: each for each in network.hub.get("/api/datasets")["sources"]}
    assert sources["PT"]["datasets"] == 1
    assert f"{network.foreign.url}/dataset/two: it is no Turtle: line " in sources["PT"]["problem"]
    assert sources["FI"]["problem"] == ""


def test_the_hub_is_harvested_in_turn(network: Network) -> None:
    until(lambda: titles(network.hub), lambda found: "Title of one" in found and len(found) >= 3)
    found = {}
    waiting, base = ["/fairdp"], ""
    while waiting:
        path = waiting.pop()
        answer = network.hub.client.get(path, headers={"accept": "text/turtle"})
        graph = rdflib.Graph().parse(data=answer.text, format="turtle")
        base = base or str(next(graph.subjects(RDF.type, URIRef("https://w3id.org/fdp/fdp-o#FAIRDataPoint"))))
        mine = URIRef(base.removesuffix("/fairdp") + path)
        if (mine, RDF.type, DCAT.Dataset) in graph:
            found[str(graph.value(mine, DCTERMS.title))] = str(graph.value(mine, DCTERMS.source))
        children = graph.objects(None, URIRef("http://www.w3.org/ns/ldp#contains"))
        waiting += [str(each).removeprefix(base.removesuffix("/fairdp")) for each in children]
    assert found["Title of one"] == f"{network.foreign.url}/dataset/one"
    assert len(found) == len(set(found.values())) >= 3


@pytest.mark.browser
def test_people_find_datasets_without_javascript(network: Network) -> None:
    until(lambda: titles(network.hub), lambda found: "Title of one" in found)
    [line] = network.hub.get("/api/datasets", q="title of one")["datasets"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        for path in ("/datasets", "/datasets?q=title&country=PT", "/datasets?gone=yes", f"/datasets/{line['id']}", "/"):
            with opened(chromium, network.hub.url + path) as page:
                check_looks(page)
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{network.hub.url}/")
        page.get_by_role("navigation").get_by_role("link", name="Datasets").click()
        page.get_by_label("Portugal").check()
        page.get_by_role("button", name="Find datasets").click()
        page.get_by_role("link", name="Title of one").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Title of one"
        assert page.locator("a[href^='javascript']").count() == 0
        assert "<script>window.hacked = 1</script>" in page.locator("main").inner_text()
        chromium.close()
