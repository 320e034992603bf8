# SPDX-License-Identifier: Apache-2.0
"""Files as providers write them, made by htslib."""

from collections.abc import Sequence
from pathlib import Path

import pysam
import pysam.bcftools
import pysam.samtools

CONTIGS = {"21": 46_709_983, "22": 50_818_468, "X": 156_040_895}
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"


def header(samples: Sequence[str], contigs: dict[str, int] = CONTIGS, version: str = "4.2") -> str:
    lines = [f"##fileformat=VCFv{version}"]
    lines += [f"##contig=<ID={name},length={length}>" for name, length in contigs.items()]
    lines += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">', "\t".join([COLUMNS, *samples])]
    return "\n".join(lines) + "\n"


def row(contig: str, pos1: int, calls: Sequence[str], ref: str = "A", alt: str = "G") -> str:
    return "\t".join([contig, str(pos1), ".", ref, alt, ".", ".", ".", "GT", *calls]) + "\n"


def bgzip(path: Path, text: str | bytes) -> Path:
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


def write_vcf(path: Path, rows: str, samples: Sequence[str] = ("S1", "S2"), **more: object) -> Path:
    return bgzip(path, header(samples, **more) + rows)


def small_vcf(folder: Path, name: str = "a.vcf.gz") -> Path:
    rows = [row("21", 100 + k, ["0/1", "0/0"]) for k in range(10)] + [
        row("22", 500 + k, ["1/1", "."]) for k in range(5)
    ]
    return write_vcf(folder / name, "".join(rows))


def tabix(path: Path) -> Path:
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return path.with_name(path.name + ".tbi")


def csi(path: Path) -> Path:
    pysam.tabix_index(str(path), preset="vcf", force=True, csi=True)
    return path.with_name(path.name + ".csi")


def write_reads(
    path: Path, mode: str = "wb", reads: int = 50, contigs: dict[str, int] = CONTIGS, order: str = "coordinate"
) -> Path:
    names = list(contigs)
    head = {
        "HD": {"VN": "1.6", "SO": order},
        "SQ": [{"SN": name, "LN": length} for name, length in contigs.items()],
        "RG": [{"ID": "r", "SM": "S1"}],
    }
    options = [b"no_ref=1"] if mode == "wc" else None
    with pysam.AlignmentFile(str(path), mode, header=head, format_options=options) as file:
        for k in range(reads):
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.query_sequence = f"q{k}", "ACGTACGTAC"
            read.reference_id, read.reference_start = (2 * k // reads) % len(names), 1000 + k
            read.cigartuples, read.mapping_quality = [(0, 10)], 60
            read.query_qualities = pysam.qualitystring_to_array("IIIIIIIIII")
            read.set_tag("RG", "r")
            file.write(read)
    return path


def index_reads(path: Path) -> Path:
    pysam.samtools.index(str(path))
    return path.with_name(path.name + (".crai" if path.suffix == ".cram" else ".bai"))
