# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome.kernel.blob_store import BlobStore
from megagenome.kernel.local_store import LocalStore
from megagenome.testing.blob_store import BlobStoreSuite


class TestLocalStore(BlobStoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> BlobStore:
        return LocalStore(tmp_path / "blobs")
