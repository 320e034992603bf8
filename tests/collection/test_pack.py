# SPDX-License-Identifier: Apache-2.0
"""Packs give back what was written, and say which file is damaged."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from megagenome.collection.pack import FORMAT, Pack, PackWriter
from megagenome.kernel.errors import Corrupt

Arrays = dict[tuple[int, str], list[int]]

arrays = st.dictionaries(
    st.tuples(st.integers(0, 250), st.sampled_from(["start", "het/0/row", "het/0/members"])),
    st.lists(st.integers(0, 2**32 - 1), max_size=9),
)


def write(path: Path, content: Arrays) -> PackWriter:
    with path.open("wb") as file:
        writer = PackWriter(file)
        for (region, name), values in content.items():
            writer.add(region, name, np.array(values, "<u4"))
        writer.finish({"longest": 3})
    return writer


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays)
def test_what_was_written_is_read(tmp_path: Path, content: Arrays) -> None:
    path = tmp_path / "pack"
    writer = write(path, content)
    pack = Pack(path, path.stat().st_size)
    assert (pack.header, pack.regions) == ({"longest": 3}, sorted({region for region, _ in content}))
    for (region, name), values in content.items():
        assert pack.array(region, name, "<u4").tolist() == values
        assert bytes(pack.view(region, name)) == np.array(values, "<u4").tobytes()
        assert pack.array(region, "another", "<u4").size == 0
    assert writer.size_bytes == path.stat().st_size
    assert pack.sha256() == writer.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_arrays_of_any_length_are_aligned(tmp_path: Path) -> None:
    path = tmp_path / "pack"
    with path.open("wb") as file:
        writer = PackWriter(file)
        writer.add(0, "text", b"abc")
        writer.add(0, "at", np.array([1, 2**40], "<u8"))
        writer.finish({})
    pack = Pack(path, path.stat().st_size)
    at = pack.array(0, "at", "<u8")
    assert at.tolist() == [1, 2**40]
    assert at.flags.aligned
    assert not at.flags.writeable


def test_a_pack_of_another_size_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "pack"
    size = write(path, {(0, "start"): [1]}).size_bytes
    with pytest.raises(Corrupt, match=f"pack: not the {size + 1} bytes"):
        Pack(path, size + 1)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Corrupt, match=f"pack: not the {size} bytes"):
        Pack(path, size)
    with pytest.raises(Corrupt, match="pack: not the"):
        Pack(path, size - 1)


@pytest.mark.parametrize("content", [None, b""])
def test_a_pack_that_is_gone_or_empty_is_corrupt(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "pack"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Corrupt, match="pack: cannot be opened"):
        Pack(path, 0)


def test_a_damaged_index_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "pack"
    size = write(path, {(0, "start"): [1]}).size_bytes
    whole = bytearray(path.read_bytes())
    length = int.from_bytes(whole[-16:-8], "little")
    whole[-16 - length] = 0  # where the index began as an array, it is a number
    path.write_bytes(whole)
    with pytest.raises(Corrupt, match="pack: its index is damaged"):
        Pack(path, size)


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pack"
    size = write(path, {}).size_bytes
    index = msgspec.msgpack.encode([FORMAT, {"longest": 3}, {}])
    later = msgspec.msgpack.encode([FORMAT + 1, {"longest": 3}, {}])
    assert index in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(index, later))
    with pytest.raises(Corrupt, match=f"format {FORMAT + 1}, this version reads {FORMAT}; upgrade"):
        Pack(path, size)
