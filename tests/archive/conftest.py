# SPDX-License-Identifier: Apache-2.0
"""An archive of the test's own."""

import os
import shutil
from pathlib import Path

import pytest

from megagenome.archive.archive import Archive
from tests.archive.archives import open_archive


@pytest.fixture(scope="session")
def empty_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty one, to be copied only: making its keys takes as long as a whole test."""
    folder = tmp_path_factory.mktemp("made") / "node"
    open_archive(folder)._parts.engine.dispose()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where it is."""
    return tmp_path / "node"


@pytest.fixture
def archive(empty_archive: Path, folder: Path) -> Archive:
    """The archive."""
    shutil.copytree(empty_archive, folder)
    return open_archive(folder)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for the disk: what a power cut leaves is tested in `faults/`."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
