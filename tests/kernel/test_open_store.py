# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome.kernel.blob_settings import BlobSettings
from megagenome.kernel.errors import Invalid
from megagenome.kernel.local_store import LocalStore
from megagenome.kernel.open_store import open_store
from megagenome.testing.blob_store import get, put


def test_a_folder_is_a_store(tmp_path: Path) -> None:
    put(open_store(str(tmp_path / "a b")), "k", b"12")
    for url in (f"file://{tmp_path}/a%20b", f"file://localhost{tmp_path}/a%20b", str(tmp_path / "a b")):
        store = open_store(url, BlobSettings(url=url))
        assert isinstance(store, LocalStore)
        assert get(store, "k") == b"12"


@pytest.mark.parametrize(
    "url",
    ["", "http://host/x", "s3://", "s3://key:secret@bucket/x", "s3://bucket?secret=x", "file://elsewhere/x", "file:x"],
)
def test_other_addresses_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Invalid, match="a store's address") as caught:
        open_store(url)
    assert "secret" not in str(caught.value)
