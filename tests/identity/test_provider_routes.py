# SPDX-License-Identifier: Apache-2.0
"""The demo's provider over HTTP, with our own relying party and with requests that no browser of ours sends."""

from collections.abc import Iterator

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from megagenome.app.provider_app import provider_app
from megagenome.identity.begun import keys_of
from megagenome.identity.oidc import RelyingParty
from megagenome.identity.provider import Client, DemoProvider
from megagenome.identity.provider_calls import ProviderCalls
from megagenome.identity.settings import SignInSettings
from megagenome.identity.subjects import Profile
from tests.identity.test_provider import ACCOUNT, ASKED, ISSUER
from tests.identity.world import CALLBACK
from tests.portal.document import Document

KEYS = keys_of("the browser's secret")
ORIGIN = {"origin": ISSUER}
RIGHT = {"username": "rosa", "password": "right"}


@pytest.fixture(scope="module")
def provider() -> Iterator[TestClient[Litestar]]:
    app = provider_app(DemoProvider(ISSUER, (ACCOUNT,), (Client("hub", CALLBACK),)))
    with TestClient(app, base_url=ISSUER) as client:
        client.follow_redirects = False
        yield client


def calls(provider: TestClient[Litestar]) -> ProviderCalls:
    def answer(request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        found = provider.request(request.method, str(request.url), content=request.content, headers=headers)
        return httpx.Response(found.status_code, content=found.content, headers=found.headers)

    return ProviderCalls("Demo", httpx.MockTransport(answer))


def test_our_relying_party_signs_people_in_by_it_as_by_any_other(provider: TestClient[Litestar]) -> None:
    party = RelyingParty(SignInSettings(issuer=ISSUER, client_id="hub"), calls(provider))
    address = party.address(KEYS, CALLBACK)
    Document(provider.get(address).text).check()
    sent = provider.post(address, data=RIGHT, headers=ORIGIN)
    answer = dict(httpx.URL(sent.headers["location"]).params)
    assert party.profile(answer, KEYS, CALLBACK) == Profile(
        f"rosa@{ISSUER}", "Rosa", "rosa@university.example", "university.example", ("faculty@university.example",)
    )


def test_a_wrong_password_shows_the_form_again_without_it(provider: TestClient[Litestar]) -> None:
    page = provider.post("/authorize", params=ASKED, data={**RIGHT, "password": "s3cret<"}, headers=ORIGIN)
    document = Document(page.text)
    document.check()
    assert page.status_code == 401
    assert "s3cret" not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_its_form_is_taken_from_its_own_page_only(provider: TestClient[Litestar]) -> None:
    for headers in ({}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        refused = provider.post("/authorize", params=ASKED, data=RIGHT, headers=headers)
        assert (refused.status_code, "location" in refused.headers) == (403, False)


@pytest.mark.parametrize("redirect_uri", ["https://evil.example", "javascript:alert(1)", CALLBACK + "\r\nx: y", ""])
def test_it_leads_nobody_elsewhere(provider: TestClient[Litestar], redirect_uri: str) -> None:
    refused = provider.get("/authorize", params={**ASKED, "redirect_uri": redirect_uri})
    assert (refused.status_code, "location" in refused.headers) == (400, False)


def test_nothing_stands_twice(provider: TestClient[Litestar]) -> None:
    twice = str(httpx.QueryParams({**ASKED})) + "&state=other"
    assert provider.get(f"/authorize?{twice}").status_code == 400


def test_errors_of_a_known_client_go_back_to_it(provider: TestClient[Litestar]) -> None:
    answer = provider.get("/authorize", params={**ASKED, "prompt": "none"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{CALLBACK}?error=login_required&")


def test_wrong_tokens_get_the_errors_of_oauth(provider: TestClient[Litestar]) -> None:
    answer = provider.post("/token", data={"grant_type": "authorization_code", "code": "x"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "Basic x"}):
        answer = provider.get("/userinfo", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
