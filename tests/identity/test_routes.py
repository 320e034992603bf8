# SPDX-License-Identifier: Apache-2.0
"""Signing in and out over HTTP, and the attacks on it."""

import re
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.to_thread
import httpx
import pytest
import sqlalchemy as sa

from megagenome.identity import begun, tables
from megagenome.identity.begin_limit import MOST
from megagenome.kernel.database import begin_writing
from tests.identity.world import CALLBACK, HERE, SUBJECT, Browser, FakeProvider, Server, make_settings, unsigned
from tests.portal.document import Document

SESSION, SIGN_IN = "session_8600", "signin_8600"


def cookies(answer: httpx.Response) -> dict[str, str]:
    """The cookies that an answer sets, each as its whole header."""
    return {header.partition("=")[0]: header for header in answer.headers.get_list("set-cookie")}


def test_the_whole_way_in_and_out(browser: Browser) -> None:
    assert browser.whoami()["subject"] is None
    answer = browser.sign_in("/whoami?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/whoami?x=1")
    assert browser.whoami() == {"subject": SUBJECT, "name": "Jane Doe", "roles": [], "registered": False, "node": ""}
    answer = browser.post("/logout", {"csrf": browser.csrf()})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?out=1")
    assert "Max-Age=0" in cookies(answer)[SESSION]
    assert browser.whoami()["subject"] is None


def test_cookies_are_out_of_reach_of_scripts_other_sites_and_other_hosts(server: Server, engine: sa.Engine) -> None:
    https = Server(engine, server.provider, make_settings(), "https://hub.example.org")
    for one, names, host in ((server, (SIGN_IN, SESSION), HERE), (https, ("__Host-signin", "__Host-session"), "")):
        with one.browser(host or "https://hub.example.org") as browser:
            address = browser.start()
            begun_cookie = browser.client.cookies.get(names[0])
            answer = browser.come_back(browser.provider.authorize(address))
            assert begun_cookie
            assert begun_cookie not in address
            for name in names:
                flags = {part.strip().lower() for part in cookies(answer)[name].split(";")[1:]}
                assert {"httponly", "path=/", "samesite=lax"} <= flags
                assert not any(flag.startswith("domain") for flag in flags)
                assert ("secure" in flags) == name.startswith("__Host-")


def test_the_redirect_address_is_that_of_the_settings(server: Server, engine: sa.Engine) -> None:
    with server.browser() as browser:
        assert parse_qs(urlsplit(browser.start()).query)["redirect_uri"] == [CALLBACK]
    https = Server(engine, server.provider, make_settings(), "https://hub.example.org")
    with https.browser("http://127.0.0.1:8600") as browser:
        [address] = parse_qs(urlsplit(browser.start()).query)["redirect_uri"]
        assert address == "https://hub.example.org/login/callback"


def test_who_begins_too_often_is_told_to_wait(browser: Browser, engine: sa.Engine) -> None:
    answers = [browser.client.get("/login/start", follow_redirects=False) for _ in range(MOST + 3)]
    assert [answer.status_code for answer in answers] == [303] * MOST + [429] * 3
    assert "try again in a minute" in answers[-1].text
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.sign_in)).scalar_one() == MOST


def test_what_a_caller_writes_of_their_address_frees_nobody(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy of this machine that adds a line of its own under the caller's."""
    answer, addresses = server.app.asgi_handler, count()

    async def behind_a_proxy(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            lines = (f"192.0.2.{next(addresses)}", "198.51.100.7")
            scope["headers"] = [*scope["headers"], *((b"x-forwarded-for", line.encode()) for line in lines)]
            scope["client"] = ("127.0.0.1", 1)
        await answer(scope, receive, send)

    monkeypatch.setattr(server.app, "asgi_handler", behind_a_proxy)
    with server.browser() as browser:
        answers = [browser.client.get("/login/start", follow_redirects=False) for _ in range(MOST + 1)]
    assert [each.status_code for each in answers] == [303] * MOST + [429]


@pytest.mark.parametrize("host", ["http://hub.example.org", "http://10.0.0.1:8600", "http://127.0.0.1.evil.example"])
def test_nobody_signs_in_over_plain_http_from_elsewhere(server: Server, host: str) -> None:
    with server.browser(host) as browser:
        answer = browser.client.get("/login/start", follow_redirects=False)
        assert (answer.status_code, "without https" in answer.text) == (400, True)
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "///evil.example",
        "%2F%2Fevil.example",
        "evil.example",
        "/login/start",
        "/logout",
        "",
        "/" + "a" * 3000,
    ],
)
def test_nobody_is_led_to_another_site(browser: Browser, elsewhere: str) -> None:
    assert browser.sign_in(elsewhere).headers["location"] == "/"
    # and the page before leads nowhere else either, nor does it for somebody who is signed in
    assert browser.client.get("/login", params={"next": elsewhere}, follow_redirects=False).headers["location"] == "/"


def test_an_encoded_path_stays_on_this_site(browser: Browser) -> None:
    location = browser.sign_in("/%2f%2fevil.example/%5cevil").headers["location"]
    assert httpx.URL(HERE).join(location).host == "127.0.0.1"
    assert location.startswith("/%2")


def test_a_session_cannot_be_planted(browser: Browser, server: Server) -> None:
    planted = "A" * 43
    browser.client.cookies.set(SESSION, planted)
    browser.sign_in()
    assert browser.client.cookies.get(SESSION, domain="127.0.0.1") != planted
    with server.browser() as attacker:
        attacker.client.cookies.set(SESSION, planted)
        assert attacker.whoami()["subject"] is None


def test_signing_in_again_ends_the_session_that_the_browser_held(browser: Browser, server: Server) -> None:
    browser.sign_in()
    first = browser.client.cookies[SESSION]
    browser.sign_in()
    assert browser.client.cookies[SESSION] != first
    assert server.sessions.visit(first) is None
    assert len(server.sessions.of(SUBJECT)) == 1


def test_a_sign_in_works_once(browser: Browser) -> None:
    answer = browser.provider.authorize(browser.start())
    secret = browser.client.cookies[SIGN_IN]
    assert browser.come_back(answer).status_code == 303
    browser.client.cookies.clear()
    browser.client.cookies.set(SIGN_IN, secret)
    # the very same, and with another code
    for again in (answer, {**browser.provider.authorize(f"x?response_type=code&state={answer['state']}")}):
        refused = browser.come_back(again)
        assert (refused.status_code, "was used already" in refused.text) == (401, True)
        assert SESSION not in cookies(refused)


def test_a_sign_in_belongs_to_the_browser_that_began_it(browser: Browser, server: Server) -> None:
    """Login CSRF: an attacker's answer, brought to a victim's browser, signs nobody in."""
    with server.browser() as attacker:
        answer = attacker.provider.authorize(attacker.start())
        assert browser.come_back(answer).status_code == 401
        browser.start()
        assert browser.come_back(answer).status_code == 401
        assert browser.whoami()["subject"] is None


def test_a_code_of_another_session_is_refused(browser: Browser, server: Server) -> None:
    """Code injection: the state is the victim's own, the code the attacker's."""
    mine = browser.provider.authorize(browser.start())
    with server.browser() as attacker:
        theirs = attacker.provider.authorize(attacker.start())
    refused = browser.come_back({**mine, "code": theirs["code"]})
    assert refused.status_code == 401
    assert SESSION not in cookies(refused)


def change_nonce(provider: FakeProvider) -> None:
    provider.alter = lambda claims: claims.update(nonce="another")


def change_audience(provider: FakeProvider) -> None:
    provider.alter = lambda claims: claims.update(aud="another")


def change_issuer(provider: FakeProvider) -> None:
    provider.alter = lambda claims: claims.update(iss="https://evil.example")


def do_not_sign(provider: FakeProvider) -> None:
    provider.sign = unsigned


@pytest.mark.parametrize("forge", [change_nonce, change_audience, change_issuer, do_not_sign])
def test_a_forged_token_signs_nobody_in(browser: Browser, forge: Callable[[FakeProvider], None]) -> None:
    forge(browser.provider)
    refused = browser.sign_in()
    assert refused.status_code == 401
    assert SESSION not in cookies(refused)
    assert browser.whoami()["subject"] is None


@pytest.mark.parametrize("changed", [{"iss": "https://evil.example"}, {"iss": ""}, {"state": "x"}, {"state": ""}])
def test_a_mixed_up_answer_signs_nobody_in(browser: Browser, changed: dict[str, str]) -> None:
    answer = {**browser.provider.authorize(browser.start()), **changed}
    assert browser.come_back(answer).status_code == 401
    assert browser.whoami()["subject"] is None


def test_a_parameter_that_stands_twice_signs_nobody_in(browser: Browser) -> None:
    answer = browser.provider.authorize(browser.start())
    twice = f"/login/callback?code=x&code={answer['code']}&state={answer['state']}&iss={answer['iss']}"
    assert browser.client.get(twice, follow_redirects=False).status_code == 400


def test_a_sign_in_ends_after_ten_minutes(browser: Browser, wait: Callable[[float], None]) -> None:
    answer = browser.provider.authorize(browser.start())
    wait(begun.LASTS_S + 1)
    assert browser.come_back(answer).status_code == 401


def test_a_sign_in_that_was_begun_at_another_provider_ends_nowhere(browser: Browser, engine: sa.Engine) -> None:
    answer = browser.provider.authorize(browser.start())
    with engine.begin() as connection:
        connection.execute(sa.update(tables.sign_in).values(issuer="https://earlier.example"))
    assert browser.come_back(answer).status_code == 401


def test_what_the_provider_says_is_shown_as_text(browser: Browser) -> None:
    browser.provider.person |= {
        "name": "<img src=x onerror=alert(1)>",
        "email": '"><script>alert(2)</script>',
        "schac_home_organization": "<b>x</b>",
        "eduperson_scoped_affiliation": ["faculty@<i>y</i>"],
    }
    browser.client.headers["user-agent"] = "<svg onload=alert(3)>"
    browser.sign_in()
    page = browser.client.get("/account").text
    document = Document(page)
    document.check()
    assert not document.all("img") + document.all("b") + document.all("i")
    assert {attributes.get("src", "")[:8] for attributes in document.all("script")} == {"/static/"}
    assert "<img src=x onerror=alert(1)>" in document.text
    refused = browser.client.get("/login/callback?error=<script>alert(4)</script>&state=<b>")
    assert not Document(refused.text).all("b")


def test_a_provider_that_does_not_answer_is_one_clear_page(browser: Browser) -> None:
    browser.provider.broken["openid-configuration"] = httpx.ConnectError("[Errno 111] refused at 10.1.2.3")
    answer = browser.client.get("/login/start", follow_redirects=False)
    assert answer.status_code == 503
    document = Document(answer.text)
    document.check()
    assert "Example Login does not answer" in document.text
    assert "10.1.2.3" not in answer.text
    assert "Traceback" not in answer.text


def test_cancelling_at_the_provider_is_one_clear_page(browser: Browser) -> None:
    answer = browser.provider.authorize(browser.start())
    page = browser.come_back({"error": "access_denied", "state": answer["state"], "iss": answer["iss"]})
    assert page.status_code == 401
    assert "was cancelled" in Document(page.text).text


def test_signing_out_everywhere_ends_all_sessions_at_once(server: Server) -> None:
    with server.browser() as here, server.browser() as there:
        here.sign_in()
        there.sign_in()
        assert len(server.sessions.of(SUBJECT)) == 2
        here.post("/logout", {"csrf": here.csrf(), "everywhere": "1"})
        assert there.whoami()["subject"] is None
        assert server.sessions.of(SUBJECT) == []


def test_one_ends_only_sessions_of_ones_own(server: Server) -> None:
    with server.browser() as jane, server.browser() as janes_other, server.browser() as john:
        jane.sign_in()
        janes_other.sign_in()
        server.provider.person = {"sub": "john", "name": "John"}
        john.sign_in()
        [johns] = server.sessions.of(f"john@{SUBJECT.partition('@')[2]}")
        jane.post("/account/sessions", {"csrf": jane.csrf(), "session": johns.id_sha256})
        assert john.whoami()["name"] == "John"
        assert jane.post("/account/sessions", {"csrf": jane.csrf()}).status_code == 400
        shown = re.findall(r'name="session" value="(\w+)"', jane.client.get("/account").text)
        assert len(shown) == 1
        assert jane.post("/account/sessions", {"csrf": jane.csrf(), "session": shown[0]}).status_code == 303
        assert janes_other.whoami()["subject"] is None
        assert jane.whoami()["name"] == "Jane Doe"


def test_registered_access_needs_the_terms_and_standing_as_a_researcher(browser: Browser, server: Server) -> None:
    browser.sign_in()
    assert not browser.whoami()["registered"]
    assert browser.post("/account/terms", {"csrf": browser.csrf()}).status_code == 303
    assert not browser.whoami()["registered"]
    browser.provider.person["eduperson_scoped_affiliation"] = ["faculty@example.org", "member@example.org"]
    browser.sign_in()
    assert browser.whoami()["registered"]
    with server.browser() as another:
        browser.provider.person = {"sub": "2", "eduperson_scoped_affiliation": "faculty@example.org"}
        another.sign_in()
        assert not another.whoami()["registered"]


@pytest.mark.parametrize("path", ["/logout", "/account/sessions", "/account/terms"])
def test_who_is_not_signed_in_changes_nothing(browser: Browser, path: str) -> None:
    assert browser.post(path).status_code == 401


def test_a_get_changes_nothing(browser: Browser) -> None:
    browser.sign_in()
    for path in ("/logout", "/account/sessions", "/account/terms"):
        assert browser.client.get(path).status_code == 405
    assert browser.whoami()["subject"] == SUBJECT


def test_who_signs_in_while_a_load_holds_the_database_takes_no_thread_from_others(
    server: Server, engine: sa.Engine
) -> None:
    async def rush() -> int:
        transport = httpx.ASGITransport(server.app)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client, anyio.create_task_group() as all_:
            with begin_writing(engine):
                for _ in range(50):
                    all_.start_soon(client.get, "/login/start")
                threads = anyio.to_thread.current_default_thread_limiter()
                for _ in range(20):  # who waits for the load would wait for 30 s
                    await anyio.sleep(0.5)
                    if not threads.borrowed_tokens:
                        break
                return threads.borrowed_tokens

    assert anyio.run(rush) == 0
