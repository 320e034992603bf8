# SPDX-License-Identifier: Apache-2.0
"""Synthetic countries as files that a holder would have: VCF or BCF, a people table and a description per dataset."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec
import pysam
import pysam.bcftools

from megagenome.kernel.errors import Conflict
from megagenome.standards.genotypes import Block, GenotypeSource
from megagenome.standards.vcf_text import write_header, write_records
from megagenome.synthetic.europe import Dataset, Europe
from megagenome.synthetic.genomes import ASSEMBLY
from megagenome.synthetic.recount import count_truth


class GenotypeFormat(StrEnum):
    """File format of the genotypes; both get an index beside them."""

    VCF = "vcf.gz"
    BCF = "bcf"


class DatasetFile(msgspec.Struct, frozen=True):
    """What `dataset.json` says of its folder."""

    id: str
    title: str
    description: str
    country: str
    assembly: str
    open: bool
    collection_year: int
    individuals: int
    records: int
    genotypes: str


def require_empty(out: Path) -> None:
    """Raise `Conflict` unless `out` is an empty folder or does not exist."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Conflict(f"{out} is not an empty folder: nothing was written; give another, or empty it")


def write_europe(
    europe: Europe, out: Path, form: GenotypeFormat, on_progress: Callable[[float], None] = lambda _: None
) -> list[DatasetFile]:
    """Write all datasets to `out/COUNTRY/DATASET/` (`genotypes.*`, `people.tsv`, `traits.tsv`, `dataset.json`) and
    `out/truth.json`; what each `dataset.json` says comes back. The same simulation gives the same bytes.

    `on_progress` is told how many datasets are done, the one in hand by its bases. Raises `Conflict` when `out` has
    anything in it. Memory is that of one block (at most 256 MB) above the simulation.
    """
    require_empty(out)
    written: list[DatasetFile] = []
    for country in europe.countries:
        for dataset in country.datasets:
            folder = out / country.code / dataset.id
            folder.mkdir(parents=True)
            genotypes = folder / f"genotypes.{form}"
            records = _write_genotypes(dataset, genotypes, len(written), on_progress)
            written.append(_write_the_rest(dataset, country.code, genotypes, records))
    _write_json(out / "truth.json", count_truth(europe))
    return written


def _write_genotypes(dataset: Dataset, path: Path, done: int, on_progress: Callable[[float], None]) -> int:
    made_by = f"megagenome synth europe, seed {dataset.simulation.seed}"

    def on_block(block: Block) -> None:
        on_progress(done + _share_done(dataset, block))

    return write_genotypes(dataset.genotypes(), path, made_by, on_block)


def _share_done(dataset: Dataset, block: Block) -> float:
    """Share of the simulated bases that lie before the end of `block`."""
    last, done, total = int(block.starts[-1]), 0, 0
    for stretch in (sequence.stretch for sequence in dataset.simulation.sequences):
        total += stretch.end - stretch.start
        if stretch.contig == block.contig and stretch.start <= last < stretch.end:
            done = total - (stretch.end - last)
    return done / total


def _write_the_rest(dataset: Dataset, country: str, genotypes: Path, records: int) -> DatasetFile:
    folder = genotypes.parent
    with (folder / "people.tsv").open("w", encoding="utf-8") as file:
        dataset.write_people(file)
    with (folder / "traits.tsv").open("w", encoding="utf-8") as file:
        dataset.write_traits(file)
    described = DatasetFile(
        id=dataset.id,
        title=dataset.title,
        description=dataset.description,
        country=country,
        assembly=ASSEMBLY,
        open=dataset.open,
        collection_year=dataset.collection_year,
        individuals=len(dataset.members),
        records=records,
        genotypes=genotypes.name,
    )
    _write_json(folder / "dataset.json", described)
    return described


def write_genotypes(
    source: GenotypeSource, path: Path, made_by: str, on_block: Callable[[Block], None] = lambda _: None
) -> int:
    """Write a source to `path`, `*.vcf.gz` or `*.bcf` by its name, with an index; the number of records comes back.

    `made_by` goes into the header, `on_block` is told each block that is written. htslib encodes BCF from a VCF beside
    it, which is removed. Costs about 0.1 microseconds of CPU per call, BCF half as much again.
    """
    if path.name.endswith(f".{GenotypeFormat.VCF}"):
        records = _write_vcf(source, path, made_by, on_block)
        pysam.tabix_index(str(path), preset="vcf", force=True)
        return records
    text = path.with_suffix(f".{GenotypeFormat.VCF}")
    records = _write_vcf(source, text, made_by, on_block)
    pysam.bcftools.view("--no-version", "-Ob", "-o", str(path), str(text), catch_stdout=False)
    pysam.bcftools.index(str(path), catch_stdout=False)
    text.unlink()
    return records


def _write_vcf(source: GenotypeSource, path: Path, made_by: str, on_block: Callable[[Block], None]) -> int:
    records = 0
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(write_header(made_by, ASSEMBLY, source.contig_lengths, source.samples))
        for block in source.blocks:
            file.write(write_records(block))
            records += len(block.starts)
            on_block(block)
    return records


def _write_json(path: Path, content: msgspec.Struct) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
