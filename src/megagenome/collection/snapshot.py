# SPDX-License-Identifier: Apache-2.0
"""The collection at one version, as the database's manifest states it: what readings are made from."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from megagenome.collection import bitmap, tables
from megagenome.collection.manifest import pack_paths
from megagenome.collection.members import SetKind, read_all
from megagenome.collection.model import Counts, Dataset, DatasetState, Stratum, Tier
from megagenome.collection.pack import Pack
from megagenome.collection.publication import read_records
from megagenome.collection.standing import Standing
from megagenome.collection.strata import count_individuals
from megagenome.collection.tiles import ContigTiles, PackKey
from megagenome.collection.version import current_version
from megagenome.kernel.ids import DatasetId
from megagenome.reference import PloidyClass
from megagenome.standards.dataset_record import RecordVersion

Place = tuple[str, str]
"""Assembly and contig."""


class Stack(NamedTuple):
    """A contig's loads side by side, so that the counts of an allele are one step for all of them.

    place   int64 [loads, strata of the load that has most]: where a load's strata stand in `Snapshot.strata`
    called  int64 [loads, ploidy classes, strata]: alleles of the consenting people where all are called
    """

    place: Counts
    called: Counts


class Snapshot(NamedTuple):
    """All that does not change while a version lasts.

    individuals  people of the node; batches: of their bitmaps
    numbers   the datasets' numbers in the database, in the order of `datasets`
    people    of each dataset those who are in the public numbers, Planes each
    members   everybody of each dataset, Planes each
    shared    bool [datasets, datasets]: True where two different datasets have people of `people` in common
    tiles     what was loaded of each contig, in order of load
    strata    strata of all people with genotypes, sorted
    stacks    the same loads side by side
    loads     how many there were; only a load changes people, what is recorded of them, and who is in a dataset
    standing  what is kept of the people until the next load
    """

    version: int
    individuals: int
    batches: int
    datasets: tuple[Dataset, ...]
    numbers: tuple[int, ...]
    people: tuple[bitmap.Planes, ...]
    members: tuple[bitmap.Planes, ...]
    shared: npt.NDArray[np.bool_]
    tiles: dict[Place, tuple[ContigTiles, ...]]
    strata: tuple[Stratum, ...]
    stacks: dict[Place, Stack]
    loads: int
    standing: Standing


def take_snapshot(connection: sa.Connection, folder: Path, known: Snapshot | None) -> Snapshot:
    """The collection as it is in this connection's transaction; packs that `known` has open are not opened again."""
    version = current_version(connection)
    individuals = count_individuals(connection)
    loads = int(connection.execute(sa.select(sa.func.count()).select_from(tables.load)).scalar_one())
    batches = bitmap.batches_for(individuals)
    rows = connection.execute(sa.select(tables.dataset).order_by(tables.dataset.c.number)).all()
    records = read_records(connection)
    enrolled, released = (dict(read_all(connection, kind, batches)) for kind in (SetKind.DATASET, SetKind.RELEASED))
    members = tuple(enrolled.get(row.id, bitmap.nobody(batches)) for row in rows)
    people = tuple(released.get(row.id, bitmap.nobody(batches)) for row in rows)
    # a set of people has as many planes as the collection has batches: when that grows, all are opened anew
    same = known is not None and known.batches == batches
    opened = {tile.key: tile for tiles in known.tiles.values() for tile in tiles} if known and same else {}
    tiles: dict[Place, list[ContigTiles]] = {}
    assemblies: dict[int, set[str]] = {row.number: set() for row in rows}
    for pack in connection.execute(_packs_in_order()):
        key = PackKey(pack.load, pack.assembly, pack.contig, pack.counted_by)
        tile = opened.get(key) or _open(connection, folder, pack, batches)
        tiles.setdefault((pack.assembly, pack.contig), []).append(tile)
        assemblies[pack.dataset].add(pack.assembly)
    everything = [tile for found in tiles.values() for tile in found]
    strata = tuple(sorted({stratum for tile in everything for stratum in tile.strata}))
    return Snapshot(
        version,
        individuals,
        batches,
        tuple(
            _dataset(row, bitmap.count(p), assemblies[row.number], records.get(row.number))
            for row, p in zip(rows, people, strict=True)
        ),
        tuple(row.number for row in rows),
        people,
        members,
        sharing(people),
        {place: tuple(found) for place, found in tiles.items()},
        strata,
        {place: _stack(found, strata) for place, found in tiles.items()},
        loads,
        known.standing if known and known.loads == loads else Standing(),
    )


def _stack(loads: list[ContigTiles], strata: tuple[Stratum, ...]) -> Stack:
    at = {stratum: k for k, stratum in enumerate(strata)}
    stack = Stack(
        np.zeros((len(loads), max(len(load.strata) for load in loads)), np.int64),
        np.zeros((len(loads), len(PloidyClass), len(strata)), np.int64),
    )
    for k, load in enumerate(loads):
        mine = [at[stratum] for stratum in load.strata]
        stack.place[k, : len(mine)] = mine
        stack.called[k, :, mine] = load.called.T
    return stack


def sharing(people: tuple[bitmap.Planes, ...]) -> npt.NDArray[np.bool_]:
    """bool [sets, sets]: True where two different sets of people have somebody in common.

    Only who is in several sets is looked at pair by pair: a second for 1,000 sets over 100,000 people who all are.
    """
    common = np.zeros((len(people), len(people)), np.bool_)
    if not people:
        return common
    once, several = np.zeros_like(people[0]), np.zeros_like(people[0])
    for each in people:
        several |= once & each
        once |= each
    where = np.flatnonzero(several.view(np.uint64))
    left = np.stack([each.view(np.uint64).ravel()[where] for each in people])
    for i in range(len(people)):
        common[i, i + 1 :] = (left[i + 1 :] & left[i]).any(axis=1)
    return common | common.T


def _packs_in_order() -> sa.Select[tuple[object, ...]]:
    joined = sa.join(tables.pack, tables.load, tables.pack.c.load == tables.load.c.id)
    return sa.select(tables.pack).select_from(joined).order_by(tables.load.c.created, tables.load.c.id)


def _open(connection: sa.Connection, folder: Path, row: sa.Row[tuple[object, ...]], batches: int) -> ContigTiles:
    genotypes, counts = pack_paths(folder, row.load, row.assembly, row.contig, row.counted_by)
    people = bitmap.nobody(batches)
    m = tables.pack_member.c
    stored = sa.select(m.batch, m.members).where(m.load == row.load, m.assembly == row.assembly, m.contig == row.contig)
    for batch in connection.execute(stored):
        people[batch.batch] = bitmap.decode_plane(batch.members)
    return ContigTiles(
        PackKey(row.load, row.assembly, row.contig, row.counted_by),
        row.dataset,
        people,
        Pack(genotypes, row.genotypes_size_bytes),
        Pack(counts, row.counts_size_bytes),
    )


def _dataset(
    row: sa.Row[tuple[object, ...]], individuals: int, assemblies: set[str], recorded: RecordVersion | None
) -> Dataset:
    return Dataset(
        id=DatasetId(row.id),
        title=row.title,
        description=row.description,
        state=DatasetState(row.state),
        open=row.open,
        floor=row.floor,
        alleles_tier=Tier(row.alleles_tier),
        people_tier=Tier(row.people_tier),
        collection_year=row.collection_year,
        individuals=individuals,
        assemblies=tuple(sorted(assemblies)),
        created=row.created,
        updated=row.updated,
        published=row.published,
        record=recorded.record if recorded else None,
        record_version=recorded.version if recorded else 0,
        recorded=recorded.at if recorded else "",
    )
