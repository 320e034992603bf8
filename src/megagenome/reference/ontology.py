# SPDX-License-Identifier: Apache-2.0
"""An ontology as a node or a hub holds it: a packed table in a file of its own, read when first asked."""

import functools
import hashlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from megagenome.kernel.durable_files import write_durably
from megagenome.kernel.errors import Corrupt, Invalid, NotFound
from megagenome.kernel.ids import Curie
from megagenome.reference import obo

FORMAT = 1
"""Version of the pack's layout: a line of JSON (`Header`), the table in MessagePack, and the SHA-256 of both."""

_HEADER_BYTES = 1024
_DIGEST_BYTES = 32
_REMEDY = "start the node or hub again, and it is built anew"
_LONGEST_SEARCH = 200


class Header(msgspec.Struct, frozen=True):
    """The first line of a pack: what it holds, and of which source it was made."""

    format: int
    prefix: str
    version: str
    source_sha256: str


class Term(NamedTuple):
    """A term in use and its label."""

    id: Curie
    label: str


class Ontology:
    """Terms of one ontology, such as the Human Phenotype Ontology.

    prefix   of its CURIEs: `HP`
    version  the release that it says it is: `2025-01-16`

    Ids go in as people write them and come out canonical: `HP:0001275`, merged into Seizure, comes out `HP:0001250`.
    Every method but `search` raises `Invalid` for an id that is unknown or obsolete without one replacement, and each
    raises `Corrupt` where the pack is damaged or was replaced since it was opened. Opening costs well under 1 ms, the
    first question some 20 ms and 12 MB.
    """

    def __init__(self, path: Path) -> None:
        """Open the pack at `path`; `NotFound` or `Corrupt` when it is not there, is none, or is of another format."""
        self._path = path
        with _open(path) as file:
            self._header = _read_header(file, path.name)
        self.prefix = self._header.prefix
        self.version = self._header.version

    def canonical(self, term: str) -> Curie:
        """The id of the term in use that `term` names."""
        return Curie(self._table.ids[self._row(term)])

    def label(self, term: str) -> str:
        """The label of the term in use that `term` names."""
        return self._table.labels[self._row(term)]

    def ancestors(self, term: str) -> frozenset[Curie]:
        """The term and all terms that it is a kind of, up to the root. Some 10 µs."""
        return self._reached(self._row(term), self._table.parents)

    def descendants(self, term: str) -> frozenset[Curie]:
        """The term and all terms that are kinds of it. At most some 20 ms, for the root."""
        return self._reached(self._row(term), self._children)

    def search(self, text: str, limit: int = 20) -> tuple[Term, ...]:
        """Up to `limit` terms with a label or synonym that holds every word of `text`, in any case; best first: names
        that are `text`, names that begin with it, words that do, labels before synonyms, short before long.

        An id finds its term. No match is an empty tuple, never an error, and so is a text of over 200 characters.
        A few ms; some 50 ms for a single letter.
        """
        if (row := self._rows.get(text.strip())) is not None:
            return (self._term(row),)
        wanted = " ".join(text.lower().split())
        if len(wanted) > _LONGEST_SEARCH:
            return ()
        best: dict[int, tuple[int, int]] = {}
        for name, row in self._names_with(wanted):
            rank = (_closeness(name, wanted) + (name != self._table.labels[row].lower()), len(name))
            best[row] = min(rank, best.get(row, rank))
        rows = heapq.nsmallest(limit, best, key=lambda row: (best[row], self._table.labels[row]))
        return tuple(map(self._term, rows))

    def _names_with(self, wanted: str) -> Iterator[tuple[str, int]]:
        """Names that hold every word, and their rows."""
        names, words = self._table.names, sorted(wanted.split(), key=len)
        place = names.find(words[-1]) if words else -1
        while place >= 0:
            end = names.index("\n", place)
            name, _, row = names[names.rfind("\n", 0, place) + 1 : end].rpartition("\t")
            if all(word in name for word in words):
                yield name, int(row)
            place = names.find(words[-1], end)

    def _term(self, row: int) -> Term:
        return Term(Curie(self._table.ids[row]), self._table.labels[row])

    def _row(self, term: str) -> int:
        row = self._rows.get(term)
        if row is not None:
            return row
        instead = self._table.retired.get(term)
        if instead is None:
            raise Invalid(f"{term[:60]!r} is not a term of {self.prefix} {self.version}")
        hint = f": use {' or '.join(instead)}" if instead else ""
        raise Invalid(f"{term} is obsolete in {self.prefix} {self.version} and no one term replaces it{hint}")

    def _reached(self, row: int, along: Sequence[Sequence[int]]) -> frozenset[Curie]:
        seen, waiting = {row}, [row]
        while waiting:
            for near in along[waiting.pop()]:
                if near not in seen:
                    seen.add(near)
                    waiting.append(near)
        return frozenset(Curie(self._table.ids[each]) for each in seen)

    @functools.cached_property
    def _table(self) -> obo.Table:
        header, table = _read_whole(self._path)
        if header != self._header:
            raise Corrupt(f"{self._path.name} was replaced while it was in use; start again")
        return msgspec.msgpack.decode(table, type=obo.Table)

    @functools.cached_property
    def _rows(self) -> dict[str, int]:
        return {term: row for row, term in enumerate(self._table.ids)} | self._table.moved

    @functools.cached_property
    def _children(self) -> list[list[int]]:
        children: list[list[int]] = [[] for _ in self._table.ids]
        for row, parents in enumerate(self._table.parents):
            for parent in parents:
                children[parent].append(row)
        return children


OntologyFor = Callable[[str], Ontology | None]
"""The loaded ontology that a CURIE's prefix names; None where it is not loaded, and the term stays flat."""


def pack(prefix: str, source: Path, target: Path) -> None:
    """Make `target`, durably, the pack of the OBO file `source`. Nothing is done when it is that already.

    0.3 s for the Human Phenotype Ontology; 20 ms when there is nothing to do, for reading both files whole.
    """
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if _is_of(target, digest):
        return
    with source.open(encoding="utf-8") as lines:
        version, table = obo.read(lines)
    header = Header(FORMAT, prefix, version.rpartition("/")[2], digest)  # of `hp/releases/2025-01-16`, the last
    content = msgspec.json.encode(header) + b"\n" + msgspec.msgpack.encode(table)
    with write_durably(target) as file:
        file.write(content + hashlib.sha256(content).digest())


def _is_of(target: Path, source_sha256: str) -> bool:
    try:
        return _read_whole(target)[0].source_sha256 == source_sha256
    except (NotFound, Corrupt):
        return False


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound(f"there is no ontology pack {path.name} here; {_REMEDY}") from None


def _read_header(file: BinaryIO, name: str) -> Header:
    try:
        header = msgspec.json.decode(file.readline(_HEADER_BYTES), type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Corrupt(f"{name} is not an ontology pack, or is damaged; {_REMEDY}") from None
    if header.format != FORMAT:
        raise Corrupt(f"{name} has format {header.format}, this version needs {FORMAT}; {_REMEDY}")
    return header


def _read_whole(path: Path) -> tuple[Header, memoryview]:
    """The header and the encoded table of a pack, after a check that not one byte of it has changed."""
    with _open(path) as file:
        header, table_start = _read_header(file, path.name), file.tell()
        file.seek(0)
        content = memoryview(file.read())
    if hashlib.sha256(content[:-_DIGEST_BYTES]).digest() != content[-_DIGEST_BYTES:]:
        raise Corrupt(f"{path.name} is damaged; {_REMEDY}")
    return header, content[table_start:-_DIGEST_BYTES]


def _closeness(name: str, wanted: str) -> int:
    """0 for the name itself; then, by twos, names that begin with `wanted`, that have it at a word's start, others."""
    if name == wanted:
        return 0
    if name.startswith(wanted):
        return 2
    return 4 if f" {wanted}" in name else 6
