# SPDX-License-Identifier: Apache-2.0
"""The common scale of the columns of a regression. It only has to be near the mean and the deviation over all people:
what is computed with it is exact for any."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid
from megagenome.network.studies.model import Ask, Quantity, Sums, too_few
from megagenome.standards.ring import bits_for

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scale:
    """people over all sites; means and scales, float64 [columns].

    behind   of the column that fewest people are behind, how many these are: the square of the sum of squares by the
             sum of fourth powers, which is about 1 of an indicator of one person, and k of one of a few k. 1 also where
             columns together point out a person, who has more than half of their own fit.
    """

    people: int
    means: Floats
    scales: Floats
    behind: float

    def parameters(self) -> dict[str, Floats]:
        """For the sites' `ColumnsSite.scaled`."""
        return {"means": self.means, "scales": self.scales}


def find_scale(
    names: Sequence[str], sites: int, least: int = 0, *, fitted: int | None = None
) -> Generator[Ask, Sums, Scale]:
    """Four rounds. `names` are the columns', of which the first `fitted` (all) are fitted together. Raises `Invalid`
    where one of them is the same in everybody; and after all four, whatever it is, where fewer than `least` people are
    behind a column, or one that is fitted follows from the others."""
    columns = len(names)
    # values are below 2**20, people below 2**21 (a site refuses what does not fit): 2**41 leaves 20 digits
    sums = yield Ask("means", {}, (Quantity("people", (), 0), Quantity("sums", (columns,), 20)))
    people = int(sums["people"])
    if not people:
        raise Invalid("nobody of the study has all of the trait and the covariates")
    means = sums["sums"] / people
    squares = (yield Ask("scales", {"means": means}, (Quantity("squares", (columns,), 16),)))["squares"]
    scales = np.sqrt(squares / people)
    flat = [name for name, scale in zip(names, scales, strict=True) if not scale > 0]
    if flat and not least:
        named = ", ".join(flat)
        raise Invalid(f"{named}: the same in everybody of the study, or so nearly that smaller units are needed")
    scales = np.where(scales > 0, scales, 1.0)
    behind, high, products = yield from _count_behind({"means": means, "scales": scales}, people, sites)
    if few := [name for name, number in zip(names, behind, strict=True) if number < least]:
        raise too_few(least, ", ".join(few))
    if least and (high or _following(products[: 1 + (columns if fitted is None else fitted)])):
        raise Invalid("covariates together point out a person, or one follows from the others: leave one out")
    return Scale(people, means, scales, 1.0 if high else float(behind.min(initial=np.inf)))


def _count_behind(
    scale: dict[str, Floats], people: int, sites: int
) -> Generator[Ask, Sums, tuple[Floats, int, Floats]]:
    """How many people are behind each column (0 where it is the same in everybody), how many have more than half of
    their own fit, and the columns' products."""
    columns = len(scale["means"])
    bits = bits_for(2.0 * people * people, sites)
    wanted = (Quantity("fourths", (columns,), bits), Quantity("products", (columns + 1, columns + 1), bits))
    sums = yield Ask("spread", scale, wanted)
    # a trait that covariates explain must not make them all look alike, nor stop here: the method says so
    inverse = np.linalg.pinv(sums["products"], rcond=1e-9, hermitian=True)
    high = (yield Ask("leverages", {**scale, "inverse": inverse}, (Quantity("high", (), 0),)))["high"]
    squares, fourths = np.diag(sums["products"])[1:], sums["fourths"]
    # a column that varies has squares as many as people; of one that does not, what is left is of its last digits
    behind = np.where(squares > people / 2, squares**2 / np.maximum(fourths, 1e-300), 0.0)
    return behind, int(high), sums["products"]


def require_independent(products: Floats, names: Sequence[str]) -> None:
    """Raise `Invalid`, naming a column that the ones before it explain, where the products of standardised columns
    (float64 [columns, columns], the constant first) cannot be solved with."""
    for k in _following(products):
        raise Invalid(f"covariate {names[k - 1] if k else 'constant'} follows from the others: leave one out")


def _following(products: Floats) -> list[int]:
    """The first column that the ones before it explain; none where there is none. Of the columns as many are looked at
    as there are rows."""
    for k in range(len(products)):
        rest = products[k, k]
        if k:
            rest = rest - products[k, :k] @ np.linalg.solve(products[:k, :k], products[:k, k])
        if rest <= 1e-9 * products[k, k]:
            return [k]
    return []
