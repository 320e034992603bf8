# SPDX-License-Identifier: Apache-2.0
"""A site's side of linear association: products of genotypes, covariates and trait, which add up over sites."""

import numpy as np

from megagenome.analytics import alleles, columns
from megagenome.analytics.alleles import AllelesSite
from megagenome.analytics.columns import ColumnsSite
from megagenome.analytics.model import Table
from megagenome.analytics.needs import Floats, Genotypes
from megagenome.kernel.errors import Invalid
from megagenome.standards.study import Linear
from megagenome.standards.study_arrays import Arrays, read_alleles


class LinearSite:
    """Answers the steps of `network.studies.linear`."""

    def __init__(self, method: Linear, table: Table, genotypes: Genotypes, least_count: int) -> None:
        self._method, self._genotypes = method, genotypes
        self._alleles = AllelesSite(method.variants, genotypes, least_count)
        self._columns = ColumnsSite(np.column_stack((table.covariates, table.trait)))

    def answer(self, step: str, parameters: Arrays) -> Arrays:
        """`products`, of the alleles named, with scaled columns X = (1, covariates, trait): `XX` = X'X; of each allele
        `gX` = g'X and `gg` = g'g with missing copies 0, and `MXX` the sum of the products X over people without a call,
        upper triangle by rows. With `mean`, who has no call has the allele's mean copies, and `MXX` is empty."""
        if step in alleles.STEPS:
            return self._alleles.answer(step, parameters)
        if step in columns.STEPS:
            return self._columns.answer(step, parameters)
        if step != "products":
            raise Invalid(f"a linear study has no step {step!r}")
        return self._products(parameters)

    def _products(self, parameters: Arrays) -> Arrays:
        scan = self._genotypes.scan(read_alleles(self._method.variants.assembly, parameters))
        scaled = self._columns.scaled(parameters)
        x = np.hstack((np.ones((len(scaled), 1)), scaled))
        counts = scan.count()
        gg = (counts.het + 4 * (counts.hom + counts.hemi)).astype(np.float64)
        upper = np.triu_indices(x.shape[1])
        if self._method.missing == "drop":
            pairs: Floats = x[:, upper[0]] * x[:, upper[1]]
            gx, missing, _ = scan.project(x, pairs)
        else:
            gx, of_missing, _ = scan.project(x, x)
            mean = parameters["copies"]
            gx += mean[:, None] * of_missing
            gg += mean**2 * counts.missing
            missing = np.zeros((len(gg), 0))
        return {"XX": x.T @ x, "gX": gx, "gg": gg, "MXX": missing}
