# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome.kernel.errors import Conflict
from megagenome.kernel.private_files import hold_privately, read_privately


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with hold_privately(tmp_path / "a" / "keys"):
        pass
    assert (tmp_path / "a" / "keys").stat().st_mode & 0o777 == 0o700
    (tmp_path / "a" / "keys").chmod(0o750)
    with pytest.raises(Conflict, match=r"mode 0750\): chmod 700"), hold_privately(tmp_path / "a" / "keys"):
        pytest.fail("others may enter it")


def test_a_file_that_others_may_read_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"secret")
    path.chmod(0o600)
    assert read_privately(path) == b"secret"
    path.chmod(0o604)
    with pytest.raises(Conflict, match=r"mode 0604\): chmod 600") as refused:
        read_privately(path)
    assert "secret" not in str(refused.value)
