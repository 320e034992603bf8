# SPDX-License-Identifier: Apache-2.0
"""Survival over sites against one loop over the pooled people, and on TCGA's leukaemia
against FACTS.json and scipy."""

import csv
import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from megagenome.analytics.model import Table
from megagenome.analytics.survival import SurvivalSite
from megagenome.kernel.errors import Invalid
from megagenome.network.studies.model import StudyResult
from megagenome.network.studies.survival import survival
from megagenome.standards.study import Arm, Measured, Survival
from tests.oracles.federation import run

EVERYONE = '{"type":"everyone"}'


def _method(groups: int, width: float = 1.0) -> Survival:
    arms = tuple(Arm(f"g{k}", EVERYONE) for k in range(groups)) if groups > 1 else ()
    return Survival(Measured("days"), "status", groups=arms, width=width)


def _run(people: list[tuple[float, int, int]], sizes: tuple[int, ...], method: Survival) -> StudyResult:
    """`people`: time, event, group."""
    sites, begin = {}, 0
    for k, size in enumerate(sizes):
        rows = np.array(people[begin : begin + size], np.float64).reshape(-1, 3)
        sites[f"n{k}"] = SurvivalSite(method, Table(rows[:, 0], rows[:, 1:], ("event", "group")))
        begin += size
    return run(survival(method), sites)


def _plain(people: list[tuple[float, int, int]]) -> list[tuple[float, int, int, float]]:
    """Time, at risk, events, survival."""
    found, alive = [], 1.0
    for time in sorted({t for t, event, _ in people if event}):
        n = sum(t >= time for t, _, _ in people)
        d = sum(t == time and event for t, event, _ in people)
        alive *= 1 - d / n
        found.append((time, n, d, alive))
    return found


def _plain_log_rank(people: list[tuple[float, int, int]]) -> float:
    """Of two groups."""
    observed = expected = variance = 0.0
    for time in {t for t, event, _ in people if event}:
        n = sum(t >= time for t, _, _ in people)
        n1 = sum(t >= time and group == 1 for t, _, group in people)
        d = sum(t == time and event for t, event, _ in people)
        observed += sum(t == time and event and group == 1 for t, event, group in people)
        expected += d * n1 / n
        if n > 1:
            variance += d * (n1 / n) * (1 - n1 / n) * (n - d) / (n - 1)
    return (observed - expected) ** 2 / variance if variance else math.nan


_people = st.lists(
    st.tuples(st.integers(0, 30).map(float), st.integers(0, 1), st.integers(0, 1)), min_size=6, max_size=80
)


@given(_people)
@settings(max_examples=50)
def test_it_is_the_curve_and_the_test_of_the_pooled_people(people: list[tuple[float, int, int]]) -> None:
    third = len(people) // 3
    result = _run(people, (third, third, len(people) - 2 * third), _method(2))
    columns = result.tables["curves"].columns
    for k in range(2):
        mine = [each for each in people if each[2] == k]
        rows = [i for i, group in enumerate(columns["group"]) if group == f"g{k}"]
        found = [tuple(float(columns[name][i]) for name in ("time", "at_risk", "events", "survival")) for i in rows]
        assert found == [pytest.approx(each) for each in _plain(mine)]
    expected = _plain_log_rank(people)
    if math.isnan(expected):
        assert "p" not in result.summary
    else:
        assert result.summary["log_rank_chi_square"] == pytest.approx(expected, rel=1e-8, abs=1e-9)
        assert result.summary["p"] == pytest.approx(stats.chi2.sf(expected, 1), rel=1e-6)


def test_one_group_has_no_test() -> None:
    result = _run([(5.0, 1, 0), (6.0, 0, 0), (9.0, 1, 0)], (1, 1, 1), _method(1))
    assert result.summary == {"people": 3, "events": 2}
    groups = result.tables["groups"].columns
    assert list(groups["group"]) == ["all"]
    assert float(groups["median"][0]) == 9


def test_wider_bins_bring_times_together() -> None:
    result = _run([(5.0, 1, 0), (6.0, 1, 0), (39.0, 1, 0)], (1, 1, 1), _method(1, width=30))
    assert np.asarray(result.tables["curves"].columns["time"]).tolist() == [0, 30]
    assert np.asarray(result.tables["curves"].columns["events"]).tolist() == [2, 1]


def test_a_time_below_zero_is_refused_and_so_are_too_many_bins() -> None:
    with pytest.raises(Invalid, match="below 0"):
        _run([(-1.0, 1, 0), (6.0, 1, 0), (39.0, 1, 0)], (1, 1, 1), _method(1))
    with pytest.raises(Invalid, match="make them wider"):
        _run([(1e6, 1, 0), (6.0, 1, 0), (39.0, 1, 0)], (1, 1, 1), _method(1, width=0.001))


def test_an_empty_group_is_named() -> None:
    result = _run([(5.0, 1, 0), (6.0, 1, 0), (7.0, 1, 0)], (1, 1, 1), _method(2))
    assert "g1: nobody is in this group." in result.notes
    assert "p" not in result.summary


_SILENT = {"Silent", "Intron", "RNA", "3'UTR", "5'UTR", "IGR", "3'Flank", "5'Flank"}


@pytest.mark.shared
@pytest.mark.parametrize("gene", ["TP53", "FLT3", "DNMT3A", "NPM1"])
def test_leukaemia_over_three_sites(shared: Path, gene: str) -> None:
    facts = json.loads((shared / "data/FACTS.json").read_text())["tcga_laml"]["survival_kaplan_meier"]
    everybody = _leukaemia(shared, gene)
    people = [each for each in everybody if each[0] >= 0]
    assert len(people) == facts["all"]["n"]
    sizes = (60, 70, len(people) - 130)
    result = _run(people, sizes, _method(2))
    groups = result.tables["groups"].columns
    for k, name in enumerate(("mutated", "wild_type")):
        assert int(groups["people"][k]) == facts[gene][name]["n"]
        assert int(groups["events"][k]) == facts[gene][name]["events"]
        assert float(groups["median"][k]) == facts[gene][name]["median_days"]
    mine, others = (
        stats.CensoredData(
            uncensored=[time for time, event, group in people if event and group == k],
            right=[time for time, event, group in people if not event and group == k],
        )
        for k in range(2)
    )
    oracle = stats.logrank(mine, others)
    assert result.summary["log_rank_chi_square"] == pytest.approx(oracle.statistic**2, rel=1e-10)
    assert result.summary["p"] == pytest.approx(oracle.pvalue, rel=1e-9)
    alone = _run([(time, event, 0) for time, event, _ in people], sizes, _method(1))
    assert float(alone.tables["groups"].columns["median"][0]) == facts["all"]["median_days"]
    # the test in FACTS.json is over everybody; whose days are given as -Inf went before all others
    later = [(0.0 if time < 0 else time + 1, event, group) for time, event, group in everybody]
    of_all = _run(later, (60, 70, len(later) - 130), _method(2)).summary
    assert of_all["log_rank_chi_square"] == pytest.approx(facts[gene]["logrank_chi2"], rel=1e-10)
    assert of_all["p"] == pytest.approx(facts[gene]["p"], rel=1e-9)


def _leukaemia(shared: Path, gene: str) -> list[tuple[float, int, int]]:
    """Days (-inf where the table says so), whether dead, and 0 where the gene is mutated, of everybody."""
    with gzip.open(shared / "data/cancer/tcga_laml.maf.gz", "rt") as file:
        rows = csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t")
        mutated = {
            row["Tumor_Sample_Barcode"]
            for row in rows
            if row["Hugo_Symbol"] == gene and row["Variant_Classification"] not in _SILENT
        }
    with (shared / "data/cancer/tcga_laml_clinical.tsv").open() as file:
        return [
            (
                float(row["days_to_last_followup"]),
                int(row["Overall_Survival_Status"]),
                0 if row["Tumor_Sample_Barcode"] in mutated else 1,
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]
