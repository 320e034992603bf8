# SPDX-License-Identifier: Apache-2.0
"""Checks of a node's folder: each part by name, what is wrong with it and what to do."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from megagenome.app.check_archive import check_archive
from megagenome.app.node import BLOBS, SETTINGS, TRUST, Node, blobs_of, open_node, trust_of
from megagenome.collection import tables
from megagenome.collection.model import DatasetState
from megagenome.collection.released import count_leavers
from megagenome.collection.snapshot import Snapshot
from megagenome.kernel import clock
from megagenome.kernel.errors import MegagenomeError
from megagenome.kernel.findings import Finding
from megagenome.kernel.jobs import unfinished
from megagenome.standards.dataset_fields import missing, topics
from megagenome.standards.dataset_record import DatasetRecord

_LEAST_FREE_BYTES = 1 << 30
_MOST_SHOWN = 20
"""Stuck jobs that are named one by one."""


def check_folder(folder: Path, *, deep: bool = False) -> list[Finding]:
    """What a node's folder holds. Never raises: what fails is a finding.

    `deep` reads all genotypes, all sealed files and the whole ledger again."""
    try:
        node = open_node(folder)
    except MegagenomeError as error:
        return [Finding("settings and database", fine=False, says=str(error), do=f"see {folder / SETTINGS}")]
    except sa.exc.DatabaseError as error:
        return [_unreadable(error)]
    try:
        return list(_parts(node, deep=deep))
    except sa.exc.DatabaseError as error:
        return [_unreadable(error)]
    finally:
        node.collection.close()


def _unreadable(error: sa.exc.DatabaseError) -> Finding:
    return Finding("database", fine=False, says=f"cannot be read: {error.orig}", do="restore it from the backup")


def _parts(node: Node, *, deep: bool) -> Iterator[Finding]:
    yield Finding("settings", fine=True, says=f"{node.settings.node.id}, {node.settings.node.country}")
    for ontology in node.reference.ontologies:
        yield Finding(f"ontology {ontology.prefix}", fine=True, says=f"release {ontology.version}")
    yield from _database(node)
    yield _sealed(node)
    yield from _signed(node, deep=deep)
    yield from check_archive(node, deep=deep)
    yield from _jobs(node)
    yield _trusted(node)
    try:
        snapshot = node.collection.snapshot()  # opens every pack: its size and index are looked at
    except MegagenomeError as error:
        yield Finding("genotypes", fine=False, says=str(error), do="restore the file from the backup")
    else:
        yield from _datasets(snapshot)
        yield _releases(node)
        yield from _genotypes(node, snapshot, deep=deep)
    yield _space(node.folder)


def _database(node: Node) -> Iterator[Finding]:
    with node.collection.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            says = str(connection.execute(sa.text("PRAGMA quick_check(1)")).scalar_one())
            fine = says == "ok"
            yield Finding("database", fine, "whole" if fine else says, "" if fine else "restore node.sqlite")
        else:
            version = connection.execute(sa.text("SHOW server_version")).scalar_one()
            yield Finding("database", fine=True, says=f"PostgreSQL {version}")


def _sealed(node: Node) -> Finding:
    if not node.settings.blobs.url and not (node.folder / BLOBS).is_dir():
        return Finding("sealed files", fine=True, says="none yet")
    try:
        store = blobs_of(node)
        some, free = next(store.keys(), None), store.free_bytes()
    except MegagenomeError as error:
        return Finding(
            "sealed files", fine=False, says=str(error), do="see to their store, and to the settings [blobs]"
        )
    where = "a store that answers" if free is None else f"{free / 1e9:,.1f} GB free where they lie"
    return Finding("sealed files", fine=True, says=f"{'none yet' if some is None else 'there are some'}, {where}")


def _signed(node: Node, *, deep: bool) -> Iterator[Finding]:
    from megagenome.app.ledger import open_ledger  # cryptography takes 0.1 s to import

    try:
        ledger = open_ledger(node.folder, node.collection.engine, node.settings.node.id)
    except MegagenomeError as error:
        yield Finding(
            "signing key", fine=False, says=str(error), do="restore keys/ from the backup, or close it to others"
        )
        return
    yield Finding("signing key", fine=True, says=ledger.kid)
    if deep:
        verdict = ledger.verify()
        says = f"all {verdict.entries:,} entries as written" if verdict.fine else verdict.says
        do = "" if verdict.fine else "see docs/ledger.md, and tell your auditor"
        yield Finding("ledger, every entry", verdict.fine, says, do)


def _jobs(node: Node) -> Iterator[Finding]:
    left = unfinished(node.collection.engine)
    stuck = [job for job in left if job.stuck]
    says = f"{len(left):,} to do" + (f", {len(stuck):,} of them stuck" if stuck else "")
    do = "see `megagenome node jobs list DIR --stuck`; the node does them while it serves" if stuck else ""
    yield Finding("jobs", not stuck, says, do)
    for job in stuck[:_MOST_SHOWN]:
        became = "failed" if job.state == "failed" else "is not done"
        says = f"{job.kind} {job.key} {became} after attempt {job.attempts}: {job.failure or 'nobody began it'}"
        yield Finding(f"job {job.id}", False, says, f"see to it, then `megagenome node jobs retry DIR {job.id}`")


def _trusted(node: Node) -> Finding:
    try:
        settings = trust_of(node.folder).settings
    except MegagenomeError as error:
        return Finding("trust", fine=False, says=str(error), do=f"see {node.folder / TRUST}; the node does not start")
    says = f"{len(settings.brokers):,} brokers of passports, {len(settings.issuers):,} issuers of visas"
    return Finding("trust", fine=True, says=says)


def _datasets(snapshot: Snapshot) -> Iterator[Finding]:
    if not snapshot.datasets:
        yield Finding("datasets", fine=True, says="none yet: load one with `megagenome node load`")
    for dataset in snapshot.datasets:
        says = (
            f"{dataset.state}{', open' if dataset.open else ''}, {dataset.individuals:,} people, floor {dataset.floor}"
        )
        where = f", {' and '.join(dataset.assemblies)}" if dataset.assemblies else ", no genotypes"
        tiers = f"; alleles {dataset.alleles_tier}, people {dataset.people_tier}"
        yield Finding(f"dataset {dataset.id}", fine=True, says=says + where + tiers)
        left = missing(dataset.record or DatasetRecord(), is_open=dataset.open)
        if left and dataset.state is DatasetState.PUBLISHED:  # as it was published before this had to be recorded
            do = f"record it with `megagenome node metadata DIR {dataset.id}`"
            yield Finding(f"record of {dataset.id}", fine=False, says=f"there is none of: {topics(left)}", do=do)


def _releases(node: Node) -> Finding:
    delay = node.settings.collection.release_longest_delay_days
    with node.collection.engine.connect() as connection:
        waiting, overdue = count_leavers(connection, clock.now() - timedelta(days=delay))
    people = "1 person who withdrew is" if waiting == 1 else f"{waiting:,} people who withdrew are"
    says = f"{people} still in the public numbers"
    if not overdue:
        return Finding("releases", fine=True, says=says)
    return Finding(
        "releases",
        fine=False,
        says=f"{says}, {overdue:,} for {delay} days or longer",
        do="run `megagenome node release`",
    )


def _genotypes(node: Node, snapshot: Snapshot, *, deep: bool) -> Iterator[Finding]:
    everything = [tiles for found in snapshot.tiles.values() for tiles in found]
    yield Finding("genotypes", fine=True, says=f"{len(everything):,} contigs of loads, all whole in size and index")
    if not deep:
        return
    wrong: list[Path] = []
    pack = tables.pack.c
    with node.collection.engine.connect() as connection:
        for tiles in everything:
            mine = (pack.load == tiles.key.load, pack.assembly == tiles.key.assembly, pack.contig == tiles.key.contig)
            row = connection.execute(sa.select(pack.genotypes_sha256, pack.counts_sha256).where(*mine)).one()
            wrong += tiles.verify(*row)
    for path in wrong:
        yield Finding("genotypes", fine=False, says=f"{path}: other bytes than were written", do="restore the file")
    if not wrong:
        yield Finding("genotypes, every byte", fine=True, says="as written")


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    fine = free >= _LEAST_FREE_BYTES
    return Finding("disk", fine, f"{free / 1e9:,.1f} GB free", "" if fine else "make room: a full disk stops loads")
