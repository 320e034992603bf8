# SPDX-License-Identifier: Apache-2.0
"""`megagenome node jobs`: what a node has put down to do, such as with submissions, and has not done yet."""

from typing import Annotated

from cyclopts import App, Parameter, validators
from rich.console import RenderableType

from megagenome.app.commands.results import Done, show_done
from megagenome.app.commands.role import Folder
from megagenome.app.node import open_node
from megagenome.kernel.jobs import Unfinished, retry, unfinished
from megagenome.kernel.output import Json, show, table

jobs = App(name="jobs", help="List what a node has still to do, and let it try again what failed.")

Flag = Parameter(negative="")
Id = Annotated[int, Parameter(validator=validators.Number(gte=1, lt=1 << 31))]


@jobs.command(name="list")
def list_(folder: Folder, /, *, stuck: Annotated[bool, Flag] = False, json: Json = False) -> None:
    """List the jobs that are not done, by when they were put down.

    Parameters
    ----------
    stuck
        Only those that failed for good or ten times, or that nobody began for a day.
    """
    opened = open_node(folder)
    try:
        found = [job for job in unfinished(opened.collection.engine) if job.stuck or not stuck]
    finally:
        opened.collection.close()
    show(found, json=json, render=_listed)


@jobs.command(name="retry")
def retry_(folder: Folder, job: Id, /, *, json: Json = False) -> None:
    """Let a job be begun now that failed, or that waits for another attempt. See to what it failed of first.

    Parameters
    ----------
    job
        Its id, as `jobs list` shows it.
    """
    opened = open_node(folder)
    try:
        retry(opened.collection.engine, job)
    finally:
        opened.collection.close()
    show_done(Done(str(folder), f"job {job} is begun again while the node serves"), json=json)


def _listed(found: list[Unfinished]) -> RenderableType:
    columns = ["id", "kind", "of", "state", "attempts", "due (UTC)", "what the last attempt failed of"]
    rows = [[str(job.id), job.kind, job.key, job.state, job.attempts, job.due[:19], job.failure] for job in found]
    return table(columns, rows)
