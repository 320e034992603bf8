# SPDX-License-Identifier: Apache-2.0
"""The hub's side of each method. Its site side stands in `analytics.methods`."""

from collections.abc import Callable, Mapping
from typing import Any

from megagenome.network.studies.components import components
from megagenome.network.studies.frequencies import frequencies
from megagenome.network.studies.linear import linear
from megagenome.network.studies.logistic import logistic
from megagenome.network.studies.model import Combine
from megagenome.network.studies.score import score
from megagenome.network.studies.survival import survival
from megagenome.standards.study import (
    Components,
    Frequencies,
    Linear,
    Logistic,
    Score,
    Survival,
    column_names,
)

Begin = Callable[[Any, int], Combine]
"""Makes a method's hub side, from the document's method and the number of sites."""


def _linear(method: Linear, sites: int) -> Combine:
    return linear(method, column_names(method.covariates), sites)


def _logistic(method: Logistic, sites: int) -> Combine:
    return logistic(method, column_names(method.covariates), sites)


def _survival(method: Survival, _sites: int) -> Combine:
    return survival(method)


METHODS: Mapping[type, Begin] = {
    Frequencies: frequencies,
    Linear: _linear,
    Logistic: _logistic,
    Components: components,
    Score: score,
    Survival: _survival,
}
