# SPDX-License-Identifier: Apache-2.0
"""The hub's side of each method. Its site side stands in `analytics.methods`."""

from collections.abc import Callable, Mapping
from typing import Any

from megagenome.network.studies.counts import counts
from megagenome.network.studies.linear import linear
from megagenome.network.studies.logistic import logistic
from megagenome.network.studies.model import Combine
from megagenome.standards.study import Frequencies, Linear, Logistic, column_names

Begin = Callable[[Any, int], Combine]
"""Makes a method's hub side, from the document's method and the number of sites."""


def _linear(method: Linear, sites: int) -> Combine:
    return linear(method, column_names(method.covariates), sites)


def _logistic(method: Logistic, sites: int) -> Combine:
    return logistic(method, column_names(method.covariates), sites)


METHODS: Mapping[type, Begin] = {Frequencies: counts, Linear: _linear, Logistic: _logistic}
