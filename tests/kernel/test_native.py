# SPDX-License-Identifier: Apache-2.0
"""The loops in C are used where they were built from these sources, and else nothing breaks."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from megagenome.kernel import native


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    native.library.cache_clear()
    yield
    native.library.cache_clear()


@pytest.mark.native
def test_what_was_built_is_used() -> None:
    assert native.library() is not None


@pytest.mark.native
def test_what_was_built_of_other_sources_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "VERSION", native.VERSION + 1)
    assert native.library() is None


@pytest.mark.parametrize("content", [None, b"", b"no library"])
def test_without_it_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    path = tmp_path / "lib.so"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(native, "LIBRARY", path)
    assert native.library() is None


@pytest.mark.native
def test_a_library_of_something_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Path(shutil.which("true") or "/bin/true")
    monkeypatch.setattr(native, "LIBRARY", other)
    assert native.library() is None


def test_where_bytes_stand_the_other_way_round_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.byteorder", "big")
    assert native.library() is None
