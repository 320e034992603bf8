# SPDX-License-Identifier: Apache-2.0
"""A site's side of principal components: products of its standardised genotypes Z with vectors over alleles.

Z is (copies - mean) / deviation, 0 where the call is missing; mean and deviation are of all sites together.
"""

import numpy as np

from megagenome.analytics.alleles import STEPS, AllelesSite
from megagenome.analytics.needs import Counts, Floats, Genotypes, Scan
from megagenome.kernel.errors import Invalid
from megagenome.standards.study import Components
from megagenome.standards.study_arrays import Arrays, read_alleles

BINS = 40
"""Of the map of people, in each direction."""
REACH = 4.0
"""Standard deviations from the map's middle to its edge."""


class ComponentsSite:
    """Answers the steps of `network.studies.components`."""

    def __init__(self, method: Components, genotypes: Genotypes, least_count: int) -> None:
        self._method, self._genotypes = method, genotypes
        self._alleles = AllelesSite(method.variants, genotypes, least_count)

    def answer(self, step: str, parameters: Arrays) -> Arrays:
        """`trace`: the sum of squares of Z, and `people`. `multiply`: Z'Z H, float64 [alleles, columns]. `map`: how
        many people are in each cell of a map of the first two components, int64 [BINS, BINS]."""
        if step in STEPS:
            return self._alleles.answer(step, parameters)
        scan = self._genotypes.scan(read_alleles(self._method.variants.assembly, parameters))
        mean, deviation = parameters["mean"], parameters["deviation"]
        if step == "trace":
            counts = scan.count()
            two = counts.hom + counts.hemi
            squares = (
                counts.het * (1 - mean) ** 2
                + two * (2 - mean) ** 2
                + (scan.people - counts.missing - counts.het - two) * mean**2
            )
            return {"trace": np.array((squares / deviation**2).sum()), "people": np.array(scan.people)}
        if step == "multiply":
            return {"product": _transposed(scan, self._places(scan, parameters), mean, deviation)}
        if step != "map":
            raise Invalid(f"a study of components has no step {step!r}")
        # standard deviations, because all people's squares add up to 1
        return {"map": _count_cells(self.places(parameters) * np.sqrt(parameters["people"]))}

    def places(self, parameters: Arrays) -> Floats:
        """Each person's place on the components (columns of `H`, of length 1), float64 [people, components], of length
        1 over all sites together. Never leaves the site."""
        scan = self._genotypes.scan(read_alleles(self._method.variants.assembly, parameters))
        places: Floats = self._places(scan, parameters) / np.sqrt(parameters["values"])
        return places

    def _places(self, scan: Scan, parameters: Arrays) -> Floats:
        """Z H: the mean is taken off everybody, and put back for those without a call."""
        mean, weights = parameters["mean"], parameters["H"] / parameters["deviation"][:, None]
        return scan.spread(weights, mean[:, None] * weights) - mean @ weights


def _transposed(scan: Scan, y: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Z' y."""
    copies, missing, _ = scan.project(y, y)
    product: Floats = (copies + mean[:, None] * (missing - y.sum(axis=0))) / deviation[:, None]
    return product


def _count_cells(places: Floats) -> Counts:
    """int64 [BINS, BINS]; whoever is beyond the map is in its outermost cells."""
    cells = np.clip(np.floor((places[:, :2] / REACH + 1) / 2 * BINS), 0, BINS - 1).astype(np.int64)
    counts = np.zeros((BINS, BINS), np.int64)
    np.add.at(counts, (cells[:, 0], cells[:, 1]), 1)
    return counts
