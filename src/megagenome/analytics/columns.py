# SPDX-License-Identifier: Apache-2.0
"""The columns of a regression at one site, on a common scale."""

import numpy as np

from megagenome.analytics.needs import Floats
from megagenome.kernel.errors import Invalid
from megagenome.standards.study_arrays import Arrays

STEPS = ("means", "scales")
LARGEST = 1e6


class ColumnsSite:
    """Answers the two steps that find the common scale of some columns."""

    def __init__(self, columns: Floats) -> None:
        """`columns`: float64 [people, columns]."""
        self._columns = columns
        if self._columns.size and not np.abs(self._columns).max() <= LARGEST:
            raise Invalid(f"a trait or covariate is beyond {LARGEST:,.0f}: give it in larger units")

    def answer(self, step: str, parameters: Arrays) -> Arrays:
        """`means`: people and sums [columns]. `scales`: sums of squares around the means."""
        if step == "means":
            return {"people": np.array(len(self._columns)), "sums": self._columns.sum(axis=0)}
        return {"squares": ((self._columns - parameters["means"]) ** 2).sum(axis=0)}

    def scaled(self, parameters: Arrays) -> Floats:
        """float64 [people, columns] on the common scale."""
        scaled: Floats = (self._columns - parameters["means"]) / parameters["scales"]
        return scaled
