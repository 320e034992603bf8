# SPDX-License-Identifier: Apache-2.0
"""Files of the style, and errors as pages."""

import logging

import pytest
from litestar import Litestar, get
from litestar.params import FromPath
from litestar.testing import TestClient

from megagenome.kernel.errors import RateLimited
from megagenome.portal.site import error_pages, static_file


@get("/{kind:str}")
async def broken(kind: FromPath[str]) -> str:
    raise {"own": RateLimited("slow down"), "other": ValueError("secret")}[kind]


APP = Litestar([broken, static_file], exception_handlers=error_pages, openapi_config=None, logging_config=None)


def test_conditions_and_surprises_become_pages(caplog: pytest.LogCaptureFixture) -> None:
    with TestClient(APP, raise_server_exceptions=False) as browser, caplog.at_level(logging.ERROR):
        own, other, missing = browser.get("/own"), browser.get("/other"), browser.get("/a/b")
    assert [(page.status_code, "<h1>" in page.text) for page in (own, other, missing)] == [
        (429, True),
        (500, True),
        (404, True),
    ]
    assert "slow down" in own.text
    assert "secret" not in other.text
    assert [record.message for record in caplog.records if record.name.startswith("megagenome")] == ["a page failed"]


@pytest.mark.parametrize("name", ["none.css", "..%2Fpages.py", "%2e%2e", "portal.css%00", ".portal.css"])
def test_only_the_files_of_the_style_are_served(name: str) -> None:
    with TestClient(APP) as browser:
        assert browser.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize(
    ("name", "kind"), [("portal.css", "text/css"), ("portal.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
)
def test_files_are_kept_by_browsers_and_taken_for_what_they_are(name: str, kind: str) -> None:
    with TestClient(APP) as browser:
        response = browser.get(f"/static/{name}")
    assert response.headers["content-type"].startswith(kind)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in response.headers["cache-control"]
