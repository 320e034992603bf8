# SPDX-License-Identifier: Apache-2.0
"""A data steward brings a dataset from a draft to the catalogue by the node's pages, as a browser sends them."""

from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from litestar.types import ASGIApp, Receive, Scope, Send

from megagenome.catalogue.catalogue import Catalogue
from megagenome.catalogue.routes import catalogue_router
from megagenome.catalogue.steward import Stewardship
from megagenome.catalogue.steward_routes import steward_router
from megagenome.identity.caller_middleware import VISIT
from megagenome.identity.sessions import Visit
from megagenome.kernel.callers import Caller, Role
from megagenome.portal.catalogue_page import catalogue_page
from megagenome.portal.node_home import node_error_pages
from megagenome.portal.pages import HEADERS
from megagenome.portal.record_form import sections
from megagenome.portal.record_page import record_page_router
from megagenome.standards.dataset_fields import Kind
from megagenome.standards.dataset_record import DatasetRecord, with_value
from megagenome.synthetic.governance import made_up_record
from tests.catalogue.conftest import catalogue, collection, made, stewardship  # noqa: F401 - fixtures
from tests.catalogue.samples import CLOSED, DRAFT
from tests.portal.document import Document

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")

STEWARD = Caller("sofia@idp", "Sofia", frozenset({Role.DATA_STEWARD}))
RECORD = made_up_record(CLOSED, "A cohort of Estonia", country="EE")
HTML = {"accept": "text/html"}


def as_caller(caller: Caller) -> Any:
    """What puts who asks on each request, for pages and for the API."""

    def middleware(app: ASGIApp) -> ASGIApp:
        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            scope["caller"] = caller
            before = VISIT.set(Visit(caller, csrf="token"))
            try:
                await app(scope, receive, send)
            finally:
                VISIT.reset(before)

        return run

    return middleware


def app(stewardship: Stewardship, catalogue: Catalogue, caller: Caller) -> Litestar:  # noqa: F811 - the fixture
    return Litestar(
        [
            steward_router(stewardship),
            record_page_router(),
            catalogue_router(catalogue, catalogue_page, HEADERS),
        ],
        middleware=[as_caller(caller)],
        exception_handlers=node_error_pages,
        openapi_config=None,
    )


@pytest.fixture
def browser(stewardship: Stewardship, catalogue: Catalogue) -> Iterator[TestClient[Litestar]]:  # noqa: F811 - the fixture
    with TestClient(app(stewardship, catalogue, STEWARD)) as client:
        yield client


def filled_in(record: DatasetRecord, act: str) -> dict[str, str | list[str]]:
    """What a browser sends of the form."""
    sent: dict[str, str | list[str]] = {"csrf": "token", "act": act}
    for _, fields in sections(record, (), is_open=False):
        for asked in fields:
            if asked.field.kind is Kind.CHOICES:
                sent[asked.field.path] = list(asked.chosen)
            elif asked.field.kind is not Kind.TICK or asked.text:
                sent[asked.field.path] = asked.text
    return sent


def test_from_a_draft_to_the_catalogue(browser: TestClient[Litestar]) -> None:
    listed = Document(browser.get("/datasets").text)
    listed.check()
    assert f"/datasets/{CLOSED}" in [a["href"] for a in listed.all("a")]

    form = Document(browser.get(f"/datasets/{CLOSED}").text)
    form.check()
    assert "Before it can be published: description, " in form.text
    refused = browser.post(f"/datasets/{CLOSED}", data={"csrf": "token", "act": "published"})
    assert refused.status_code == 409
    assert "controller, legal basis" in Document(refused.text).text

    wrong = with_value(with_value(RECORD, "hdab.email", "nobody"), "keywords", ())
    answer = browser.post(f"/datasets/{CLOSED}", data=filled_in(wrong, "record"))
    page = Document(answer.text)
    page.check()
    assert answer.status_code == 400
    marked = {each["name"] for name in ("input", "textarea") for each in page.all(name) if "aria-invalid" in each}
    assert marked == {"hdab.email", "keywords"}
    assert [each["value"] for each in page.all("input") if each.get("name") == "hdab.email"] == ["nobody"]

    for act, words in (("draft", "Kept as a draft"), ("record", "Recorded.")):
        record = wrong if act == "draft" else RECORD
        answer = browser.post(f"/datasets/{CLOSED}", data=filled_in(record, act))
        assert words in Document(answer.text).text
    assert browser.get(f"/fairdp/dataset/{CLOSED}", headers=HTML).status_code == 404

    answer = browser.post(f"/datasets/{CLOSED}", data={"csrf": "token", "act": "published"})
    assert "Published: collection, Beacon, access and catalogue show" in Document(answer.text).text
    shown = Document(browser.get(f"/fairdp/dataset/{CLOSED}", headers=HTML).text)
    assert "A cohort of Estonia" in shown.text
    assert "research into health and medicine" in shown.text

    answer = browser.post(f"/datasets/{CLOSED}", data={"csrf": "token", "act": "withdrawn"})
    assert "Withdrawn: nothing shows the dataset" in Document(answer.text).text
    assert browser.get(f"/fairdp/dataset/{CLOSED}", headers=HTML).status_code == 410


def test_what_is_no_dataset_is_not_found(browser: TestClient[Litestar]) -> None:
    for name in ("NONE", "..", "a%2Fb", "x" * 200):
        assert browser.get(f"/datasets/{name}").status_code == 404
    long = filled_in(RECORD, "record") | {"title": "x" * 5000}
    assert browser.post(f"/datasets/{DRAFT}", data=long).status_code == 400


def test_others_are_refused(stewardship: Stewardship, catalogue: Catalogue) -> None:  # noqa: F811 - the fixture
    with TestClient(app(stewardship, catalogue, Caller("x@idp", "X", frozenset({Role.AUDITOR})))) as client:
        assert client.get("/datasets").status_code == 403
        assert client.post(f"/datasets/{CLOSED}", data={"act": "published"}).status_code == 403
    with TestClient(app(stewardship, catalogue, Caller())) as client:
        assert client.get("/datasets", follow_redirects=False).status_code == 303
        assert client.get("/fairdp", headers=HTML).status_code == 200
