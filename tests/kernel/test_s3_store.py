# SPDX-License-Identifier: Apache-2.0
import itertools

import pytest

from megagenome.kernel.blob_store import BlobStore, open_store
from megagenome.testing.blob_store import BlobStoreSuite
from tests.kernel.object_store import BUCKET, settings_for

PREFIXES = itertools.count()


@pytest.mark.s3
class TestS3Store(BlobStoreSuite):
    @pytest.fixture
    def store(self, object_store: str) -> BlobStore:
        return open_store(f"s3://{BUCKET}/test/{next(PREFIXES)}", settings_for(object_store))
