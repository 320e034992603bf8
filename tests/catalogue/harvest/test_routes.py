# SPDX-License-Identifier: Apache-2.0
"""What was harvested over HTTP: as JSON, and as a FAIR Data Point that others can harvest."""

import asyncio
from collections.abc import Iterator

import pytest
import rdflib
from litestar import Litestar
from litestar.testing import TestClient
from rdflib import DCTERMS, FOAF, URIRef

from megagenome.catalogue.harvest import tables as t
from megagenome.catalogue.harvest.find import Finder
from megagenome.catalogue.harvest.harvester import COMMAND, Harvester, foreign_point
from megagenome.catalogue.harvest.republish import HubPlace
from megagenome.catalogue.harvest.routes import harvest_router
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


@pytest.fixture(scope="module")
def client(foreign: Foreign, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path = tmp_path_factory.mktemp("routes") / "hub.sqlite"
    engine = open_database(sqlite_url(path))
    t.METADATA.create_all(engine)
    store = Store(engine)
    store.add_point(foreign_point(FairDataPoint(f"{foreign.url}/", "Elsewhere", "PT"), COMMAND))
    harvester = Harvester(store, HarvestSettings(), tuple)
    asyncio.run(harvester.harvest())
    router = harvest_router(Finder(engine), HubPlace(HUB, "Hub", "Institute", "1"))
    with TestClient(Litestar([router], openapi_config=None)) as made:
        yield made
    engine.dispose()


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
    first = client.get("/fairdp")
    assert client.get("/fairdp", headers={"if-none-match": first.headers["etag"]}).status_code == 304


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
