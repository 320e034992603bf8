# SPDX-License-Identifier: Apache-2.0
"""Loading: people and genotype sources into the collection, all of it or nothing.

Order of durability: the packs of every contig (each written, fsynced, renamed, its folder fsynced), then one database
transaction with the dataset, the people and the manifest. Killed anywhere before that commit, the collection is as it
was; packs that no manifest names are swept when the next load begins.
"""

import contextlib
import fcntl
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap, tables
from megagenome.collection.collection import Collection
from megagenome.collection.datasets import DatasetStatement, raise_version, state_dataset
from megagenome.collection.enrol import enrol
from megagenome.collection.model import Sex, Stratum
from megagenome.collection.pack import PackWriter
from megagenome.collection.people import Person
from megagenome.collection.read_vcf import open_vcf
from megagenome.collection.snapshot import pack_paths
from megagenome.collection.write_tiles import Columns, ContigWriter, Tally
from megagenome.kernel import clock
from megagenome.kernel.blobs import make_folder, write_durably
from megagenome.kernel.errors import Conflict, Invalid
from megagenome.kernel.ids import Country, SampleId
from megagenome.reference import Assembly, assembly
from megagenome.standards.genotypes import Block, GenotypeSource

Progress = Callable[[str, int], None]
"""Called with the place in people's words (`file contig:position`) and the records read so far of the file."""


class LoadReport(msgspec.Struct, frozen=True):
    """What a load did.

    new_individuals   people whom the collection did not have before
    samples           samples whose genotypes were loaded, over all sources
    samples_left_out  samples of the sources that no people table names
    contigs           for each contig its `write_tiles.Tally` by field
    """

    load: str
    dataset: str
    assembly: str
    individuals: int
    new_individuals: int
    samples: int
    samples_left_out: int
    contigs: dict[str, dict[str, int]]


class _Sample(NamedTuple):
    number: int
    stratum: Stratum
    consents: bool


class _Written(NamedTuple):
    """A contig's packs, on disk and durable, named by no manifest yet."""

    contig: str
    people: bitmap.Numbers
    genotypes: PackWriter
    counts: PackWriter
    tally: Tally


class _Load(NamedTuple):
    """What stays the same while a load runs."""

    collection: Collection
    identity: str
    statement: DatasetStatement
    assembly: Assembly
    samples: Mapping[SampleId, _Sample]
    progress: Progress


def load(
    collection: Collection,
    statement: DatasetStatement,
    people: Sequence[Person],
    sources: Sequence[Path | GenotypeSource] = (),
    assembly_name: str = "",
    progress: Progress = lambda _place, _records: None,
) -> LoadReport:
    """Load people, and the genotypes of their samples in `sources` (VCF.gz or BCF files, or blocks), into a dataset.

    Each contig stands in one source only, its records sorted; contigs come in any order. Either everything is there and
    durable on return, or an error was raised and the collection is as it was. Raises `Invalid` or `Corrupt` for bad
    input, naming source, place and what to do, and `Conflict` for people who already have genotypes of this contig in
    this dataset, or when another load runs. Cost: one pass over the sources; memory of one 1 Mb region.
    """
    with _load_lock(collection.folder):
        _sweep(collection)
        with collection.engine.connect() as connection, connection.begin() as rehearsal:
            samples, new = _enrol(connection, collection, statement, people)
            rehearsal.rollback()
        identity = f"{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        running = _Load(collection, identity, statement, assembly(assembly_name or "GRCh38"), samples, progress)
        written: list[_Written] = []
        left_out = 0
        try:
            for each in sources:
                source = open_vcf(each, frozenset(samples)) if isinstance(each, Path) else each
                left_out += source.left_out + sum(sample not in samples for sample in source.samples)
                for one in _write_source(running, source, {w.contig for w in written}):
                    written.append(one)  # noqa: PERF402 - one by one, so that what is written is known when the next fails
            report = LoadReport(
                identity,
                statement.id,
                running.assembly.name if sources else "",
                len(people),
                new,
                len({int(number) for w in written for number in w.people}),
                left_out,
                {w.contig: w.tally._asdict() for w in written},
            )
            _commit(running, people, written, report)
        except BaseException:
            for one in written:
                for path in pack_paths(collection.folder, identity, running.assembly.name, one.contig):
                    path.unlink(missing_ok=True)
            raise
        return report


def _enrol(
    connection: sa.Connection, collection: Collection, statement: DatasetStatement, people: Sequence[Person]
) -> tuple[dict[SampleId, _Sample], int]:
    """State the dataset and enrol the people; all samples of the dataset then, and how many individuals are new."""
    dataset = state_dataset(connection, statement)
    count = sa.select(sa.func.count()).select_from(tables.individual)
    before = int(connection.execute(count).scalar_one())
    enrol(connection, dataset, people, collection.ontologies)
    i, b = tables.individual.c, tables.biosample.c
    query = (
        sa.select(b.id, i.number, i.country, i.population, i.sex, i.research_consent)
        .join_from(tables.biosample, tables.individual, b.individual == i.number)
        .where(b.dataset == dataset)
    )
    samples = {
        SampleId(row.id): _Sample(
            row.number, Stratum(Country(row.country), row.population, Sex(row.sex)), row.research_consent
        )
        for row in connection.execute(query)
    }
    return samples, int(connection.execute(count).scalar_one()) - before


def _write_source(running: _Load, source: GenotypeSource, written: set[str]) -> Iterator[_Written]:
    chosen = [k for k, sample in enumerate(source.samples) if sample in running.samples]
    if not chosen:
        raise Invalid(
            f"{source.name}: none of its {len(source.samples) + source.left_out} samples is named in a people table of "
            f"{running.statement.id}; name them in the column sample_id (--individuals)"
        )
    _check_lengths(running.assembly, source)
    columns = _columns([running.samples[SampleId(source.samples[k])] for k in chosen])
    whole = len(chosen) == len(source.samples)
    records = 0
    for name, blocks in groupby(source.blocks, key=lambda block: block.contig):
        contig = _contig(running.assembly, source, name)
        if contig in written:
            raise Invalid(
                f"{source.name}: contig {name} comes a second time; sort the file (bcftools sort), "
                "and give each contig in one file only"
            )
        written.add(contig)
        _refuse_loaded(running, contig, columns.number)
        one = _write_contig(running, source, contig, _chosen(blocks, None if whole else chosen), columns, records)
        records += one.tally.records
        yield one


def _chosen(blocks: Iterable[Block], columns: list[int] | None) -> Iterator[Block]:
    for block in blocks:
        yield block if columns is None else block._replace(calls=np.ascontiguousarray(block.calls[:, columns]))


def _write_contig(
    running: _Load, source: GenotypeSource, contig: str, blocks: Iterable[Block], columns: Columns, records: int
) -> _Written:
    length = running.assembly.contig(contig).length
    paths = pack_paths(running.collection.folder, running.identity, running.assembly.name, contig)
    with write_durably(paths[0]) as genotypes_file, write_durably(paths[1]) as counts_file:
        writer = ContigWriter(genotypes_file, counts_file, columns, running.assembly, contig)
        last = 0
        for block in blocks:
            _check_order(source, block, last, length)
            last = int(block.starts[-1])
            writer.add(block)
            running.progress(f"{source.name} {contig}:{last + 1:,}", records + writer.tally.records)
        writer.finish()
    return _Written(contig, np.sort(columns.number), writer.genotypes, writer.counts, writer.tally)


def _commit(running: _Load, people: Sequence[Person], written: Sequence[_Written], report: LoadReport) -> None:
    """The one transaction that makes a load exist."""
    collection, place = running.collection, running.assembly.name
    with collection.engine.begin() as connection:
        samples, _ = _enrol(connection, collection, running.statement, people)
        if samples != running.samples:
            raise Conflict(f"dataset {running.statement.id}: its people changed while this load ran; load again")
        dataset = connection.execute(
            sa.select(tables.dataset.c.number).where(tables.dataset.c.id == running.statement.id)
        ).scalar_one()
        connection.execute(
            sa.insert(tables.load).values(
                id=running.identity,
                dataset=dataset,
                created=clock.now().isoformat(),
                report=msgspec.json.encode(report).decode(),
            )
        )
        for one in written:
            key = {"load": running.identity, "assembly": place, "contig": one.contig}
            connection.execute(
                sa.insert(tables.pack).values(
                    **key,
                    dataset=dataset,
                    genotypes_size_bytes=one.genotypes.size_bytes,
                    genotypes_sha256=one.genotypes.sha256,
                    counts_size_bytes=one.counts.size_bytes,
                    counts_sha256=one.counts.sha256,
                )
            )
            for batch in np.unique(one.people // bitmap.BATCH).tolist():
                members = one.people[one.people // bitmap.BATCH == batch] % bitmap.BATCH
                stored = bitmap.encode(members.astype(np.uint16))
                connection.execute(sa.insert(tables.pack_member).values(**key, batch=batch, members=stored))
        raise_version(connection)


def _columns(samples: Sequence[_Sample]) -> Columns:
    strata = tuple(sorted({sample.stratum for sample in samples}))
    place = {stratum: k for k, stratum in enumerate(strata)}
    return Columns(
        np.array([sample.number for sample in samples], np.int64),
        np.array([place[sample.stratum] for sample in samples], np.int64),
        np.array([sample.consents for sample in samples], np.bool_),
        strata,
    )


def _check_lengths(place: Assembly, source: GenotypeSource) -> None:
    for name, length in source.contig_lengths.items():
        with contextlib.suppress(Invalid):  # a contig that the assembly does not have matters only once it has records
            expected = place.contig(name).length
            if length != expected:
                raise Conflict(
                    f"{source.name}: its header gives contig {name} {length:,} bases, {place.name} has {expected:,}; "
                    "is it of another assembly (--assembly)?"
                )


def _contig(place: Assembly, source: GenotypeSource, name: str) -> str:
    try:
        return place.contig(name).name
    except Invalid as error:
        raise Invalid(f"{source.name}: {error}") from None


def _check_order(source: GenotypeSource, block: Block, last: int, length: int) -> None:
    starts = np.concatenate(([last], block.starts))
    if (back := np.flatnonzero(np.diff(starts) < 0)).size:
        place = f"{block.contig}:{block.starts[back[0]] + 1}"
        raise Invalid(f"{source.name}: not sorted: {place} comes after {starts[back[0]] + 1}; sort it (bcftools sort)")
    if block.starts[-1] >= length:
        raise Invalid(f"{source.name}: {block.contig}:{block.starts[-1] + 1} is beyond the contig's {length:,} bases")


def _refuse_loaded(running: _Load, contig: str, numbers: bitmap.Numbers) -> None:
    """A person has one call at a place of a dataset; this is also what finds a file that is loaded twice."""
    snapshot = running.collection.snapshot()
    mine = bitmap.from_numbers(numbers[numbers < snapshot.batches * bitmap.BATCH], snapshot.batches)
    for tiles in snapshot.tiles.get((running.assembly.name, contig), ()):
        dataset = snapshot.datasets[snapshot.numbers.index(tiles.dataset)].id
        if dataset == running.statement.id and (both := bitmap.count(tiles.people & mine)):
            raise Conflict(
                f"dataset {dataset} already has genotypes of contig {contig} ({running.assembly.name}) for {both:,} of "
                f"these {len(numbers):,} people: loaded before? Nothing was changed"
            )


@contextlib.contextmanager
def _load_lock(folder: Path) -> Iterator[None]:
    """One load at a time; the lock ends with the process."""
    make_folder(folder)
    with (folder / "load.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(f"{folder}: another load is running there; wait for it to end") from None
        yield


def _sweep(collection: Collection) -> None:
    """Remove packs that no manifest names: what a load left that was killed."""
    with collection.engine.connect() as connection:
        rows = connection.execute(sa.select(tables.pack.c.load, tables.pack.c.assembly, tables.pack.c.contig)).all()
    named = {path for row in rows for path in pack_paths(collection.folder, *row)}
    for path in (collection.folder / "genotypes").rglob("*"):
        if path.is_file() and path not in named:
            path.unlink()
