# SPDX-License-Identifier: Apache-2.0
"""A site's side of a survival study: how many had the event, and how many were last seen, in each bin of time."""

import numpy as np

from megagenome.analytics.model import Table
from megagenome.kernel.errors import Invalid
from megagenome.standards.study import Survival
from megagenome.standards.study_arrays import Arrays

MOST_BINS = 200_000
LARGEST = 1e9


class SurvivalSite:
    """Answers the steps of `network.studies.survival`. Of the people's table the trait is the time, and the columns are
    whether it was the event (1 or 0) and the number of the group."""

    def __init__(self, method: Survival, table: Table) -> None:
        time, self._event, self._group = table.trait, table.covariates[:, 0] > 0, table.covariates[:, 1].astype(int)
        if time.size and time.min() < 0:
            raise Invalid("a time is below 0")
        # how far out the last one is nobody is to find out by widths that are tried
        self._bin = np.minimum(np.floor(time / method.width), LARGEST).astype(np.int64)
        self._groups = max(1, len(method.groups))

    def answer(self, step: str, parameters: Arrays) -> Arrays:
        """`horizons`: how many people were seen in bin `horizons`[k] or later. `counts`: int64 [groups, bins, 2], who
        had the event and who was last seen in each of `bins` bins; whatever comes after the last was not seen."""
        if step == "horizons":
            horizons = parameters["horizons"]
            return {"seen": (self._bin[:, None] >= horizons).sum(axis=0), "people": np.array(len(self._bin))}
        if step != "counts":
            raise Invalid(f"a survival study has no step {step!r}")
        bins = int(parameters["bins"])
        if not 0 < bins <= MOST_BINS:
            raise Invalid(f"{bins:,} bins of time: at most {MOST_BINS:,}; use wider ones")
        counts = np.zeros((self._groups, bins, 2), np.int64)
        # who is seen later is last seen in the last bin
        censored = (~self._event | (self._bin >= bins)).astype(int)
        np.add.at(counts, (self._group, np.minimum(self._bin, bins - 1), censored), 1)
        return {"counts": counts}
