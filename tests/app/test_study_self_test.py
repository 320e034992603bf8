# SPDX-License-Identifier: Apache-2.0
"""The test of itself passes for every method, on results that say something, and sees arithmetic that is off."""

from typing import Any

import numpy as np
import pytest

from megagenome.analytics.alleles import AllelesSite
from megagenome.app import study_self_test as planted
from megagenome.app.study_self_test import MOST_DEVIATION, largest_deviation
from megagenome.kernel.errors import Corrupt
from megagenome.network.studies.methods import METHODS
from megagenome.standards.study import Frequencies, Linear


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_tested(method: type) -> None:
    assert largest_deviation(method) <= MOST_DEVIATION
    study = planted._STUDIES[method]
    tables = planted._run(study, [planted._site(study, np.arange(120))], masks=False).tables
    assert tables
    assert all(len(next(iter(table.columns.values()))) for table in tables.values())


def test_the_planted_effect_is_that_of_least_squares() -> None:
    """Computed here on all people at once, with everything at hand."""
    study = planted._STUDIES[Linear]
    everybody: Any = planted._site(study, np.arange(120))
    found = planted._run(study, [everybody], masks=False).tables["associations"].columns
    calls, columns = everybody._genotypes.calls[0], everybody._columns._columns
    known = calls >= 0
    x = np.column_stack((np.ones(120), columns[:, 0], calls))[known]
    beta = np.linalg.lstsq(x, columns[known, 1], rcond=None)[0]
    assert float(found["beta"][0]) == pytest.approx(float(beta[-1]), rel=1e-9)


def test_arithmetic_that_is_off_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = AllelesSite._count

    def wrong(site: AllelesSite, alleles: Any) -> Any:
        counts = right(site, alleles)
        counts[:, 0] += counts.sum() < 3_000  # a site of few people counts one too many
        return counts

    monkeypatch.setattr(AllelesSite, "_count", wrong)
    with pytest.raises(Corrupt, match="computes otherwise than it must"):
        largest_deviation.__wrapped__(Frequencies)
