# SPDX-License-Identifier: Apache-2.0
"""A browser without a screen, against pages that say what they were sent."""

import httpx
import pytest

from megagenome.app.demo.walk.browser import Browser, Upload
from megagenome.kernel.errors import Unavailable

FORM = '<main><form method="post" action="/do"><input type="hidden" name="csrf" value="secret"></form></main>'
SENT: list[httpx.Request] = []


def answer(request: httpx.Request) -> httpx.Response:
    SENT.append(request)
    match request.url.path:
        case "/page":
            return httpx.Response(200, text=FORM, headers={"set-cookie": "session=mine; Path=/"})
        case "/files":
            return httpx.Response(200, text=FORM.replace("<form", '<form enctype="multipart/form-data"'))
        case "/do":
            return httpx.Response(303, headers={"location": "/done"})
        case "/gone":
            return httpx.Response(403, text="<main>not yours</main>")
        case _:
            return httpx.Response(200, text="<main><h1>Done</h1></main>")


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    def client(**options: object) -> httpx.Client:
        return real(transport=httpx.MockTransport(answer), **{k: v for k, v in options.items() if k != "trust_env"})

    real: type = httpx.Client
    monkeypatch.setattr(httpx, "Client", client)
    SENT.clear()
    return Browser()


def test_a_form_is_sent_as_its_page_made_it(browser: Browser) -> None:
    page = browser.open("http://hub:1/page")
    after = browser.submit(page, "/do", {"vote": ["a", "b"]})
    assert (after.url, after.content.heading) == ("http://hub:1/done", "Done")
    sent = SENT[1]
    assert sent.content == b"csrf=secret&vote=a&vote=b"
    assert (sent.headers["origin"], sent.headers["sec-fetch-site"]) == ("http://hub:1", "same-origin")
    assert sent.headers["cookie"] == "session=mine"


def test_documents_go_with_their_form(browser: Browser) -> None:
    browser.submit(browser.open("http://hub:1/files"), "/do", {}, [Upload("file:plan", "plan.txt", b"the plan")])
    body = SENT[1].content
    assert SENT[1].headers["content-type"].startswith("multipart/form-data")
    assert b'name="csrf"\r\n\r\nsecret' in body
    assert b'name="file:plan"; filename="plan.txt"' in body
    assert b"the plan" in body


def test_scripts_send_the_token_of_their_page(browser: Browser) -> None:
    with browser.client_of(browser.open("http://hub:1/page")) as client:
        client.post("/api", json={})
    assert SENT[1].headers["x-csrf-token"] == "secret"
    assert SENT[1].headers["cookie"] == "session=mine"


def test_what_a_page_refuses_or_does_not_have_is_said(browser: Browser) -> None:
    page = browser.open("http://hub:1/page")
    with pytest.raises(Unavailable, match="answers 403: not yours"):
        browser.open("http://hub:1/gone")
    with pytest.raises(Unavailable, match="no form for /other"):
        browser.submit(page, "/other", {})
    with pytest.raises(Unavailable, match="no link “Next”"):
        browser.follow(page, "Next")
    with pytest.raises(Unavailable, match="no form of a session"):
        browser.client_of(browser.open("http://hub:1/done"))
