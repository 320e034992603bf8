# SPDX-License-Identifier: Apache-2.0
"""What was harvested over HTTP: as JSON, and as a FAIR Data Point that others can harvest."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rdflib
from litestar import Litestar
from litestar.testing import TestClient
from rdflib import DCTERMS, FOAF, URIRef

from megagenome.catalogue.harvest import routes
from megagenome.catalogue.harvest import tables as t
from megagenome.catalogue.harvest.find import Finder
from megagenome.catalogue.harvest.harvester import COMMAND, Harvester, foreign_point
from megagenome.catalogue.harvest.republish import HubPlace
from megagenome.catalogue.harvest.settings import FairDataPoint, HarvestSettings
from megagenome.catalogue.harvest.store import Store
from megagenome.kernel.database import open_database, sqlite_url
from tests.catalogue.harvest.foreign import Foreign, serving_foreign

pytestmark = [
    pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning"),
]
HUB = "https://hub.example.org"
FORMS = {"text/turtle": "turtle", "application/ld+json": "json-ld", "application/rdf+xml": "xml"}


@pytest.fixture(scope="module")
def foreign() -> Iterator[Foreign]:
    with serving_foreign() as served:
        served.contain("a", "b")
        served.dataset("a", '; dct:publisher [ a foaf:Agent ; foaf:name "Somebody" ] ; dct:isPartOf <urn:x>')
        served.dataset("b")
        yield served


@contextlib.contextmanager
def serving(foreign: Foreign, folder: Path) -> Iterator[tuple[TestClient, Callable[[], None]]]:
    """A hub over a foreign catalogue, and what harvests it."""
    engine = open_database(sqlite_url(folder / "hub.sqlite"))
    t.METADATA.create_all(engine)
    store = Store(engine)
    store.add_point(foreign_point(FairDataPoint(f"{foreign.url}/", "Elsewhere", "PT"), COMMAND))
    router = routes.harvest_router(Finder(engine), HubPlace(HUB, "Hub", "Institute", "1"))
    with TestClient(Litestar([router], openapi_config=None)) as made:
        yield made, lambda: asyncio.run(Harvester(store, HarvestSettings(), tuple).harvest())
    engine.dispose()


@pytest.fixture(scope="module")
def client(foreign: Foreign, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with serving(foreign, tmp_path_factory.mktemp("routes")) as (made, harvest):
        harvest()
        yield made


def ids(client: TestClient) -> dict[str, str]:
    return {line["title"]: line["id"] for line in client.get("/api/datasets").json()["datasets"]}


@pytest.mark.parametrize("form", FORMS)
def test_a_dataset_is_told_again_with_its_source(client: TestClient, foreign: Foreign, form: str) -> None:
    name = ids(client)["Title of a"]
    answer = client.get(f"/fairdp/dataset/{name}", headers={"accept": form})
    assert answer.headers["content-type"].startswith(form)
    graph = rdflib.Graph().parse(data=answer.text, format=FORMS[form])
    at = URIRef(f"{HUB}/fairdp/dataset/{name}")
    assert graph.value(at, DCTERMS.source) == URIRef(f"{foreign.url}/dataset/a")
    publisher = graph.value(at, DCTERMS.publisher)
    assert str(graph.value(publisher, FOAF.name)) == "Somebody"
    assert [str(each) for each in graph.objects(at, DCTERMS.isPartOf)] != ["urn:x"]
    assert answer.text == client.get(f"/fairdp/dataset/{name}", headers={"accept": form}).text


def test_what_the_asker_has_is_not_sent_again(client: TestClient) -> None:
    paths = [str(each).removeprefix(HUB) for each in contained(client)]
    assert len(paths) == 4  # the root, a catalogue, two datasets
    tags = {path: client.get(path).headers["etag"] for path in paths}
    assert len(set(tags.values())) == len(paths)
    for path, tag in tags.items():
        again = client.get(path, headers={"if-none-match": f'"other", {tag}'})
        assert (again.status_code, again.content) == (304, b"")
        other = client.get(path, headers={"if-none-match": tag, "accept": "application/ld+json"})
        assert other.status_code == 200


def test_what_did_not_change_is_described_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: client.get(path).content for path in contained(client)}
    monkeypatch.setattr(routes, "serialise", None)
    assert {path: client.get(path).content for path in contained(client)} == before


def contained(client: TestClient) -> list[str]:
    """All addresses, by what containers list."""
    found, left = [], [f"{HUB}/fairdp"]
    while left:
        found.append(left.pop())
        graph = rdflib.Graph().parse(data=client.get(found[-1]).text, format="turtle")
        left += map(str, graph.objects(None, URIRef("http://www.w3.org/ns/ldp#contains")))
    return found


def test_what_changed_is_described_anew(foreign: Foreign, tmp_path: Path) -> None:
    """Also what the hub itself does not understand, of a dataset and of a way to it; and nothing else is."""
    with serving_foreign() as own, serving(own, tmp_path) as (client, harvest):
        own.contain("a", "b")
        way = "; dcat:distribution <{url}/way/1> . <{url}/dataset/a/d> ldp:contains <{url}/way/1>"
        own.dataset("a", way)
        own.dataset("b")
        own.say("/way/1", "<{url}/way/1> a dcat:Distribution ; dcat:accessURL <http://x.example/1> .")
        harvest()
        names = ids(client)

        def tags() -> dict[str, str]:
            at = {"a": f"dataset/{names['Title of a']}", "b": f"dataset/{names['Title of b']}", "": ""}
            at["catalogue"] = next(p for p in contained(client) if "/catalog/" in p).removeprefix(f"{HUB}/fairdp/")
            return {name: client.get(f"/fairdp/{path}".rstrip("/")).headers["etag"] for name, path in at.items()}

        first = tags()
        harvest()
        assert tags() == first
        own.dataset("a", f'; <urn:odd> "odd" {way}')
        harvest()
        second = tags()
        assert {name for name in first if first[name] != second[name]} == {"a"}
        own.say("/way/1", "<{url}/way/1> a dcat:Distribution ; dcat:accessURL <http://x.example/1> ; <urn:odd> 3 .")
        harvest()
        third = tags()
        assert {name for name in first if second[name] != third[name]} == {"a"}
        own.contain("b")
        harvest()
        gone = client.get(f"/fairdp/dataset/{names['Title of a']}", headers={"if-none-match": third["a"]})
        assert gone.status_code == 410
        assert "WITHDRAWN" in gone.text
        assert tags()["catalogue"] != third["catalogue"]


def test_people_are_sent_to_the_page(client: TestClient) -> None:
    name = ids(client)["Title of b"]
    answer = client.get(f"/fairdp/dataset/{name}", headers={"accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/datasets/{name}")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/fairdp/dataset/none", 404),
        ("/fairdp/catalog/none", 404),
        ("/fairdp/x/y", 404),
        ("/api/datasets/none", 404),
        ("/api/datasets?limit=0", 400),
        ("/api/datasets?limit=101", 400),
        ("/api/datasets?skip=-1", 400),
        ("/api/datasets?q=" + "x" * 501, 400),
        ("/api/datasets?q=" + "+".join(map(str, range(13))), 400),
        ("/api/datasets?country=%00", 400),
        ("/api/datasets?country=X%25&use='%22", 200),
    ],
)
def test_what_is_not_there_or_not_understood_is_a_problem(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_not_served_is_not_acceptable(client: TestClient) -> None:
    assert client.get("/fairdp", headers={"accept": "image/png"}).status_code == 406


def test_who_has_it_already_is_told_so(client: TestClient) -> None:
    path = f"/fairdp/dataset/{ids(client)['Title of a']}"
    tag = client.get(path).headers["etag"]
    for given in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = client.get(path, headers={"if-none-match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_pages_of_other_sites_may_read_it(client: TestClient) -> None:
    for path in ("", f"/dataset/{ids(client)['Title of a']}"):
        answer = client.options(f"/fairdp{path}", headers={"origin": "https://other.example"})
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "if-none-match" in answer.headers["access-control-allow-headers"]
        assert client.post(f"/fairdp{path}").status_code == 405
