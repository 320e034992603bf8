# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome.app.hub import init_hub, open_hub
from megagenome.app.settings import ExampleQuestion
from megagenome.kernel.errors import Conflict, Invalid


def make(folder: Path, name: str = "A network", examples: tuple[ExampleQuestion, ...] = ()) -> None:
    init_hub(folder, name=name, identity="org.example.hub", port=8600, assembly="GRCh37", examples=examples)


@pytest.mark.parametrize("name", ["A network", 'Say "hello"', "back\\slash", "Ühendus"])
def test_hub_is_as_it_was_made(tmp_path: Path, name: str) -> None:
    examples = (ExampleQuestion("22-5-A-G", "GRCh37", "a variant"), ExampleQuestion("BRCA2", "GRCh38", "a gene"))
    make(tmp_path / "hub", name, examples)
    settings = open_hub(tmp_path / "hub").settings
    assert (settings.hub.id, settings.hub.name, settings.server.port) == ("org.example.hub", name, 8600)
    assert (settings.network.assembly, settings.nodes, settings.examples) == ("GRCh37", (), examples)


def test_hub_is_never_made_over_another(tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(Conflict, match="is a hub already"):
        make(tmp_path, "Another")
    assert open_hub(tmp_path).settings.hub.name == "A network"


def test_folder_without_a_hub_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="hub init"):
        open_hub(tmp_path)


def test_node_that_stands_twice_stops_the_start(tmp_path: Path) -> None:
    make(tmp_path)
    with (tmp_path / "hub.toml").open("a") as file:
        file.write('[[nodes]]\nid = "x"\nurl = "http://a.example"\n[[nodes]]\nid = "x"\nurl = "http://b.example"\n')
    with pytest.raises(Invalid, match=r"hub\.toml: .* 'x' stands twice"):
        open_hub(tmp_path)


def test_unknown_setting_stops_the_start(tmp_path: Path) -> None:
    make(tmp_path)
    with (tmp_path / "hub.toml").open("a") as file:
        file.write('[[nodes]]\nid = "x"\nadress = "http://a.example"\n')
    with pytest.raises(Invalid, match="unknown setting 'adress'"):
        open_hub(tmp_path)
