# SPDX-License-Identifier: Apache-2.0
"""The site side of each method. Its hub side stands in `network.studies.methods`."""

from collections.abc import Callable, Mapping
from typing import Any

from megagenome.analytics.alleles import AllelesSite
from megagenome.analytics.linear import LinearSite
from megagenome.analytics.logistic import LogisticSite
from megagenome.analytics.model import MethodSite, Table
from megagenome.analytics.needs import Genotypes
from megagenome.standards.study import Frequencies, Linear, Logistic

Make = Callable[[Any, Table, Genotypes, int], MethodSite]
"""Makes a method's site side, from the document's method, the people, their genotypes and the fewest copies of an
allele that this node names."""


def _frequencies(method: Frequencies, _table: Table, genotypes: Genotypes, least_count: int) -> MethodSite:
    return AllelesSite(method.variants, genotypes, least_count)


METHODS: Mapping[type, Make] = {Frequencies: _frequencies, Linear: LinearSite, Logistic: LogisticSite}

MAY_OPEN: Mapping[str, frozenset[str]] = {"alleles": frozenset({"contigs", "contig", "start", "text"})}
"""What leaves a node as it is, by step: names of alleles that are frequent enough here. Everything else leaves in sums,
whatever a hub asks for."""
