# SPDX-License-Identifier: Apache-2.0
from megagenome.app.place import place_of
from megagenome.app.settings import NodeIdentity, NodeSettings, ServerSettings


def test_a_node_is_named_as_its_settings_say() -> None:
    place = place_of(NodeSettings(NodeIdentity("node.ee", "EE node", "EE"), ServerSettings(port=8700)))
    assert (place.root, place.organisation) == ("http://127.0.0.1:8700/fairdp", "EE node")
    assert place.catalog == "http://127.0.0.1:8700/fairdp/catalog/node.ee"
    named = NodeIdentity("node.ee", "EE node", "EE", "Institute", "https://genomes.example.org")
    assert place_of(NodeSettings(named)).dataset("A") == "https://genomes.example.org/fairdp/dataset/A"
    assert place_of(NodeSettings(named)).organisation == "Institute"
