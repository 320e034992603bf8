# SPDX-License-Identifier: Apache-2.0
"""The FAIR Data Point over HTTP."""

from collections.abc import Iterator

import msgspec
import pytest
import rdflib
from litestar import Litestar, Response
from litestar.testing import TestClient

from megagenome.catalogue.catalogue import Catalogue
from megagenome.catalogue.routes import catalogue_router
from megagenome.catalogue.steward import Stewardship
from megagenome.collection import Collection
from megagenome.collection.model import DatasetState
from megagenome.kernel.errors import MegagenomeError
from megagenome.standards.problem import status_of
from tests.catalogue.conftest import COUNTED
from tests.catalogue.samples import CLOSED, DRAFT, OPEN, PLACE
from tests.catalogue.test_catalogue import move, publish

pytestmark = [
    pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning"),
]

FORMS = {
    "text/turtle": ("turtle", ".ttl"),
    "application/ld+json": ("json-ld", ".jsonld"),
    "application/rdf+xml": ("xml", ".rdf"),
    "application/n-triples": ("nt", ".nt"),
}


NOT_THERE = (
    "/dataset/NONE",
    "/dataset/NONE/spec",
    "/dataset/NONE/meta",
    "/nothing/here",
    "/catalog/other",
    "/distribution/x.y",
    "/x",
    "/x.ttl",
    "/page/dataset",
    "/service/other",
)


@pytest.fixture
def client(catalogue: Catalogue, collection: Collection, stewardship: Stewardship) -> Iterator[TestClient]:
    publish(collection, stewardship)
    publish(collection, stewardship, DRAFT)

    def failed(_: object, error: Exception) -> object:
        return Response(str(error), status_code=status_of(error), media_type="text/plain")

    def render(shown: object) -> str:
        return f"<p>{type(shown).__name__} {msgspec.json.encode(shown).decode()}"

    router = catalogue_router(catalogue, render, {"x-frame-options": "DENY"})
    app = Litestar([router], exception_handlers={MegagenomeError: failed}, openapi_config=None)  # type: ignore[dict-item]
    with TestClient(app) as client:
        yield client


def test_one_address_has_every_form(client: TestClient) -> None:
    for path in ("", f"/catalog/{PLACE.id}", f"/dataset/{CLOSED}", f"/distribution/beacon.{CLOSED}", "/service/beacon"):
        graphs = []
        for media_type, (name, suffix) in FORMS.items():
            answer = client.get(f"/fairdp{path}", headers={"accept": media_type})
            assert answer.status_code == 200
            assert answer.headers["content-type"].partition(";")[0] == media_type
            assert answer.headers["vary"] == "accept"
            assert answer.headers["access-control-allow-origin"] == "*"
            graphs.append(set(rdflib.Graph().parse(data=answer.content, format=name)))
            as_file = client.get(f"/fairdp{path or '/index'}{suffix}")
            assert as_file.content == answer.content
            assert as_file.headers["etag"] == answer.headers["etag"]
        assert all(each == graphs[0] for each in graphs)
        page = client.get(f"/fairdp{path}", headers={"accept": "text/html,*/*;q=0.8"})
        assert page.text.startswith("<p>")
        assert (page.headers["vary"], page.headers["x-frame-options"]) == ("accept, cookie", "DENY")
        assert client.get(f"/fairdp{path}", headers={"accept": "image/png"}).status_code == 406


def test_profiles_are_two_views(client: TestClient) -> None:
    views = [
        client.get(f"/fairdp/dataset/{CLOSED}", params=query).text
        for query in ({}, {"profile": "gdi"}, {"profile": "healthdcat-ap"})
    ]
    assert views[0] == views[1] != views[2]
    assert "HealthCategoryHumanGenomic" in views[0]
    assert "healthcategories/HGPD" in views[2]
    assert client.get("/fairdp", params={"profile": "other"}).status_code == 400


def test_who_has_it_is_not_sent_it_again(client: TestClient) -> None:
    path = f"/fairdp/dataset/{OPEN}"
    first = client.get(path)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    assert first.headers["last-modified"].endswith("GMT")
    for given in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = client.get(path, headers={"if-none-match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200
    other = client.get(path, headers={"accept": "application/ld+json", "if-none-match": tag})
    assert other.status_code == 200
    assert client.head(path).headers["etag"] == tag


def test_pages_of_other_sites_may_read_it(client: TestClient) -> None:
    for path in ("", "/index.ttl", f"/dataset/{CLOSED}"):
        answer = client.options(f"/fairdp{path}", headers={"origin": "https://other.example"})
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "if-none-match" in answer.headers["access-control-allow-headers"]
        assert client.post(f"/fairdp{path}").status_code == 405


def test_numbers_that_are_told_are_counted(client: TestClient) -> None:
    COUNTED.clear()
    tag = client.get(f"/fairdp/dataset/{OPEN}").headers["etag"]
    client.get(f"/fairdp/dataset/{OPEN}", headers={"if-none-match": tag})
    client.get(f"/fairdp/dataset/{CLOSED}")
    client.get(f"/fairdp/catalog/{PLACE.id}")
    client.get(f"/fairdp/distribution/beacon.{OPEN}")
    assert COUNTED == [(None, (OPEN,))]
    client.get("/fairdp", headers={"accept": "text/html"})
    assert COUNTED[1:] == [(None, (OPEN,))]


def test_a_dataset_whose_id_ends_as_a_file_does_is_found(client: TestClient) -> None:
    assert DRAFT.endswith(".ttl")
    assert client.get(f"/fairdp/dataset/{DRAFT}", headers={"accept": "text/html"}).text.startswith("<p>DatasetPage")
    assert client.get(f"/fairdp/dataset/{DRAFT}.nt").headers["content-type"].startswith("application/n-triples")


def test_the_withdrawn_is_gone(client: TestClient, collection: Collection) -> None:
    move(collection, DatasetState.WITHDRAWN)
    for accept, start in (("text/turtle", "@prefix"), ("text/html", "<p>WithdrawnPage")):
        answer = client.get(f"/fairdp/dataset/{CLOSED}", headers={"accept": accept, "if-none-match": "*"})
        assert answer.status_code == 410
        assert answer.text.startswith(start)
    state = client.get(f"/fairdp/dataset/{CLOSED}/meta")
    assert (state.status_code, state.json()["state"]["current"]) == (410, "WITHDRAWN")


@pytest.mark.parametrize("path", NOT_THERE)
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    for accept in ("text/turtle", "text/html"):
        assert client.get(f"/fairdp{path}", headers={"accept": accept}).status_code == 404


def test_beside_each_resource_are_shapes_state_and_pages(client: TestClient) -> None:
    for path in ("", f"/dataset/{CLOSED}"):
        shapes = rdflib.Graph().parse(data=client.get(f"/fairdp{path}/spec").content, format="turtle")
        assert len(shapes) > 50
        assert client.get(f"/fairdp{path}/meta").json()["state"]["current"] == "PUBLISHED"
    page = client.get(f"/fairdp/catalog/{PLACE.id}/page/dataset", params={"page": "1", "size": "1"})
    assert 'page=0&size=1>; rel="prev"' in page.headers["link"]
    assert 'page=2&size=1>; rel="last"' in page.headers["link"]
    for wrong in ({"page": "-1"}, {"size": "x"}, {"size": "0"}, {"page": "٣"}):
        assert client.get(f"/fairdp/catalog/{PLACE.id}/page/dataset", params=wrong).status_code == 400
