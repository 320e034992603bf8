# SPDX-License-Identifier: Apache-2.0
"""Packs: the immutable files that hold tiles. One pack has one load's arrays of one contig, by 1 Mb region.

Layout: magic, the arrays one after another (8-byte aligned, little endian), an index (MessagePack: header, and for each
region each array's name, offset and length in bytes), the index's length (8 bytes) and its magic. An array's type
follows from its name. A pack is written once, durably, and read through a memory map.
"""

import hashlib
import mmap
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Corrupt

FORMAT = 1
"""Version of the streams in a pack; a reader refuses what it does not know."""
_MAGIC = b"MGPACK\x00\x01"
_END = b"MGINDEX\x01"
_ALIGN = 8


class _Index(msgspec.Struct, frozen=True, array_like=True):
    format: int
    header: dict[str, Any]
    regions: dict[int, dict[str, tuple[int, int]]]


class PackWriter:
    """Writes a pack into an open file, region after region; `finish` ends it. Size and digest are then known."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._regions: dict[int, dict[str, tuple[int, int]]] = {}
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        self._write(_MAGIC)

    def add(self, region: int, name: str, content: npt.NDArray[Any] | bytes) -> None:
        """Append an array of a region under a name."""
        # an array goes to the file as it is in memory, without a copy
        stored = (
            content if isinstance(content, bytes) else np.ascontiguousarray(content).reshape(-1).view(np.uint8).data
        )
        self._write(bytes(-self.size_bytes % _ALIGN))
        self._regions.setdefault(region, {})[name] = (self.size_bytes, len(stored))
        self._write(stored)

    def finish(self, header: dict[str, Any]) -> None:
        """Write the index with this header. Nothing can be added after."""
        index = msgspec.msgpack.encode(_Index(FORMAT, header, self._regions))
        self._write(index + len(index).to_bytes(8, "little") + _END)

    @property
    def sha256(self) -> str:
        """Digest of all that was written."""
        return self._digest.hexdigest()

    def _write(self, stored: bytes | memoryview) -> None:
        self._file.write(stored)
        self._digest.update(stored)
        self.size_bytes += len(stored)


class Pack:
    """An open pack. Arrays are views into the map: read-only, nothing is copied until it is touched."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        """Open `path`, which the manifest says has `size_bytes`. Raises `Corrupt`, naming the file, if it does not."""
        self.path, self.size_bytes = path, size_bytes
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise Corrupt(f"{path}: cannot be opened ({error}); restore it from the backup") from None
        if len(self._map) != size_bytes or self._map[:8] != _MAGIC or self._map[-8:] != _END:
            raise Corrupt(f"{path}: not the {size_bytes} bytes that were written; restore it from the backup")
        length = int.from_bytes(self._map[-16:-8], "little")
        try:
            index = msgspec.msgpack.decode(self._map[-16 - length : -16], type=_Index)
        except msgspec.DecodeError:
            raise Corrupt(f"{path}: its index is damaged; restore it from the backup") from None
        if index.format != FORMAT:
            raise Corrupt(f"{path}: format {index.format}, this version reads {FORMAT}; upgrade megagenome")
        self.header = index.header
        self._regions = index.regions

    @property
    def regions(self) -> list[int]:
        """Numbers of the regions that it has, increasing."""
        return sorted(self._regions)

    def array(self, region: int, name: str, dtype: str) -> npt.NDArray[Any]:
        """An array of a region; empty where there is none of this name."""
        offset, length = self._regions[region].get(name, (0, 0))
        return np.frombuffer(self._map, dtype, length // np.dtype(dtype).itemsize, offset)

    def view(self, region: int, name: str) -> memoryview:
        """The same as bytes."""
        offset, length = self._regions[region].get(name, (0, 0))
        return memoryview(self._map)[offset : offset + length]

    def sha256(self) -> str:
        """Digest of the whole file as it is now. Cost: reads it all."""
        return hashlib.sha256(self._map).hexdigest()
