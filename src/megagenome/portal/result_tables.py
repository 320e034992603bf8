# SPDX-License-Identifier: Apache-2.0
"""Tables of a study's result as a page shows them: in words, rounded, the rows that matter most first."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from megagenome.portal.numbers import count, frequency, number, p_value, percent
from megagenome.standards.study_shown import ResultShown

MOST_ROWS = 25
Value = float | int | str | None
Columns = dict[str, list[Value]]
_PLACE = ("contig", "pos1", "ref", "alt")

CAPTIONS = {
    "associations": "Association of each allele",
    "frequencies": "Alleles and genotypes",
    "components": "Principal components",
    "loadings": "Loadings of alleles",
    "map": "People by cell of the map",
    "distribution": "People by score",
    "deciles": "Deciles of the score",
    "curves": "Survival at each time of an event",
    "groups": "Groups",
}
_NAMES = {
    "ac": "Copies (AC)",
    "an": "Called (AN)",
    "frequency": "Frequency",
    "n": "People",
    "beta": "Effect (β)",
    "se": "Standard error",
    "t": "t",
    "z": "z",
    "p": "p",
    "p_wald": "p of the effect",
    "low": "From",
    "high": "To",
    "het": "Heterozygous",
    "hom": "Homozygous",
    "hemi": "Hemizygous",
    "missing": "Not called",
    "hardy_weinberg_p": "p (HWE)",
    "share": "Share of variation",
    "at_risk": "At risk",
    "survival": "Surviving",
    "pc1": "Component 1 from",
    "pc2": "Component 2 from",
}
_SUMMARY = {
    "p": "p, log-rank",
    "log_rank_chi_square": "Log-rank χ²",
    "degrees": "Degrees of freedom",
    "deviation": "Standard deviation",
    "area_under_curve": "Area under the curve",
    "r_squared": "R²",
}
_P = frozenset({"p", "p_wald", "hardy_weinberg_p"})
_COUNTS = frozenset(
    {"ac", "an", "n", "het", "hom", "hemi", "missing", "people", "cases", "controls", "events", "at_risk", "component"}
)


class Column(NamedTuple):
    """A heading; `is_number` where its cells stand to the right."""

    name: str
    is_number: bool


class TablePart(NamedTuple):
    """The first rows of a table. The first cell of each row is its heading; None where there is no value."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str | None, ...], ...]
    total: int
    order: str

    @property
    def is_whole(self) -> bool:
        """Whether all rows are here."""
        return len(self.rows) == self.total


def table_part(result: ResultShown, name: str, most: int = MOST_ROWS) -> TablePart:
    """The rows of table `name` that a reader looks for first: smallest p-values, most people, or as they come."""
    columns = result.tables[name]
    total = len(next(iter(columns.values()), []))
    rows, order = _chosen(columns, total, most)
    shown = [each for each in columns if not (each in _PLACE and _PLACE[0] in columns)]
    head = [Column("Allele", False)] if "pos1" in columns else []
    head += [Column(_heading(name, each), not _is_text(columns[each])) for each in shown]
    writes = [_writer(name, each) for each in shown]
    cells = tuple(
        (
            *([_allele(columns, k)] if "pos1" in columns else []),
            *(_cell(columns[each][k], write) for each, write in zip(shown, writes, strict=True)),
        )
        for k in rows
    )
    return TablePart(
        name, CAPTIONS.get(name, name.capitalize()), tuple(head), cells, total, order if len(rows) < total else ""
    )


def summary_cells(result: ResultShown) -> list[tuple[str, str]]:
    """Single numbers of a result, named and written for people."""
    found = []
    for name, value in result.summary.items():
        text = value if isinstance(value, str) else "–" if value is None else _writer("summary", name)(value)
        found.append((_SUMMARY.get(name, name.replace("_", " ").capitalize()), text))
    return found


def _chosen(columns: Columns, total: int, most: int) -> tuple[Sequence[int], str]:
    if total <= most:
        return range(total), ""
    if "p" in columns:
        return _smallest(columns["p"], most), "smallest p first"
    if "pc1" in columns and "people" in columns:
        people = columns["people"]
        return sorted(range(total), key=lambda k: -float(people[k] or 0))[:most], "most people first"
    return range(most), "the first ones"


def _smallest(p: list[Value], most: int) -> list[int]:
    """Places of the smallest, in order. Of a million the others are not sorted."""
    values = np.array([np.inf if value is None else value for value in p], np.float64)
    found = np.argpartition(values, most)[:most]
    return [int(k) for k in found[np.lexsort((found, values[found]))]]


def _writer(table: str, column: str) -> Callable[[float], str]:
    if column in _P:
        return p_value
    if (table == "frequencies" and column in ("frequency", "low", "high")) or column == "frequency":
        return frequency
    if column == "time":
        return lambda value: f"{value:.6g}"
    if table == "map" and column in ("pc1", "pc2"):
        return lambda value: f"{value:.1f}".replace("-", "−")
    if column in ("share", "survival") or (table == "curves" and column in ("low", "high")):
        return percent
    if column in _COUNTS or (table == "summary" and column in ("alleles", "weights", "weights_used", "components")):
        return lambda value: count(round(value))
    return number


def _heading(table: str, column: str) -> str:
    if column in ("low", "high") and table in ("frequencies", "curves"):
        return f"95 %, {'from' if column == 'low' else 'to'}"
    if table == "loadings" and column.startswith("pc"):
        return f"Component {column[2:]}"
    return _NAMES.get(column, column.replace("_", " ").capitalize())


def _is_text(values: Sequence[Value]) -> bool:
    return any(isinstance(value, str) for value in values[:100])


def _cell(value: Value, write: Callable[[float], str]) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return value if isinstance(value, str) else write(value)


def _allele(columns: Columns, k: int) -> str:
    return "-".join(str(columns[each][k]) for each in _PLACE)
