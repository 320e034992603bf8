# SPDX-License-Identifier: Apache-2.0
"""The manifest: which packs there are. It is rows of the database, so that it changes with one commit; a file that it
does not name does not exist, whatever is on disk."""

import contextlib
import fcntl
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap, tables
from megagenome.collection.pack import PackWriter
from megagenome.collection.tiles import PackKey
from megagenome.kernel import clock
from megagenome.kernel.durable_files import make_folder
from megagenome.kernel.errors import Conflict


def pack_paths(folder: Path, load: str, assembly: str, contig: str, counted_by: str) -> tuple[Path, Path]:
    """Where a load's packs of a contig are: its genotypes, and the counts that load `counted_by` made of them."""
    # contig names may hold anything but survive as a file name only when quoted
    safe = "".join(c if c.isalnum() or c in "._-" else f"%{ord(c):02x}" for c in contig)
    where = folder / "genotypes" / assembly / safe
    return where / f"{load}.genotypes", where / f"{load}.{counted_by}.counts"


def add_packs(
    connection: sa.Connection,
    key: PackKey,
    dataset: int,
    people: bitmap.Numbers,
    genotypes: PackWriter,
    counts: PackWriter,
) -> None:
    """Name a contig's packs, which are durable already, and the people (increasing) whose genotypes they hold."""
    place = {"load": key.load, "assembly": key.assembly, "contig": key.contig}
    connection.execute(
        sa.insert(tables.pack).values(
            **place,
            dataset=dataset,
            genotypes_size_bytes=genotypes.size_bytes,
            genotypes_sha256=genotypes.sha256,
            counted_by=key.counted_by,
            counts_size_bytes=counts.size_bytes,
            counts_sha256=counts.sha256,
        )
    )
    batches = people // bitmap.BATCH
    for batch in bitmap.distinct(batches).tolist():
        members = (people[batches == batch] % bitmap.BATCH).astype(np.uint16)
        connection.execute(sa.insert(tables.pack_member).values(**place, batch=batch, members=bitmap.encode(members)))


def replace_counts(connection: sa.Connection, key: PackKey, counts: PackWriter) -> None:
    """Name other counts, which load `key.counted_by` made, for packs that are named already."""
    pack = tables.pack.c
    connection.execute(
        sa.update(tables.pack)
        .where(pack.load == key.load, pack.assembly == key.assembly, pack.contig == key.contig)
        .values(counted_by=key.counted_by, counts_size_bytes=counts.size_bytes, counts_sha256=counts.sha256)
    )


def new_identity() -> str:
    """An id for a load or a release, by which its files are called."""
    return f"{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


@contextlib.contextmanager
def writing_alone(folder: Path) -> Iterator[None]:
    """One load or release at a time; the lock ends with the process. Raises `Conflict`."""
    make_folder(folder)
    with (folder / "load.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(f"{folder}: another load or release is running there; wait for it to end") from None
        yield


def sweep(engine: sa.Engine, folder: Path) -> None:
    """Remove packs that no manifest names: what a load left that was killed, and counts that were made anew."""
    pack = tables.pack.c
    with engine.connect() as connection:
        rows = connection.execute(sa.select(pack.load, pack.assembly, pack.contig, pack.counted_by)).all()
    named = {path for row in rows for path in pack_paths(folder, *row)}
    for path in (folder / "genotypes").rglob("*"):
        if path.is_file() and path not in named:
            path.unlink()
