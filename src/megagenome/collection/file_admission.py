# SPDX-License-Identifier: Apache-2.0
"""That somebody may read files of some people of a dataset now: what `archive.needs.Admission` asks for. Nothing but a
reading makes one."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from megagenome.collection import bitmap, tables
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import NotEntitled
from megagenome.kernel.ids import DatasetId, PermitId

_AT_ONCE = 1_000
_sample = tables.biosample.c
_PEOPLE = sa.select(_sample.id, _sample.individual).where(
    _sample.dataset == sa.bindparam("dataset"), _sample.id.in_(sa.bindparam("samples", expanding=True))
)


class FileAdmission(NamedTuple):
    """Made by `PermitReading.admit` and `OpenReading.admit`.

    samples  whose files may be read: of those that were asked for, the ones whose people consent and belong to the
             cohort; none where a file names no samples, and then nobody reads it
    check    raises `NotEntitled` once this does not hold any more for any of them
    names    what each of them is called in what leaves: the permit's pseudonym of its person; None where samples keep
             the names that they have here
    """

    caller: Caller
    permit: PermitId
    dataset: DatasetId
    samples: frozenset[str]
    check: Callable[[], None]
    names: Mapping[str, str] | None = None

    def require(self) -> None:
        """Raise `NotEntitled` once it holds no longer, also because one of the samples' people withdrew; at most 0.2 s
        late. Cost: some queries, 1 ms, where it is so long ago that it was asked."""
        self.check()


def people_of(connection: sa.Connection, dataset: int, samples: Collection[str]) -> dict[str, int]:
    """The number of the person whom each of these samples of a dataset is of; unknown samples are left out. `dataset`
    is its number."""
    found: dict[str, int] = {}
    wanted = sorted(samples)
    for at in range(0, len(wanted), _AT_ONCE):
        some = {"dataset": dataset, "samples": wanted[at : at + _AT_ONCE]}
        found |= {row.id: row.individual for row in connection.execute(_PEOPLE, some)}
    return found


def watched(
    engine: sa.Engine, dataset: int, samples: Collection[str], members: Callable[[], bitmap.Planes]
) -> tuple[dict[str, int], Callable[[], None]]:
    """Of samples of a dataset, by its number, those whose people are among `members`, with these people's numbers; and
    a check that these still are, which raises `NotEntitled`, as `members` does where nothing may be read any more."""
    with engine.connect() as connection:
        people = people_of(connection, dataset, samples)
    here = members()
    known = {sample: number for sample, number in people.items() if _has(here, number)}

    def check() -> None:
        now = members()
        if not all(_has(now, number) for number in known.values()):
            raise NotEntitled("somebody whose genome is in it does not consent any more")

    return known, check


def _has(members: bitmap.Planes, number: int) -> bool:
    batch, within = divmod(number, bitmap.BATCH)
    return batch < len(members) and bool(members[batch, within >> 3] >> (within & 7) & 1)
