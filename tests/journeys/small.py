# SPDX-License-Identifier: Apache-2.0
"""Small nodes, made in a second: six people and three alleles each, open."""

from pathlib import Path

import pysam

from tests.journeys.nations import make_node, run

ALLELE = "22-16050075-A-G"
COPIES = 3
"""Copies of `ALLELE` that each node's people have, of 12."""

HEADER = """##fileformat=VCFv4.2
##contig=<ID=22,length=51304566>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2\tS3\tS4\tS5\tS6
"""
RECORDS = """22\t16050075\t.\tA\tG\t.\t.\t.\tGT\t0/1\t1/1\t0/0\t0/0\t0/0\t0/0
22\t16050115\t.\tG\tA\t.\t.\t.\tGT\t0/1\t0/0\t0/0\t0/0\t0/0\t0/0
22\t16050213\t.\tC\tT,G\t.\t.\t.\tGT\t1/2\t0/0\t0/0\t./.\t0/0\t0/0
"""


def write_files(folder: Path, country: str) -> tuple[Path, Path]:
    """A VCF and a people table of six people of the country."""
    folder.mkdir(parents=True, exist_ok=True)
    vcf, people = folder / "small.vcf.gz", folder / "people.tsv"
    with pysam.BGZFile(str(vcf), "wb") as file:
        file.write((HEADER + RECORDS).encode())
    rows = [f"{country}-{k}\tS{k}\t{'female' if k % 2 else 'male'}\t{country}\tHP:0001250" for k in range(1, 7)]
    people.write_text("individual_id\tsample_id\tsex\tcountry\tphenotypes\n" + "\n".join(rows) + "\n")
    return vcf, people


def load_options(folder: Path, country: str) -> list[str | Path]:
    """The options of `megagenome node load` for these files."""
    vcf, people = write_files(folder, country)
    inputs = ["--assembly", "GRCh37", "--vcf", vcf, "--individuals", people]
    return ["--dataset", f"{country}-SMALL", *inputs, "--consent-all", "--open", "--publish"]


def make_small(folder: Path, country: str) -> Path:
    """A node that holds them."""
    make_node(folder, country)
    run("node", "load", folder, *load_options(folder.with_name(f"{folder.name}-files"), country))
    return folder
