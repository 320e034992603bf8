# SPDX-License-Identifier: Apache-2.0
import pytest
from litestar.testing import create_test_client

from megagenome.archive.archive import Archive
from megagenome.archive.routes import recipient_router
from megagenome.standards.crypt4gh_keys import fingerprint, read_public_key


@pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")
def test_anybody_reads_the_newest_key(archive: Archive) -> None:
    with create_test_client([recipient_router(archive.keys)]) as client:
        first = client.get("/.well-known/c4gh-recipient")
        assert first.headers["content-type"].startswith("text/plain")
        assert fingerprint(read_public_key(first.text)) == archive.keys.names()[0]
        archive.rotate()
        assert client.get("/.well-known/c4gh-recipient").text != first.text
