# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from megagenome.kernel.errors import Invalid
from megagenome.kernel.sealed_files import Expected, new_file_id, parse_file_id


def test_ids_are_new_and_read_back() -> None:
    ids = {new_file_id() for _ in range(100)}
    assert len(ids) == 100
    assert {parse_file_id(each) for each in ids} == ids


@pytest.mark.parametrize("text", ["", "MGF-", "MGF-ABCDEFGHIJKLMNO1", "mgf-abcdefghijklmnop", "MGF-ABCDEFGHIJKLMNOPQ"])
def test_other_texts_are_no_ids(text: str) -> None:
    with pytest.raises(Invalid):
        parse_file_id(text)


@pytest.mark.parametrize(
    "stated",
    [
        {"sha256": "0" * 63},
        {"sha256": "A" * 64},
        {"sha256": "0" * 64, "md5": "0" * 32 + "\n"},
    ],
)
def test_what_cannot_be_compared_is_no_checksum(stated: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Expected(**stated, sealed_size_bytes=124)
