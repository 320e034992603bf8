# SPDX-License-Identifier: Apache-2.0
"""Forgetting jobs that are done, so that the table of jobs does not grow with all that ever was."""

import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.job_tables import job as t

KEPT_DAYS = 7
"""For so long it can be seen that a job was done, and when one of its kind and key is put down again it is none."""


def forget_done(engine: sa.Engine) -> int:
    """Delete jobs whose last lease ended `KEPT_DAYS` ago or earlier and that are done; how many there were.

    What failed, waits or runs stays, however old: somebody has to see to it. Idempotent; for now and then.
    """
    until_ms = round(clock.now().timestamp() * 1000) - KEPT_DAYS * 24 * 3600 * 1000
    with begin_writing(engine, alone=False) as connection:
        old = sa.delete(t).where(t.c.state == "done", t.c.lease_until_ms <= until_ms)
        return connection.execute(old).rowcount
