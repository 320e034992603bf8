# SPDX-License-Identifier: Apache-2.0
"""A node's folder to test on. Making one takes a second, so an empty one is made once and copied."""

import shutil
from pathlib import Path

import pytest

from megagenome.app.node import init_node
from tests.journeys.nations import run
from tests.journeys.small import load_options


@pytest.fixture(scope="session")
def empty_node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty node of EE, to be copied only."""
    folder = tmp_path_factory.mktemp("made") / "node"
    init_node(folder, country="EE", name="", identity="", port=8601)
    return folder


@pytest.fixture
def folder(empty_node: Path, tmp_path: Path) -> Path:
    """An empty node of the test's own."""
    return Path(shutil.copytree(empty_node, tmp_path / "node"))


@pytest.fixture(scope="session")
def loaded_node(empty_node: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node of EE with one small open dataset, to be copied only."""
    top = tmp_path_factory.mktemp("loaded")
    folder = Path(shutil.copytree(empty_node, top / "node"))
    run("node", "load", folder, *load_options(top / "files", "EE"))
    return folder


@pytest.fixture
def loaded(loaded_node: Path, tmp_path: Path) -> Path:
    """A loaded node of the test's own."""
    return Path(shutil.copytree(loaded_node, tmp_path / "loaded"))
