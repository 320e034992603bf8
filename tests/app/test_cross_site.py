# SPDX-License-Identifier: Apache-2.0
"""Each route of a hub and of a node that takes anything but a reading, called by a page of another site in the browser
of somebody who is signed in: none does anything, whichever routes there are."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from litestar.testing import TestClient

from megagenome.app.hub import init_hub, open_hub
from megagenome.app.hub_app import hub_app
from megagenome.app.node import open_node
from megagenome.app.node_app import node_app
from megagenome.app.web import WebApp
from megagenome.identity.forgery import SAFE_METHODS
from megagenome.identity.sessions import Sessions, csrf_token
from megagenome.identity.settings import SignInSettings
from megagenome.identity.subjects import Profile

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")

HERE = "http://127.0.0.1:8600"
ELSEWHERE = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
OWN = {"origin": HERE, "sec-fetch-site": "same-origin"}


def a_hub(folder: Path) -> tuple[WebApp, sa.Engine]:
    init_hub(folder, name="A network", identity="org.hub", port=8600, assembly="GRCh38")
    opened = open_hub(folder)
    return hub_app(opened), opened.engine


def a_node(folder: Path) -> tuple[WebApp, sa.Engine]:
    opened = open_node(folder)
    return node_app(opened), opened.collection.engine


def changing(app: WebApp) -> Iterator[tuple[str, str]]:
    """Each method that is not safe with the path where it is taken, some word or number in place of each parameter."""
    for route in app.routes:
        for method in sorted(getattr(route, "methods", set()) - SAFE_METHODS):
            yield method, re.sub(r"\{[^}]*\}", "x", re.sub(r"\{\w+:int\}", "0", route.path))


@pytest.mark.parametrize("server", ["hub", "node"])
def test_no_page_of_another_site_does_anything(server: str, folder: Path, tmp_path: Path) -> None:
    app, engine = a_hub(tmp_path / "hub") if server == "hub" else a_node(folder)
    session = Sessions(engine, SignInSettings()).open(Profile("ada@https://idp.example", "Ada"), "Firefox")
    cookie, token = {"cookie": f"session_8600={session}"}, {"x-csrf-token": csrf_token(session)}
    taken = list(changing(app))
    assert len(taken) > 5
    with TestClient(app, base_url=HERE) as client:

        def answers(**headers: str) -> set[tuple[int, bool]]:
            sent = [client.request(*each, headers={**cookie, **headers}, follow_redirects=False) for each in taken]
            return {(each.status_code, "nothing was done" in each.text) for each in sent}

        assert answers(**ELSEWHERE) == {(403, True)}
        assert answers(**ELSEWHERE, **token) == {(403, True)}
        assert answers(**OWN) == {(403, True)}
        assert answers() == {(403, True)}
        assert all(not nothing for _, nothing in answers(**OWN, **token))  # so it was that which was missing
