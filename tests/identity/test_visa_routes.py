# SPDX-License-Identifier: Apache-2.0
"""A passport for a proof of who asks, and that passport as a bearer token: over HTTP, with sign-in in front."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import KeySet

from benchmarks.parts.passports import FORGERIES, world
from benchmarks.parts.passports.forging import altered
from benchmarks.parts.passports.world import HUB, LOGIN, sign_passport
from megagenome.identity.needs import Granted
from megagenome.identity.passports import Passports
from megagenome.identity.trust import Broker, TrustStore
from megagenome.identity.trust_settings import BrokerSettings, IssuerSettings, SourceSettings, TrustSettings
from megagenome.identity.visa_mint import VisaMint
from megagenome.identity.visa_routes import visa_router
from megagenome.kernel import clock
from megagenome.kernel.keys import SigningKeys
from tests.identity.test_token_exchange import GOOD
from tests.identity.world import HERE, SUBJECT, Browser, FakeProvider, Server, make_settings

REGISTRY = world.REGISTRY
STORE = TrustStore(
    TrustSettings(
        brokers=(BrokerSettings(HUB.iss, jwks_file="hub"), BrokerSettings(LOGIN.iss, jwks_file="login")),
        issuers=(
            IssuerSettings(
                REGISTRY.iss,
                REGISTRY.jku,
                (SourceSettings(REGISTRY.iss, (world.REGISTERED_ACCESS,)),),
                ("AcceptedTermsAndPolicies", "ResearcherStatus"),
                jwks_file="registry",
            ),
            IssuerSettings(HUB.iss, HUB.jku, (SourceSettings(HUB.iss),), linking=True, jwks_file="hub"),
        ),
    ),
    {"hub": HUB.published(), "login": LOGIN.published(), "registry": REGISTRY.published()},
)
NOT_FORGED_HERE = {"expired", "from the future", "another person"}
"""Times are those of the forgers' own world; of whom a broker speaks is its own word, and only visas contradict it."""

MINT = world.Mint(random.Random(5))


def now() -> int:
    return int(clock.now().timestamp())


def shown(signer: world.Signer = HUB, sub: str = "h-1", visas: tuple[str, ...] = (), **claims: Any) -> str:
    """A passport of today, for this server."""
    today: dict[str, Any] = {"iat": now(), "exp": now() + 300, "aud": [HERE], "nbf": 0}
    return sign_passport(altered(MINT.passport(signer, sub), **today | claims), list(visas))


@pytest.fixture
def server(tmp_path: Path, engine: sa.Engine) -> Server:
    """With one dataset to which whoever signs in as `SUBJECT`, and h-1 of the hub, have access."""
    server = Server(engine, FakeProvider(), make_settings())
    until = datetime.now(UTC) + timedelta(hours=3)
    grants = {SUBJECT: until, f"h-1@{HUB.iss}": until}
    keys = SigningKeys.open(tmp_path / "keys")
    mint = VisaMint(keys, HERE, lambda who: [Granted("EE-1", clock.now(), grants[who])] if who in grants else [])
    joined = Broker("https://joined.example/", world.FINLAND.published(), "", whole_subjects=True)
    passports = Passports(STORE, mint, lambda: [joined])
    server.callers.bearers.append(passports.caller)
    server.app.register(visa_router(mint, passports))
    return server


@pytest.fixture
def browser(server: Server) -> Iterator[Browser]:
    with server.browser() as browser:
        yield browser


def exchange(browser: Browser, token: str = "", **changed: str) -> Any:
    form = GOOD | {"subject_token": token} | changed
    if not form["subject_token"]:
        form = {name: value for name, value in form.items() if not name.startswith("subject")}
    return browser.client.post("/visas/token", data=form)


def refusal(answer: Any) -> str:
    assert answer.status_code == 400
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"error", "error_description"}
    code: str = answer.json()["error"]
    return code


def who(browser: Browser, token: str) -> Any:
    return browser.client.get("/whoami", headers={"authorization": f"Bearer {token}"})


def test_a_passport_for_a_passport(browser: Browser) -> None:
    answer = exchange(browser, shown())
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    content = answer.json()
    passport = content.pop("access_token")
    assert content == {
        "issued_token_type": "urn:ga4gh:params:oauth:token-type:passport",
        "token_type": "Bearer",
        "expires_in": 3600,
    }
    keys = KeySet.import_key_set(browser.client.get("/visas/jwks").json())
    claims = jwt.decode(passport, keys, algorithms=["ES256"]).claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == (HERE, f"h-1@{HUB.iss}", [HERE])
    assert len(claims["ga4gh_passport_v1"]) == 1
    assert who(browser, passport).json()["subject"] == f"h-1@{HUB.iss}"


def test_for_another_service_it_is_no_use_here(browser: Browser) -> None:
    passport = exchange(browser, shown(), audience="https://spe.example").json()["access_token"]
    assert who(browser, passport).status_code == 401


def test_a_passport_of_this_server_cannot_be_renewed(browser: Browser) -> None:
    passport = exchange(browser, shown()).json()["access_token"]
    assert refusal(exchange(browser, passport)) == "invalid_request"
    assert refusal(browser.client.post("/visas/token", data=GOOD | {"subject_token": ""})) == "invalid_request"
    bearer = {"authorization": f"Bearer {passport}"}
    again = browser.client.post("/visas/token", data=GOOD | {"subject_token": ""}, headers=bearer)
    assert refusal(again) == "invalid_request"


def test_who_is_signed_in_needs_no_other_proof(browser: Browser) -> None:
    assert refusal(exchange(browser)) == "invalid_request"
    browser.sign_in()
    form = {name: value for name, value in GOOD.items() if not name.startswith("subject")}
    answer = browser.post("/visas/token", form | {"csrf": browser.csrf()})
    assert answer.status_code == 200, answer.text
    assert who(browser, answer.json()["access_token"]).json()["subject"] == SUBJECT
    assert browser.post("/visas/token", form).status_code == 403, "a page of somebody else"


@pytest.mark.parametrize("token", ["x", "a.b.c", shown(exp=0), shown(aud=["https://other.example"])])
def test_a_proof_that_is_none_is_refused(browser: Browser, token: str) -> None:
    assert refusal(exchange(browser, token)) == "invalid_request"


def test_what_is_no_form_is_refused(browser: Browser) -> None:
    assert refusal(browser.client.post("/visas/token", json=GOOD)) == "invalid_request"


def test_bearers_have_no_roles_and_are_registered_by_their_visas(browser: Browser) -> None:
    visas = []
    for type_ in ("AcceptedTermsAndPolicies", "ResearcherStatus"):
        visa = MINT.visa(REGISTRY, "r-1", type_, world.REGISTERED_ACCESS)
        stated = visa.claims["ga4gh_visa_v1"] | {"asserted": now() - 10}
        visas.append(world.sign(altered(visa, iat=now() - 5, exp=now() + 60, nbf=0, ga4gh_visa_v1=stated)))
    link = MINT.link(HUB, "h-1", REGISTRY.identity("r-1"))
    stated = link.claims["ga4gh_visa_v1"] | {"asserted": now() - 10}
    visas.append(world.sign(altered(link, iat=now() - 5, exp=now() + 60, nbf=0, ga4gh_visa_v1=stated)))
    assert who(browser, shown(visas=tuple(visas))).json() == {
        "subject": f"h-1@{HUB.iss}",
        "name": "",
        "roles": [],
        "registered": True,
        "node": "",
    }
    assert who(browser, shown(visas=tuple(visas[:2]))).json()["registered"] is False, "of somebody else"


def test_whoever_joined_speaks_of_people_by_whole_subjects(browser: Browser) -> None:
    draft = altered(
        MINT.passport(world.FINLAND, SUBJECT),
        iss="https://joined.example/",
        iat=now(),
        exp=now() + 60,
        nbf=0,
        aud=HERE,
    )
    assert who(browser, sign_passport(draft, [])).json()["subject"] == SUBJECT


def test_what_is_forged_is_refused_and_says_nothing_of_anybody(browser: Browser) -> None:
    assert who(browser, shown()).status_code == 200
    random_ = random.Random(11)
    kinds = [each for each in FORGERIES if each.done_to in ("any", "passport")]
    tried = 0
    for kind in kinds:
        if kind.name in NOT_FORGED_HERE:
            continue
        draft = altered(MINT.passport(HUB, "h-1"), iat=now(), exp=now() + 300, aud=[HERE], nbf=0)
        forged = kind.forge(draft, random_)
        text = forged if isinstance(forged, str) else "" if forged is None else world.sign(forged)
        if text and text.isascii() and text.isprintable() and len(text) < 60_000:
            answer = who(browser, text)
            assert (answer.status_code, kind.name) == (401, kind.name)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "h-1" not in answer.text
            tried += 1
    assert tried > 20
    for late in (shown(exp=now() - 61), shown(iat=now() + 61), shown(aud="https://other.example")):
        assert who(browser, late).status_code == 401


def test_its_keys_are_those_that_sign(browser: Browser) -> None:
    answer = browser.client.get("/visas/jwks")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert all("d" not in key for key in msgspec.json.decode(answer.content)["keys"])
