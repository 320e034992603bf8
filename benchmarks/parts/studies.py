# SPDX-License-Identifier: Apache-2.0
"""Studies over three nodes, whole process from disk to written table, beside plink2 on everybody in one file; what
secure sums add over ten nodes; bytes on the network.

20,000 people, 50,000 alleles, a call in 500 missing. Where plink2 takes minutes both get fewer chromosomes.
"""

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.harness.claim import Claim, claim
from benchmarks.harness.measure import by_turns, run
from benchmarks.parts.study_people import Study, make_study, plink2_version

SIZES, ALLELES = (10_000, 6_000, 4_000), 50_000
TEN = (2_000,) * 10
Floats = npt.NDArray[np.float64]


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    with tempfile.TemporaryDirectory() as name:
        study = make_study(_folder(name, "three"), seed, SIZES, ALLELES)
        yield from _Beside(study, "linear", 22, ["--pheno-name", "height", "--glm", "hide-covar"]).claims(
            "ratio <= 1.5"
        )
        yield from _Beside(study, "logistic", 8, ["--pheno-name", "sick", "--glm", "hide-covar"]).claims("ratio <= 0.5")
        yield from _Beside(study, "components", 6, ["--pca", "approx", "10"]).claims("ratio <= 0.5")
        for method in ("frequencies", "score", "survival"):
            yield _bytes_of(study, method)
        yield _secure(make_study(_folder(name, "ten"), seed, TEN, ALLELES))


def _folder(top: str, name: str) -> Path:
    folder = Path(top) / name
    folder.mkdir()
    return folder


class _Beside:
    """One method over the first so many chromosomes, ours and plink2's."""

    def __init__(self, study: Study, method: str, contigs: int, asked: Sequence[str]) -> None:
        self._study, self._method, self._contigs, self._asked = study, method, contigs, asked
        self._runs = 0

    def claims(self, bar: str) -> Iterator[Claim]:
        ours, theirs = by_turns(self._ours, self._theirs, rounds=1)
        people, alleles = sum(self._study.sizes), -(-self._study.alleles // 22) * self._contigs
        words = f"{self._method} study, 3 nodes, {people:,} people, {min(alleles, self._study.alleles):,} alleles"
        yield claim(
            words, "CPU s", ours, peer=theirs, peer_version=plink2_version(), bar=bar, equal=_AGREE[self._method](self)
        )
        yield claim(f"{words}: bytes of one node, both ways", "MB", self._said["bytes_of_a_node"] / 1e6)

    @property
    def table(self) -> dict[str, list[str]]:
        """Our table, as it was written."""
        with self._out.open(newline="") as file:
            header, *rows = csv.reader(file)
        return dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))

    def plink2(self, ending: str) -> dict[str, list[str]]:
        """Its table."""
        rows = [line.split("\t") for line in Path(f"{self._study.folder}/plink2.{ending}").read_text().splitlines()]
        return dict(zip(rows[0], map(list, zip(*rows[1:], strict=True)), strict=True))

    @property
    def study(self) -> Study:
        """Its people."""
        return self._study

    def _ours(self) -> float:
        self._runs += 1
        self._out = self._study.folder / f"{self._method}-{self._runs}.csv"
        command = [*_PROGRAM, self._study.folder, self._method, self._out, str(self._contigs)]
        with (self._study.folder / "said.json").open("w") as said:
            spent = run([str(each) for each in command], stdout=said.fileno())
        self._said: dict[str, float] = json.loads((self._study.folder / "said.json").read_text())
        return spent.cpu_s

    def _theirs(self) -> float:
        table = self._study.plink.with_suffix(".tsv")
        command = ["plink2", "--bfile", str(self._study.plink), "--pheno", str(table), "--chr", f"1-{self._contigs}"]
        if self._method != "components":
            command += ["--covar", str(table), "--covar-name", "sex", "c1-c4", "--covar-variance-standardize"]
        return run([*command, *self._asked, "--out", f"{self._study.folder}/plink2"]).cpu_s


def _agree_linear(beside: _Beside) -> bool:
    """Effects and standard errors to the digits that plink2 prints."""
    ours, theirs = beside.table, beside.plink2("height.glm.linear")
    beta, se = _floats(ours["beta"]), _floats(ours["se"])
    signs = np.where(np.array(theirs["A1"]) == "G", 1.0, -1.0)
    return bool(
        ours["pos1"] == theirs["POS"]
        and np.abs(signs * _floats(theirs["BETA"]) - beta).max() < 1e-4 * se.min()
        and np.abs(_floats(theirs["SE"]) / se - 1).max() < 1e-5
    )


def _agree_logistic(beside: _Beside) -> bool:
    """Two tests of one thing: plink2's is Wald's, which leaves people without a call out; ours the score's."""
    ours, theirs = beside.table, beside.plink2("sick.glm.logistic.hybrid")
    signs = np.where(np.array(theirs["A1"]) == "G", 1.0, -1.0)
    z, wald = _floats(ours["z"]), signs * _floats(theirs["Z_STAT"])
    return bool(ours["pos1"] == theirs["POS"] and np.corrcoef(z, wald)[0, 1] > 0.9995)


def _agree_components(beside: _Beside) -> bool:
    """People's places on each of ten components."""
    ours, theirs = beside.table, beside.plink2("eigenvec")
    loadings = np.column_stack([_floats(ours[f"pc{k + 1}"]) for k in range(10)])
    places = _places(beside.study, loadings)
    return all(
        abs(np.corrcoef(places[:, k], _floats(theirs[f"PC{k + 1}"]))[0, 1]) > 0.999 for k in range(loadings.shape[1])
    )


def _places(study: Study, loadings: Floats) -> Floats:
    """From plink's file of genotypes, standardised as both have it."""
    people = sum(study.sizes)
    packed = np.memmap(study.plink.with_suffix(".bed"), np.uint8, "r", 3).reshape(study.alleles, -1)
    places = np.zeros((people, loadings.shape[1]))
    for first in range(0, len(loadings), 512):
        codes = packed[first : min(first + 512, len(loadings)), :, None] >> np.array([0, 2, 4, 6], np.uint8) & 3
        copies = np.array([2.0, np.nan, 1.0, 0.0])[codes.reshape(len(codes), -1)[:, :people]]
        mean = np.nanmean(copies, axis=1, keepdims=True)
        z = np.nan_to_num((copies - mean) / np.sqrt(mean * (1 - mean / 2)))
        places += z.T @ loadings[first : first + 512]
    return places


_AGREE = {"linear": _agree_linear, "logistic": _agree_logistic, "components": _agree_components}
_PROGRAM = [sys.executable, "-m", "benchmarks.parts.study_run"]


def _bytes_of(study: Study, method: str) -> Claim:
    words = f"{method} study, 3 nodes, {sum(study.sizes):,} people: bytes of one node, both ways"
    return claim(words, "MB", _said(study, method)["bytes_of_a_node"] / 1e6)


def _secure(study: Study) -> Claim:
    said = _said(study, "linear")
    words = f"secure sums beside the rest of a linear study, {len(study.sizes)} nodes, {study.alleles:,} alleles"
    return claim(words, "%", 100 * said["secure_s"] / (said["wall_s"] - said["secure_s"]), bar="ours <= 15")


def _said(study: Study, method: str) -> dict[str, float]:
    command = [*_PROGRAM, str(study.folder), method, str(study.folder / f"{method}-alone.csv"), "22"]
    said: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return said


def _floats(texts: Sequence[str]) -> Floats:
    return np.array([float(each) if each not in ("", "NA") else np.nan for each in texts])
