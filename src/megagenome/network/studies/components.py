# SPDX-License-Identifier: Apache-2.0
"""Principal components over several sites, by block Krylov iteration on sums of Z'Z H (Z: `analytics.components`).

The spaces that all products span so far are kept (Golub and Van Loan, Matrix Computations, 10.3), so that few rounds
bring the eigenvectors of Z'Z to working precision. Only components whose error is small against the distance to their
neighbours are told: of the others any mixture would be as good.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid
from megagenome.network.studies.alleles import Chosen, choose_alleles
from megagenome.network.studies.associations import association_table
from megagenome.network.studies.model import Ask, Combine, Quantity, StudyResult, Sums, Table
from megagenome.standards.ring import bits_for
from megagenome.standards.study import Components

Floats = npt.NDArray[np.float64]

BINS, REACH = 40, 4.0
"""Of the map: cells in each direction, and standard deviations from its middle to its edge (`analytics.components`)."""

_MORE = 10
"""Columns beyond the components asked for, which make these converge sooner."""
_MOST_COLUMNS = 1200
"""Of all products that are kept."""
_NEAR = 1e-4
"""Largest error of a component, as the sine of its angle to the true one."""


@dataclass(slots=True)
class Krylov:
    """The products so far: orthonormal vectors Q, A Q, and what follows from them. Blocks side by side."""

    q: Floats
    aq: Floats
    values: Floats = field(default_factory=lambda: np.zeros(0))
    vectors: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def add(self, product: Floats) -> Floats:
        """Take A times the newest block; return the next one, with no column where the space is exhausted."""
        self.aq = np.hstack((self.aq, product))
        small = self.q.T @ self.aq
        values, vectors = np.linalg.eigh((small + small.T) / 2)
        self.values, self.vectors = values[::-1], vectors[:, ::-1]
        fresh = product
        for _ in range(2):  # once is not enough in floating point
            fresh = fresh - self.q @ (self.q.T @ fresh)
        block, size = np.linalg.qr(fresh)
        block = block[:, np.abs(np.diag(size)) > 1e-10 * max(float(self.values[0]), 1e-300)]
        self.q = np.hstack((self.q, block))
        return block

    def ritz(self, count: int) -> Floats:
        """The vectors of the largest values."""
        return self.q[:, : len(self.vectors)] @ self.vectors[:, :count]

    def errors(self, count: int) -> Floats:
        """Of the vectors of the `count` largest values: at most the sine of the angle to the true ones (Davis and
        Kahan), the neighbours being where they are believed."""
        found = self.ritz(count)
        residual = np.linalg.norm(self.aq @ self.vectors[:, :count] - found * self.values[:count], axis=0)
        distance = np.full(count, np.inf)
        steps = np.abs(np.diff(self.values[: count + 1]))
        distance[: len(steps)] = steps[:count]
        distance[1:] = np.minimum(distance[1:], steps[: count - 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(residual == 0, 0.0, residual / distance)


def components(method: Components, sites: int) -> Combine:
    """`components`: eigenvalues of ZZ' / alleles, and their share of the whole variation. `loadings`: of each allele.
    `map`: how many people are in each cell of a map of the first two components, in standard deviations."""
    chosen = yield from choose_alleles(method.variants, sites)
    if not all(chosen.alleles.contigs[k].isdecimal() for k in np.unique(chosen.alleles.contig)):
        raise Invalid("components are computed on autosomes: leave out the regions on other chromosomes")
    mean = 2 * chosen.frequency
    base = {**chosen.alleles.to_arrays(), "mean": mean, "deviation": np.sqrt(mean * (1 - mean / 2))}
    m, wanted = len(chosen.alleles), method.components
    sums = yield Ask("trace", base, (Quantity("trace", (), 8), Quantity("people", (), 0)))
    people, trace = int(sums["people"]), float(sums["trace"])
    wanted = min(wanted, people - 1, m)
    krylov = yield from _iterate(base, m, wanted, bits_for(float(people) * m, sites))
    errors = krylov.errors(wanted)
    told = int(np.argmax(np.append(errors > _NEAR, True)))
    if not told:
        raise Invalid("no component stands out: the people are alike in all that was studied")
    vectors, values = krylov.ritz(told), krylov.values[:told]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(told)])
    tables = {
        "components": Table({"component": np.arange(1, told + 1), "eigenvalue": values / m, "share": values / trace}),
        "loadings": association_table(chosen, **{f"pc{k + 1}": vectors[:, k] for k in range(told)}),
    }
    if told > 1:
        tables["map"] = yield from _map(base, people, vectors, values)
    return StudyResult(tables, {"people": people, "alleles": m, "components": told}, _notes(chosen, method, told))


def _iterate(base: dict[str, npt.NDArray[np.generic]], m: int, wanted: int, bits: int) -> Generator[Ask, Sums, Krylov]:
    block = np.linalg.qr(np.random.default_rng(1).normal(size=(m, min(m, wanted + _MORE))))[0]
    krylov = Krylov(block, np.zeros((m, 0)))
    while True:
        asked = Ask("multiply", {**base, "H": block}, (Quantity("product", block.shape, bits),))
        block = krylov.add((yield asked)["product"])
        if not block.shape[1] or krylov.q.shape[1] > min(m, _MOST_COLUMNS):
            return krylov
        if (krylov.errors(wanted) < _NEAR).all():
            return krylov


def _map(
    base: dict[str, npt.NDArray[np.generic]], people: int, vectors: Floats, values: Floats
) -> Generator[Ask, Sums, Table]:
    first_two = {"H": vectors[:, :2], "values": values[:2], "people": np.array(float(people))}
    counts = (yield Ask("map", {**base, **first_two}, (Quantity("map", (BINS, BINS), 0),)))["map"]
    x, y = np.nonzero(counts)
    width = 2 * REACH / BINS
    low = np.round(np.arange(BINS) * width - REACH, 9) + 0.0  # no -0
    return Table({"pc1": low[x], "pc2": low[y], "people": counts[x, y]})


def _notes(chosen: Chosen, method: Components, told: int) -> tuple[str, ...]:
    notes = list(chosen.notes())
    if chosen.missing.any():
        notes.append(
            f"Alleles at which people without a call got the mean copies: {int((chosen.missing > 0).sum()):,}."
        )
    if told < method.components:
        notes.append(
            f"Only {told} of {method.components} components stand apart from the next; the others are not told."
        )
    return tuple(notes)
