# SPDX-License-Identifier: Apache-2.0
"""Regions as people write them, and alleles that are frequent enough here to be named."""

from pathlib import Path

import numpy as np
import pytest

from megagenome.analytics.genotypes import SiteGenotypes, read_region
from megagenome.collection.model import Use
from megagenome.kernel.coordinates import Region
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import PermitId
from tests.analytics.sites import real_world
from tests.collection import clocks
from tests.network.studies.nodes import ADA, PERMIT


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("22", Region("GRCh38", "22", 0, 1 << 28)),
        ("X:1-1", Region("GRCh38", "X", 0, 1)),
        ("22:16,050,001-17,000,000", Region("GRCh38", "22", 16_050_000, 17_000_000)),
    ],
)
def test_regions(text: str, region: Region) -> None:
    assert read_region("GRCh38", text) == region


@pytest.mark.parametrize(
    "text", ["", "22:", "22:5", "22:0-5", "22:6-5", "22:1-999999999999", "22;1-2", "chr 22", "1:,-,"]
)
def test_what_is_no_region(text: str) -> None:
    with pytest.raises(Invalid, match="region"):
        read_region("GRCh38", text)


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
