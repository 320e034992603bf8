# SPDX-License-Identifier: Apache-2.0
"""A data steward brings a dataset from a draft to the catalogue by the node's pages, as a browser sends them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from litestar.types import ASGIApp, Receive, Scope, Send

from megagenome.catalogue.catalogue import Catalogue
from megagenome.catalogue.preview import Previews
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
from tests.catalogue.conftest import catalogue, collection, made, previews, stewardship  # noqa: F401 - fixtures
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


def app(stewardship: Stewardship, previews: Previews, catalogue: Catalogue, caller: Caller) -> Litestar:  # noqa: F811 - the fixture
    return Litestar(
        [
            steward_router(stewardship, previews),
            record_page_router(),
            catalogue_router(catalogue, catalogue_page, HEADERS),
        ],
        middleware=[as_caller(caller)],
        exception_handlers=node_error_pages,
        openapi_config=None,
    )


@pytest.fixture
def browser(stewardship: Stewardship, previews: Previews, catalogue: Catalogue) -> Iterator[TestClient[Litestar]]:  # noqa: F811 - the fixture
    with TestClient(app(stewardship, previews, catalogue, STEWARD)) as client:
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


def test_what_becomes_public_is_seen_before_it_does(browser: TestClient[Litestar]) -> None:
    """A preview below its line is the page that everybody sees after, but for the addresses of its files."""
    assert f"/datasets/{CLOSED}/preview" in [
        a["href"] for a in Document(browser.get(f"/datasets/{CLOSED}").text).all("a")
    ]
    browser.post(f"/datasets/{CLOSED}", data=filled_in(RECORD, "draft"))
    public = browser.get("/fairdp", headers=HTML).text
    answer = browser.get(f"/datasets/{CLOSED}/preview")
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("no-store, private", "noindex")
    seen = Document(answer.text)
    seen.check()
    assert "Nobody but data stewards sees this page" in seen.text
    assert "if this draft were recorded and the dataset published now" in seen.text
    assert "2 by permit, sealed" in seen.text
    for each in seen.all("a"):
        if each["href"].startswith("/metadata/"):
            assert browser.get(each["href"]).status_code == 200

    assert browser.get("/fairdp", headers=HTML).text == public
    for address in (f"/fairdp/dataset/{CLOSED}", f"/fairdp/dataset/{CLOSED}.ttl"):
        assert browser.get(address, headers=HTML).status_code == 404
    browser.post(f"/datasets/{CLOSED}", data=filled_in(RECORD, "record"))
    browser.post(f"/datasets/{CLOSED}", data={"csrf": "token", "act": "published"})
    after = browser.get(f"/fairdp/dataset/{CLOSED}", headers=HTML).text
    assert page_of(after) == page_of(
        answer.text.replace(f"/metadata/{CLOSED}/preview/index", f"/fairdp/dataset/{CLOSED}")
    )
    assert "Preview" not in after
    assert f"/datasets/{CLOSED}/preview" not in browser.get(f"/datasets/{CLOSED}").text


def page_of(text: str) -> str:
    """What the catalogue says, without its moments."""
    [page] = re.findall(r'<div class="wide">\n<div class="heading">.*</main>', text, re.DOTALL)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00|\d+ \w{3} \d{4}(, \d\d:\d\d)?", "WHEN", page)


def test_a_draft_that_cannot_be_shown_is_said_to_be_wrong(browser: TestClient[Litestar]) -> None:
    browser.post(f"/datasets/{CLOSED}", data=filled_in(with_value(RECORD, "hdab.email", "nobody"), "draft"))
    answer = browser.get(f"/datasets/{CLOSED}/preview")
    assert answer.status_code == 409
    assert "hdab.email" in Document(answer.text).text


@pytest.mark.parametrize("roles", [(), (Role.AUDITOR,), (Role.DAC_MEMBER, Role.DAC_CHAIR), (Role.DATA_PROVIDER,)])
def test_others_are_refused(
    stewardship: Stewardship,  # noqa: F811 - the fixture
    previews: Previews,  # noqa: F811 - the fixture
    catalogue: Catalogue,  # noqa: F811 - the fixture
    roles: tuple[Role, ...],
) -> None:
    with TestClient(app(stewardship, previews, catalogue, Caller("x@idp", "X", frozenset(roles)))) as client:
        for address in ("/datasets", f"/datasets/{CLOSED}/preview", "/datasets/NONE/preview"):
            answer = client.get(address)
            assert answer.status_code == 403
            assert CLOSED not in answer.text
        assert client.post(f"/datasets/{CLOSED}", data={"act": "published"}).status_code == 403
    with TestClient(app(stewardship, previews, catalogue, Caller())) as client:
        for address in ("/datasets", f"/datasets/{CLOSED}/preview"):
            assert client.get(address, follow_redirects=False).status_code == 303
        assert client.get("/fairdp", headers=HTML).status_code == 200
