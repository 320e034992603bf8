# SPDX-License-Identifier: Apache-2.0
"""Erasing the studies of somebody who is erased from the hub, with their results."""

import sqlalchemy as sa

from megagenome.kernel.errors import Conflict
from megagenome.network.studies.tables import METADATA, study_run
from megagenome.standards.study_shown import OVER


def erase_studies(connection: sa.Connection, subject: str) -> int:
    """Erase all runs of a person, by the caller's commit; how many there were. That studies were run stays in the
    ledger, without their name. Raises `Conflict` naming one that has not ended.
    """
    theirs = sa.select(study_run.c.id, study_run.c.state).where(study_run.c.owner == subject)
    runs = connection.execute(theirs).all()
    for run in runs:
        if run.state not in OVER:
            raise Conflict(f"study {run.id} of theirs has not ended: cancel it first")
    ids = [run.id for run in runs]
    for table in reversed(METADATA.sorted_tables):
        column = table.c.id if table is study_run else table.c.get("run")
        if column is not None:
            connection.execute(sa.delete(table).where(column.in_(ids)))
    return len(ids)
