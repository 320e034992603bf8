# SPDX-License-Identifier: Apache-2.0
"""How a method's hub side is written: as a generator that asks all sites, gets sums, and ends with a result.

    def linear(document: StudyDocument, sites: int) -> Combine:
        sums = yield Ask("moments", {}, sums=(Quantity("n", (), 0), ...))
        ...
        return StudyResult(...)

`least` is how many people must be behind whatever is told, 0 of open data. A study that hangs on fewer, or on nobody,
ends in one place and with one message (`too_few`): where it ends is seen, too.

It sees sums over all sites only (and lists that are opened, which say nothing of a person), keeps nothing outside its
own variables, and is deterministic: a hub that was killed runs it again from the sums that it had stored.
"""

import math
from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid
from megagenome.standards.study_arrays import Arrays

Z95 = 1.959963984540054
"""Standard deviations of a 95 % interval, both sides."""


class Quantity(NamedTuple):
    """One array of a site's message that is summed over the sites.

    bits   binary digits after the point that it travels with: 0 for counts. A site refuses to send a value v of which
           |v| * sites * 2**bits reaches 2**62.
    """

    name: str
    shape: tuple[int, ...]
    bits: int


class Ask(NamedTuple):
    """What every site is asked in one round.

    step        which of the method's messages
    parameters  what it is computed with; public
    sums        what is answered, under masks, and opened as one sum
    opened      names of arrays that each site answers openly, checked by its disclosure rules; given back as
                `NAME/SITE` for each site
    """

    step: str
    parameters: Arrays
    sums: tuple[Quantity, ...] = ()
    opened: tuple[str, ...] = ()

    @property
    def vector_bytes(self) -> int:
        """How large the vector of one site is."""
        return 8 * sum(math.prod(each.shape) for each in self.sums)


class Table(msgspec.Struct, frozen=True):
    """A table of a result: equally long columns of numbers or texts, in order. NaN where there is no value."""

    columns: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64] | list[str]]


class NodeFault(Invalid):
    """What one node opened cannot be: it is lost as if it had sent nothing, and the others may go on."""

    def __init__(self, node: str, reason: str) -> None:
        super().__init__(f"{node} failed: {reason}")
        self.node, self.reason = node, reason


class StudyResult(msgspec.Struct, frozen=True):
    """What a method found, exactly, before the rules of release (`release.py`).

    tables   by name
    summary  single numbers and words, by name
    notes    what a reader must know, one sentence each: what was left out and why, what did not converge
    behind   fewest people that all of it hangs on: a trait, a covariate or a score in which only these differ from
             everybody else; None where the tables themselves say how many people are behind each number
    """

    tables: dict[str, Table]
    summary: Mapping[str, float | int | str]
    notes: tuple[str, ...] = ()
    behind: float | None = None


def too_few(least: int, what: str = "the trait, a covariate, a group or the score") -> Invalid:
    """What is said of a study that hangs on few people or nobody: the same of both, or else who asks would be told
    whether there is anybody."""
    return Invalid(
        f"{what}: fewer than {least} people differ from all others in it (or its unit is too large), and the result "
        "would show them"
    )


Sums = dict[str, npt.NDArray[Any]]
"""float64 where `bits` is above 0, int64 where it is 0; opened arrays as they came."""
Combine = Generator[Ask, Sums, StudyResult]
