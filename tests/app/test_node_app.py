# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient

from megagenome.app.node import open_node
from megagenome.app.node_app import node_app
from megagenome.archive.keys import RecipientKeys
from megagenome.identity.caller_middleware import CallerMiddleware
from megagenome.standards.crypt4gh_keys import fingerprint, read_public_key
from megagenome.standards.submission import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(node_app(open_node(folder))) as client:
        yield client


def test_every_part_answers(client: TestClient) -> None:
    assert client.get("/health").json()["ok"] is True
    assert client.get("/service-info").json()["id"] == "node.ee"
    info = client.get("/beacon/v2/info").json()["response"]
    assert (info["id"], info["name"], info["info"]["country"]) == ("node.ee", "EE national node", "EE")
    assert client.get("/resolve", params={"q": "22-16050075-A-G", "assembly": "GRCh37"}).json()["kind"] == "allele"
    page = client.get("/", headers={"accept": "text/html"})
    assert "EE national node" in page.text


def test_it_says_for_which_key_files_are_encrypted(client: TestClient, folder: Path) -> None:
    told = client.get("/.well-known/c4gh-recipient").text
    assert fingerprint(read_public_key(told)) == RecipientKeys.open(folder / "keys").names()[0]


@pytest.mark.parametrize("path", ["/nothing", "/beacon/v2/nothing", "/static/nothing"])
def test_what_is_not_served_is_404(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_parts_of_submissions_are_never_read_as_forms(client: TestClient) -> None:
    [callers] = [each for each in client.app.middleware if isinstance(each, CallerMiddleware)]
    assert callers.takes_no_form(f"{ROOT}/MGS-A/files/0/parts/0")
    assert not callers.takes_no_form("/submissions")
