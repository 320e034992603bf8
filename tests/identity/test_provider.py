# SPDX-License-Identifier: Apache-2.0
"""The demo's provider, asked as a client asks, right and wrong."""

import base64
import hashlib
import re
import threading
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest

from megagenome.identity import provider as module
from megagenome.identity.demo_accounts import make_account
from megagenome.identity.provider import Client, DemoProvider, TurnedAway
from megagenome.kernel.errors import Invalid, RateLimited, Unauthenticated
from tests.identity.world import CALLBACK, s256

ISSUER = "http://127.0.0.1:8699"
VERIFIER = "v" * 43
ASKED = {
    "response_type": "code",
    "client_id": "hub",
    "redirect_uri": CALLBACK,
    "scope": "openid profile email",
    "state": "a state",
    "nonce": "n",
    "code_challenge": s256(VERIFIER),
    "code_challenge_method": "S256",
}
EXCHANGE = {
    "grant_type": "authorization_code",
    "client_id": "hub",
    "redirect_uri": CALLBACK,
    "code_verifier": VERIFIER,
}
ACCOUNT = make_account("rosa", "Rosa", "university.example", ("faculty@university.example",), "right")


@dataclass
class Clock:
    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Clock:
    ticking = Clock()
    monkeypatch.setattr(module, "time", ticking)
    return ticking


@pytest.fixture
def demo() -> DemoProvider:
    clients = (Client("hub", CALLBACK), Client("node", "http://127.0.0.1:8601/login/callback"))
    return DemoProvider(ISSUER, (ACCOUNT,), clients)


def code_of(demo: DemoProvider, **changed: str) -> str:
    address = demo.sign_in(demo.asked({**ASKED, **changed}), "rosa", "right")
    return dict(parse_qsl(urlsplit(address).query))["code"]


def test_a_code_becomes_tokens_once(demo: DemoProvider) -> None:
    address = demo.sign_in(demo.asked(ASKED), "rosa", "right")
    answer = dict(parse_qsl(urlsplit(address).query))
    assert address.startswith(CALLBACK + "?")
    assert (answer["state"], answer["iss"]) == ("a state", ISSUER)
    token = demo.token({**EXCHANGE, "code": answer["code"]})
    assert demo.userinfo(token["access_token"]) == {
        "sub": "rosa",
        "name": "Rosa",
        "preferred_username": "rosa",
        "email": "rosa@university.example",
        "email_verified": True,
        "schac_home_organization": "university.example",
        "eduperson_scoped_affiliation": ["faculty@university.example"],
    }
    with pytest.raises(TurnedAway, match="was used"):
        demo.token({**EXCHANGE, "code": answer["code"]})


def test_only_what_was_asked_for_is_told(demo: DemoProvider) -> None:
    token = demo.token({**EXCHANGE, "code": code_of(demo, scope="openid")})
    assert not {"name", "email"} & set(demo.userinfo(token["access_token"]))


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "guessed"},
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"code_verifier": s256(VERIFIER)},
        {"client_id": "node"},
        {"client_id": ""},
        {"redirect_uri": "http://127.0.0.1:8601/login/callback"},
        {"grant_type": "password"},
    ],
)
def test_a_code_is_worth_nothing_to_others(demo: DemoProvider, changed: dict[str, str]) -> None:
    with pytest.raises(TurnedAway):
        demo.token({**EXCHANGE, "code": code_of(demo), **changed})


def test_a_code_that_was_tried_wrongly_is_spent(demo: DemoProvider) -> None:
    code = code_of(demo)
    with pytest.raises(TurnedAway):
        demo.token({**EXCHANGE, "code": code, "code_verifier": "w" * 43})
    with pytest.raises(TurnedAway):
        demo.token({**EXCHANGE, "code": code})


@pytest.mark.parametrize(
    "changed", [{"client_id": "x"}, {"redirect_uri": "https://evil.example"}, {"redirect_uri": CALLBACK + "/.."}]
)
def test_no_browser_is_sent_to_an_address_that_is_not_a_clients(demo: DemoProvider, changed: dict[str, str]) -> None:
    with pytest.raises(TurnedAway) as turned:
        demo.asked({**ASKED, **changed})
    assert turned.value.address == ""


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_what_is_not_served_goes_back_as_an_error(demo: DemoProvider, changed: dict[str, str], code: str) -> None:
    with pytest.raises(TurnedAway) as turned:
        demo.asked({**ASKED, **changed})
    answer = dict(parse_qsl(urlsplit(turned.value.address).query))
    assert answer == {"error": code, "state": "a state", "iss": ISSUER}


def test_codes_and_tokens_end(demo: DemoProvider, ticking: Clock) -> None:
    code = code_of(demo)
    ticking.now += module.CODE_LASTS_S + 1
    with pytest.raises(TurnedAway, match="too old"):
        demo.token({**EXCHANGE, "code": code})
    token = demo.token({**EXCHANGE, "code": code_of(demo)})["access_token"]
    assert demo.userinfo(token)
    ticking.now += module.TOKEN_LASTS_S + 1
    with pytest.raises(Unauthenticated):
        demo.userinfo(token)


@pytest.mark.parametrize("who", [("rosa", "wrong"), ("rosa", ""), ("nobody", "right"), ("", ""), ("ROSA", "right")])
def test_a_wrong_name_and_a_wrong_password_say_and_cost_the_same(
    demo: DemoProvider, monkeypatch: pytest.MonkeyPatch, who: tuple[str, str]
) -> None:
    digested: list[str] = []
    real = module.digest_password

    def digest(password: str, salt: bytes) -> bytes:
        digested.append(password)
        return real(password, salt)

    monkeypatch.setattr(module, "digest_password", digest)
    with pytest.raises(Unauthenticated, match=r"^this name and password do not belong together$"):
        demo.sign_in(demo.asked(ASKED), *who)
    # the one step that takes time is taken for everybody
    assert digested == [who[1]]


def test_passwords_cannot_be_tried_without_end(demo: DemoProvider, ticking: Clock) -> None:
    asked = demo.asked(ASKED)
    for attempt in range(module.ATTEMPTS):
        demo.sign_in(asked, "rosa", "right")
        with pytest.raises(Unauthenticated):
            demo.sign_in(asked, f"guess{attempt}", "wrong")
        ticking.now += 1
    for name, password in (("rosa", "right"), ("nobody", "x")):
        with pytest.raises(RateLimited):
            demo.sign_in(asked, name, password)
    ticking.now += module.ATTEMPTS_IN_S
    assert demo.sign_in(asked, "rosa", "right")


def test_passwords_that_are_tried_at_once_are_counted_before_they_are_looked_at(demo: DemoProvider) -> None:
    asked, answers = demo.asked(ASKED), list[type[Exception]]()

    def attempt() -> None:
        try:
            demo.sign_in(asked, "rosa", "wrong")
        except (Unauthenticated, RateLimited) as error:
            answers.append(type(error))

    threads = [threading.Thread(target=attempt) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(Unauthenticated) == module.ATTEMPTS
    assert answers.count(RateLimited) == 20


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.example.org",
        "http://10.0.0.1:8699",
        "http://0.0.0.0:8699",
        "http://localhost.evil.example",
        "http://[::]:1",
        "https://127.0.0.1",
    ],
)
def test_it_serves_this_machine_only(issuer: str) -> None:
    with pytest.raises(Invalid, match="this machine only"):
        DemoProvider(issuer, (), ())


def test_its_keys_and_codes_are_bounded_and_public_where_they_must(
    demo: DemoProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    [key] = demo.jwks()["keys"]
    assert (key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256")
    assert "d" not in key
    monkeypatch.setattr(module, "MOST", 3)
    codes = [code_of(demo) for _ in range(4)]
    with pytest.raises(TurnedAway):
        demo.token({**EXCHANGE, "code": codes[0]})
    assert demo.token({**EXCHANGE, "code": codes[3]})


def test_the_hash_of_the_access_token_is_that_of_the_standard(demo: DemoProvider) -> None:
    token = demo.token({**EXCHANGE, "code": code_of(demo)})
    body = token["id_token"].split(".")[1]
    claims = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    half = hashlib.sha256(token["access_token"].encode()).digest()[:16]
    expected = base64.urlsafe_b64encode(half).decode().rstrip("=")
    assert re.search(rf'"at_hash": ?"{re.escape(expected)}"', claims)
