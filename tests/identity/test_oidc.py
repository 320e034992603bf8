# SPDX-License-Identifier: Apache-2.0
"""The relying party against a provider that breaks one rule at a time."""

import base64
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from megagenome.identity.begun import BegunKeys, keys_of
from megagenome.identity.oidc import RelyingParty
from megagenome.identity.subjects import Profile
from megagenome.kernel import clock
from megagenome.kernel.errors import Unauthenticated, Unavailable
from megagenome.kernel.secret import Secret
from tests.identity.world import (
    CALLBACK,
    CLIENT,
    ISSUER,
    SUBJECT,
    Claims,
    FakeProvider,
    make_settings,
    s256,
    signed_by_hmac,
    unsigned,
)

KEYS = keys_of("the browser's secret")
SECRET = "p%ss:wörd +/"


def sign_in(provider: FakeProvider, keys: BegunKeys = KEYS, **settings: Any) -> Profile:
    relying = RelyingParty(make_settings(**settings), provider.calls())
    return relying.profile(provider.authorize(relying.address(keys, CALLBACK)), keys, CALLBACK)


def now() -> int:
    return int(clock.now().timestamp())


def test_the_address_asks_for_a_code_with_pkce_state_and_nonce(provider: FakeProvider) -> None:
    address = httpx.URL(RelyingParty(make_settings(), provider.calls()).address(KEYS, CALLBACK))
    assert dict(address.params) == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": CALLBACK,
        "scope": "openid profile email",
        "state": KEYS.state,
        "nonce": KEYS.nonce,
        "code_challenge": s256(KEYS.verifier),
        "code_challenge_method": "S256",
    }
    assert str(address).startswith(f"{ISSUER}/auth?")
    assert len({KEYS.state, KEYS.nonce, KEYS.verifier}) == 3


def test_who_signed_in_is_the_subject_at_the_issuer(provider: FakeProvider) -> None:
    assert sign_in(provider) == Profile(SUBJECT, "Jane Doe", "jane@example.org")


def test_rs256_is_spoken_too(provider: FakeProvider) -> None:
    provider.key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
    provider.published, provider.algorithm = [provider.key], "RS256"
    assert sign_in(provider).subject == SUBJECT


def test_a_token_may_name_no_key_where_the_provider_has_one(provider: FakeProvider) -> None:
    from joserfc import jwt

    provider.sign = lambda claims: jwt.encode({"alg": "ES256"}, claims, provider.key, algorithms=["ES256"])
    assert sign_in(provider).subject == SUBJECT


@pytest.mark.parametrize("methods", [None, ["client_secret_basic", "client_secret_post"], ["client_secret_post"]])
def test_a_client_with_a_secret_shows_it_as_the_provider_wants(
    provider: FakeProvider, methods: list[str] | None, caplog: pytest.LogCaptureFixture
) -> None:
    if methods:
        provider.discovery["token_endpoint_auth_methods_supported"] = methods
    with caplog.at_level(logging.DEBUG):
        sign_in(provider, client_secret=Secret(SECRET))
    [asked] = [request for request in provider.asked if request.url.path.endswith("/token")]
    if methods == ["client_secret_post"]:
        assert b"client_secret=p%25ss%3Aw%C3%B6rd+%2B%2F" in asked.content
    else:
        shown = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
        # RFC 6749, 2.3.1 and appendix B
        assert shown == "hub.example:p%25ss%3Aw%C3%B6rd%20%2B%2F"
        assert b"client_secret" not in asked.content
    assert "p%" not in caplog.text
    assert "code0" not in caplog.text


FORGED: dict[str, Callable[[Claims], object]] = {
    "another issuer": lambda claims: claims.update(iss="https://evil.example"),
    "an issuer with a slash": lambda claims: claims.update(iss=ISSUER + "/"),
    "no issuer": lambda claims: claims.pop("iss"),
    "another audience": lambda claims: claims.update(aud="other"),
    "no audience": lambda claims: claims.pop("aud"),
    "an audience that only begins like us": lambda claims: claims.update(aud=CLIENT + "2"),
    "two audiences and no azp": lambda claims: claims.update(aud=[CLIENT, "other"]),
    "two audiences and another azp": lambda claims: claims.update(aud=[CLIENT, "other"], azp="other"),
    "another azp": lambda claims: claims.update(azp="other"),
    "expired": lambda claims: claims.update(exp=now() - 61),
    "an end that is no number": lambda claims: claims.update(exp="tomorrow"),
    "never expiring": lambda claims: claims.pop("exp"),
    "from the future": lambda claims: claims.update(iat=now() + 120),
    "not yet": lambda claims: claims.update(nbf=now() + 120),
    "no time of issue": lambda claims: claims.pop("iat"),
    "no subject": lambda claims: claims.pop("sub"),
    "a subject that is no text": lambda claims: claims.update(sub=["248289761001"]),
    "another nonce": lambda claims: claims.update(nonce="other"),
    "no nonce": lambda claims: claims.pop("nonce"),
    "a nonce that is no text": lambda claims: claims.update(nonce=[KEYS.nonce]),
    "the hash of another access token": lambda claims: claims.update(at_hash="77QmUPtjPfzWtF2AnpK9RQ"),
    "a hash that is no text": lambda claims: claims.update(at_hash=True),
}


@pytest.mark.parametrize("wrong", FORGED)
def test_a_token_with_a_wrong_claim_signs_nobody_in(provider: FakeProvider, wrong: str) -> None:
    provider.alter = lambda claims: FORGED[wrong](claims) and None
    with pytest.raises(Unauthenticated):
        sign_in(provider)


def test_claims_that_are_right_in_other_forms_sign_in(provider: FakeProvider) -> None:
    # at_hash of the token "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y" is OpenID Connect Core's own example, A.3
    provider.access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    right = {"at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "aud": [CLIENT, "account"], "azp": CLIENT, "exp": now() + 300}
    provider.alter = lambda claims: claims.update(right)
    assert sign_in(provider).subject == SUBJECT
    provider.alter = lambda claims: claims.update(aud=[CLIENT], exp=now() - 30)
    assert sign_in(provider).subject == SUBJECT


def another_key(provider: FakeProvider) -> Callable[[Claims], str]:
    key = ECKey.generate_key("P-256", {"kid": provider.key.kid or ""})
    forger = FakeProvider()
    forger.key = key
    return forger._sign


def test_a_token_that_is_not_signed_by_the_provider_signs_nobody_in(provider: FakeProvider) -> None:
    unknown = FakeProvider()
    for sign in (
        unsigned,
        signed_by_hmac(provider),
        another_key(provider),
        unknown._sign,
        lambda _: "a.b",
        lambda _: "",
    ):
        provider.sign = sign
        with pytest.raises(Unauthenticated):
            sign_in(provider)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_token_signed_by_a_weak_key_of_the_provider_is_refused(provider: FakeProvider) -> None:
    provider.key = RSAKey.generate_key(1024, auto_kid=True)
    provider.published, provider.algorithm = [provider.key], "RS256"
    with pytest.raises(Unauthenticated, match=r"no key .* that can be used"):
        sign_in(provider)


def test_a_token_of_another_curve_is_refused(provider: FakeProvider) -> None:
    provider.key = ECKey.generate_key("P-384", auto_kid=True)
    provider.published, provider.algorithm = [provider.key], "ES384"
    with pytest.raises(Unauthenticated, match="not one of ES256, RS256"):
        sign_in(provider)
    impostor = FakeProvider()
    impostor.key = ECKey.generate_key("P-256", {"kid": provider.key.kid or ""})
    provider.sign = impostor._sign
    with pytest.raises(Unauthenticated, match=r"no key .* that can be used"):
        sign_in(provider)


def test_new_keys_are_asked_for_when_an_unknown_one_signs(
    provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    relying = RelyingParty(make_settings(), provider.calls())
    answer = provider.authorize(relying.address(KEYS, CALLBACK))
    provider.key = ECKey.generate_key("P-256", auto_kid=True)
    provider.published = [provider.key]
    with pytest.raises(Unauthenticated, match=r"no key .* that can be used"):
        relying.profile(answer, KEYS, CALLBACK)
    before = len(provider.asked)
    monkeypatch.setattr("megagenome.identity.oidc.KEYS_AGAIN_S", 0.0)
    answer = provider.authorize(relying.address(KEYS, CALLBACK))
    assert len(provider.asked) == before
    assert relying.profile(answer, KEYS, CALLBACK).subject == SUBJECT


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"iss": "https://evil.example"}, "another provider"),
        ({"iss": None}, "which provider"),
        ({"code": None}, "no code"),
        ({"error": "access_denied"}, "cancelled"),
        ({"error": "<script>alert(1)</script>"}, "provider answered"),
        ({"code": "guessed"}, "did not accept"),
    ],
)
def test_a_wrong_answer_of_the_provider_signs_nobody_in(
    provider: FakeProvider, answer: dict[str, str | None], says: str
) -> None:
    relying = RelyingParty(make_settings(), provider.calls())
    came = {**provider.authorize(relying.address(KEYS, CALLBACK)), **answer}
    with pytest.raises(Unauthenticated, match=says):
        relying.profile({name: value for name, value in came.items() if value is not None}, KEYS, CALLBACK)


def test_the_issuer_may_be_missing_where_the_provider_never_sends_it(provider: FakeProvider) -> None:
    del provider.discovery["authorization_response_iss_parameter_supported"]
    relying = RelyingParty(make_settings(), provider.calls())
    answer = provider.authorize(relying.address(KEYS, CALLBACK))
    del answer["iss"]
    assert relying.profile(answer, KEYS, CALLBACK).subject == SUBJECT


def test_a_code_of_another_sign_in_is_worth_nothing(provider: FakeProvider) -> None:
    relying = RelyingParty(make_settings(), provider.calls())
    stolen = provider.authorize(relying.address(keys_of("another browser's"), CALLBACK))
    with pytest.raises(Unauthenticated):
        relying.profile({**stolen, "state": KEYS.state}, KEYS, CALLBACK)


def test_user_information_of_somebody_else_signs_nobody_in(provider: FakeProvider) -> None:
    provider.alter = lambda claims: claims.update(sub="another")
    with pytest.raises(Unauthenticated, match="two different people"):
        sign_in(provider)


def test_a_provider_without_user_information_tells_it_in_the_token(provider: FakeProvider) -> None:
    del provider.discovery["userinfo_endpoint"]
    provider.alter = lambda claims: claims.update(name="Jane of the Token")
    assert sign_in(provider).name == "Jane of the Token"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"issuer": ISSUER + "/"}, "must be exactly"),
        ({"issuer": "https://evil.example"}, "must be exactly"),
        ({"authorization_endpoint": "http://login.example.org/auth"}, "not https"),
        ({"token_endpoint": "http://login.example.org/token"}, "not https"),
        ({"jwks_uri": "file:///etc/passwd"}, "not https"),
        ({"userinfo_endpoint": "javascript:alert(1)"}, "not https"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"token_endpoint": 3}, "cannot be read"),
    ],
)
def test_a_discovery_document_that_is_wrong_is_not_used(
    provider: FakeProvider, changed: dict[str, Any], says: str
) -> None:
    provider.discovery |= changed
    with pytest.raises(Unavailable, match=says):
        RelyingParty(make_settings(), provider.calls()).address(KEYS, CALLBACK)
    assert len(provider.asked) == 1


BROKEN: dict[str, Callable[[], httpx.Response | Exception]] = {
    "refused": lambda: httpx.ConnectError("refused"),
    "slow": lambda: httpx.ReadTimeout("slow"),
    "failing": lambda: httpx.Response(500, text="Traceback"),
    "leading elsewhere": lambda: httpx.Response(302, headers={"location": "http://169.254.169.254/"}),
    "a page": lambda: httpx.Response(200, text="<html>"),
    "endless": lambda: httpx.Response(200, content=b"x" * (2 << 20)),
}


@pytest.mark.parametrize("endpoint", ["openid-configuration", "keys", "token", "userinfo"])
@pytest.mark.parametrize("broken", BROKEN)
def test_a_provider_that_fails_is_one_clear_condition(provider: FakeProvider, endpoint: str, broken: str) -> None:
    provider.broken[endpoint] = BROKEN[broken]()
    with pytest.raises((Unavailable, Unauthenticated)) as failed:
        sign_in(provider)
    assert "Traceback" not in str(failed.value)
    assert "\n" not in str(failed.value)
    assert not [request for request in provider.asked if "169.254" in str(request.url)]


def test_the_provider_is_not_asked_about_itself_each_time(provider: FakeProvider) -> None:
    relying = RelyingParty(make_settings(), provider.calls())
    for _ in range(3):
        relying.address(KEYS, CALLBACK)
    assert len(provider.asked) == 2


def test_without_an_issuer_nobody_can_sign_in() -> None:
    with pytest.raises(Unavailable, match=r"signin\.issuer"):
        RelyingParty(make_settings(issuer="")).address(KEYS, CALLBACK)
