# SPDX-License-Identifier: Apache-2.0
"""What of a study's result leaves: numbers that a few people could be behind are taken out, the others are rounded; and
what a named person must look at before anything is released.

The rules (no cell of fewer than ten people, no more parameters than people can carry) hold over all nodes together:
what a node demands of its own part it has seen to before. Where every dataset is declared open nothing is taken out
and nothing is rounded.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from megagenome.network.studies.model import StudyResult, Table, too_few

Floats = npt.NDArray[np.float64]


class ReleaseRules(msgspec.Struct, frozen=True):
    """Fewest people or copies behind a number, fewest people of a study, most parameters for each person, and digits
    that numbers other than counts are told with."""

    least: int = 10
    least_people: int = 100
    most_parameters: float = 0.2
    digits: int = 4


OPEN = ReleaseRules(least=0, least_people=0, most_parameters=1.0, digits=17)
"""For data that their holders declare open."""


class Checked(msgspec.Struct, frozen=True):
    """What may be released, and why somebody must look at it first; without `concerns` nobody must."""

    result: StudyResult
    concerns: tuple[str, ...]


def check_release(result: StudyResult, rules: ReleaseRules) -> Checked:
    """A method's result as it may be told. Raises `Invalid` where all of it hangs on too few people."""
    if rules == OPEN:
        return Checked(result, ())
    if result.behind is not None and result.behind < rules.least:
        raise too_few(rules.least, "the trait, a covariate, covariates together, or the score")
    withheld: list[str] = []
    tables = {}
    for name, table in result.tables.items():
        tables[name], out = _CHECKS[name](table, rules)
        if out:
            withheld.append(f"{_WITHHELD[name].format(least=rules.least)}: {out:,}.")
        if name in _SAID:
            withheld.append(_SAID[name].format(least=rules.least))
    summary = {name: _rounded_number(each, rules.digits) for name, each in result.summary.items()}
    told = StudyResult(tables, summary, (*result.notes, *withheld))
    return Checked(told, tuple(_concerns(result, rules)))


def _concerns(result: StudyResult, rules: ReleaseRules) -> list[str]:
    people = int(result.summary.get("people", rules.least_people))
    concerns = []
    if people < rules.least_people:
        concerns.append(f"{people} people are fewer than the {rules.least_people} that a result needs")
    for name in ("cases", "controls", "events"):
        number = result.summary.get(name)
        if number is not None and int(number) < rules.least:
            # not how many: who runs the study reads this before anybody looked
            concerns.append(f"fewer than {rules.least} {name}, whom a result could point out; or is a value misspelt?")
    parameters = int(result.summary.get("parameters", 0))
    if parameters > rules.most_parameters * people:
        concerns.append(f"{parameters} parameters are too many for {people} people")
    return concerns


def _check_associations(table: Table, rules: ReleaseRules) -> tuple[Table, int]:
    """Rows of alleles of which, or of whose alternatives, there are too few copies are left out."""
    ac, an = _column(table, "ac"), _column(table, "an")
    told = np.minimum(ac, an - ac) >= rules.least
    return _round(_hide_called(_rows(table, told), rules), rules.digits), int((~told).sum())


def _check_frequencies(table: Table, rules: ReleaseRules) -> tuple[Table, int]:
    """Also genotypes: all of a row or none, each of enough people or impossible; and the test that would give them
    away."""
    ac, an = _column(table, "ac"), _column(table, "an")
    table = _rows(table, np.minimum(ac, an - ac) >= rules.least)
    out = len(ac) - len(_column(table, "ac"))
    het, hom, hemi = (_column(table, each) for each in ("het", "hom", "hemi"))
    ac, an = _column(table, "ac"), _column(table, "an")
    # alleles called less those of carriers: of people with no copy there are at least half so many
    without = (an - 2 * het - 2 * hom - hemi) / 2
    haploid_only = (het == 0) & (hom == 0) & (hemi == ac)
    enough = (het >= rules.least) & (hom >= rules.least) & (without >= rules.least)
    told = np.where(hemi > 0, (hemi >= rules.least) & (enough | haploid_only), enough)
    columns = dict(table.columns)
    for each, values in (("het", het), ("hom", hom), ("hemi", hemi)):
        columns[each] = np.where(told, values.astype(np.float64), np.nan)
    columns["hardy_weinberg_p"] = np.where(told, _column(table, "hardy_weinberg_p"), np.nan)
    return _round(_hide_called(Table(columns), rules), rules.digits), out + int((~told).sum())


def _hide_called(table: Table, rules: ReleaseRules) -> Table:
    """How many people were not called is told where they are enough, or nobody. Elsewhere neither is what was called,
    which lacks them; and what is computed of it has so few digits that it does not tell either."""
    missing = _column(table, "missing")
    few = (missing > 0) & (missing < rules.least)
    columns = dict(table.columns)
    for name in ("missing", "an", "n"):
        if name in columns:
            columns[name] = np.where(few, np.nan, _column(table, name).astype(np.float64))
    for name in ("frequency", "low", "high", "hardy_weinberg_p"):
        if name in columns:
            exact = _column(table, name)
            columns[name] = np.where(few, rounded(exact, _FEW_DIGITS), exact)
    return Table(columns)


def _check_map(table: Table, rules: ReleaseRules) -> tuple[Table, int]:
    told = _column(table, "people") >= rules.least
    return _rows(table, told), int((~told).sum())


def _check_all(table: Table, rules: ReleaseRules) -> tuple[Table, int]:
    """Nothing in it is of a few people."""
    return _round(table, rules.digits), 0


def _check_distribution(table: Table, rules: ReleaseRules) -> tuple[Table, int]:
    """Neighbouring bins become one until there are enough of each kind in it; what is left over joins the last."""
    kinds = [name for name in table.columns if name not in ("low", "high")]
    counts = np.column_stack([_column(table, name) for name in kinds])
    begins, behind = [0], np.zeros(len(kinds), np.int64)
    for k, row in enumerate(counts):
        if (behind >= rules.least).all() and counts[k:].sum(axis=0).min() >= rules.least:
            begins.append(k)
            behind = np.zeros(len(kinds), np.int64)
        behind = behind + row
    at = np.array(begins)
    joined = {name: np.add.reduceat(_column(table, name), at) for name in kinds}
    low, high = _column(table, "low")[at], _column(table, "high")[np.append(at[1:], len(counts)) - 1]
    return _round(Table({"low": low, "high": high, **joined}), rules.digits), len(counts) - len(at)


def _check_groups(table: Table, rules: ReleaseRules) -> tuple[Table, int]:
    people, events = _column(table, "people"), _column(table, "events")
    told = (events >= rules.least) & ((people - events >= rules.least) | (people == events))
    return _round(_rows(table, told), rules.digits), int((~told).sum())


def _check_curves(table: Table, rules: ReleaseRules) -> tuple[Table, int]:
    """A curve steps where enough people had the event since its last step, while enough are at risk after it. Of two
    neighbouring numbers at risk the difference, less the events, are those last seen between them: so both are rounded
    down."""
    group = table.columns["group"]
    events, at_risk = _column(table, "events"), _column(table, "at_risk")
    told, since = np.zeros(len(events), np.bool_), 0
    summed = events.copy()
    for k in range(len(events)):
        since = int(events[k]) if k == 0 or group[k] != group[k - 1] else since + int(events[k])
        told[k] = since >= rules.least and at_risk[k] - events[k] >= rules.least
        summed[k] = since
        since = 0 if told[k] else since
    whole = at_risk // max(rules.least, 1) * max(rules.least, 1)
    steps = _rows(Table({**table.columns, "at_risk": whole, "events": summed}), told)
    return _round(steps, rules.digits), int((~told).sum())


_CHECKS: dict[str, Callable[[Table, ReleaseRules], tuple[Table, int]]] = {
    "associations": _check_associations,
    "loadings": _check_associations,
    "frequencies": _check_frequencies,
    "components": _check_all,
    "map": _check_map,
    "distribution": _check_distribution,
    "deciles": _check_all,
    "groups": _check_groups,
    "curves": _check_curves,
}
"""For each table that a method makes. One that is missing here cannot be released."""

_FEW_COPIES = "Alleles with fewer than {least} copies of the rarer one are withheld"
_WITHHELD = {
    "associations": _FEW_COPIES,
    "loadings": _FEW_COPIES,
    "frequencies": "Alleles of which all, or the genotypes, are withheld because fewer than {least} people have one",
    "map": "Cells of the map with fewer than {least} people are withheld",
    "distribution": "Bins of the score with fewer than {least} people were joined with their neighbours",
    "groups": "Groups of which fewer than {least} people had the event, or did not, are withheld",
    "curves": "Steps of the curves with fewer than {least} events, or people left, were joined or left out",
}
"""What is said where rows are taken out of a table."""

_FEW_DIGITS = 2
_CALLED = (
    "Where fewer than {least} people have no call, how many were called is withheld, and frequencies have two digits."
)
_SAID = {
    "associations": _CALLED,
    "loadings": _CALLED,
    "frequencies": _CALLED,
    "curves": "People at risk are rounded down to multiples of {least}.",
}
"""What is said of a table in any case."""


def _column(table: Table, name: str) -> npt.NDArray[Any]:
    return np.asarray(table.columns[name])


def _rows(table: Table, kept: npt.NDArray[np.bool_]) -> Table:
    rows = np.flatnonzero(kept).tolist()
    columns = {
        name: [column[k] for k in rows] if isinstance(column, list) else column[kept]
        for name, column in table.columns.items()
    }
    return Table(columns)


def _round(table: Table, digits: int) -> Table:
    """Numbers that are not whole, to significant digits."""
    columns = dict(table.columns)
    for name, column in table.columns.items():
        if not isinstance(column, list) and column.dtype.kind == "f":
            columns[name] = rounded(column.astype(np.float64), digits)
    return Table(columns)


def rounded(values: Floats, digits: int) -> Floats:
    """To significant digits; NaN, zero and infinities stay."""
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.floor(np.log10(np.abs(values)))
    usable = np.isfinite(power)
    scale = np.where(usable, 10.0 ** np.clip(digits - 1 - np.where(usable, power, 0), -300, 300), 1.0)
    return np.where(usable, np.rint(values * scale) / scale, values)


def _rounded_number(value: float | str, digits: int) -> float | int | str:
    return float(rounded(np.array([value]), digits)[0]) if isinstance(value, float) else value
