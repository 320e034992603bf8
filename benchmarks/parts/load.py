# SPDX-License-Identifier: Apache-2.0
"""Loading, whole process, beside `bcftools view -Ou` of one file: 1000 Genomes, and 10,000 people at 120,000 sites."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.harness.claim import Claim, claim
from benchmarks.harness.measure import by_turns, run, version
from megagenome.app.node import init_node, open_node
from megagenome.collection import Use
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.coordinates import Region
from megagenome.standards.genotypes import Block, GenotypeSource
from megagenome.synthetic.write import write_genotypes

LOAD_PEOPLE = 10_000
LOAD_SITES = 120_000
START = 20_000_000
# taken out of the environment because it is no setting of Megagenome, and an unknown setting stops each program of ours
SHARED = Path(os.environ.pop("MEGAGENOME_SHARED", "") or Path(__file__).parents[3] / "shared").absolute()
SHARED_VCF = "data/genomes/1kg_p3_chr22_16.05-16.64Mb.GRCh37.vcf.gz"


def claims(seed: int) -> Iterator[Claim]:
    """A synthetic BCF, and a VCF of the shared data where that is there."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _load_claims(Path(folder), seed)


def _load_source(seed: int) -> GenotypeSource:
    """So many calls that not only starting is measured. Where carriers are is drawn, not every call; frequencies are
    rarer than 1/f, as in a growing population: 3 % of the calls have an alternate, as in 1000 Genomes."""
    random = np.random.default_rng(seed)

    def blocks() -> Iterator[Block]:
        for first in range(0, LOAD_SITES, 512):
            starts = 17_000_000 + 40 * np.arange(first, min(first + 512, LOAD_SITES), dtype=np.int64)
            sites = len(starts)
            frequency = 0.5 * np.exp(-np.log(LOAD_PEOPLE) * np.sqrt(random.random(sites)))
            calls = np.zeros((sites, LOAD_PEOPLE, 2), np.int8)
            flat = calls.reshape(sites, -1)
            site = np.repeat(np.arange(sites), random.binomial(2 * LOAD_PEOPLE, frequency))
            flat[site, random.integers(0, 2 * LOAD_PEOPLE, len(site))] = 1
            missing = random.integers(0, sites * LOAD_PEOPLE, sites * LOAD_PEOPLE // 500)
            calls.reshape(-1, 2)[missing] = -1
            yield Block("22", starts, ["A"] * sites, [("G",)] * sites, calls)

    return GenotypeSource("random", tuple(f"S{n}" for n in range(LOAD_PEOPLE)), {"22": 50_818_468}, blocks())


def _load_claims(folder: Path, seed: int) -> Iterator[Claim]:
    bcf = folder / "random.bcf"
    write_genotypes(_load_source(seed), bcf, "megagenome benchmarks")
    table = folder / "people.tsv"
    rows = [f"P{n}\tS{n}\t{'female' if n % 2 == 0 else 'male'}\tEE\tEstonian\tyes" for n in range(LOAD_PEOPLE)]
    table.write_text("\n".join(["individual_id\tsample_id\tsex\tcountry\tpopulation\tconsent", *rows, ""]))
    yield _load_claim(folder, bcf, table, "GRCh38", f"load of a BCF, {LOAD_PEOPLE:,} people, {LOAD_SITES:,} sites")
    shared = SHARED / SHARED_VCF
    if shared.is_file():
        samples = subprocess.run(["bcftools", "query", "-l", shared], capture_output=True, text=True, check=True)
        rows = [f"{s}\t{s}\tunknown\tEE\t\tyes" for s in samples.stdout.split()]
        table.write_text("\n".join(["individual_id\tsample_id\tsex\tcountry\tpopulation\tconsent", *rows, ""]))
        yield _load_claim(folder, shared, table, "GRCh37", "load of 1000 Genomes chr22 16.05-16.64 Mb, VCF.gz")


def _load_claim(folder: Path, genotypes: Path, people: Path, assembly: str, words: str) -> Claim:
    """`megagenome node load`, whole process, beside `bcftools view -Ou`, whole process."""
    made = iter(range(100))
    totals: list[tuple[int, int]] = []

    def ours() -> float:
        node = folder / f"{genotypes.name}-{next(made)}"
        init_node(node, country="EE", name="", identity="", port=8601)
        command = [
            sys.executable,
            "-m",
            "megagenome",
            "node",
            "load",
            str(node),
            "--dataset",
            "D",
            "--open",
            "--publish",
        ]
        spent = run([*command, "--assembly", assembly, "--vcf", str(genotypes), "--individuals", str(people)])
        totals.append(_totals(node, assembly))
        return spent.cpu_s

    def peer() -> float:
        return run(["bcftools", "view", "-Ou", genotypes]).cpu_s

    mine, theirs = by_turns(ours, peer)
    equal = set(totals) == {_bcftools_totals(genotypes)}
    return claim(
        words, "CPU s", mine, peer=theirs, peer_version=version("bcftools") + " view -Ou", bar="ratio <= 6", equal=equal
    )


def _totals(node: Path, assembly: str) -> tuple[int, int]:
    """Sums of AC and AN over all alleles of chromosome 22."""
    opened = open_node(node)
    counts = opened.collection.open(PUBLIC, Use.AGGREGATES).count_alleles(Region(assembly, "22", 0, 50_000_000))
    opened.collection.close()
    return int(counts.ac.sum()), int(counts.an.sum())


def _bcftools_totals(genotypes: Path) -> tuple[int, int]:
    """The same by bcftools; a record's AN counts once for each of its alleles."""
    filled = subprocess.Popen(
        ["bcftools", "+fill-tags", "-Ou", genotypes, "--", "-t", "AC,AN"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    told = subprocess.run(
        ["bcftools", "query", "-f", "%AC\t%AN\n", "-"], stdin=filled.stdout, capture_output=True, check=True, text=True
    ).stdout
    filled.wait()
    rows = [
        ([int(count) for count in ac.split(",")], int(an))
        for ac, an in (line.split("\t") for line in told.splitlines())
    ]
    return sum(sum(counts) for counts, _ in rows), sum(an * len(counts) for counts, an in rows)
