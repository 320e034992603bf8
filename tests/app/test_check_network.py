# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome.app.check_network import check_hub_address, check_hub_folder, check_node_address
from megagenome.app.hub import init_hub
from megagenome.kernel.findings import Finding


def wrong(findings: list[Finding]) -> list[Finding]:
    """What is wrong; each says what to do."""
    bad = [finding for finding in findings if not finding.fine]
    assert all(finding.says and finding.do for finding in bad)
    return bad


@pytest.mark.parametrize("check", [check_node_address, check_hub_address])
@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://user:secret@127.0.0.1:9", "http://127.0.0.1:99999"])
def test_address_where_nothing_is(check, url: str) -> None:
    [finding] = wrong(check(url))
    assert "secret" not in finding.says


def test_hub_folder_names_settings_and_nodes(tmp_path: Path) -> None:
    assert "hub.toml" in wrong(check_hub_folder(tmp_path))[0].says
    init_hub(tmp_path, name="x", identity="org.hub", port=1, assembly="GRCh38")
    assert wrong(check_hub_folder(tmp_path)) == []
    with (tmp_path / "hub.toml").open("a") as file:
        file.write('[[nodes]]\nid = "node.fi"\nurl = "http://127.0.0.1:9"\n')
    [finding] = wrong(check_hub_folder(tmp_path))
    assert finding.part == "node.fi: port"
