# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient

from megagenome.app.hub import init_hub, open_hub
from megagenome.app.hub_app import hub_app
from megagenome.app.settings import ExampleQuestion

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Of a hub that is only asked."""
    folder = tmp_path_factory.mktemp("hub")
    examples = [ExampleQuestion("22-28695868-AG-A", "GRCh38", "a founder variant")]
    init_hub(folder, name="A network", identity="org.hub", port=1, assembly="GRCh38", examples=examples)
    with TestClient(hub_app(open_hub(folder))) as client:
        yield client


def test_every_part_answers(client: TestClient) -> None:
    assert client.get("/health").json()["ok"] is True
    assert client.get("/service-info").json()["id"] == "org.hub"
    assert client.get("/api/nodes").json() == {"nodes": []}
    assert client.get("/beacon/v2/info").json()["response"]["name"] == "A network"
    assert client.get("/resolve", params={"q": "XBP1"}).json()["gene"] == "XBP1"


def test_portal_offers_the_examples_of_the_settings(client: TestClient) -> None:
    page = client.get("/")
    assert "22-28695868-AG-A" in page.text
    assert "a founder variant" in page.text
    assert "16050075" not in page.text


def test_without_nodes_a_question_is_no_empty_answer(client: TestClient) -> None:
    query = {"assemblyId": "GRCh38", "referenceName": "22", "start": 5, "referenceBases": "A", "alternateBases": "G"}
    answer = client.get("/beacon/v2/g_variants", params=query)
    assert answer.status_code == 503
    assert "hub invite" in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/beacon/v2/nothing", "/api/nothing", "/static/nothing"])
def test_what_is_not_served_is_404(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_documents_that_a_killed_hub_left_are_gone_when_it_serves(tmp_path: Path) -> None:
    init_hub(tmp_path, name="A network", identity="org.hub", port=1, assembly="GRCh38")
    left = tmp_path / "attachments" / ("0" * 24)
    left.parent.mkdir()
    left.write_bytes(b"nobody's")
    with TestClient(hub_app(open_hub(tmp_path))) as client:
        assert client.get("/health").json()["ok"] is True
        assert not left.exists()
