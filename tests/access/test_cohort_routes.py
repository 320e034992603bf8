# SPDX-License-Identifier: Apache-2.0
"""Saved cohorts over HTTP, as a program asks and as somebody who looks for what others saved."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.middleware import DefineMiddleware
from litestar.testing import TestClient

from megagenome.access.cohort_routes import cohort_router
from megagenome.access.cohorts import Cohorts
from megagenome.access.routes import LARGEST_COMMAND_BYTES
from tests.access.hub import ADA, AUDREY, BEN, CHAIR, STRANGER, Hub
from tests.access.test_cohorts import ABSENT, order
from tests.access.test_routes import Client, SignedIn

WOMEN = msgspec.to_builtins(order())
MINE = f"/cohorts/{order().cohort}"


@pytest.fixture
def web(hub: Hub) -> Iterator[TestClient[Litestar]]:
    router = cohort_router(Cohorts(hub.store, hub.world))
    with TestClient(Litestar([router], middleware=[DefineMiddleware(SignedIn)], openapi_config=None)) as client:
        yield client


def test_a_cohort_over_http(web: TestClient[Litestar]) -> None:
    ada = Client(web, ADA)
    saved = ada.post("/cohorts", WOMEN)
    assert saved.status_code == 200
    assert saved.json()["cohort"] == {"id": WOMEN["cohort"], "definition": WOMEN["definition"]}
    assert saved.headers["cache-control"] == "no-store"
    assert ada.post("/cohorts", WOMEN).json() == ada.get(MINE).json() == saved.json()
    assert ada.get("/cohorts").json() == {"total": 1, "skip": 0, "most": 500, "cohorts": [saved.json()]}
    renamed = ada.post(f"{MINE}/rename", {"title": "Others", "note": ""})
    assert renamed.json() == {**saved.json(), "title": "Others"}
    recounted = ada.post(f"{MINE}/recount", {"told": []}).json()
    assert {**recounted, "saved": ""} == {**renamed.json(), "told": [], "saved": ""}
    assert ada.post(f"{MINE}/recount", {}).status_code == 400
    assert ada.post(f"{MINE}/delete").json() == recounted
    assert ada.get(MINE).status_code == 404
    assert ada.get("/cohorts").json()["total"] == 0


@pytest.mark.parametrize("who", [None, BEN, CHAIR, AUDREY, STRANGER])
def test_what_others_saved_looks_as_what_is_not_there(web: TestClient[Litestar], who: Any) -> None:
    Client(web, ADA).post("/cohorts", WOMEN)
    other = Client(web, who)

    def answers(cohort: str) -> list[tuple[int, str]]:
        path = f"/cohorts/{cohort}"
        asked = [
            other.get(path),
            other.post(f"{path}/rename", {"title": "x"}),
            other.post(f"{path}/recount", {"told": []}),
            other.post(f"{path}/delete"),
        ]
        return [(each.status_code, each.text.replace(cohort, "…")) for each in asked]

    assert answers(WOMEN["cohort"]) == answers(ABSENT)
    assert {status for status, _ in answers(ABSENT)} == {404 if who else 401}
    assert other.get("/cohorts").json().get("total", 0) == 0
    assert Client(web, ADA).get(MINE).json()["title"] == "Women"


@pytest.mark.parametrize(
    "changed",
    [
        {"title": ""},
        {"title": " \n"},
        {"title": "x" * 201},
        {"note": "x" * 5001},
        {"question": ""},
        {"told": [{"node": "n", "name": "", "country": "", "status": "answered", "count": -1}]},
        {"told": [{"node": "n", "name": "", "country": "", "status": "guessed"}]},
        {"owner": "somebody else"},
        {"cohort": ABSENT},
    ],
)
def test_what_is_no_cohort_is_refused(web: TestClient[Litestar], changed: dict[str, Any]) -> None:
    ada = Client(web, ADA)
    refused = ada.post("/cohorts", {**WOMEN, **changed})
    assert refused.status_code == 400, refused.text
    assert ada.get("/cohorts").json()["total"] == 0


def test_forms_of_other_sites_and_long_bodies_are_refused(web: TestClient[Litestar]) -> None:
    ada = Client(web, ADA)
    assert ada.post("/cohorts", msgspec.json.encode(WOMEN), "text/plain").status_code == 400
    assert ada.post("/cohorts", b" " * (LARGEST_COMMAND_BYTES + 1)).status_code == 413
    assert ada.get("/cohorts?limit=51").status_code == 400
    assert ada.get("/cohorts?skip=-1").status_code == 400
