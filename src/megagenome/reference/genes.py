# SPDX-License-Identifier: Apache-2.0
"""Genes of GRCh37 and GRCh38: where they lie, by symbol and by Ensembl id.

The table is Ensembl 110; `data/README.md` says how it was made. It is read at the first question (some 90 ms and 4 MB).
"""

import bisect
import difflib
import functools
import gzip
import re
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from megagenome.kernel.errors import Invalid
from megagenome.reference.assemblies import assembly as known_assembly

ASSEMBLIES = ("GRCh37", "GRCh38")
"""Assemblies that genes have places on."""

_TABLE = Path(__file__).with_name("data") / "genes.tsv.gz"
_COLUMNS = {"GRCh38": (3, 4), "GRCh37": (5, 6)}
_ENSEMBL_ID = re.compile(r"ENSG([0-9]{11})(?:\.[0-9]{1,3})?", re.IGNORECASE)
_NOWHERE = -1
_MOST_NAMED = 5


class Gene(NamedTuple):
    """A gene at its place on an assembly, 0-based half-open, from its first to its last transcribed base."""

    symbol: str
    ensembl_id: str
    assembly: str
    contig: str
    start: int
    end: int


class _Table(NamedTuple):
    """All genes, sorted by symbol in upper case. `spans` are starts and ends by assembly, `by_id` the rows
    sorted by Ensembl id."""

    symbols: list[str]
    ensembl: "array[int]"
    contigs: list[str]
    spans: Mapping[str, tuple["array[int]", "array[int]"]]
    by_id: "array[int]"


def find(name: str, assembly: str) -> Gene:
    """The gene of a symbol (in any case) or an Ensembl id (a version is ignored) at its place on `assembly`.

    A gene of both X and Y in their pseudoautosomal regions is the one on X, where its genotypes are called. `Invalid`,
    saying why, where no gene is so called (with the nearest symbols), several are, or it has no place on the assembly.
    """
    on = known_assembly(assembly).name
    rows = _rows_of(name)
    if not rows:
        near = _nearest(name)
        hint = f"did you mean {' or '.join(near)}?" if near else "write a symbol as BRCA2 or an id as ENSG00000139618"
        raise Invalid(f"no gene is called {name[:40]!r}; {hint}")
    if len(rows) > 1:
        named = ", ".join(_ensembl_id(row) for row in rows[:_MOST_NAMED])
        more = f" and {len(rows) - _MOST_NAMED} more" if len(rows) > _MOST_NAMED else ""
        raise Invalid(f"{len(rows)} genes are called {name}: ask for one by its id, {named}{more}")
    found = _gene(rows[0], on)
    if found is None:
        raise Invalid(f"gene {name[:40]} has no known place on {on}")
    return found


def ids(name: str) -> tuple[str, ...]:
    """Ensembl ids of all genes that `name` may mean to `find`; empty where it is no gene's name."""
    return tuple(map(_ensembl_id, _rows_of(name)))


@functools.cache
def _table() -> _Table:
    names: dict[str, str] = {}  # one string per contig instead of one per gene
    table = _Table([], array("i"), [], {on: (array("i"), array("i")) for on in _COLUMNS}, array("i"))
    with gzip.open(_TABLE, "rt", encoding="ascii") as file:
        next(file)
        for line in file:
            fields = line.rstrip("\n").split("\t")
            table.symbols.append(fields[0])
            table.ensembl.append(int(fields[1].removeprefix("ENSG")))
            table.contigs.append(names.setdefault(fields[2], fields[2]))
            for on, columns in _COLUMNS.items():
                for places, column in zip(table.spans[on], columns, strict=True):
                    places.append(int(fields[column] or _NOWHERE))
    table.by_id.extend(sorted(range(len(table.symbols)), key=table.ensembl.__getitem__))
    return table


def _rows_of(name: str) -> list[int]:
    table = _table()
    if ensembl := _ENSEMBL_ID.fullmatch(name):
        number, key = int(ensembl[1]), table.ensembl.__getitem__
        first = bisect.bisect_left(table.by_id, number, key=key)
        return [row for row in table.by_id[first : first + 1] if key(row) == number]
    first = bisect.bisect_left(table.symbols, name.upper(), key=str.upper)
    last = bisect.bisect_right(table.symbols, name.upper(), lo=first, key=str.upper)
    rows = list(range(first, last))
    if sorted(table.contigs[row] for row in rows) == ["X", "Y"]:
        return [row for row in rows if table.contigs[row] == "X"]
    return rows


def _gene(row: int, on: str) -> Gene | None:
    table = _table()
    starts, ends = table.spans.get(on, (None, None))
    if starts is None or ends is None or starts[row] == _NOWHERE:
        return None
    return Gene(table.symbols[row], _ensembl_id(row), on, table.contigs[row], starts[row], ends[row])


def _ensembl_id(row: int) -> str:
    return f"ENSG{_table().ensembl[row]:011d}"


def _beginning_with(prefix: str) -> list[str]:
    symbols = _table().symbols
    first = bisect.bisect_left(symbols, prefix.upper(), key=str.upper)
    last = bisect.bisect_right(symbols, prefix.upper() + "\x7f", lo=first, key=str.upper)
    return symbols[first:last]


def _nearest(name: str) -> list[str]:
    """Up to three symbols much like `name`, of those with the same first two letters: all would take half a second."""
    by_upper = {symbol.upper(): symbol for symbol in _beginning_with(name[:2])} if name else {}
    return [by_upper[near] for near in difflib.get_close_matches(name[:40].upper(), by_upper, n=3, cutoff=0.7)]
