# SPDX-License-Identifier: Apache-2.0
"""A node with a closed and an open dataset, genotypes and archived reads in both, and a permit for some of the closed
one's people."""

import hashlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pysam
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from megagenome.app.archive import open_archive
from megagenome.app.node import open_node
from megagenome.archive.archive import Archive
from megagenome.collection.environments import register_environment
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.sealed_files import Described, Expected, FileId, new_file_id
from megagenome.standards import cram
from megagenome.standards.crypt4gh import header_bytes
from megagenome.standards.crypt4gh_segments import sealed_size
from megagenome.standards.crypt4gh_stream import seal
from tests.journeys.nations import run
from tests.journeys.permit_node import DATASET, PERMIT, grant, make_permit_node, permitted, table

OPEN = "EE-OPEN"
OPEN_PEOPLE = [f"O{n}" for n in range(12)]
CONTIGS = {"1": 3_000_000, "2": 400_000}
READS = 12_000
OPEN_HEADER = """##fileformat=VCFv4.2
##contig=<ID=22,length=51304566>
##contig=<ID=X,length=155270560>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"""


class World(msgspec.Struct, frozen=True):
    """What a test needs of it.

    mine, theirs  ids of archived files of the closed dataset, of somebody in the permit's cohort and of somebody who is
                  not, by format
    opened        ids of the open dataset's, by format
    me, other     samples whose the first two are
    environment   private key of the permit's one environment, in hexadecimal
    """

    mine: dict[str, FileId]
    theirs: dict[str, FileId]
    opened: dict[str, FileId]
    me: str
    other: str
    environment: str

    @property
    def key(self) -> X25519PrivateKey:
        """The environment's."""
        return X25519PrivateKey.from_private_bytes(bytes.fromhex(self.environment))


def copy_of(folder: Path, to: Path) -> Path:
    """A copy of the node, to be served or changed."""
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns(".lock"))
    return to


def paths(folder: Path) -> Path:
    """Where the plain files of a world lie."""
    return folder.with_name(f"{folder.name}-plain")


def make_world(folder: Path, settings: str = "") -> World:
    """The node, with its files archived and ready; the permit is granted and has an environment. `settings` go to the
    end of its file of them."""
    make_permit_node(folder)
    with (folder / "node.toml").open("a") as written:
        written.write(settings)
    plain = paths(folder)
    plain.mkdir()
    write_open_variants(plain / "open.vcf.gz")
    write_open_people(plain / "open.tsv")
    run(
        *("node", "load", folder, "--dataset", OPEN, "--assembly", "GRCh37", "--vcf", plain / "open.vcf.gz"),
        *("--individuals", plain / "open.tsv", "--open", "--publish"),
    )
    reference = write_reference(plain / "reference.fa")
    me = permitted()[0]["sample_id"]
    write_reads(plain / "reads.bam", reference, "wb", sample=me)
    write_reads(plain / "reads.cram", reference, "wc", sample=me)
    other = next(row["sample_id"] for row in table() if row not in permitted() and row["consent"] == "yes")
    grant(folder)
    key = X25519PrivateKey.generate()
    node = open_node(folder)
    archive = open_archive(node)
    with node.collection.engine.begin() as connection:
        register_environment(connection, PERMIT, key.public_key().public_bytes_raw(), "the workspace", "operator")
    made = World(
        archive_reads(archive, plain, DATASET, me),
        archive_reads(archive, plain, DATASET, other),
        archive_reads(archive, plain, OPEN, OPEN_PEOPLE[0]),
        me,
        other,
        key.private_bytes_raw().hex(),
    )
    node.collection.close()
    (folder.with_name(f"{folder.name}.json")).write_bytes(msgspec.json.encode(made))
    return made


def archive_reads(archive: Archive, plain: Path, dataset: str, sample: str) -> dict[str, FileId]:
    """Archive the reads as somebody's, with their indexes; by format."""
    found = {}
    for name, index in (("reads.bam", "reads.bam.bai"), ("reads.cram", "reads.cram.crai")):
        of = archive_file(
            archive, plain / name, Described(DatasetId(dataset), name, Path(name).suffix[1:].upper(), (sample,))
        )
        kind = Path(index).suffix[1:].upper()
        archive_file(archive, plain / index, Described(DatasetId(dataset), index, kind, (sample,), of))
        found[Path(name).suffix[1:].upper()] = of
    return found


def archive_file(archive: Archive, path: Path, described: Described) -> FileId:
    """Archive a file and let it be given out."""
    file, content = new_file_id(), path.read_bytes()

    def source() -> Iterator[bytes]:
        return map(bytes, seal([content], [archive.keys.newest()[1]]))

    expected = Expected(hashlib.sha256(content).hexdigest(), header_bytes(1) + sealed_size(len(content)))
    archive.ingest(file, 1, source, described, expected)
    archive.verify(file)
    with archive._parts.engine.begin() as connection:
        archive.make_ready(connection, [file], "operator")
    return file


class OpenRecord(NamedTuple):
    """A record of the open dataset's file."""

    contig: str
    pos1: int
    ref: str
    alt: str
    calls: list[str]


def open_records() -> list[OpenRecord]:
    """Records near and across the edges of the collection's windows, on an autosome and on X."""
    chance, found = random.Random(5), []
    places = [
        16_056_000,
        *(k * 65_536 + d for k in (250, 251, 260, 300) for d in (-3, 0, 1, 2)),
        17_000_000,
        18_500_000,
    ]
    for pos1 in sorted({*places, *(chance.randrange(16_060_000, 20_000_000) for _ in range(150))}):
        ref, alt = chance.choice([("A", "G"), ("A", "AC"), ("ACGT", "A")])
        calls = chance.choices(["0/0", "0/1", "1/1", "./.", "./1", "./0"], [8, 3, 1, 1, 1, 1], k=len(OPEN_PEOPLE))
        found.append(OpenRecord("22", pos1, ref, alt, calls))
    for pos1 in sorted(chance.randrange(5_000_000, 6_000_000) for _ in range(20)):
        calls = [chance.choice(["0", "1"] if n % 2 else ["0/0", "0/1", "1/1"]) for n in range(len(OPEN_PEOPLE))]
        found.append(OpenRecord("X", pos1, "C", "T", calls))
    return found


def write_open_variants(path: Path) -> None:
    """The open dataset's VCF, with its index."""
    lines = [OPEN_HEADER + "".join(f"\t{name}" for name in OPEN_PEOPLE)]
    lines += [
        f"{each.contig}\t{each.pos1}\t.\t{each.ref}\t{each.alt}\t.\t.\t.\tGT\t" + "\t".join(each.calls)
        for each in open_records()
    ]
    with pysam.BGZFile(str(path), "wb") as file:
        file.write(("\n".join(lines) + "\n").encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)


def write_open_people(path: Path) -> None:
    """Its people: the last of whom does not consent."""
    rows = ["individual_id\tsample_id\tsex\tcountry\tconsent"]
    for n, name in enumerate(OPEN_PEOPLE):
        rows.append(f"IND-{name}\t{name}\t{'male' if n % 2 else 'female'}\tEE\t{'no' if n == 11 else 'yes'}")
    path.write_text("\n".join(rows) + "\n")


def write_reference(path: Path) -> Path:
    """A random reference."""
    chance = random.Random(6)
    text = [f">{name}\n{''.join(chance.choices('ACGT', k=length))}\n" for name, length in CONTIGS.items()]
    path.write_text("".join(text))
    pysam.faidx(str(path))
    return path


def header_of(sample: str) -> dict[str, Any]:
    """A header that tells of somebody all that a header can."""
    return {
        "HD": {"VN": "1.6", "SO": "coordinate"},
        "SQ": [{"SN": n, "LN": m, "UR": f"file:/hospital/{sample}/reference.fa"} for n, m in CONTIGS.items()],
        "RG": [
            {"ID": "lane1", "SM": sample, "LB": f"{sample}-library", "PU": "H7.1", "PL": "ILLUMINA", "DS": sample},
            {"ID": "lane2", "SM": "somebody else", "CN": "Tartu"},
        ],
        "PG": [{"ID": "bwa", "PN": "bwa", "VN": "0.7.17", "CL": f"bwa mem /hospital/{sample}_R1.fastq.gz"}],
        "CO": [f"patient {sample}, sequenced in spring"],
    }


def write_large(path: Path) -> None:
    """64 MiB that begin as CRAM does."""
    text = "".join(f"@SQ\tSN:{name}\tLN:{length}\n" for name, length in CONTIGS.items())
    path.write_bytes(cram.write_beginning(text, (3, 0)) + random.Random(1).randbytes(64 << 20))


def write_reads(path: Path, reference: Path, mode: str, reads: int = READS, sample: str = "S") -> None:
    """Sorted reads with their index, some of them spliced, some without a place."""
    chance = random.Random(7)
    names = list(CONTIGS)
    header = header_of(sample)
    places = sorted((k := chance.randrange(2), chance.randrange(CONTIGS[names[k]] - 6000)) for _ in range(reads))
    with (
        pysam.FastaFile(str(reference)) as genome,
        pysam.AlignmentFile(str(path), mode, header=header, reference_filename=str(reference)) as out,
    ):
        for number, (contig, start) in enumerate(places):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.reference_id, read.reference_start = f"r{number}", contig, start
            spliced = chance.random() < 0.1
            read.cigarstring = "50M5000N50M" if spliced else "100M"
            first = genome.fetch(names[contig], start, start + 100)
            later = genome.fetch(names[contig], start + 5050, start + 5100)
            read.query_sequence = first[:50] + later if spliced else first
            read.query_qualities = pysam.qualitystring_to_array("".join(chance.choices("5?IF", k=100)))
            read.mapping_quality = 60
            read.set_tag("RG", "lane1")
            out.write(read)
        for number in range(30):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.flag, read.query_sequence = f"u{number}", 4, "ACGTACGT"
            out.write(read)
    pysam.index(str(path))
