# SPDX-License-Identifier: Apache-2.0
"""Who a request is from, and forgeries of it."""

from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from megagenome.identity.roles import Scope, grant_role, revoke_role
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import Unauthenticated
from tests.identity.world import HERE, SUBJECT, Browser, Server

SPOOLED = "litestar.datastructures.upload_file.SpooledTemporaryFile"
NOBODY = {"subject": None, "name": "", "roles": [], "registered": False, "node": ""}


@pytest.fixture
def queries(engine: sa.Engine) -> list[str]:
    """Each statement that reaches the database from now on."""
    seen: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    return seen


def test_who_sends_nothing_is_the_public_and_costs_no_look(browser: Browser, queries: list[str]) -> None:
    assert browser.whoami() == NOBODY
    browser.client.cookies.set("theme", "dark")
    assert browser.whoami() == NOBODY
    assert queries == []


@pytest.mark.parametrize("held", ["", "x", "A" * 43, "A" * 10_000, "' OR 1=1 --", '"', "\\"])
def test_a_session_that_does_not_exist_is_the_public(browser: Browser, held: str) -> None:
    assert browser.client.get("/whoami", headers={"cookie": f"session_8600={held}"}).json() == NOBODY


@given(st.binary(max_size=60).filter(lambda cookie: not set(cookie) & set(b"\r\n\0")))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nonsense_in_the_cookie_is_the_public(browser: Browser, cookie: bytes) -> None:
    answer = browser.client.get("/whoami", headers={b"cookie": b"session_8600=" + cookie})
    assert (answer.status_code, answer.json()) == (200, NOBODY)


def test_a_session_of_another_port_is_not_ours(browser: Browser) -> None:
    browser.sign_in()
    token = browser.client.cookies["session_8600"]
    for name in ("session_8601", "session", "__Host-session"):
        assert browser.client.get("/whoami", headers={"cookie": f"{name}={token}"}).json() == NOBODY


def test_roles_come_and_go_with_the_next_request(browser: Browser, engine: sa.Engine) -> None:
    browser.sign_in()
    with engine.begin() as connection:
        grant_role(connection, SUBJECT, Role.DAC_CHAIR, Scope(), "root")
        grant_role(connection, SUBJECT, Role.COUNTRY_DECIDER, Scope("EE"), "root")
    assert sorted(browser.whoami()["roles"]) == ["country_decider", "dac_chair"]
    with engine.begin() as connection:
        revoke_role(connection, SUBJECT, Role.DAC_CHAIR, Scope(), "root")
    assert browser.whoami()["roles"] == ["country_decider"]


def test_answers_to_people_are_kept_by_no_cache(browser: Browser) -> None:
    assert "cache-control" not in browser.client.get("/whoami").headers
    browser.sign_in()
    assert browser.client.get("/whoami").headers["cache-control"] == "no-store"


FORGERIES: dict[str, dict[str, str]] = {
    "another site": {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
    "another site by an old browser": {"origin": "https://evil.example", "sec_fetch_site": ""},
    "another port": {"origin": "http://127.0.0.1:8601", "sec_fetch_site": "same-site"},
    "another scheme": {"origin": "https://127.0.0.1:8600"},
    "a name that begins like ours": {"origin": HERE + "0", "sec_fetch_site": ""},
    "an origin that is hidden": {"origin": "null", "sec_fetch_site": ""},
    "a page of another site, without origin": {"origin": "", "sec_fetch_site": "cross-site"},
    "typed into the browser": {"origin": "", "sec_fetch_site": "none"},
    "no browser at all": {"origin": "", "sec_fetch_site": ""},
    "headers that contradict each other": {"sec_fetch_site": "cross-site"},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_change_from_elsewhere_is_refused_also_with_the_right_token(browser: Browser, forgery: str) -> None:
    browser.sign_in()
    token = browser.csrf()
    assert browser.post("/change", {"csrf": token}, **FORGERIES[forgery]).status_code == 403
    assert browser.post("/change", {"csrf": token}).status_code == 200


def test_a_change_needs_the_token_of_its_own_session(browser: Browser, server: Server) -> None:
    browser.sign_in()
    token = browser.csrf()
    with server.browser() as other:
        other.sign_in()
        others = other.csrf()
    assert others != token
    for wrong in ({}, {"csrf": ""}, {"csrf": others}, {"csrf": token[:-1]}, {"csrf": token + "0"}, {"csrf": "é"}):
        assert browser.post("/change", wrong).status_code == 403, wrong
    browser.sign_in()
    assert browser.post("/change", {"csrf": token}).status_code == 403, "the token of an ended session"


def test_what_is_sent_comes_whole_to_the_route(browser: Browser) -> None:
    browser.sign_in()
    token = browser.csrf()
    origin = {"origin": HERE}
    header = {**origin, "x-csrf-token": token}
    assert browser.post("/change", {"csrf": token, "a": "1"}).json() == {"csrf": token, "a": "1"}
    upload = browser.client.post("/change", data={"csrf": token}, files={"f": ("x.pdf", b"%PDF-1.7")}, headers=origin)
    assert upload.json() == {"csrf": token, "f": "%PDF-1.7"}
    assert browser.client.post("/change", json={"a": [1]}, headers=header).json() == {"json": {"a": [1]}}
    assert browser.client.post("/change", data={"a": "1"}, headers=header).json() == {"a": "1"}
    for lacking in (origin, {**header, "x-csrf-token": token[::-1]}):
        assert browser.client.post("/change", json={"a": [1], "csrf": token}, headers=lacking).status_code == 403


def test_a_form_of_countless_fields_is_not_taken_apart(browser: Browser) -> None:
    browser.sign_in()
    sent = {"origin": HERE, "content-type": "application/x-www-form-urlencoded"}
    token = b"csrf=" + browser.csrf().encode()
    assert browser.client.post("/change", content=token + b"&a=1" * 900, headers=sent).status_code == 200
    assert browser.client.post("/change", content=token + b"&a" * 10_000, headers=sent).status_code == 413


def test_where_no_form_is_taken_nothing_of_one_is_read(server: Server, browser: Browser) -> None:
    server.callers.takes_no_form = lambda path: path == "/change"
    browser.sign_in()
    token = browser.csrf()
    head = b'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n' + token.encode() + b"\r\n"
    head += b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    sent = {"origin": HERE, "content-type": "multipart/form-data; boundary=b"}

    with patch(SPOOLED, side_effect=AssertionError("a form was taken apart")) as spooled:
        long = head + bytes(20 << 20) + b"\r\n--b--\r\n"
        assert browser.client.post("/change", content=long, headers=sent).status_code == 403
    spooled.assert_not_called()
    server.callers.takes_no_form = lambda _path: False
    with patch(SPOOLED, side_effect=SpooledTemporaryFile) as spooled:  # anywhere else it is one, and the token is found
        short = head + bytes(2 << 20) + b"\r\n--b--\r\n"
        assert browser.client.post("/change", content=short, headers=sent).status_code == 200
    spooled.assert_called()


def test_the_public_may_send_what_it_may(browser: Browser) -> None:
    assert (
        browser.client.post("/change", data={"a": "1"}, headers={"origin": "https://evil.example"}).status_code == 200
    )


async def read_token(token: str) -> Caller | None:
    if token == "bad":
        raise Unauthenticated("the token is expired")
    return Caller("service@https://x", "A service") if token == "good" else None


async def read_nothing(_token: str) -> Caller | None:
    return None


def test_whoever_reads_tokens_says_who_presents_one(browser: Browser, server: Server) -> None:
    bearer = {"authorization": "Bearer good"}
    assert browser.client.get("/whoami", headers=bearer).json() == NOBODY
    server.callers.bearers += [read_nothing, read_token]
    assert browser.client.get("/whoami", headers=bearer).json()["subject"] == "service@https://x"
    assert browser.client.get("/whoami", headers={"authorization": "bearer good"}).json()["name"] == "A service"
    assert browser.client.get("/whoami", headers={"authorization": "Basic good"}).json() == NOBODY
    assert browser.client.post("/change", json={"a": 1}, headers=bearer).status_code == 200
    for wrong in ("bad", "unknown", ""):
        answer = browser.client.get("/whoami", headers={"authorization": f"Bearer {wrong}"})
        assert answer.status_code == 401


def test_who_presents_a_token_is_not_the_person_of_the_cookie(browser: Browser, server: Server) -> None:
    browser.sign_in()
    server.callers.bearers.append(read_token)
    answer = browser.client.get("/whoami", headers={"authorization": "Bearer good"})
    assert answer.json()["subject"] == "service@https://x"
    assert browser.client.get("/whoami", headers={"authorization": "Bearer bad"}).status_code == 401


def test_a_session_ends_when_it_is_not_used_and_at_the_latest(browser: Browser, wait: Callable[[float], None]) -> None:
    browser.sign_in()
    for _ in range(13):
        wait(3500)
        who = browser.whoami()["subject"]
    assert who is None, "after 12 hours, however much it was used"
    browser.sign_in()
    wait(3601)
    assert browser.whoami()["subject"] is None
