# SPDX-License-Identifier: Apache-2.0
"""Recipient keys: for their owner alone, made once, followed by running servers."""

import base64
import json
import pickle
from pathlib import Path

import pytest

from megagenome.archive.keys import RecipientKeys
from megagenome.kernel.errors import Conflict, Corrupt, Unavailable
from megagenome.standards.crypt4gh_keys import fingerprint, read_public_key


def test_they_are_made_once_and_the_newest_is_told(tmp_path: Path) -> None:
    keys = RecipientKeys.open(tmp_path / "keys")
    assert RecipientKeys.open(tmp_path / "keys").names() == keys.names()
    running = RecipientKeys.open(tmp_path / "keys")
    old = keys.names()[0]
    new = keys.replace()
    for each in (keys, running):
        assert each.names() == (new, old)
        assert fingerprint(read_public_key(each.public_file())) == new
    assert len(running.readers()) == 2
    running.forget(frozenset({old, new}))
    assert keys.names() == (new,)
    with pytest.raises(Unavailable, match=old):
        keys.find(old)


def test_a_file_of_any_version_has_them_in_base64(tmp_path: Path) -> None:
    private = bytes(range(32))
    path = tmp_path / "keys" / "recipient.json"
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"keys": [base64.b64encode(private).decode()]}))
    keys = RecipientKeys.open(tmp_path / "keys")
    assert [each.private_bytes_raw() for each in keys.readers()] == [private]
    keys.replace()
    newer, older = (base64.b64decode(each, validate=True) for each in json.loads(path.read_text())["keys"])
    assert (len(newer), older) == (32, private)


def test_they_are_for_their_owner_alone(tmp_path: Path) -> None:
    keys = RecipientKeys.open(tmp_path / "keys")
    path = tmp_path / "keys" / "recipient.json"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(Conflict, match="chmod 600"):
        RecipientKeys.open(tmp_path / "keys")
    path.chmod(0o600)
    assert repr(keys) == f"RecipientKeys({keys.names()[0]})"
    with pytest.raises(TypeError):
        pickle.dumps(keys)


@pytest.mark.parametrize(
    "content", ["", "{}", '{"keys": []}', '{"keys": ["AAAA"]}', '{"keys": ["*"]}', '{"keys": "x"}']
)
def test_what_is_no_file_of_keys_is_refused_and_not_quoted(tmp_path: Path, content: str) -> None:
    RecipientKeys.open(tmp_path / "keys")
    (tmp_path / "keys" / "recipient.json").write_text(content)
    with pytest.raises(Corrupt, match=r"not a file of recipient keys: restore it from the backup$"):
        RecipientKeys.open(tmp_path / "keys")
