# SPDX-License-Identifier: Apache-2.0
"""Real genomes over five sites, as near to what plink2 finds in one file as single precision is."""

from pathlib import Path

import numpy as np
import pytest

from megagenome.analytics.logistic import LogisticSite
from megagenome.network.studies.logistic import logistic
from megagenome.standards.study import Group, Logistic, Sex, Variants
from tests.oracles.cineca import SUPER_POPULATIONS, plink2, read_cineca
from tests.oracles.federation import run


@pytest.mark.shared
def test_the_sites_together_find_what_plink2_finds_in_all(shared: Path) -> None:
    cineca = read_cineca(shared)
    cases = np.array(["ICD10:I83" in diseases for diseases in cineca.diseases], np.float64)
    assert cases.sum() == 139
    rows = plink2(shared, "plink2_i83.I83.glm.logistic.tsv.gz")
    wanted = {(int(row["POS"]), row["REF"], row["ALT"]): row for row in rows}
    everyone = '{"type":"everyone"}'
    method = Logistic(Variants("GRCh37", least_count=50), Group(everyone, everyone), (Sex(),), effects_below=1)
    sites, names = {}, ()
    for each in SUPER_POPULATIONS:
        who = cineca.super_population == each
        table = cineca.table(cases, who, SUPER_POPULATIONS[1:])
        sites[each] = LogisticSite(method, table, cineca.genotypes(who), least_count=1)
        names = table.names
    result = run(logistic(method, names, len(sites)), sites)
    assert (result.summary["people"], result.summary["cases"]) == (2504, 139)
    columns = result.tables["associations"].columns
    compared = 0
    for k, place in enumerate(zip(np.asarray(columns["pos1"]).tolist(), columns["ref"], columns["alt"], strict=True)):
        row = wanted.get(place)
        if row is None:
            continue
        beta = float(columns["beta"][k]) * (1 if row["A1"] == row["ALT"] else -1)
        # plink2 fits in single precision; FACTS.json allows 1e-4
        assert np.exp(beta) == pytest.approx(float(row["OR"]), rel=1e-4), row
        assert columns["se"][k] == pytest.approx(float(row["LOG(OR)_SE"]), rel=1e-4), row
        assert beta / float(columns["se"][k]) == pytest.approx(float(row["Z_STAT"]), abs=1e-4), row
        assert columns["p_wald"][k] == pytest.approx(float(row["P"]), abs=1e-4), row
        compared += 1
    assert compared == len(wanted) == 585
