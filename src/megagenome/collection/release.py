# SPDX-License-Identifier: Apache-2.0
"""A release: the public numbers are brought to what people consent to now, all of them or none.

Order of durability as in a load: the counts of every contig concerned are written and durable, then one transaction
names them, the people whom they count and the state that was told until now. Killed before that, everything is as it
was; files that no manifest names are swept when the next load or release begins.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap
from megagenome.collection.collection import Collection
from megagenome.collection.count_again import Recounted, outdated_tiles, write_counts
from megagenome.collection.manifest import new_identity, replace_counts, sweep, writing_alone
from megagenome.collection.released import (
    Census,
    Change,
    count_waiting,
    note_leavers,
    plan_release,
    read_due,
    read_holdings,
    refuse_newly_told,
    take_census,
    write_change,
)
from megagenome.collection.strata import read_strata
from megagenome.collection.version import raise_version
from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict

LONGEST_DELAY_DAYS = 30
"""After so long who withdrew leaves the public numbers with the next release, however few leave with them."""

_Progress = Callable[[str, int], None]


class DatasetRelease(msgspec.Struct, frozen=True):
    """What a release did to a dataset's public numbers.

    people   in them now
    entered  who were not in them before
    left     who were, whether they withdrew or are held back
    waiting  who consent to be counted and are not in them: too few to enter, or held back as cover
    leaving  who no longer consent and are in them still: too few to leave before they must
    """

    dataset: str
    people: int
    entered: int
    left: int
    waiting: int
    leaving: int


class ReleaseReport(msgspec.Struct, frozen=True):
    """What a release did, or would do; `recounted` are the contigs of loads whose counts were made anew."""

    release: str
    done: bool
    recounted: int
    datasets: tuple[DatasetRelease, ...]


def release(
    collection: Collection,
    *,
    longest_delay_days: int = LONGEST_DELAY_DAYS,
    dry_run: bool = False,
    progress: _Progress = lambda _place, _done: None,
) -> ReleaseReport:
    """Bring the public numbers of all datasets to what their people consent to now, in changes that show nobody
    (`cover.py`); who withdrew `longest_delay_days` ago or earlier leaves in any case.

    Durable on return, or nothing changed. Idempotent once everybody is where they should be. Who is held back is drawn
    at random each time, so a dry run says how many and not who. Raises `Conflict` while a load or another release runs,
    or when somebody withdraws meanwhile who would be told of for the first time. Cost: reads the genotypes of the loads
    concerned once.
    """
    with writing_alone(collection.folder):
        collection.refresh()
        sweep(collection.engine, collection.folder)
        with collection.engine.begin() as connection:
            due_until = clock.now() - timedelta(days=longest_delay_days)
            census, changes, report = _plan(connection, due_until, new_identity())
        outdated = outdated_tiles(collection.snapshot(), changes, census)
        report = msgspec.structs.replace(report, done=not dry_run, recounted=len(outdated))
        if dry_run or all(np.array_equal(change.before, change.after) for change in changes):
            return report
        try:
            counts = []
            for k, (tiles, columns) in enumerate(outdated):
                progress(f"{tiles.key.contig} of {tiles.key.load}", k)
                counts.append(write_counts(collection.folder, tiles, columns, report.release))
            _commit(collection, census, changes, counts)
        except BaseException:
            sweep(collection.engine, collection.folder)
            raise
        collection.refresh()
        return report


def _plan(connection: sa.Connection, due_until: datetime, identity: str) -> tuple[Census, list[Change], ReleaseReport]:
    strata = read_strata(connection)
    census = take_census(connection, strata, strata, np.zeros(0, np.int64))
    due = read_due(connection, due_until, len(census.live))
    changes = [plan_release(connection, dataset, census, due) for dataset in read_holdings(connection)]
    datasets = tuple(
        DatasetRelease(
            change.dataset.id,
            bitmap.count(change.after),
            bitmap.count(change.after & ~change.before),
            bitmap.count(change.before & ~change.after),
            count_waiting(connection, change, census),
            bitmap.count(change.after & ~census.live),
        )
        for change in changes
    )
    return census, changes, ReleaseReport(identity, done=False, recounted=0, datasets=datasets)


def _commit(collection: Collection, census: Census, changes: Sequence[Change], counts: Sequence[Recounted]) -> None:
    with begin_writing(collection.engine) as connection:
        raise_version(connection)
        if [change.dataset for change in changes] != list(read_holdings(connection)):
            raise Conflict("a dataset was published or withdrawn while this release was made; make it again")
        for each in counts:
            replace_counts(connection, each.key, each.counts)
        for change in changes:
            write_change(connection, change, census)
        refuse_newly_told(connection, changes)
        note_leavers(connection)
