# SPDX-License-Identifier: Apache-2.0
import logging
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from litestar import HttpMethod, Litestar, Response, get, route
from litestar.exceptions import HTTPException
from litestar.params import RawBody
from litestar.testing import TestClient
from litestar.types import ASGIApp, ExceptionHandlersMap, Receive, Scope, Send

from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.errors import Corrupt, MegagenomeError, NoRoom, NotFound, Unauthenticated
from megagenome.web import (
    FAULT,
    PRIVATE,
    Http,
    answer_json,
    caller_of,
    errors,
    parameters_of,
    problems,
    read_json,
    require_json,
)

ADA = Caller("ada@idp", "Ada")


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """What the routes below are sent."""

    count: int
    parts: list["Order"] = []


def asked(*handlers: Any, caller: object = None, shown: "ExceptionHandlersMap | None" = None) -> TestClient[Litestar]:
    """These routes, asked by `caller`; None: nobody put one on the request."""

    def middleware(app: ASGIApp) -> ASGIApp:
        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            if caller is not None:
                scope["caller"] = caller  # type: ignore[typeddict-unknown-key]  # ASGI lets applications add keys
            await app(scope, receive, send)

        return run

    app = Litestar(
        handlers,
        middleware=[middleware],
        exception_handlers=shown or problems(),
        openapi_config=None,
        logging_config=None,  # Litestar's would take the log away from who looks into it
    )
    return TestClient(app)


def failing(error: Exception) -> Any:
    """A route that does nothing but fail."""

    @get("/", sync_to_thread=False)
    def fail() -> None:
        raise error

    return fail


@route("/", http_method=[HttpMethod.GET, HttpMethod.POST], sync_to_thread=False, status_code=200)
def who(request: Http) -> str:
    """The name of who asks."""
    return caller_of(request).name or "the public"


@route("/", http_method=[HttpMethod.POST], sync_to_thread=False, status_code=200)
def take(request: Http, body: RawBody) -> Response[bytes]:
    """What was sent."""
    return answer_json(read_json(request, body, Order))


@pytest.mark.parametrize(
    ("caller", "name"), [(None, "the public"), (PUBLIC, "the public"), (ADA, "Ada"), ("Ada", "the public")]
)
def test_who_asks_is_only_who_was_put_there_as_a_caller(caller: object, name: str) -> None:
    with asked(who, caller=caller) as client:
        assert client.get("/").text == name


def test_json_is_read_from_what_says_that_it_is_json() -> None:
    with asked(take) as client:
        for media_type in ("application/json", "application/json; charset=utf-8"):
            answer = client.post("/", content=b'{"count":3}', headers={"content-type": media_type})
            assert (answer.status_code, answer.json()) == (200, {"count": 3, "parts": []})


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json"]
)
def test_what_a_form_of_another_site_can_send_is_not_read(media_type: str) -> None:
    with asked(take) as client:
        answer = client.post("/", content=b'{"count":3}', headers={"content-type": media_type})
    assert (answer.status_code, answer.json()["detail"]) == (400, "send application/json")


def test_json_can_be_required_before_a_body_is_read() -> None:
    @route("/", http_method=[HttpMethod.POST], status_code=204)
    async def refuse(request: Http) -> None:
        require_json(request)

    with asked(refuse) as client:
        assert client.post("/", content=b"{", headers={"content-type": "application/json"}).status_code == 204
        assert client.post("/", content=b"{", headers={"content-type": "text/plain"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "not understood: "),
        (b"{", "not understood: "),
        (b"\xff", "not understood: "),
        (b'{"count":"\xff"}', "not understood: "),
        (b'{"count":"three"}', "$.count"),
        (b'{"count":1,"colour":"red"}', "colour"),
        (b'{"count":1,"parts":[' * 20_000, "not understood: "),
    ],
)
def test_a_body_that_is_not_understood_is_refused_with_the_place(body: bytes, place: str) -> None:
    with asked(take) as client:
        answer = client.post("/", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert place in answer.json()["detail"]


@get("/", sync_to_thread=False)
def parameters(request: Http) -> Response[bytes]:
    """The parameters as they came."""
    return answer_json(parameters_of(request))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", []),
        ("b=2&a=1&b=", [["b", "2"], ["a", "1"], ["b", ""]]),
        ("a=%F0%9F%A7%AC+x", [["a", "\U0001f9ec x"]]),
        ("a=%FF", [["a", "\ufffd"]]),
        ("&".join(["a=1"] * 100), [["a", "1"]] * 100),
    ],
)
def test_parameters_in_their_order(query: str, found: list[list[str]]) -> None:
    with asked(parameters) as client:
        assert client.get(f"/?{query}").json() == found


def test_more_than_a_hundred_parameters_are_refused() -> None:
    with asked(parameters) as client:
        answer = client.get("/?" + "&".join(["a=1"] * 101))
    assert (answer.status_code, answer.json()["detail"]) == (400, "more than 100 parameters")


@pytest.mark.parametrize(("headers", "has"), [(PRIVATE, PRIVATE), ({"etag": '"1"'}, {"etag": '"1"'})])
def test_answers_and_problems_have_the_headers_of_their_routes(
    headers: Mapping[str, str], has: Mapping[str, str]
) -> None:
    @get("/", sync_to_thread=False)
    def gone() -> Response[bytes]:
        return answer_json({"gone": True}, 410, headers)

    with asked(gone, shown=problems(headers)) as client:
        told, refused = client.get("/"), client.get("/elsewhere")
    assert (told.status_code, told.json(), told.headers["content-type"]) == (410, {"gone": True}, "application/json")
    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
    for answer in (told, refused):
        assert {name: answer.headers.get(name) for name in (*PRIVATE, "etag")} == {
            name: has.get(name) for name in (*PRIVATE, "etag")
        }


def test_an_answer_is_for_its_reader_alone_unless_said_otherwise() -> None:
    assert dict(answer_json({}).headers) == {"cache-control": "no-store", "x-content-type-options": "nosniff"}


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (NotFound("there is no such thing"), 404, "there is no such thing"),
        (Corrupt("blob b1 is damaged"), 500, "blob b1 is damaged"),
        (NoRoom("no room for it"), 507, "no room for it"),
        (Unauthenticated("sign in first"), 401, "sign in first"),
        (HTTPException("brew coffee elsewhere", status_code=418), 418, "brew coffee elsewhere"),
    ],
)
def test_conditions_are_problems_with_their_own_words(error: Exception, status: int, says: str) -> None:
    with asked(failing(error)) as client:
        answer = client.get("/")
    assert (answer.status_code, answer.json()["status"], answer.json()["detail"]) == (status, status, says)
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


def test_a_fault_of_ours_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    with asked(failing(KeyError("secret of row 7"))) as client, caplog.at_level(logging.ERROR, "megagenome.web"):
        answer = client.get("/")
    assert (answer.status_code, answer.json()["detail"]) == (500, FAULT)
    assert "secret" not in answer.text
    assert "secret of row 7" in caplog.text


@pytest.mark.parametrize("error", [MegagenomeError("odd"), Unauthenticated("sign in first")])
def test_errors_in_an_envelope_of_their_own(error: MegagenomeError) -> None:
    def render(status: int, says: str) -> Response[bytes]:
        return answer_json({"error": {"errorCode": status, "errorMessage": says}}, status, {})

    with asked(failing(error), shown=errors(render)) as client:
        answer = client.get("/")
    assert answer.json() == {"error": {"errorCode": answer.status_code, "errorMessage": str(error)}}
    assert ("www-authenticate" in answer.headers) == (answer.status_code == 401)
    assert "cache-control" not in answer.headers
