# SPDX-License-Identifier: Apache-2.0
"""The common scale of the columns of a regression. It only has to be near the mean and the deviation over all people:
what is computed with it is exact for any."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid
from megagenome.network.studies.model import Ask, Quantity, Sums

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scale:
    """people over all sites; means and scales, float64 [columns]."""

    people: int
    means: Floats
    scales: Floats

    def parameters(self) -> dict[str, Floats]:
        """For the sites' `ColumnsSite.scaled`."""
        return {"means": self.means, "scales": self.scales}


def find_scale(names: Sequence[str]) -> Generator[Ask, Sums, Scale]:
    """Two rounds. `names` are the columns'. Raises `Invalid` where one of them is the same in everybody."""
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
    if flat:
        raise Invalid(f"{', '.join(flat)}: the same in everybody of the study")
    return Scale(people, means, scales)


def require_independent(products: Floats, names: Sequence[str]) -> None:
    """Raise `Invalid`, naming a column that the ones before it explain, where the products of standardised columns
    (float64 [columns, columns], the constant first) cannot be solved with."""
    known: list[int] = []
    for k in range(len(products)):
        rest = products[k, k]
        if known:
            part = products[np.ix_(known, known)]
            rest -= products[k, known] @ np.linalg.solve(part, products[known, k])
        if rest <= 1e-9 * products[k, k]:
            raise Invalid(f"covariate {names[k - 1] if k else 'constant'} follows from the others: leave one out")
        known.append(k)
