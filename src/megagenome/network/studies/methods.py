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

Begin = Callable[[Any, int, int], Combine]
"""Makes a method's hub side, from the document's method, the number of sites, and the fewest people behind what is told
(0 of open data)."""


def _frequencies(method: Frequencies, sites: int, _least: int) -> Combine:
    return frequencies(method, sites)


def _linear(method: Linear, sites: int, least: int) -> Combine:
    return linear(method, column_names(method.covariates), sites, least)


def _logistic(method: Logistic, sites: int, least: int) -> Combine:
    return logistic(method, column_names(method.covariates), sites, least)


def _components(method: Components, sites: int, _least: int) -> Combine:
    return components(method, sites)


def _survival(method: Survival, _sites: int, least: int) -> Combine:
    return survival(method, least)


METHODS: Mapping[type, Begin] = {
    Frequencies: _frequencies,
    Linear: _linear,
    Logistic: _logistic,
    Components: _components,
    Score: score,
    Survival: _survival,
}
