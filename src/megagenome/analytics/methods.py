# SPDX-License-Identifier: Apache-2.0
"""The site side of each method. Its hub side stands in `network.studies.methods`."""

from collections.abc import Callable, Mapping
from typing import Any

from megagenome.analytics.alleles import AllelesSite
from megagenome.analytics.components import ComponentsSite
from megagenome.analytics.linear import LinearSite
from megagenome.analytics.logistic import LogisticSite
from megagenome.analytics.model import MethodSite, Table
from megagenome.analytics.needs import Genotypes
from megagenome.analytics.score import ScoreSite
from megagenome.analytics.survival import SurvivalSite
from megagenome.standards.study import Components, Frequencies, Linear, Logistic, Score, Survival

Make = Callable[[Any, Table, Genotypes, int], MethodSite]
"""Makes a method's site side, from the document's method, the people, their genotypes and the fewest copies of an
allele that this node names."""


def _frequencies(method: Frequencies, _table: Table, genotypes: Genotypes, least_count: int) -> MethodSite:
    return AllelesSite(method.variants, genotypes, least_count)


def _components(method: Components, _table: Table, genotypes: Genotypes, least_count: int) -> MethodSite:
    return ComponentsSite(method, genotypes, least_count)


def _score(method: Score, table: Table, genotypes: Genotypes, _least_count: int) -> MethodSite:
    return ScoreSite(method, table, genotypes)


def _survival(method: Survival, table: Table, _genotypes: Genotypes, _least_count: int) -> MethodSite:
    return SurvivalSite(method, table)


METHODS: Mapping[type, Make] = {
    Frequencies: _frequencies,
    Linear: LinearSite,
    Logistic: LogisticSite,
    Components: _components,
    Score: _score,
    Survival: _survival,
}

MAY_OPEN: Mapping[str, frozenset[str]] = {"alleles": frozenset({"contigs", "contig", "start", "text"})}
"""What leaves a node as it is, by step: names of alleles that are frequent enough here. Everything else leaves in sums,
whatever a hub asks for."""
