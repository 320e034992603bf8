# SPDX-License-Identifier: Apache-2.0
"""A site's side of a polygenic score: how its people's scores are distributed. No score of a person leaves."""

import numpy as np

from megagenome.analytics import columns
from megagenome.analytics.columns import ColumnsSite
from megagenome.analytics.model import Table
from megagenome.analytics.needs import Counts, Floats, Genotypes
from megagenome.kernel.errors import Invalid
from megagenome.standards.study import Group, Score
from megagenome.standards.study_arrays import Arrays, read_alleles

BINS = 200
REACH = 5.0
"""Standard deviations from the middle of the bins to their ends; whoever is beyond is in the outermost."""
POWERS = 4


class ScoreSite:
    """Answers the steps of `network.studies.score`."""

    def __init__(self, method: Score, table: Table, genotypes: Genotypes) -> None:
        self._method, self._trait, self._genotypes = method, table.trait, genotypes
        self._columns = ColumnsSite(table.trait[:, None])

    def answer(self, step: str, parameters: Arrays) -> Arrays:
        """`match`: of alleles, whether recorded, copies, and people without a call; and `people`. `moments`: sums of
        powers 1 to 4 of the scores on the scale given. `bins`: how many people are in each, int64 [BINS, kinds], and
        with a trait that is a number, sums of it, its square and its product with the score."""
        if step in columns.STEPS:
            return self._columns.answer(step, parameters)
        if step == "match":
            scan = self._genotypes.scan(read_alleles(self._method.assembly, parameters))
            counts = scan.count()
            copies = counts.het + 2 * (counts.hom + counts.hemi)
            found = np.stack((scan.recorded.astype(np.int64), copies, counts.missing), axis=1)
            found[~scan.recorded] = 0
            return {"found": found, "people": np.array(scan.people)}
        scores = (self.scores(parameters) - parameters["middle"]) / parameters["scale"]
        if step == "moments":
            return {"powers": np.array([(scores**k).sum() for k in range(1, POWERS + 1)])}
        if step == "bins":
            return self._bins(scores, parameters)
        raise Invalid(f"a study of a score has no step {step!r}")

    def scores(self, parameters: Arrays) -> Floats:
        """Each person's score, float64 [people]; never leaves the site. `weights` are of the alternates' copies and
        `missing` of calls that are missing; `constant` is everybody's."""
        scan = self._genotypes.scan(read_alleles(self._method.assembly, parameters))
        sums = scan.spread(parameters["weights"][:, None], parameters["missing"][:, None])
        scores: Floats = sums[:, 0] + parameters["constant"]
        return scores

    def _bins(self, scores: Floats, parameters: Arrays) -> Arrays:
        cell = np.clip(np.floor((scores / REACH + 1) / 2 * BINS), 0, BINS - 1).astype(np.int64)
        if isinstance(self._method.trait, Group):
            return {"bins": _count(cell, self._trait.astype(np.int64), 2)}
        answer = {"bins": _count(cell, np.zeros_like(cell), 1)}
        if self._method.trait is None:
            return answer
        y = (self._trait - parameters["trait_middle"]) / parameters["trait_scale"]
        return {**answer, "trait": np.array([y.sum(), (y**2).sum(), (y * scores).sum()])}


def _count(cell: Counts, kind: Counts, kinds: int) -> Counts:
    counts = np.zeros((BINS, kinds), np.int64)
    np.add.at(counts, (cell, kind), 1)
    return counts
