# SPDX-License-Identifier: Apache-2.0
"""`megagenome node peers`: an operator looks at the keys of other nodes, and accepts one that was replaced."""

from pathlib import Path

import pytest

from megagenome.analytics.check import list_peers, require_known
from megagenome.app.commands.peers import peers
from megagenome.app.node import init_node, open_node
from megagenome.kernel.errors import Invalid, NotEntitled, NotFound
from megagenome.standards.study import Site


def test_a_replaced_key_is_believed_once_the_operator_accepts_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "node"
    init_node(folder, country="EE", name="", identity="", port=8601)
    engine = open_node(folder).collection.engine
    old, new = (Site("node.fi", ("FI-1",), key) for key in ("old", "new"))
    require_known(engine, [old])
    with pytest.raises(NotEntitled, match=r"megagenome node peers DIR --accept node\.fi --key new"):
        require_known(engine, [new])
    peers(folder, accept="node.fi", key="new", json=True)
    assert '"node.fi"' in capsys.readouterr().out
    assert [(each.node, each.key) for each in list_peers(engine)] == [("node.fi", "new")]
    require_known(engine, [new])
    with pytest.raises(NotEntitled):
        require_known(engine, [old])
    with pytest.raises(NotFound):
        peers(folder, accept="node.se", key="new")
    with pytest.raises(Invalid, match="both"):
        peers(folder, accept="node.fi")
