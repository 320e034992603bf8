# SPDX-License-Identifier: Apache-2.0
"""The drawings of a study's result: which there are, what they show, and what each says to who does not see it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from megagenome.portal.axes import Floats
from megagenome.portal.component_map import Cell, component_map, map_classes
from megagenome.portal.manhattan_plot import GENOME_WIDE, Alleles, limit_text, manhattan_plot
from megagenome.portal.numbers import count, number, p_value, plural
from megagenome.portal.quantile_plot import lambda_gc, quantile_plot
from megagenome.portal.score_plot import Histogram, score_plot
from megagenome.portal.survival_plot import STYLES, Curve, at_risk, survival_plot, time_scale
from megagenome.portal.tile_map import colour_of
from megagenome.standards.study_shown import ResultShown


class Key(NamedTuple):
    """A line of a legend: the class of what it explains, `line`, `box` or `hatch`, and its meaning."""

    style: str
    shape: str
    text: str


class SmallTable(NamedTuple):
    """Numbers that stand directly below a drawing."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Figure(NamedTuple):
    """A drawing. `ident` is unique on the page; `is_small` where it may stand beside another one."""

    ident: str
    caption: str
    drawing: Markup
    keys: tuple[Key, ...] = ()
    notes: tuple[str, ...] = ()
    below: SmallTable | None = None
    is_small: bool = False


def figures(result: ResultShown) -> dict[str, list[Figure]]:
    """Drawings by the table that they show; a table without rows has none."""
    found = {name: draw(result) for name, draw in _DRAWN.items() if _length(result, name)}
    return {name: drawn for name, drawn in found.items() if drawn}


def _associations(result: ResultShown) -> list[Figure]:
    table = result.tables["associations"]
    p = _floats(table["p"])
    known = ~np.isnan(p)
    if not known.any():
        return []
    tested = Alleles(np.array(table["contig"], np.str_)[known], np.array(table["pos1"], np.int64)[known], p[known])
    return [_manhattan(tested, table), _quantiles(tested.p)]


def _manhattan(tested: Alleles, table: dict[str, list[float | int | str | None]]) -> Figure:
    smallest = int(np.argmin(tested.p))
    hits = int((tested.p < GENOME_WIDE).sum())
    known = [k for k, p in enumerate(table["p"]) if p is not None]
    best = "-".join(str(table[name][known[smallest]]) for name in ("contig", "pos1", "ref", "alt"))
    said = (
        f"{plural(len(tested.p), 'allele')} with a p-value, {count(hits)} below {p_value(GENOME_WIDE)}. "
        f"The smallest is {p_value(float(tested.p[smallest]))}, of {best}."
    )
    drawing = manhattan_plot(tested, "manhattan", "p-values along the genome", said)
    notes = [said]
    if len(tested.p) > 5000:
        notes.append("All alleles with p below 0.001 are drawn; of the others, one for each place in the solid part.")
    return Figure(
        "manhattan", "p-values along the genome", drawing, (Key("limit", "line", limit_text()),), tuple(notes)
    )


def _quantiles(p: Floats) -> Figure:
    inflation = lambda_gc(p)
    said = f"λ = {number(inflation)}. By chance it is 1; far above 1, something that matters was left out."
    drawing = quantile_plot(p, "quantiles", "p-values against chance", said)
    keys = (
        Key("chance", "box", "95 % of each p-value by chance, if alleles were independent"),
        Key("limit", "line", "observed as expected"),
    )
    return Figure("quantiles", "p-values against those of chance (QQ)", drawing, keys, (said,), is_small=True)


def _map(result: ResultShown) -> list[Figure]:
    table = result.tables["map"]
    cells = [
        Cell(float(x), float(y), int(people))
        for x, y, people in zip(_floats(table["pc1"]), _floats(table["pc2"]), _floats(table["people"]), strict=True)
    ]
    told, people = sum(cell.people for cell in cells), result.summary.get("people")
    withheld = isinstance(people, int) and told < people
    steps = map_classes(cells)
    fullest = max(cell.people for cell in cells)
    said = f"{plural(len(cells), 'cell')} with {plural(told, 'person', 'people')}; the fullest has {count(fullest)}."
    if withheld:
        said += " Hatched: nobody, or too few to tell; nobody can tell which."
    drawing = component_map(cells, steps, "map", "People on the first two components", said, some_withheld=withheld)
    keys = [
        Key(f"step-{colour_of(k, steps)}", "box", f"{count(max(1, round(low)))} to {count(round(high))} people")
        for k, (low, high) in enumerate(zip(steps.bounds, steps.bounds[1:], strict=False))
        if any(steps.class_of(cell.people) == k for cell in cells)
    ]
    keys.append(Key("map-hatch", "hatch", "nobody, or too few to tell") if withheld else Key("ground", "box", "nobody"))
    return [Figure("map", "People on the first two components", drawing, tuple(keys), (said,), is_small=True)]


def _curves(result: ResultShown) -> list[Figure]:
    table = result.tables["curves"]
    group = np.array(table["group"], np.str_)
    curves = []
    for label in dict.fromkeys(str(each) for each in table["group"]):
        own = group == label
        columns = (_floats(table[name])[own] for name in ("time", "at_risk", "survival", "low", "high"))
        curves.append(Curve(label, *columns))
    p = result.summary.get("p")
    said = f"{plural(len(curves), 'group')}" + (f"; log-rank p = {p_value(p)}." if isinstance(p, float) else ".")
    ends = "; ".join(f"{c.label}: {c.survival[-1] * 100:.1f} % after {number(float(c.time[-1]))}" for c in curves)
    drawing = survival_plot(curves, "survival", "Kaplan-Meier curves", f"{said} {ends}.")
    keys = tuple(Key(f"curve-{k % STYLES}", "line", curve.label) for k, curve in enumerate(curves))
    notes = (said, "Shaded: 95 % interval of each curve.")
    return [Figure("survival", "Share that has not had the event", drawing, keys, notes, _risk_table(curves))]


def _risk_table(curves: Sequence[Curve]) -> SmallTable:
    moments = time_scale(curves).ticks
    rows = tuple(
        (curve.label, *("–" if each is None else count(round(each)) for each in at_risk(curve, moments)))
        for curve in curves
    )
    caption = "At risk just before the first event at or after each time"
    return SmallTable(caption, ("Group", *(f"{moment:,.10g}" for moment in moments)), rows)


def _distribution(result: ResultShown) -> list[Figure]:
    table = result.tables["distribution"]
    groups = [Histogram(name, _floats(table[name])) for name in ("people", "controls", "cases") if name in table]
    said = "; ".join(f"{plural(round(float(np.nansum(each.people))), each.label, each.label)}" for each in groups) + "."
    area = result.summary.get("area_under_curve")
    if isinstance(area, float):
        said += f" Area under the curve {number(area)}."
    low, high = _floats(table["low"]), _floats(table["high"])
    drawing = score_plot(low, high, groups, "scores", "How the score is distributed", said)
    keys = tuple(Key(f"curve-{k}", "line", each.label) for k, each in enumerate(groups)) if len(groups) > 1 else ()
    return [Figure("scores", "How the score is distributed", drawing, keys, (said,))]


def _length(result: ResultShown, name: str) -> int:
    return len(next(iter(result.tables.get(name, {}).values()), []))


def _floats(values: Sequence[float | int | str | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], np.float64)


_DRAWN: dict[str, Callable[[ResultShown], list[Figure]]] = {
    "associations": _associations,
    "map": _map,
    "curves": _curves,
    "distribution": _distribution,
}
