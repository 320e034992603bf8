# SPDX-License-Identifier: Apache-2.0
"""The columns of a regression at one site, on a common scale."""

import numpy as np

from megagenome.analytics.needs import Floats
from megagenome.kernel.errors import Invalid
from megagenome.standards.study_arrays import Arrays

STEPS = ("means", "scales", "spread", "leverages")
LARGEST = 1e6
HIGH = 0.5
"""Share of their own fit that nobody should have (Huber, Robust Statistics, 1981, 7.2.1): who has it all is as good as
left out of the regression, and two studies with and without that column would show them."""


class ColumnsSite:
    """Answers the steps that find the common scale of some columns, and how many people are behind them."""

    def __init__(self, columns: Floats) -> None:
        """`columns`: float64 [people, columns]."""
        self._columns = columns
        if self._columns.size and not np.abs(self._columns).max() <= LARGEST:
            raise Invalid(f"a trait or covariate is beyond {LARGEST:,.0f}: give it in larger units")

    def answer(self, step: str, parameters: Arrays) -> Arrays:
        """`means`: people and sums [columns]. `scales`: sums of squares around the means. `spread`: of scaled columns
        the sums of fourth powers, and products of the constant and every two of them. `leverages`: how many people have
        more than half of their own fit, given these products' inverse."""
        if step == "means":
            return {"people": np.array(len(self._columns)), "sums": self._columns.sum(axis=0)}
        if step == "scales":
            return {"squares": ((self._columns - parameters["means"]) ** 2).sum(axis=0)}
        x = np.hstack((np.ones((len(self._columns), 1)), self.scaled(parameters)))
        if step == "spread":
            return {"fourths": (x[:, 1:] ** 4).sum(axis=0), "products": x.T @ x}
        leverages = np.einsum("nk,kl,nl->n", x, parameters["inverse"], x)
        return {"high": np.array((leverages > HIGH + 1e-9).sum())}

    def scaled(self, parameters: Arrays) -> Floats:
        """float64 [people, columns] on the common scale."""
        scaled: Floats = (self._columns - parameters["means"]) / parameters["scales"]
        return scaled
