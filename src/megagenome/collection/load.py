# SPDX-License-Identifier: Apache-2.0
"""Loading: people and genotype sources into the collection, all of it or nothing.

Order of durability: the packs of every contig (each written, fsynced, renamed, its folder fsynced), then one database
transaction with the dataset, the people and the manifest. Killed anywhere before that commit, the collection is as it
was; packs that no manifest names are swept when the next load begins.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap, tables
from megagenome.collection.check_source import check_lengths, check_order, find_contig
from megagenome.collection.collection import Collection
from megagenome.collection.count_again import Recounted, outdated_tiles, write_counts
from megagenome.collection.counts import Columns
from megagenome.collection.datasets import DatasetStatement, read_state, state_dataset
from megagenome.collection.enrol import Enrolment, enrol
from megagenome.collection.manifest import add_packs, new_identity, pack_paths, replace_counts, sweep, writing_alone
from megagenome.collection.model import DatasetState, Sex, Stratum
from megagenome.collection.needs import Actor
from megagenome.collection.pack import PackWriter
from megagenome.collection.people import People
from megagenome.collection.read_vcf import open_vcf
from megagenome.collection.released import (
    Census,
    Change,
    count_waiting,
    note_leavers,
    plan_load,
    read_holdings,
    refuse_newly_told,
    take_census,
    write_change,
)
from megagenome.collection.strata import read_strata
from megagenome.collection.tiles import ContigTiles, PackKey
from megagenome.collection.version import raise_version
from megagenome.collection.write_tiles import ContigWriter, Tally
from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.durable_files import write_durably
from megagenome.kernel.errors import Conflict, Invalid
from megagenome.kernel.ids import Country, DatasetId, SampleId
from megagenome.reference import Assembly, assembly
from megagenome.standards.genotypes import Block, GenotypeSource

_ROWS_AT_ONCE = 10_000  # taken from the database together: one at a time they take thrice as long

Progress = Callable[[str, int], None]
"""Called with the place in people's words (`file contig:position`) and the records read so far of the file."""

Also = Callable[[sa.Connection], None]
"""What somebody else writes with the commit of a load."""


class LoadReport(msgspec.Struct, frozen=True):
    """What a load did.

    new_individuals   people whom the collection did not have before
    consenting        people of these tables who consent to be counted
    overruled         people for whom the tables say yes to that, but another dataset of theirs, or they, do not
    withdrawn         earlier people who consented to it until these tables; they leave with the next release
    waiting           consenting people of the dataset who are too few to enter its public numbers before a release
    samples           samples whose genotypes were loaded, over all sources
    samples_left_out  samples of the sources that no people table names
    contigs           for each contig its `write_tiles.Tally` by field
    """

    load: str
    dataset: str
    assembly: str
    individuals: int
    new_individuals: int
    consenting: int
    overruled: int
    withdrawn: int
    waiting: int
    samples: int
    samples_left_out: int
    contigs: dict[str, dict[str, int]]


class _Sample(NamedTuple):
    number: int
    stratum: Stratum


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
    people: People
    samples: Mapping[SampleId, _Sample]
    changes: Sequence[Change]
    census: Census
    progress: Progress

    @property
    def own(self) -> Change:
        """What happens to the public numbers of the dataset that is loaded."""
        return next(change for change in self.changes if change.dataset.id == self.statement.id)


def load(
    collection: Collection,
    statement: DatasetStatement,
    people: People,
    sources: Sequence[Path | GenotypeSource] = (),
    assembly_name: str = "",
    progress: Progress = lambda _place, _records: None,
    also: Also = lambda _connection: None,
) -> LoadReport:
    """Load people, and the genotypes of their samples in `sources` (VCF.gz or BCF files, or blocks), into a dataset.

    Each contig stands in one source only, its records sorted; contigs come in any order. Either everything is there and
    durable on return, or an error was raised and the collection is as it was. Raises `Invalid` or `Corrupt` for bad
    input, naming source, place and what to do, and `Conflict` for people who already have genotypes of this contig in
    this dataset or get a sex under which earlier calls would have been read otherwise, or when another load runs.

    Consent that the tables give or take holds at once for readings by permit; nobody leaves the public numbers but with
    a release. `also` is done by the commit that makes the load exist; what it raises ends the load.

    Cost: one pass over the sources, memory of one 1 Mb region; where these tables change earlier people's country,
    population or sex, their loads are counted again.
    """
    with writing_alone(collection.folder):
        collection.refresh()  # another process may have loaded since this one last looked
        sweep(collection.engine, collection.folder)
        # a rehearsal in a transaction that is rolled back: people's numbers and every contradiction are known before
        # the long reading begins, and no write lock is held while it lasts
        with collection.engine.connect() as connection, connection.begin() as rehearsal:
            told = {each.number for each in read_holdings(connection) if each.told}
            enrolment, samples = _enrol(connection, collection, statement, people)
            census, changes = _plan(connection, collection.engine, enrolment, statement, told)
            waiting = sum(
                count_waiting(connection, each, census) for each in changes if each.dataset.id == statement.id
            )
            rehearsal.rollback()
        recount = outdated_tiles(collection.snapshot(), changes, census)
        place = assembly(assembly_name or "GRCh38")
        running = _Load(collection, new_identity(), statement, place, people, samples, changes, census, progress)
        try:
            written, left_out = _write_sources(running, sources)
            recounted = [_count_again(running, tiles, columns) for tiles, columns in recount]
            report = LoadReport(
                running.identity,
                statement.id,
                running.assembly.name if sources else "",
                len(people.persons),
                enrolment.added,
                enrolment.consenting,
                enrolment.overruled,
                enrolment.withdrawn,
                waiting,
                len({int(number) for one in written for number in one.people}),
                left_out,
                {one.contig: one.tally._asdict() for one in written},
            )
            _commit(running, written, recounted, report, also)
            collection.refresh()
        except BaseException:
            sweep(collection.engine, collection.folder)
            raise
        return report


class Rehearsal(NamedTuple):
    """What a load of people would do. `strata`: of the people who would be in the dataset's public numbers; the other
    fields as in `LoadReport` and `Dataset`."""

    individuals: int
    new_individuals: int
    consenting: int
    waiting: int
    floor: int
    alleles_tier: str
    people_tier: str
    strata: dict[Stratum, int]


def rehearse(collection: Collection, statement: DatasetStatement, people: People) -> Rehearsal:
    """What loading these people would do; nothing is changed. Raises what `load` would, as far as it is of people.

    Who is held back is drawn anew by the load itself, so numbers of strata may differ by few. Cost: some seconds for
    100,000 people, in which nobody else writes.
    """
    with collection.engine.connect() as connection, connection.begin() as rehearsal:
        told = {each.number for each in read_holdings(connection) if each.told}
        enrolment, _ = _enrol(connection, collection, statement, people)
        census, changes = _plan(connection, collection.engine, enrolment, statement, told)
        [own] = [change for change in changes if change.dataset.id == statement.id]
        row = connection.execute(sa.select(tables.dataset).where(tables.dataset.c.id == statement.id)).one()
        waiting = count_waiting(connection, own, census)
        rehearsal.rollback()
    places = np.bincount(census.strata.of[bitmap.to_numbers(own.after)], minlength=len(census.strata.strata))
    strata = {each: int(count) for each, count in zip(census.strata.strata, places, strict=True) if count}
    return Rehearsal(
        len(people.persons),
        enrolment.added,
        enrolment.consenting,
        waiting,
        row.floor,
        row.alleles_tier,
        row.people_tier,
        strata,
    )


def _enrol(
    connection: sa.Connection, collection: Collection, statement: DatasetStatement, people: People
) -> tuple[Enrolment, dict[SampleId, _Sample]]:
    """State the dataset and enrol the people; all samples that the dataset has then."""
    dataset = state_dataset(connection, statement)
    enrolment = enrol(connection, dataset, people, collection.ontology_for)
    i, b = tables.individual.c, tables.biosample.c
    query = (
        sa.select(b.id, i.number, i.country, i.population, i.sex)
        .join_from(tables.biosample, tables.individual, b.individual == i.number)
        .where(b.dataset == dataset)
    )
    strata: dict[tuple[str, str, str], Stratum] = {}
    samples = {}
    for some in connection.execute(query).partitions(_ROWS_AT_ONCE):
        for sample, number, *where in some:
            key = (where[0], where[1], where[2])
            stratum = strata.get(key) or strata.setdefault(key, Stratum(Country(key[0]), key[1], Sex(key[2])))
            samples[SampleId(sample)] = _Sample(number, stratum)
    return enrolment, samples


def _plan(
    connection: sa.Connection, engine: sa.Engine, enrolment: Enrolment, statement: DatasetStatement, told: set[int]
) -> tuple[Census, list[Change]]:
    """What the load does to the public numbers of each dataset. `connection` is in the rehearsal, `told` are the
    datasets that were published before it."""
    with engine.connect() as outside:  # of the rehearsal: strata as they were
        before = read_strata(outside)
    census = take_census(connection, enrolment.strata, before, enrolment.moved)
    holdings = [each._replace(told=each.number in told) for each in read_holdings(connection)]
    return census, [plan_load(connection, each, census, own=each.id == statement.id) for each in holdings]


def _count_again(running: _Load, tiles: ContigTiles, columns: Columns) -> Recounted:
    running.progress(f"counting {tiles.key.contig} of {tiles.key.load} again", 0)
    return write_counts(running.collection.folder, tiles, columns, running.identity)


def _write_sources(running: _Load, sources: Sequence[Path | GenotypeSource]) -> tuple[list[_Written], int]:
    written: list[_Written] = []
    left_out = 0
    for each in sources:
        opened = open_vcf(each, frozenset(running.samples)) if isinstance(each, Path) else contextlib.nullcontext(each)
        with opened as source:
            left_out += source.left_out + sum(sample not in running.samples for sample in source.samples)
            written.extend(_write_source(running, source, {one.contig for one in written}))
    return written, left_out


def _write_source(running: _Load, source: GenotypeSource, written: set[str]) -> Iterator[_Written]:
    chosen = [k for k, sample in enumerate(source.samples) if sample in running.samples]
    if not chosen:
        raise Invalid(
            f"{source.name}: none of its {len(source.samples) + source.left_out} samples is named in a people table of "
            f"{running.statement.id}; name them in the column sample_id (--individuals)"
        )
    check_lengths(running.assembly, source)
    # by number, as people are stored: as a rule they are numbered as the file has them
    chosen.sort(key=lambda k: running.samples[SampleId(source.samples[k])].number)
    columns = _columns([running.samples[SampleId(source.samples[k])] for k in chosen], running.own.after)
    as_they_are = chosen == list(range(len(source.samples)))
    records = 0
    for name, blocks in groupby(source.blocks, key=lambda block: block.contig):
        contig = find_contig(running.assembly, source, name)
        if contig in written:
            raise Invalid(
                f"{source.name}: contig {name} comes a second time; sort the file (bcftools sort), "
                "and give each contig in one file only"
            )
        written.add(contig)
        _refuse_loaded(running, contig, columns.number)
        one = _write_contig(running, source, contig, _chosen(blocks, None if as_they_are else chosen), columns, records)
        records += one.tally.records
        yield one


def _chosen(blocks: Iterable[Block], columns: list[int] | None) -> Iterator[Block]:
    for block in blocks:
        # take, unlike indexing, leaves the calls in C order
        yield block if columns is None else block._replace(calls=block.calls.take(columns, axis=1))


def _write_contig(
    running: _Load, source: GenotypeSource, contig: str, blocks: Iterable[Block], columns: Columns, records: int
) -> _Written:
    length = running.assembly.contig(contig).length
    key = PackKey(running.identity, running.assembly.name, contig, running.identity)
    paths = pack_paths(running.collection.folder, *key)
    with write_durably(paths[0]) as genotypes_file, write_durably(paths[1]) as counts_file:
        writer = ContigWriter(genotypes_file, counts_file, columns, running.assembly, contig)
        last = 0
        for block in blocks:
            check_order(source, block, last, length)
            last = int(block.starts[-1])
            writer.add(block)
            running.progress(f"{source.name} {contig}:{last + 1:,}", records + writer.tally.records)
        writer.finish()
    return _Written(contig, columns.number, writer.genotypes, writer.counts, writer.tally)


def _commit(
    running: _Load, written: Sequence[_Written], recounted: Sequence[Recounted], report: LoadReport, also: Also
) -> None:
    """The one transaction that makes a load exist."""
    collection, identity = running.collection, running.identity
    with begin_writing(collection.engine) as connection:
        told = {each.number for each in read_holdings(connection) if each.told}
        if told != {change.dataset.number for change in running.changes if change.dataset.told}:
            raise Conflict("a dataset was published or withdrawn while this load ran; load again")
        before = _state_of(connection, running.statement.id)
        _, samples = _enrol(connection, collection, running.statement, running.people)
        if samples != running.samples:
            raise Conflict(f"dataset {running.statement.id}: its people changed while this load ran; load again")
        named = tables.dataset.c.id == running.statement.id
        dataset = connection.execute(sa.select(tables.dataset.c.number).where(named)).scalar_one()
        row = {"id": identity, "dataset": dataset, "created": clock.now().isoformat()}
        connection.execute(sa.insert(tables.load).values(**row, report=msgspec.json.encode(report).decode()))
        for one in written:
            key = PackKey(identity, running.assembly.name, one.contig, identity)
            add_packs(connection, key, dataset, one.people, one.genotypes, one.counts)
        for key, counts in recounted:
            replace_counts(connection, key, counts)
        for change in running.changes:
            write_change(connection, change, running.census)
        refuse_newly_told(connection, running.changes)
        note_leavers(connection)
        raise_version(connection)
        after = read_state(connection, running.statement.id)
        if after is DatasetState.PUBLISHED and before != after and collection.journal is not None:
            by = Actor(running.statement.by or "operator")
            collection.journal.enter_state(connection, by, running.statement.id, before, after)
        also(connection)


def _state_of(connection: sa.Connection, dataset: DatasetId) -> str:
    found = connection.scalar(sa.select(tables.dataset.c.state).where(tables.dataset.c.id == dataset))
    return found or "new"


def _columns(samples: Sequence[_Sample], counted: bitmap.Planes) -> Columns:
    strata = tuple(sorted({sample.stratum for sample in samples}))
    place = {stratum: k for k, stratum in enumerate(strata)}
    numbers = np.array([sample.number for sample in samples], np.int64)
    return Columns(
        numbers,
        np.array([place[sample.stratum] for sample in samples], np.int64),
        np.isin(numbers, bitmap.to_numbers(counted)),
        strata,
    )


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
