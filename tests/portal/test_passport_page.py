# SPDX-License-Identifier: Apache-2.0
"""The page that explains a passport keeps nothing of it."""

import logging
from collections.abc import Iterator

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from megagenome.app.passports import explaining
from megagenome.identity.explain import Explanation
from megagenome.portal.passport_page import passport_page, passport_router
from megagenome.portal.site import error_pages
from tests.portal.document import Document
from tests.portal.fake_hub import EVIL

TOKEN = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.secretsignature"


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Litestar]]:
    passports = explaining(tmp_path_factory.mktemp("server"))
    router = passport_router(passports.explain, error_pages, on_node=False)
    with TestClient(Litestar([router], lifespan=[passports.lifespan], openapi_config=None)) as client:
        yield client


def test_the_form_is_open_to_everybody(browser: TestClient[Litestar]) -> None:
    page = browser.get("/passport")
    Document(page.text).check()
    assert page.headers["cache-control"] == "no-store"


def test_a_refusal_is_explained_and_the_passport_is_nowhere(
    browser: TestClient[Litestar], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = browser.post("/passport", data={"passport": f" {TOKEN}\n", "dataset": "https://n.example/datasets/A"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    page = Document(answer.text)
    page.check()
    assert "Refused" in page.text
    assert "not reached" in page.text
    for part in TOKEN.split("."):
        assert part not in answer.text
        assert part not in caplog.text
    assert "https://n.example/datasets/A" in answer.text


@pytest.mark.parametrize("passport", ["", "x", "a.b.c", EVIL, "\x00", "." * 100_000, "é" * 300_000])
def test_nonsense_is_refused_in_words(browser: TestClient[Litestar], passport: str) -> None:
    answer = browser.post("/passport", data={"passport": passport, "dataset": EVIL})
    assert answer.status_code in (200, 400, 413)
    Document(answer.text).check()
    assert "<script>window" not in answer.text
    assert "Accepted" not in answer.text


def test_hostile_claims_stay_text() -> None:
    steps = [
        {"rule": "form", "asks": EVIL, "result": result} for result in ("met", "set aside", "refused", "not reached")
    ]
    account = {"visa": None, "type": EVIL, "result": "refused", "code": "malformed", "says": EVIL, "steps": steps}
    found = msgspec.convert(
        {
            "accepted": True,
            "code": "malformed",
            "says": EVIL,
            "subject": EVIL,
            "linked": [EVIL],
            "registered_until": 1,
            "grants": [],
            "expires": 1,
            "passport": account,
            "visas": [{**account, "visa": 0}],
        },
        Explanation,
    )
    page = passport_page(found, dataset=EVIL, problem=EVIL)
    Document(page).check()
    assert "<script>window" not in page
