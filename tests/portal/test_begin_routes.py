# SPDX-License-Identifier: Apache-2.0
"""From a dataset to an application for it: what the reader came for stays ticked, whether a cohort is saved or not."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from litestar import Litestar, Response, get, post
from litestar.datastructures import State as AppState
from litestar.params import FromPath
from litestar.testing import TestClient

from megagenome.kernel.callers import Caller
from megagenome.portal.begin_routes import BEGIN_ROUTES
from megagenome.portal.routes import portal_router
from megagenome.portal.saved_cohort_routes import SAVED_COHORT_ROUTES
from megagenome.standards.application import ApplicationId, Outcome, Page, State
from megagenome.standards.saved_cohort import SavedCohorts
from tests.journeys.test_steward import as_caller
from tests.portal import fake_hub
from tests.portal.document import Document
from tests.portal.saved import ID, saved

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")

WANTED = "org.example.fi FI GDI-FI-COHORT-001"
ANSWER = msgspec.structs.replace(fake_hub.counts(), cohort=ID, definition='{"type":"sex","sex":"female"}')
NOTICE = "You want to apply for GDI-FI-COHORT-001"


@get("/api/nodes")
async def nodes() -> Response[Any]:
    return Response(fake_hub.states())


@get("/api/cohort")
async def count() -> Response[Any]:
    return Response(ANSWER)


@get("/access/cohorts")
async def kept() -> Response[Any]:
    return Response(SavedCohorts(0, 0, 100, ()))


@post("/access/cohorts", status_code=200)
async def keep(state: AppState) -> Response[Any]:
    state.is_saved = True
    return Response(saved("Women"))


@get("/access/cohorts/{cohort:str}")
async def one(cohort: FromPath[str], state: AppState) -> Response[Any]:
    return Response(saved("Women")) if state.is_saved and cohort == ID else fake_hub.invalid("none", 404)


@get("/access/applications")
async def begun() -> Response[Any]:
    return Response(Page(0, 0, ()))


@post("/access/applications", status_code=200)
async def create(data: dict[str, Any]) -> Response[Any]:
    if data["datasets"][0]["dataset"] == "GONE":
        return fake_hub.invalid("node.fi publishes no dataset GONE")
    return Response(Outcome(ApplicationId("A1"), 1, State.DRAFT))


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    api = [nodes, count, kept, keep, one, begun, create, fake_hub.terms]
    pages = [portal_router(), *BEGIN_ROUTES, *SAVED_COHORT_ROUTES]
    middleware = [as_caller(Caller("rosa@idp", "Rosa"))]
    app = Litestar([*api, *pages], middleware=middleware, state=AppState({"is_saved": False}), openapi_config=None)
    with TestClient(app) as client:
        yield client


@pytest.fixture
def having_saved(client: TestClient[Litestar]) -> TestClient[Litestar]:
    client.app.state.is_saved = True
    return client


def hidden(page: str) -> dict[str, str]:
    return {a["name"]: a["value"] for a in Document(page).all("input") if a.get("type") == "hidden"}


def links(page: str, path: str) -> list[list[str]]:
    """What datasets the links to a path carry."""
    found = [urlsplit(a["href"]) for a in Document(page).all("a")]
    return [parse_qs(each.query).get("dataset", []) for each in found if each.path == path]


def ticked(page: str) -> list[str]:
    return [a["value"] for a in Document(page).all("input") if "checked" in a]


def counted(client: TestClient[Litestar]) -> str:
    """The page of the counts, by the way that begins at a dataset's page, for somebody who saved no cohort."""
    page = client.get("/applications/new", params={"dataset": WANTED}).text
    assert NOTICE in page
    assert links(page, "/cohort")[-1] == [WANTED]
    form = client.get("/cohort", params={"dataset": WANTED}).text
    assert NOTICE in form
    assert "could not be asked" not in form
    page = client.get("/cohort", params={"sex": "female", "dataset": hidden(form)["dataset"]}).text
    assert NOTICE in page
    return page


def test_who_has_no_cohort_counts_one_and_applies_for_what_they_came_for(client: TestClient[Litestar]) -> None:
    sent = {**hidden(counted(client)), "title": "Women", "then": "apply"}
    last = client.post("/cohorts", data=sent)
    assert last.url.path == "/applications/new"
    assert ticked(last.text) == [WANTED]


def test_who_saves_first_applies_from_there(client: TestClient[Litestar]) -> None:
    page = client.post("/cohorts", data={**hidden(counted(client)), "title": "Women"})
    assert page.url.path == f"/cohorts/{ID}"
    assert links(page.text, "/applications/new") == [[WANTED]]
    assert links(page.text, f"/cohorts/{ID}") == [[WANTED]]  # asking again
    assert links(counted(client), "/applications/new") == [[WANTED]]


def test_a_choice_of_terms_keeps_it(client: TestClient[Litestar]) -> None:
    page = client.get("/cohort", params={"phenotype": "onset", "dataset": WANTED}).text
    assert "Which phenotype" in page
    assert [each for each in links(page, "/cohort") if each] == [[WANTED]] * 3  # two terms, and clearing the form


def test_without_a_dataset_nothing_is_ticked(having_saved: TestClient[Litestar]) -> None:
    assert "You want to apply" not in having_saved.get("/cohort").text
    assert "You want to apply" not in having_saved.get("/cohorts").text
    assert ticked(having_saved.get("/applications/new", params={"cohort": ID}).text) == []


def test_what_is_not_listed_now_is_named(having_saved: TestClient[Litestar]) -> None:
    page = having_saved.get("/applications/new", params={"cohort": ID, "dataset": "node.pt PT GDI-PT-1"}).text
    assert ticked(page) == []
    assert "GDI-PT-1 is not listed now" in page


def test_a_refusal_keeps_what_was_ticked(having_saved: TestClient[Litestar]) -> None:
    sent = {"order": "o", "cohort": ID, "dataset": ["node.fi FI GONE", WANTED]}
    refused = having_saved.post("/applications", data=sent)
    assert refused.status_code == 400
    assert "publishes no dataset GONE" in refused.text
    assert ticked(refused.text) == [WANTED]
    nothing = having_saved.post("/applications", data={"order": "o", "cohort": ID})
    assert (nothing.status_code, "choose at least one dataset" in nothing.text) == (400, True)
    begun = having_saved.post("/applications", data={**sent, "dataset": [WANTED]}, follow_redirects=False)
    assert (begun.status_code, begun.headers["location"]) == (303, "/applications/A1")
