# SPDX-License-Identifier: Apache-2.0
"""The people of 1000 Genomes phase 3 with CINECA's synthetic measures and diseases, and what plink2 found in them."""

import csv
import gzip
import json
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.analytics.model import Table
from megagenome.analytics.needs import Floats
from megagenome.standards.study_arrays import AlleleList, by_name, list_alleles
from tests.oracles.real_genomes import bcftools, samples_of
from tests.oracles.study_people import DenseGenotypes

HEIGHT = "LOINC:8308-9"
SUPER_POPULATIONS = ("AFR", "AMR", "EAS", "EUR", "SAS")
SPARSE_PANEL = "data/genomes/1kg_high_coverage_3202_sparse_autosomes.GRCh38.vcf.gz"


class Cineca(NamedTuple):
    """Everybody, in the order of the file; copies int8 [alleles, people]."""

    samples: tuple[str, ...]
    sex: npt.NDArray[Any]  # 1 for women
    super_population: npt.NDArray[Any]
    country: npt.NDArray[Any]  # "" where there is none
    height: Floats
    diseases: list[frozenset[str]]
    alleles: AlleleList
    calls: npt.NDArray[np.int8]

    def genotypes(self, who: npt.NDArray[np.bool_]) -> DenseGenotypes:
        return DenseGenotypes(self.alleles, self.calls[:, who])

    def table(self, trait: Floats, who: npt.NDArray[np.bool_], super_populations: tuple[str, ...] = ()) -> Table:
        """With sex and a column for each of these super-populations."""
        columns = [self.sex, *(self.super_population == each for each in super_populations)]
        return Table(trait[who], np.column_stack(columns)[who].astype(np.float64), ("sex", *super_populations))


@cache
def read_cineca(shared: Path) -> Cineca:
    path = shared / "data/genomes/1kg_p3_chr22_16.05-16.64Mb.GRCh37.vcf.gz"
    samples = samples_of(path)
    with (shared / "data/genomes/1kg_panel.tsv").open() as file:
        panel = {row["sample"]: row for row in csv.DictReader(file, delimiter="\t")}
    with gzip.open(shared / "data/cohort_cineca_uk1/individuals.json.gz") as file:
        people = {each["id"]: each for each in json.load(file)}
    alleles, calls = _read_calls(path)
    return Cineca(
        tuple(samples),
        np.array([panel[each]["sex"] in ("2", "female") for each in samples], np.float64),
        np.array([panel[each]["super_population"] for each in samples]),
        np.array([panel[each]["demo_country"] for each in samples]),
        np.array([_height(people[each]) for each in samples]),
        [frozenset(d["diseaseCode"]["id"] for d in people[each].get("diseases", ())) for each in samples],
        alleles,
        calls,
    )


def _height(person: dict[str, Any]) -> float:
    values = [each["measurementValue"]["value"] for each in person["measures"] if each["assayCode"]["id"] == HEIGHT]
    return float(values[-1]) if values else float("nan")


def _read_calls(path: Path) -> tuple[AlleleList, npt.NDArray[np.int8]]:
    """Alleles with 16 copies or more of the rarer; the file misses no call."""
    found: dict[tuple[int, bytes], npt.NDArray[np.int8]] = {}
    # -c counts the rarest of a record's alleles together
    records = subprocess.run(
        ["bcftools", "view", "-c", "16:minor", str(path), "-Ou"], check=True, capture_output=True
    ).stdout
    printed = subprocess.run(
        ["bcftools", "query", "-f", "%POS\t%REF\t%ALT[\t%GT]\n", "-"], input=records, check=True, capture_output=True
    ).stdout
    for line in printed.splitlines():
        pos1, ref, alts, gts = line.split(b"\t", 3)
        called = np.frombuffer(gts + b"\t", np.uint8).reshape(-1, 4)  # one digit, |, one digit, tab
        for k, alt in enumerate(alts.split(b","), 1):
            digit = ord(b"0") + k
            copies = (called[:, 0] == digit).astype(np.int8) + (called[:, 2] == digit)
            found[int(pos1) - 1, ref + b"\t" + alt] = copies
    keys = sorted(found, key=lambda key: (key[0], key[1].split(b"\t")))
    starts = np.array([start for start, _ in keys], np.int64)
    listed = AlleleList("GRCh37", ("22",), np.zeros(len(keys), np.uint32), starts, tuple(text for _, text in keys))
    return listed, np.array([found[key] for key in keys])


def plink2(shared: Path, name: str) -> Iterator[dict[str, str]]:
    """The rows of one of plink2's tables."""
    with gzip.open(shared / "data/gwas" / name, "rt") as file:
        header = file.readline().lstrip("#").rstrip("\n").split("\t")
        for line in file:
            yield dict(zip(header, line.rstrip("\n").split("\t"), strict=True))


def rounded(value: float, printed: str) -> bool:
    """Whether a number is what plink2 printed with its six digits, to one unit of the last: its p is approximate."""
    expected = float(printed)
    unit = 10.0 ** (np.floor(np.log10(abs(expected))) - 5) if expected else 1e-9
    return abs(value - expected) <= unit


class Panel(NamedTuple):
    """The 3,202 genomes of high coverage, at some thousand sites; copies int8 [alleles, people], -1 missing."""

    samples: tuple[str, ...]
    women: npt.NDArray[np.bool_]  # whose calls on X are pairs: the table of people has two otherwise
    super_population: npt.NDArray[Any]
    alleles: AlleleList
    calls: npt.NDArray[np.int8]

    def rows(self, columns: Any) -> list[int]:
        """Of the alleles of a result's table."""
        place = {
            (self.alleles.contigs[c], int(s) + 1, t): k
            for k, (c, s, t) in enumerate(zip(self.alleles.contig, self.alleles.start, self.alleles.text, strict=True))
        }
        named = zip(columns["contig"], columns["pos1"], columns["ref"], columns["alt"], strict=True)
        return [place[contig, int(pos1), f"{ref}\t{alt}".encode()] for contig, pos1, ref, alt in named]


@cache
def read_sparse_panel(shared: Path) -> Panel:
    path = shared / SPARSE_PANEL
    samples = samples_of(path)
    with (shared / "data/genomes/1kg_panel.tsv").open() as file:
        panel = {row["sample"]: row for row in csv.DictReader(file, delimiter="\t")}
    known: dict[str, int] = {}
    found = {}
    for line in bcftools("query", "-f", "%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n", str(path)).splitlines():
        contig, pos1, ref, alt, *gts = line.split("\t")
        assert "," not in alt
        if contig == "X":
            women = np.array([len(gt) > 1 for gt in gts])
        for gt in set(gts) - known.keys():
            alleles = gt.replace("|", "/").split("/")
            # one allele on X is worth two, as to plink2
            known[gt] = -1 if "." in alleles else sum(map(int, alleles)) * 2 // len(alleles)
        key = contig.removeprefix("chr"), int(pos1) - 1, ref.encode(), alt.encode()
        found[key] = np.array([known[gt] for gt in gts], np.int8)
    keys = sorted(found, key=lambda key: (by_name(key[0]), *key[1:]))
    listed = list_alleles("GRCh38", set(keys))
    populations = np.array([panel[each]["super_population"] for each in samples])
    return Panel(tuple(samples), women, populations, listed, np.array([found[key] for key in keys]))
