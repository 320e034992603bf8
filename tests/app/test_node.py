# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest

from megagenome.app.node import SETTINGS, init_node, open_node
from megagenome.kernel.errors import Invalid


def make(folder: Path, name: str = "", identity: str = "") -> None:
    init_node(folder, country="EE", name=name, identity=identity, port=8601)


def test_only_its_owner_can_enter_a_nodes_folder(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o755)
    before = os.umask(0o022)
    try:
        make(tmp_path / "old")
        make(tmp_path / "new")
    finally:
        os.umask(before)
    assert [oct((tmp_path / name).stat().st_mode)[-3:] for name in ("old", "new")] == ["700", "700"]


@pytest.mark.parametrize("name", ['The "Best" node', "back\\slash", 'x"\n\n[discovery]\nfloor = 99\n#', "Eesti 🧬\x7f"])
def test_a_name_is_a_name_whatever_is_in_it(tmp_path: Path, name: str) -> None:
    make(tmp_path, name=name)
    node = open_node(tmp_path)
    assert (node.settings.node.name, node.settings.discovery.floor) == (name, 10)
    node.collection.close()


def test_an_id_that_no_beacon_may_have_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="id: use up to 100"):
        make(tmp_path / "n", identity='a"b')
    assert not (tmp_path / "n" / SETTINGS).exists()
