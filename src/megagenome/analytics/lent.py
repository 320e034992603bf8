# SPDX-License-Identifier: Apache-2.0
"""With which sites this node made sums of its people's values, durable: two sums of the same people whose sites differ
by one node show what that node sent."""

from collections.abc import Sequence

import sqlalchemy as sa

from megagenome.analytics import tables as t
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import NotEntitled

FEWEST_SITES = 3
"""Of fewer each could take its own part from a sum, and would have the other's."""
_lent = t.study_lent.c


class LentSums:
    """Of one node. A run's sites are those of its newest sum; `people` is the digest of a recorded set, "" of open
    data. Safe for threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def require(self, run: str, sites: Sequence[str], *, goes_on: bool) -> None:
        """Raise `NotEntitled` where a run must not be computed here any more, or not with these sites.

        goes_on  whether this process has held the run until now, and so knows that a sum which left was not asked on
        """
        asked = sa.select(_lent.sites, _lent.is_opened, _lent.has_ended).where(_lent.run == run)
        with self._engine.connect() as connection:
            rows = connection.execute(asked).all()
        if any(row.has_ended for row in rows):
            raise NotEntitled("the run ended here after sums of it were opened: begin a new study")
        if any(row.sites != _joined(sites) for row in rows if row.is_opened or not goes_on):
            raise NotEntitled("sums with other sites were opened: their difference would show what a site sent")

    def require_apart(self, run: str, people: str, sites: Sequence[str]) -> None:
        """Raise `NotEntitled` where sums of the same people left for nearly the same sites: all but one or two. A run's
        own are not among them (`require`), nor are those of open data."""
        with self._engine.connect() as connection:
            _require_apart(connection, run, people, sites)

    def note(self, run: str, people: str, sites: Sequence[str]) -> None:
        """A sum of values is about to leave. Durable on return. Raises as `require_apart`."""
        stated = {"sites": _joined(sites)}
        which = (_lent.run == run) & (_lent.people == people)
        with begin_writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                # of two runs that begin at once the second must see the first; SQLite has one writer anyway
                connection.exec_driver_sql("LOCK TABLE study_lent IN SHARE ROW EXCLUSIVE MODE")
            _require_apart(connection, run, people, sites)
            if not connection.execute(sa.update(t.study_lent).where(which).values(stated)).rowcount:
                row = {"run": run, "people": people, "is_opened": False, "has_ended": False, **stated}
                connection.execute(sa.insert(t.study_lent).values(row))

    def open(self, runs: Sequence[str], *, ends: bool = False) -> None:
        """The hub knows what these runs summed, or may: it asked on, or they are over. `ends`: they are not computed
        here any more."""
        values = {"is_opened": True, **({"has_ended": True} if ends else {})}
        with begin_writing(self._engine) as connection:
            connection.execute(sa.update(t.study_lent).where(_lent.run.in_(list(runs))).values(values))


def _require_apart(connection: sa.Connection, run: str, people: str, sites: Sequence[str]) -> None:
    asked = sa.select(_lent.sites).where(_lent.people == people, _lent.run != run).distinct()
    before = [set(text.split("\n")) for text in connection.execute(asked).scalars()] if people else []
    if any(0 < len(each ^ set(sites)) < FEWEST_SITES for each in before):
        raise NotEntitled(
            "this node's people of the study were in another one with nearly the same sites, and the difference would "
            f"show what fewer than {FEWEST_SITES} nodes sent: name the same sites, or study clearly other people"
        )


def _joined(sites: Sequence[str]) -> str:
    return "\n".join(sorted(sites))
