# SPDX-License-Identifier: Apache-2.0
"""Four nations of the 1000 Genomes Project: their people, and the plain counts of what `bcftools query` prints."""

import csv
import subprocess
from functools import cache
from pathlib import Path

from tests.oracles import genotypes as oracle

FILES = {
    "1kg_p3_chr22_16.05-16.64Mb.GRCh37.vcf.gz": "GRCh37",
    "1kg_chr22_10.5-10.97Mb.GRCh38.vcf.gz": "GRCh38",
    "1kg_high_coverage_3202_sparse_autosomes.GRCh38.vcf.gz": "GRCh38",
    "1kg_p3_chrX_26samples.GRCh37.vcf.gz": "GRCh37",
}
COUNTRIES = ("FI", "GB", "ES", "IT")


def panel(shared: Path) -> list[oracle.Someone]:
    """Everybody with a country."""
    with (shared / "data/genomes/1kg_panel.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        oracle.Someone(row["sample"], row["sex"], row["demo_country"], row["population"], True)
        for row in rows
        if row["demo_country"] in COUNTRIES
    ]


def bcftools(*arguments: str) -> str:
    return subprocess.run(["bcftools", *arguments], check=True, capture_output=True, text=True).stdout


def samples_of(path: Path) -> list[str]:
    return bcftools("query", "-l", str(path)).split()


def plain_counts(path: Path, genome: str, people: list[oracle.Someone], every: int = 1) -> oracle.Counted:
    """The oracle's counts over what `bcftools query` prints of these people; only of each `every`-th record."""
    columns = ",".join(person.sample for person in people)
    text = bcftools("query", "-s", columns, "-f", "%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n", str(path))
    records = []
    for line in text.splitlines()[::every]:
        contig, pos1, ref, alts, *calls = line.split("\t")
        alleles = tuple(alt for alt in alts.split(",") if alt != ".")
        records.append(
            oracle.Record(contig.removeprefix("chr"), int(pos1) - 1, ref, alleles, tuple(map(parse_call, calls)))
        )
    return oracle.count(genome, people, records)


@cache
def parse_call(call: str) -> tuple[int | None, ...]:
    return tuple(None if allele == "." else int(allele) for allele in call.replace("|", "/").split("/"))
