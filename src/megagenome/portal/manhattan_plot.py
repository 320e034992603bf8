# SPDX-License-Identifier: Apache-2.0
"""p-values along the genome, one dot each. Of a million alleles all with p below 0.001 are drawn; the others, which lie
in a solid band anyway, once for each cell of a fine grid."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from megagenome.portal.axes import Axis, Floats, axis_up_to, dots, framed, line, number_axis
from megagenome.portal.numbers import p_value

GENOME_WIDE = 5e-8
ALL_BELOW = 1e-3
_CELLS = (400, 30)
_DEEPEST = 1e-300
_LETTER = 0.03
"""Width of a letter on a telephone, as a share of the field: names of chromosomes must not run together."""
_ORDER = {"X": 23, "Y": 24, "MT": 25}


class Alleles(NamedTuple):
    """Alleles with a p-value: contig names, positions counted from 1, p (no NaN), equally long."""

    contig: npt.NDArray[np.str_]
    pos1: npt.NDArray[np.int64]
    p: Floats

    @property
    def height(self) -> Floats:
        """-log10 p; what is below any told p-value is at its limit."""
        return -np.log10(np.clip(self.p, _DEEPEST, 1.0))


class Drawn(NamedTuple):
    """Where each allele is, from 0 to 1, and the chromosomes: name, beginning, end."""

    x: Floats
    contigs: tuple[tuple[str, float, float], ...]


def manhattan_plot(tested: Alleles, ident: str, title: str, description: str) -> Markup:
    """The plot as SVG, chromosomes side by side in their order, each as long as its tested part."""
    height = tested.height
    scale = axis_up_to(max(float(height.max(initial=0.0)), -np.log10(GENOME_WIDE) + 0.5))
    place = place_alleles(tested)
    y = height / scale.high
    kept = keep(place.x, tested.p, y)
    marks = []
    for number, (_, begin, end) in enumerate(place.contigs):
        own = kept & (place.x >= begin) & (place.x <= end)
        if own.any():
            marks.append(dots(place.x[own], y[own], f"turn-{number % 2}"))
    limit = np.full(2, -np.log10(GENOME_WIDE) / scale.high)
    marks.append(line(np.array([0.0, 1.0]), limit, "limit"))
    across = _one(tested) if len(place.contigs) == 1 else Axis("chromosome", _names(place))
    return framed(ident, title, description, across, number_axis("−log₁₀ p", scale), Markup("").join(marks))


def keep(x: Floats, p: Floats, y: Floats) -> npt.NDArray[np.bool_]:
    """Which alleles are drawn: all with p below `ALL_BELOW`, of the others the first in each cell."""
    kept = p < ALL_BELOW
    rest = np.flatnonzero(~kept)
    highest = float(y[rest].max(initial=0.0)) or 1.0
    column = np.minimum(x[rest] * _CELLS[0], _CELLS[0] - 1).astype(np.int64)
    row = np.minimum(y[rest] / highest * _CELLS[1], _CELLS[1] - 1).astype(np.int64)
    _, first = np.unique(column * _CELLS[1] + row, return_index=True)
    kept[rest[first]] = True
    return kept


def place_alleles(tested: Alleles) -> Drawn:
    """Chromosomes one after the other, with a small gap between."""
    names, of = np.unique(tested.contig, return_inverse=True)
    order = sorted(range(len(names)), key=lambda k: _rank(str(names[k])))
    low = np.full(len(names), np.iinfo(np.int64).max)
    high = np.zeros(len(names), np.int64)
    np.minimum.at(low, of, tested.pos1)
    np.maximum.at(high, of, tested.pos1)
    length = (high - low + 1).astype(np.float64)
    gap = float(length.sum()) * 0.006
    begin, total = np.zeros(len(names)), 0.0
    for k in order:
        begin[k] = total
        total += float(length[k]) + gap
    total -= gap
    x = (begin[of] + (tested.pos1 - low[of]) + 0.5) / total
    contigs = tuple((str(names[k]), float(begin[k] / total), float((begin[k] + length[k]) / total)) for k in order)
    return Drawn(x, contigs)


def limit_text() -> str:
    """The line's meaning, for a legend."""
    return f"dashed line: p = {p_value(GENOME_WIDE)}, the usual limit for a whole genome"


def _rank(name: str) -> tuple[int, str]:
    return (int(name) if name.isdecimal() else _ORDER.get(name, 99), name)


def _names(place: Drawn) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = []
    for name, begin, end in place.contigs:
        middle = (begin + end) / 2
        if not found or middle - found[-1][0] >= _LETTER * (len(found[-1][1]) + len(name)) / 2:
            found.append((middle, name))
    return found


def _one(tested: Alleles) -> Axis:
    low, high = int(tested.pos1.min()), int(tested.pos1.max())
    ticks = [(0.02, f"{low / 1e6:.2f}"), (0.5, f"{(low + high) / 2e6:.2f}"), (0.98, f"{high / 1e6:.2f}")]
    return Axis(f"chromosome {tested.contig[0]}, million bases", ticks if high > low else [(0.5, f"{low / 1e6:.2f}")])
