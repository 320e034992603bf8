# SPDX-License-Identifier: Apache-2.0
"""Real genomes over four and five sites, to the digits that plink2 printed for everybody in one file."""

from pathlib import Path

import numpy as np
import pytest

from megagenome.analytics.linear import LinearSite
from megagenome.network.studies.linear import linear
from megagenome.standards.study import Linear, Measured, Sex, Variants
from tests.oracles.cineca import HEIGHT, SUPER_POPULATIONS, plink2, read_cineca, rounded
from tests.oracles.federation import run

pytestmark = pytest.mark.shared


@pytest.mark.parametrize(
    ("name", "by", "least", "people", "tested"),
    [
        ("plink2_eu.height.glm.linear.tsv.gz", ("FI", "GB", "ES", "IT"), 0.02, 404, 689),
        ("plink2_all.height.glm.linear.tsv.gz", SUPER_POPULATIONS, 0.01, 2504, 1052),
    ],
)
def test_the_sites_together_find_what_plink2_finds_in_all(
    shared: Path, name: str, by: tuple[str, ...], least: float, people: int, tested: int
) -> None:
    cineca = read_cineca(shared)
    method = Linear(Variants("GRCh37", least_count=1, least_frequency=least), Measured(HEIGHT), (Sex(),))
    populations = by[1:] if by is SUPER_POPULATIONS else ()
    of = cineca.super_population if by is SUPER_POPULATIONS else cineca.country
    sites, names = {}, ()
    for each in by:
        who = of == each
        table = cineca.table(cineca.height, who, populations)
        sites[each] = LinearSite(method, table, cineca.genotypes(who), least_count=1)
        names = table.names
    result = run(linear(method, names, len(sites)), sites)
    columns = result.tables["associations"].columns
    rows = {
        (pos1, ref, alt): k
        for k, (pos1, ref, alt) in enumerate(
            zip(np.asarray(columns["pos1"]).tolist(), columns["ref"], columns["alt"], strict=True)
        )
    }
    assert result.summary["people"] == people
    compared = 0
    for row in plink2(shared, name):
        k = rows[int(row["POS"]), row["REF"], row["ALT"]]
        sign = 1 if row["A1"] == row["ALT"] else -1
        assert columns["n"][k] == int(row["OBS_CT"])
        assert rounded(sign * float(columns["beta"][k]), row["BETA"]), row
        assert rounded(float(columns["se"][k]), row["SE"]), row
        assert rounded(sign * float(columns["t"][k]), row["T_STAT"]), row
        assert rounded(float(columns["p"][k]), row["P"]), row
        compared += 1
    assert compared == tested
