# SPDX-License-Identifier: Apache-2.0
"""An archive of the test's own."""

from pathlib import Path

import pytest

from megagenome.archive.archive import Archive
from tests.archive.archives import open_archive


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where it is."""
    return tmp_path / "node"


@pytest.fixture
def archive(folder: Path) -> Archive:
    """The archive."""
    return open_archive(folder)
