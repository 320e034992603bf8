# SPDX-License-Identifier: Apache-2.0
"""Alleles that are frequent enough here to be named."""

from pathlib import Path

import numpy as np

from megagenome.analytics.genotypes import SiteGenotypes
from megagenome.collection.model import Use
from megagenome.kernel.ids import PermitId
from tests.analytics.sites import real_world
from tests.collection import clocks
from tests.network.studies.nodes import ADA, PERMIT


def test_an_allele_is_named_where_it_and_its_alternatives_are_frequent_enough(tmp_path: Path) -> None:
    with real_world(tmp_path, {"node.a": 20}) as at:
        node = at.nodes["node.a"]
        reading = node.collection.open(ADA, Use.RESEARCH, permit=PermitId(PERMIT))
        genotypes = SiteGenotypes(reading, reading.values().numbers)
        copies = sum(sum(clocks.calls(number)[0]) for number in node.numbers)
        rarer = min(copies, 40 - copies)
        for least, named in ((0, ["22-101-A-C"]), (rarer, ["22-101-A-C"]), (rarer + 1, [])):
            found = genotypes.list_alleles("GRCh38", ("22",), least)
            assert list(map(str, found)) == named
        assert list(map(str, genotypes.list_alleles("GRCh38", (), 0))) == ["22-101-A-C"], "autosomes, not X"
        alleles = genotypes.list_alleles("GRCh38", ("22", "X"), 0)
        assert len(alleles) == 2
        scan = genotypes.scan(alleles)
        assert genotypes.scan(alleles.take(np.arange(2))) is scan
        assert genotypes.scan(alleles.take(np.arange(1))) is not scan
