# SPDX-License-Identifier: Apache-2.0
"""Each individual's sex, country and population, by number: what counts are told apart by."""

from array import array
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from megagenome.collection.model import Sex, Stratum
from megagenome.collection.tables import individual
from megagenome.kernel.ids import Country

_ROWS_AT_ONCE = 10_000  # taken from the database together: one at a time they take thrice as long

# Made once, because to make a statement takes longer than to carry it out.
_HIGHEST = sa.select(sa.func.max(individual.c.number))
_EACH = sa.select(individual.c.country, individual.c.population, individual.c.sex)
_DISTINCT = _EACH.distinct()
_IN_ORDER = _EACH.order_by(individual.c.number)


def count_individuals(connection: sa.Connection) -> int:
    """How many individuals the node has: their numbers are below this."""
    highest: int | None = connection.scalar(_HIGHEST)
    return 0 if highest is None else highest + 1


class Strata(NamedTuple):
    """The strata of all people of the node.

    strata  each stratum that has people once, sorted
    of      int32 [people], by individual number: index in `strata`
    """

    strata: tuple[Stratum, ...]
    of: npt.NDArray[np.int32]


def read_strata(connection: sa.Connection) -> Strata:
    """The strata as they are recorded now. Cost: one pass over the individuals, about 1 µs each."""
    strata = tuple(sorted(Stratum(Country(c), p, Sex(s)) for c, p, s in connection.execute(_DISTINCT)))
    index = {tuple(stratum): at for at, stratum in enumerate(strata)}
    rows = connection.execute(_IN_ORDER)
    found = array("i")
    for some in rows.partitions(_ROWS_AT_ONCE):
        found.extend(map(index.__getitem__, map(tuple, some)))
    return Strata(strata, np.array(found, np.int32))
