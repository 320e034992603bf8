# SPDX-License-Identifier: Apache-2.0
"""`hub.toml`: what is no setting stops the start, by name."""

from pathlib import Path

import msgspec
import pytest

from megagenome.kernel.errors import Invalid
from megagenome.kernel.settings import load_settings
from megagenome.network.settings import NetworkSettings, Node, check_nodes, check_url


class Hub(msgspec.Struct, frozen=True):
    network: NetworkSettings = NetworkSettings()
    nodes: tuple[Node, ...] = ()


def load(folder: Path, text: str, environ: dict[str, str] | None = None) -> Hub:
    path = folder / "hub.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(Hub, path, environ or {})


def test_a_hub_file_gives_its_nodes_in_order(tmp_path: Path) -> None:
    hub = load(
        tmp_path,
        """
        [network]
        deadline_s = 3
        [[nodes]]
        id = "fi.node"
        name = "Finland"
        country = "FI"
        url = "http://127.0.0.1:8601"
        [[nodes]]
        id = "es.node"
        url = "https://es.example.org/genomes"
        beacon_path = "/aggregated/v2"
        """,
        {"MEGAGENOME_NETWORK_CONNECT_TIMEOUT_S": "1.5"},
    )
    assert (hub.network.deadline_s, hub.network.connect_timeout_s) == (3.0, 1.5)
    assert [(node.title, node.country, node.beacon_url) for node in hub.nodes] == [
        ("Finland", "FI", "http://127.0.0.1:8601/beacon/v2"),
        ("es.node", "ZZ", "https://es.example.org/genomes/aggregated/v2"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[nodes]\nid = "a"', r"'nodes' must be a list of tables, \[\[nodes\]\]"),
        ('nodes = ["a"]', r"'nodes' must be a list of tables"),
        ('[[nodes]]\nid="a"\nurl="http://a"\n[[nodes]]\nid="b"\nulr="c"', "2: unknown setting 'ulr'; .*'url'"),
        ('[[nodes]]\nid="a"', r"url.*nodes\[0\]"),
        ('[[nodes]]\nid="a"\nurl="ftp://a"', "write http:// or https://"),
        ('[[nodes]]\nid="a"\nurl="http://a"\ncountry="Finland"', "ISO 3166"),
        ('[[nodes]]\nid=""\nurl="http://a"', "beacon id"),
        ('[[nodes]]\nid="a"\nurl="http://a"\nbeacon_path="v2"', "begin with a slash"),
        ("[network]\ndeadline_s = 0", "deadline_s: use seconds above 0"),
        ("[network]\ndeadline = 3", "did you mean 'deadline_s'"),
        ("[network]\nconnections_per_node = 0", "at least 1"),
        ("[network]\nconnect_timeout_s = -1", "connect_timeout_s"),
    ],
    ids=lambda value: value.replace("\n", " ")[:60],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        load(tmp_path, text)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example.org",
        "http://",
        "http://user:word@a.example.org",
        "http://a.example.org/?x=1",
        "http://a.example.org/#x",
        "http://a.example.org/",
        "http://a.example.org:99999",
        "http://a b",
        "http://[::1",
        "file:///etc/passwd",
        "http://a\n.example.org",
    ],
)
def test_an_address_that_cannot_be_a_node_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        check_url(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8601", "https://a.example.org/x/y", "http://[::1]:80"])
def test_an_address_of_a_node_is_taken(url: str) -> None:
    check_url(url)


def test_no_node_may_count_twice() -> None:
    node = Node(id="FI", url="http://a.example.org")
    check_nodes([node, Node(id="ES", url="http://b.example.org")])
    with pytest.raises(Invalid, match="id 'FI' stands twice"):
        check_nodes([node, msgspec.structs.replace(node, url="http://b.example.org")])
    with pytest.raises(Invalid, match=r"url .*a.example.org.* stands twice"):
        check_nodes([node, Node(id="ES", url="http://A.example.org")])
