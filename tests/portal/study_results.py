# SPDX-License-Identifier: Apache-2.0
"""Results of each method as the API tells them, with everything that a page must be able to show."""

from typing import Any

import numpy as np

from megagenome.standards.study_shown import ResultShown

Value = float | int | str | None
NOTES = ("Alleles left out because there are fewer than 20 copies of the rarer one: 1,204.",)


def result(tables: dict[str, dict[str, list[Value]]], **summary: Value) -> ResultShown:
    return ResultShown("S0123456789abcdef", "sha256:" + "a" * 64, tables, summary, NOTES)


def place(alleles: int, random: np.random.Generator) -> dict[str, Any]:
    contig = np.sort(random.integers(1, 23, alleles))
    pos1 = random.integers(1, 150_000_000, alleles)
    order = np.lexsort((pos1, contig))
    return {
        "contig": [str(each) for each in contig[order]],
        "pos1": pos1[order].tolist(),
        "ref": ["A"] * alleles,
        "alt": ["G"] * alleles,
        "ac": random.integers(20, 2000, alleles).tolist(),
        "an": [4998] * alleles,
        "missing": [12] * alleles,
        "frequency": random.uniform(0.004, 0.4, alleles).tolist(),
    }


def linear(alleles: int = 6000) -> ResultShown:
    """One without p; twenty that matter on one chromosome."""
    random = np.random.default_rng(1)
    p = random.uniform(size=alleles)
    p[alleles // 3 : alleles // 3 + 20] = 10.0 ** -random.uniform(4, 14, 20)
    values: list[Value] = [float(f"{each:.4g}") for each in p]
    values[5] = None
    beta = random.normal(size=alleles).tolist()
    table = {
        **place(alleles, random),
        "n": [2499] * alleles,
        "beta": beta,
        "se": [0.1] * alleles,
        "t": beta,
        "p": values,
    }
    return result({"associations": table}, people=2499, alleles=alleles)


def frequencies() -> ResultShown:
    random = np.random.default_rng(2)
    table: dict[str, list[Value]] = place(60, random)
    table |= {"low": [0.001] * 60, "high": [0.41] * 60}
    for name in ("het", "hom", "hemi"):
        table[name] = [None, *random.integers(0, 900, 59).tolist()]
    table["hardy_weinberg_p"] = [None, *random.uniform(size=59).tolist()]
    return result({"frequencies": table}, people=2499, alleles=60)


def components() -> ResultShown:
    """Cells of fewer than ten people are withheld: told people are fewer than there are."""
    random = np.random.default_rng(3)
    centres = np.repeat([[0.0, 0.0], [1.5, -1.0]], 900, axis=0)
    cells = np.clip(np.rint(random.normal(centres, 0.5) / 0.2), -20, 19)
    corner, people = np.unique(cells, axis=0, return_counts=True)
    told = people >= 10
    eigenvalues: dict[str, list[Value]] = {
        "component": [1, 2, 3],
        "eigenvalue": [21.5, 7.25, 3.5],
        "share": [0.031, 0.011, 0.005],
    }
    places: dict[str, list[Value]] = {
        "pc1": (corner[told, 0] * 0.2).tolist(),
        "pc2": (corner[told, 1] * 0.2).tolist(),
        "people": people[told].tolist(),
    }
    return result({"components": eigenvalues, "map": places}, people=1800, alleles=50_000, components=3)


def survival() -> ResultShown:
    curves: dict[str, list[Value]] = {
        name: [] for name in ("group", "time", "at_risk", "events", "survival", "low", "high")
    }
    for label, hazard in (("wild type", 0.02), ("FLT3-ITD", 0.05), ("NPM1", 0.03)):
        n, alive = 200, 1.0
        for time in range(1, 60, 2):
            events = max(1, int(n * hazard))
            alive *= 1 - events / n
            row = (label, float(time), n, events, alive, max(0.0, alive - 0.06), min(1.0, alive + 0.06))
            for column, value in zip(curves.values(), row, strict=True):
                column.append(value)
            n -= events + 1
    groups: dict[str, list[Value]] = {
        "group": ["wild type", "FLT3-ITD", "NPM1"],
        "people": [200, 200, 200],
        "events": [70, 140, 100],
        "median": [None, 23.0, 41.0],
    }
    return result(
        {"curves": curves, "groups": groups}, people=600, events=310, log_rank_chi_square=18.2, degrees=2, p=0.00012
    )


def score() -> ResultShown:
    edges = np.linspace(-4, 4, 81)
    heights = {"controls": 0.0, "cases": 0.7}
    people = {
        name: np.rint(400 * np.exp(-((edges[:-1] - middle) ** 2) / 2) / (1 + 3 * (name == "cases")))
        .astype(int)
        .tolist()
        for name, middle in heights.items()
    }
    distribution: dict[str, list[Value]] = {"low": edges[:-1].tolist(), "high": edges[1:].tolist(), **people}
    deciles: dict[str, list[Value]] = {"decile": list(range(1, 10)), "score": np.linspace(-1.3, 1.3, 9).tolist()}
    return result(
        {"distribution": distribution, "deciles": deciles},
        people=12_500,
        mean=0.01,
        deviation=1.2,
        area_under_curve=0.71,
    )


ALL = {"linear": linear, "frequencies": frequencies, "components": components, "survival": survival, "score": score}
