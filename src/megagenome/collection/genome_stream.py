# SPDX-License-Identifier: Apache-2.0
"""Files of genomes read once, from their begin to their end, so that they may come through a pipe."""

from collections.abc import Callable
from typing import BinaryIO

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards import bgzf
from megagenome.standards.vcf import HEADER_LIMIT_BYTES

_READ_BYTES = 1 << 18
_BEGIN_BYTES = 18
_REMEDY = "compress it with `bgzip` or convert it with `bcftools view -Ob`"


class GenomeStream:
    """What a BGZF file or, where `plain` allows it, a file that is not compressed holds.

    Raises `Invalid` for any other compression. Reading raises `bgzf.Malformed` for damaged blocks and `Corrupt` where
    the block that ends every whole BGZF file is missing. Memory: what was asked for.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        *,
        plain: bool = False,
        remedy: str = _REMEDY,
        block: Callable[[int, int], None] | None = None,
    ) -> None:
        """`remedy` is what to do about another compression. `block` is told of each BGZF block, in order, how long it
        is and what it holds, before that is given."""
        self.name = name
        self._tell = block
        self.ended = False
        self._file = file
        self._compressed = self._begin()
        self.compressed = bgzf.is_bgzf(self._compressed)
        self.read_bytes = len(self._compressed)
        self._last = self._compressed
        self._parts: list[bytes | bytearray] = []
        self._size = 0
        if self._compressed[:2] == bgzf.GZIP_MAGIC and not self.compressed:
            raise Invalid(f"{name}: plain gzip; {remedy}")
        if not self.compressed:
            if not plain:
                raise Invalid(f"{name}: not compressed; {remedy}")
            self._parts, self._size, self._compressed = [self._compressed], len(self._compressed), b""

    def _begin(self) -> bytes:
        begin = b""
        while len(begin) < _BEGIN_BYTES and (more := self._file.read(_BEGIN_BYTES - len(begin))):
            begin += more
        return begin

    def content(self, size: int) -> bytes:
        """What comes next, at least `size` bytes of it unless less is left; it stays what comes next."""
        self._fill(size)
        content = b"".join(self._parts)
        self._parts = [content]
        return content

    def skip(self, size: int) -> None:
        """Go on by `size` bytes of what `content` has given."""
        content = b"".join(self._parts)
        self._parts, self._size = [content[size:]], max(0, len(content) - size)

    def take(self, size: int) -> bytes:
        """The next `size` bytes, or as many as there are."""
        content = self.content(size)[:size]
        self.skip(len(content))
        return content

    def take_header(self) -> bytes:
        """The lines up to the first that does not begin with ##, which is among them. Raises `Invalid` for more than
        64 MiB of them."""
        needed, begin = 1, 0  # one block: what is damaged later has its own message
        while True:
            content = self.content(needed)
            while (end := content.find(b"\n", begin)) >= 0:
                if not content.startswith(b"##", begin):
                    self.skip(end + 1)
                    return content[: end + 1]
                begin = end + 1
            if self.ended:
                self.skip(len(content))
                return content
            if len(content) > HEADER_LIMIT_BYTES:
                raise Invalid(f"{self.name}: the header is larger than 64 MiB")
            needed = 2 * len(content) + 1

    def _fill(self, size: int) -> None:
        while self._size < size and not self.ended:
            if self.compressed:
                inflated = bgzf.inflate(self._compressed, size - self._size)
                self._compressed = self._compressed[inflated.used :]
                self._parts += inflated.parts
                if self._tell is not None:
                    for length, part in zip(inflated.lengths, inflated.parts, strict=True):
                        self._tell(length, len(part))
                self._size += sum(map(len, inflated.parts))
            if self._size < size:
                self._read()

    def _read(self) -> None:
        more = self._file.read1(_READ_BYTES)  # type: ignore[attr-defined]  # what a buffered file has
        self.read_bytes += len(more)
        if not self.compressed:
            self.ended = not more
            self._parts.append(more)
            self._size += len(more)
            return
        self._compressed += more
        if more:
            self._last = (self._last + more)[-len(bgzf.END) :]
        else:
            self.ended = True
            if self._last != bgzf.END:
                raise Corrupt(f"{self.name}: the end of the file is missing (no BGZF end block); copy it again")
            if self._compressed:
                raise bgzf.Malformed
