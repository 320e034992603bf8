# SPDX-License-Identifier: Apache-2.0
"""A data provider's folder: genotypes with their index, reads with theirs, and people."""

import random
from itertools import islice
from pathlib import Path

import pysam

DATASET = "GDI-EE-COHORT-007"
PEOPLE = 30
MARKER = "c0ffee-marker-of-plain-text"
"""Stands in the people table."""

_HEADER = """##fileformat=VCFv4.2
##contig=<ID=22,length=51304566>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"""
POSITIONS = range(16050075, 16050275, 10)
_CONTIGS = {"1": 249250621, "22": 51304566}


def samples() -> list[str]:
    return [f"S{n}" for n in range(PEOPLE)]


def calls() -> dict[int, list[str]]:
    """Everybody's call at each position."""
    chance = random.Random(7)
    return {at: chance.choices(["0/0", "0/1", "1/1"], [5, 3, 2], k=PEOPLE) for at in POSITIONS}


def write_vcf(path: Path, names: list[str] | None = None, records: int = len(POSITIONS)) -> Path:
    """Bgzipped, with a tabix index beside it."""
    lines = [_HEADER + "".join(f"\t{name}" for name in names or samples())]
    lines += [f"22\t{at}\t.\tA\tG\t.\t.\t.\tGT\t" + "\t".join(mine) for at, mine in islice(calls().items(), records)]
    with pysam.BGZFile(str(path), "wb") as file:
        file.write(("\n".join(lines) + "\n").encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


def write_people(path: Path) -> Path:
    rows = ["individual_id\tsample_id\tsex\tcountry\tphenotypes\tconsent\tnote"]
    rows += [f"EE-{n:03}\tS{n}\t{'female' if n % 2 else 'male'}\tEE\tHP:0001250\tyes\t{MARKER}" for n in range(PEOPLE)]
    path.write_text("\n".join(rows) + "\n")
    return path


def write_bam(path: Path, reads: int, sample: str = "S0") -> Path:
    """Sorted reads of one sample, hardly compressed, so that a few thousand fill several parts; with its index."""
    chance = random.Random(1)
    header = {
        "HD": {"VN": "1.6", "SO": "coordinate"},
        "SQ": [{"SN": name, "LN": length} for name, length in _CONTIGS.items()],
        "RG": [{"ID": "r", "SM": sample}],
    }
    bases = "".join(chance.choices("ACGT", k=4096))
    noise = chance.randbytes(1 << 16)
    with pysam.AlignmentFile(str(path), "wb0", header=header) as file:
        for n in range(reads):
            read = pysam.AlignedSegment(file.header)
            at = chance.randrange(3000)
            read.query_name, read.flag, read.reference_id, read.reference_start = f"read{n}", 0, 0, 10_000 + n
            read.mapping_quality, read.cigartuples = 60, [(0, 1000)]
            read.query_sequence = bases[at : at + 1000]
            start = chance.randrange(60_000)
            read.query_qualities = pysam.qualitystring_to_array(bytes(33 + b % 40 for b in noise[start : start + 1000]))
            read.set_tag("RG", "r")
            file.write(read)
    pysam.index(str(path))
    return path


def make_folder(folder: Path, *, reads: int = 50) -> Path:
    """All of it; some 1.5 kB for each of the reads."""
    (folder / "reads").mkdir(parents=True)
    write_vcf(folder / "cohort.vcf.gz")
    write_people(folder / "people.tsv")
    write_bam(folder / "reads" / "S0.bam", reads)
    return folder
