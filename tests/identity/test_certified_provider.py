# SPDX-License-Identifier: Apache-2.0
"""Signing in by the certified OpenID provider (npm `oidc-provider`), in a process of its own, over real sockets."""

import re
import secrets
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from megagenome.identity.begun import keys_of
from megagenome.identity.oidc import RelyingParty
from megagenome.identity.settings import SignInSettings
from megagenome.identity.subjects import Profile
from megagenome.kernel.errors import Unauthenticated, Unavailable
from megagenome.kernel.secret import Secret
from tests.journeys.network import free_ports

pytestmark = pytest.mark.oidc_provider

FOLDER = Path(__file__).parent / "oidc_provider"
CALLBACK = "http://127.0.0.1:8600/login/callback"
KEYS = keys_of("the browser's secret")


class Certified(NamedTuple):
    issuer: str
    secret: str


@pytest.fixture(scope="module")
def certified() -> Iterator[Certified]:
    port = free_ports(1)
    secret = secrets.token_urlsafe(32)
    command = ["node", "serve.mjs", str(port), CALLBACK, secret]
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            line = next(iter(process.stdout), "")
            assert line == "ready\n", process.stderr.read() if process.stderr else ""
            yield Certified(f"http://127.0.0.1:{port}", secret)
        finally:
            process.kill()


def person_signs_in(address: str, name: str) -> dict[str, str]:
    """What a browser does at the provider: fill in its forms until it sends the browser back."""
    with httpx.Client(trust_env=False) as client:
        answer = client.get(address)
        for _ in range(10):
            location = answer.headers.get("location", "")
            if location.startswith(CALLBACK):
                return dict(httpx.URL(location).params)
            if location:
                answer = client.get(answer.url.join(location))
                continue
            assert answer.status_code == 200, answer.text
            action = unescape(re.findall(r'<form[^>]* action="([^"]+)"', answer.text)[0])
            prompt = re.findall(r'name="prompt" value="(\w+)"', answer.text)[0]
            answer = client.post(answer.url.join(action), data={"prompt": prompt, "login": name, "password": "any"})
        raise AssertionError("the provider's forms lead nowhere")


def relying(certified: Certified, client: str = "public", **settings: Any) -> RelyingParty:
    return RelyingParty(SignInSettings(issuer=certified.issuer, client_id=client, **settings))


@pytest.mark.parametrize("client", ["public", "secret-basic"])
def test_people_sign_in(certified: Certified, client: str) -> None:
    secret = Secret(certified.secret) if client == "secret-basic" else Secret()
    party = relying(certified, client, client_secret=secret)
    answer = person_signs_in(party.address(KEYS, CALLBACK), "jane")
    expected = (f"jane@{certified.issuer}", "Person <jane>", "jane@example.org", "example.org")
    assert party.profile(answer, KEYS, CALLBACK) == Profile(*expected, ("faculty@example.org",))
    with pytest.raises(Unauthenticated, match="did not accept"):
        party.profile(answer, KEYS, CALLBACK)


def test_a_code_is_bound_to_the_browser_that_asked_for_it(certified: Certified) -> None:
    party = relying(certified)
    stolen = person_signs_in(party.address(KEYS, CALLBACK), "jane")
    with pytest.raises(Unauthenticated, match="did not accept"):
        party.profile(stolen, keys_of("another browser's"), CALLBACK)


def test_a_wrong_secret_signs_nobody_in(certified: Certified) -> None:
    party = relying(certified, "secret-basic", client_secret=Secret("guessed"))
    answer = person_signs_in(party.address(KEYS, CALLBACK), "jane")
    with pytest.raises(Unauthenticated, match="did not accept"):
        party.profile(answer, KEYS, CALLBACK)


def test_the_answer_names_its_issuer(certified: Certified) -> None:
    party = relying(certified)
    answer = person_signs_in(party.address(KEYS, CALLBACK), "jane")
    assert answer["iss"] == certified.issuer
    del answer["iss"]
    with pytest.raises(Unauthenticated, match="which provider"):
        party.profile(answer, KEYS, CALLBACK)


def test_a_form_that_we_do_not_read_says_what_to_change(certified: Certified) -> None:
    party = relying(certified, "signed-userinfo")
    answer = person_signs_in(party.address(KEYS, CALLBACK), "jane")
    with pytest.raises(Unavailable, match="switch signed or encrypted user information off"):
        party.profile(answer, KEYS, CALLBACK)


def test_a_provider_that_is_gone_is_one_clear_condition() -> None:
    gone = RelyingParty(
        SignInSettings(issuer=f"http://127.0.0.1:{free_ports(1)}", client_id="x", provider="The provider")
    )
    with pytest.raises(Unavailable, match=r"^The provider does not answer \(ConnectError\)"):
        gone.address(KEYS, CALLBACK)
