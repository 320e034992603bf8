# SPDX-License-Identifier: Apache-2.0
"""Arrays and alleles as a study's messages carry them: MessagePack, little endian, C order. No outside standard."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, cast

import msgspec
import numpy as np
import numpy.typing as npt

from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Invalid

MOST_DIMENSIONS = 4
_LONGEST = 1 << 31
Arrays = Mapping[str, npt.NDArray[Any]]


Kind = Literal["<f8", "<i8", "<u8", "<u4", "|u1", "|i1"]


class Array(msgspec.Struct, frozen=True):
    """One array. `content` is its bytes."""

    kind: Kind
    shape: Annotated[tuple[Annotated[int, msgspec.Meta(ge=0)], ...], msgspec.Meta(max_length=MOST_DIMENSIONS)]
    content: bytes


def pack(arrays: Arrays) -> bytes:
    """Named arrays as one message. Kinds other than those of `Array` are a mistake of the caller's."""
    stated = {
        name: Array(cast("Kind", each.dtype.newbyteorder("<").str), each.shape, np.ascontiguousarray(each).tobytes())
        for name, each in arrays.items()
    }
    return msgspec.msgpack.encode(stated)


def unpack(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a message, read-only. Raises `Invalid` where it is not one, or a size is not its shape's."""
    try:
        stated = msgspec.msgpack.decode(content, type=dict[str, Array])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"not arrays: {error}") from None
    found = {}
    for name, each in stated.items():
        kind = np.dtype(each.kind)
        # of an array with nothing in it, the other lengths could be beyond all that can be counted
        if len(each.content) != math.prod(each.shape) * kind.itemsize or max(each.shape, default=0) > _LONGEST:
            raise Invalid(f"array {name[:40]!r}: {len(each.content)} bytes are not of shape {each.shape}")
        found[name] = np.frombuffer(each.content, kind).reshape(each.shape)
    return found


def by_name(contig: str) -> tuple[int, str]:
    """A key for sorting contigs as people do: 1, 2, 10, 22, then MT, X, Y."""
    return (int(contig), "") if contig.isdecimal() else (1 << 30, contig)


@dataclass(frozen=True, slots=True)
class AlleleList:
    """Alleles of one assembly, each once, parsimonious, sorted by (contig as in `contigs`, start, ref, alt).

    contigs  names in the order `by_name`
    contig   uint32 [alleles], index in `contigs`
    start    int64 [alleles], 0-based
    text     `ref\\talt` of each, ASCII
    """

    assembly: str
    contigs: tuple[str, ...]
    contig: npt.NDArray[np.uint32]
    start: npt.NDArray[np.int64]
    text: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.text)

    def __iter__(self) -> Iterator[Allele]:
        return map(self.allele, range(len(self)))

    def allele(self, k: int) -> Allele:
        """The k-th."""
        ref, _, alt = self.text[k].decode("ascii").partition("\t")
        return Allele(self.assembly, self.contigs[self.contig[k]], int(self.start[k]), ref, alt)

    def take(self, rows: npt.NDArray[np.int64]) -> "AlleleList":
        """These of them, by increasing index."""
        text = tuple(self.text[k] for k in rows.tolist())
        return replace(self, contig=self.contig[rows], start=self.start[rows], text=text)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """As arrays of a message, for `read_alleles`."""
        return {
            "contigs": np.frombuffer("\n".join(self.contigs).encode("ascii"), np.uint8),
            "contig": self.contig,
            "start": self.start,
            "text": np.frombuffer(b"\n".join(self.text), np.uint8),
        }


def read_alleles(assembly: str, arrays: Arrays) -> AlleleList:
    """The list that `to_arrays` gave. Raises `Invalid` where it is none: not sorted, an allele twice, not parsimonious
    is not looked for (it is found nowhere)."""
    try:
        contigs = tuple(arrays["contigs"].tobytes().decode("ascii").split("\n"))
        contig, start = arrays["contig"].astype("<u4"), arrays["start"].astype("<i8")
        written = arrays["text"].tobytes()
        text = tuple(written.split(b"\n")) if start.size else ()
        written.decode("ascii")
    except (KeyError, ValueError):
        raise Invalid("not a list of alleles") from None
    if contig.ndim != 1 or contig.shape != start.shape or len(text) != len(start):
        raise Invalid("a list of alleles whose parts are not equally long")
    is_nowhere = len(start) and (int(contig.max()) >= len(contigs) or int(start.min()) < 0)
    if is_nowhere or any(each.count(b"\t") != 1 for each in text):
        raise Invalid("a list of alleles with one that is nowhere")
    keys = list(zip(contig.tolist(), start.tolist(), (x.split(b"\t") for x in text), strict=True))
    if list(contigs) != sorted(set(contigs), key=by_name) or any(a >= b for a, b in itertools.pairwise(keys)):
        raise Invalid("a list of alleles that is not sorted, or names one twice")
    return AlleleList(assembly, contigs, contig, start, text)


def unite(lists: Sequence[AlleleList]) -> AlleleList:
    """The alleles of any of these lists, which are of one assembly."""
    return list_alleles(
        lists[0].assembly,
        {
            (each.contigs[contig], start, *text.split(b"\t"))
            for each in lists
            for contig, start, text in zip(each.contig.tolist(), each.start.tolist(), each.text, strict=True)
        },
    )


def list_alleles(assembly: str, alleles: Set[tuple[str, int, bytes, bytes]]) -> AlleleList:
    """A list of parsimonious alleles, given as contig, start (0-based), reference and alternate."""
    contigs = tuple(sorted({contig for contig, *_ in alleles}, key=by_name))
    place = {contig: k for k, contig in enumerate(contigs)}
    ordered = sorted(alleles, key=lambda each: (place[each[0]], *each[1:]))
    return AlleleList(
        assembly,
        contigs,
        np.array([place[contig] for contig, *_ in ordered], np.uint32),
        np.array([start for _, start, *_ in ordered], np.int64),
        tuple(ref + b"\t" + alt for _, _, ref, alt in ordered),
    )
