# SPDX-License-Identifier: Apache-2.0
"""A country's desk on its node's pages, over an API that answers from a table."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath
from litestar.testing import TestClient
from litestar.types import ASGIApp, Receive, Scope, Send

from megagenome.identity.caller_middleware import VISIT
from megagenome.identity.sessions import Visit
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.portal.node_desk import desk_page, node_desk_router, proposal_page
from megagenome.standards.application import PartState
from megagenome.standards.desk import DeskEnvironment, DeskItem, DeskPage, DeskPart, DeskPermit
from megagenome.standards.permit import CountryDecision, DatasetDecision, PermitState, Verdict
from megagenome.standards.problem import MEDIA_TYPE, problem
from tests.portal.applications import NOW, document
from tests.portal.document import Document
from tests.portal.fake_hub import EVIL

DECIDER = Caller("dana@idp", "Dana", frozenset({Role.COUNTRY_DECIDER}))


def item(says: str = "words", **changed: Any) -> DeskItem:
    later = clock.now() + timedelta(days=3, hours=1)
    parts = (
        DeskPart("GDI-FI-1", PartState.REQUESTED, NOW),
        DeskPart("GDI-FI-2", PartState.APPROVED, NOW),
        DeskPart("GDI-FI-3", PartState.REFUSED, NOW),
    )
    fields = DeskItem(
        "permit1", says, "0123", "FI", (says,), (says, "B"), NOW, later, 2, True, PermitState.ACTIVE, parts, 1, says
    )
    return msgspec.structs.replace(fields, **changed)


def proposal(says: str = "words", **changed: Any) -> DeskPermit:
    decided = (DatasetDecision("GDI-FI-3", Verdict.REFUSED, says),)
    past = CountryDecision("permit1", "sha256:d", "node.fi", "FI", decided, says, NOW)
    return DeskPermit(item(says, **changed), document(says), (past,))


def test_where_data_may_go_is_on_the_page() -> None:
    none = proposal_page(proposal())
    assert "Nowhere yet" in none
    places = (
        DeskEnvironment(EVIL, "ab12", "2026-01-02T03:04:05+00:00", "operator", None),
        DeskEnvironment("old", "cd34", "2026-01-02T03:04:05+00:00", "operator", "2026-02-03T04:05:06+00:00"),
    )
    page = proposal_page(msgspec.structs.replace(proposal(), environments=places))
    assert "Nowhere yet" not in page
    assert EVIL not in page
    for text in ("ab12", "cd34", "old"):
        assert text in page


class Api:
    """The node's desk: what was sent to it, and what it refuses with."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.refuses: tuple[int, str] | None = None

    def handlers(self) -> list[Any]:
        @get("/access/desk")
        async def page() -> Response[bytes]:
            return Response(msgspec.json.encode(DeskPage(1, 0, (item(),))))

        @get("/access/desk/{permit:str}")
        async def show(permit: FromPath[str]) -> Response[bytes]:
            if permit != "permit1":
                return self._problem(404, "there is no such proposal here")
            return Response(msgspec.json.encode(proposal()))

        @post("/access/desk/{permit:str}/decision", status_code=200)
        async def decide(request: Request[Any, Any, Any], permit: FromPath[str]) -> Response[bytes]:
            self.sent.append((permit, await request.json(), dict(request.headers)))
            if self.refuses:
                return self._problem(*self.refuses)
            return Response(msgspec.json.encode(item()))

        return [page, show, decide]

    @staticmethod
    def _problem(status: int, says: str) -> Response[bytes]:
        return Response(msgspec.json.encode(problem(status, says)), status_code=status, media_type=MEDIA_TYPE)


def as_caller(caller: Caller) -> Any:
    def middleware(app: ASGIApp) -> ASGIApp:
        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            before = VISIT.set(Visit(caller, csrf="token"))
            try:
                await app(scope, receive, send)
            finally:
                VISIT.reset(before)

        return run

    return middleware


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def browser(api: Api) -> Iterator[TestClient[Litestar]]:
    app = Litestar([*api.handlers(), node_desk_router()], middleware=[as_caller(DECIDER)], openapi_config=None)
    with TestClient(app) as client:
        yield client


def test_the_desk_says_what_waits_and_how_long() -> None:
    text = Document(desk_page(DeskPage(120, 50, (item(),)))).text.replace("\u00a0", " ")
    assert "2 working days left" in text  # as the hub says it, over a weekend too
    assert "waits for you" in text
    assert "1 decision on the way" in text
    over = Document(desk_page(DeskPage(1, 0, (item(waits=False),)))).text
    assert "days left" not in over
    assert "ends today" in Document(desk_page(DeskPage(1, 0, (item(left=0),)))).text
    assert "Nothing was proposed yet." in Document(desk_page(DeskPage(0, 0, ()))).text


@pytest.mark.parametrize("told", PermitState)
def test_a_proposal_is_whole_and_hostile_text_stays_text(told: PermitState) -> None:
    page = proposal_page(proposal(EVIL, told=told), problem=EVIL, typed={"GDI-FI-1": ("refused", EVIL)}, told=EVIL)
    found = Document(page)
    found.check()
    assert "<script>window" not in page
    assert "0123" in found.text  # the application, to be read at the hub
    choices = [a["value"] for a in found.all("input") if a["type"] == "radio"]
    # what the hub ended leaves nothing to decide; what was refused stays refused
    assert choices == ([] if told is PermitState.REVOKED else ["approved", "refused", "revoked"])
    Document(desk_page(DeskPage(1, 0, (item(EVIL),)))).check()


def test_decisions_are_sent_as_chosen(browser: TestClient[Litestar], api: Api) -> None:
    form = {
        "csrf": "token",
        "verdict:GDI-FI-1": "approved",
        "reasons:GDI-FI-1": "",
        "verdict:GDI-FI-2": "revoked",
        "reasons:GDI-FI-2": "they left",
        "verdict:GDI-FI-9": "approved",
    }
    headers = {"origin": "http://testserver.local", "sec-fetch-site": "same-origin"}
    answer = browser.post("/desk/permit1", data=form, headers=headers, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/permit1?done=1")
    [(permit, body, sent)] = api.sent
    assert permit == "permit1"
    assert body == {
        "decisions": [
            {"dataset": "GDI-FI-1", "verdict": "approved", "reasons": ""},
            {"dataset": "GDI-FI-2", "verdict": "revoked", "reasons": "they left"},
        ]
    }
    # the API makes its own checks against forgery, on what the browser said
    assert (sent["x-csrf-token"], sent["origin"]) == ("token", "http://testserver.local")
    assert "on its way to the hub" in browser.get("/desk/permit1?done=1").text


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "choose an answer for at least one dataset"),
        ({"verdict:GDI-FI-1": "maybe"}, "choose one of the answers"),
        ({"verdict:GDI-FI-1": "refused", "reasons:GDI-FI-1": " "}, "GDI-FI-1: write the reasons"),
    ],
)
def test_what_cannot_be_a_decision_is_never_sent(
    browser: TestClient[Litestar], api: Api, form: dict[str, str], says: str
) -> None:
    answer = browser.post("/desk/permit1", data=form)
    assert answer.status_code == 400
    assert says in Document(answer.text).text
    assert api.sent == []


@pytest.mark.parametrize(("status", "says"), [(409, "its time is over"), (403, "you are named in the permit")])
def test_what_the_node_refuses_is_shown_with_what_was_typed(
    browser: TestClient[Litestar], api: Api, status: int, says: str
) -> None:
    api.refuses = (status, says)
    answer = browser.post("/desk/permit1", data={"verdict:GDI-FI-1": "refused", "reasons:GDI-FI-1": "my own words"})
    assert answer.status_code == status
    page = Document(answer.text)
    page.check()
    assert f"Nothing was decided: {says}." in page.text
    assert "my own words" in page.text
    assert [a["value"] for a in page.all("input") if "checked" in a] == ["refused"]


@pytest.mark.parametrize("permit", ["other", "..%2f..%2fhealth", "a%3Fb", "%00", "x" * 200])
def test_no_other_path_is_reached(browser: TestClient[Litestar], permit: str) -> None:
    assert browser.get(f"/desk/{permit}").status_code == 404


def test_who_is_not_signed_in_is_led_to_the_sign_in(api: Api) -> None:
    app = Litestar([*api.handlers(), node_desk_router()], middleware=[as_caller(Caller())], openapi_config=None)
    with TestClient(app) as client:
        answer = client.get("/desk/permit1", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fdesk%2Fpermit1")
        assert client.post("/desk/permit1", data={}).status_code == 401
    assert api.sent == []
