# SPDX-License-Identifier: Apache-2.0
"""A catalogue is harvested from a real node, by the steps of GDI's CKAN harvester: `Accept: text/turtle`, children by
`ldp:contains` alone and whatever their kind, one GET for each dataset and each of its distributions."""

import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import rdflib
from rdflib import DCAT, DCTERMS, RDF, RDFS, URIRef

from megagenome.standards.dataset_record import encode_record
from megagenome.synthetic.governance import made_up_record
from tests.journeys.network import Served, megagenome
from tests.journeys.permit_node import serving_at_its_address
from tests.journeys.small import load_options, make_small

CLOSED, DRAFT, GONE = "GDI-EE-COHORT-001", "EE-DRAFT", "GDI-EE-GONE-1"
CONTAINS = URIRef("http://www.w3.org/ns/ldp#contains")


class Harvester:
    """What GDI's does, and what it asked for."""

    def __init__(self, client: httpx.Client) -> None:
        self.asked: list[str] = []
        self._client = client

    def get(self, address: str) -> rdflib.Graph:
        self.asked.append(address)
        answer = self._client.get(address, headers={"accept": "text/turtle"})
        answer.raise_for_status()
        return rdflib.Graph().parse(data=answer.text, format="turtle")

    def gather(self, root: str) -> list[str]:
        """The addresses of all datasets, breadth first."""
        queue, seen, datasets = deque([root]), set(), []
        while queue:
            address = queue.popleft()
            if address in seen:
                continue
            seen.add(address)
            graph = self.get(address)
            if (URIRef(address), RDF.type, DCAT.Dataset) in graph:
                datasets.append(address)
            queue.extend(sorted(map(str, graph.objects(None, CONTAINS))))
        return datasets

    def fetch(self, dataset: str) -> rdflib.Graph:
        """A dataset with what its distributions say of themselves."""
        graph = self.get(dataset)
        for distribution in list(graph.objects(URIRef(dataset), DCAT.distribution)):
            for property_, value in self.get(str(distribution)).predicate_objects(distribution):
                graph.add((distribution, property_, value))
        return graph


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An open dataset, one that is not, a draft, and one that was withdrawn."""
    folder = make_small(tmp_path_factory.mktemp("catalogue") / "node", "EE")
    files = load_options(folder.with_name("others"), "EE")
    people = ["--individuals", files[files.index("--individuals") + 1], "--consent-all"]
    for name in (CLOSED, GONE):
        record = folder.with_name(f"{name}.json")
        record.write_text(encode_record(made_up_record(name, f"Title of {name}", country="EE")))
        megagenome("node", "load", folder, "--dataset", name, *people, "--metadata", record, "--publish")
    megagenome("node", "dataset", folder, GONE, "withdraw")
    megagenome("node", "load", folder, "--dataset", DRAFT, *people)
    with serving_at_its_address(folder) as served:
        yield served


def test_a_harvester_that_follows_contains_finds_everything_and_no_drafts(node: Served) -> None:
    harvester = Harvester(node.client)
    found = harvester.gather(f"{node.url}/fairdp")
    assert {address.rpartition("/")[2] for address in found} == {"EE-SMALL", CLOSED}
    assert not [address for address in harvester.asked if DRAFT in address or GONE in address]
    harvester.asked.clear()
    for address in found:
        graph = harvester.fetch(address)
        assert len(list(graph.objects(URIRef(address), DCTERMS.title))) == 1
        ways = list(graph.objects(URIRef(address), DCAT.distribution))
        assert len(ways) == 2
        assert all((way, DCAT.accessURL, None) in graph for way in ways)
        rights = [right for way in ways for right in graph.objects(way, DCTERMS.rights)]
        assert [(right, RDFS.label, None) in graph for right in rights] == [True] * address.endswith(CLOSED)
    assert len(harvester.asked) == len(set(harvester.asked)) == len(found) * 3


def test_people_and_programs_are_told_the_same_of_what_is_gone(node: Served) -> None:
    for accept in ("text/turtle", "text/html"):
        assert node.client.get(f"{node.url}/fairdp/dataset/{GONE}", headers={"accept": accept}).status_code == 410
        assert node.client.get(f"{node.url}/fairdp/dataset/{DRAFT}", headers={"accept": accept}).status_code == 404
    assert GONE not in node.client.get(f"{node.url}/beacon/v2/datasets").text
    page = node.client.get(f"{node.url}/fairdp", headers={"accept": "text/html"})
    assert f"Title of {CLOSED}" in page.text


def test_a_node_starts_without_what_only_writing_rdf_needs() -> None:
    code = "import megagenome.app.node_app, sys; sys.exit(any(x in sys.modules for x in ('rdflib', 'pyshacl')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
