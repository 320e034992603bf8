# SPDX-License-Identifier: Apache-2.0
"""The test of itself passes for every method, on results that say something, and sees what is off: at one site only, or
in a formula that all share."""

from typing import Any

import numpy as np
import pytest

from megagenome.analytics.alleles import AllelesSite
from megagenome.app.study_planted import FIND, plant
from megagenome.app.study_self_test import MOST_DEVIATION, largest_deviation
from megagenome.kernel.errors import Corrupt
from megagenome.network.studies import components, frequencies, linear, logistic, saddlepoint, score, survival
from megagenome.network.studies.methods import METHODS
from megagenome.standards.study import Components, Frequencies, Linear, Logistic, Score, Survival

OFF = "computes otherwise than it must"


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_tested(method: type) -> None:
    assert largest_deviation(method) <= MOST_DEVIATION
    for columns in FIND[method](plant()).values():
        assert all(column.size and np.isfinite(column).all() for column in columns.values())


def test_the_planted_people_try_what_is_rarely_come_to() -> None:
    people = plant()
    assert (people.calls < 0).any(axis=1).sum() > 10, "missing calls"
    z = FIND[Logistic](people)["associations"]["z"]
    assert (np.abs(z) > saddlepoint.BEYOND).sum() >= 2, "saddle points"


def test_arithmetic_that_is_off_at_a_site_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    right = AllelesSite._count

    def wrong(site: AllelesSite, alleles: Any) -> Any:
        counts = right(site, alleles)
        counts[:, 0] += counts.sum() < 3_000  # a site of few people counts one too many
        return counts

    monkeypatch.setattr(AllelesSite, "_count", wrong)
    with pytest.raises(Corrupt, match=OFF):
        largest_deviation.__wrapped__(Frequencies)


@pytest.mark.parametrize(
    ("method", "module", "name"),
    [
        (Frequencies, frequencies, "exact_p"),
        (Linear, linear, "_two_sided"),
        (Logistic, logistic, "_two_sided"),
        (Logistic, saddlepoint, "_tail"),
        (Score, score, "_deciles"),
        (Survival, survival, "_interval"),
    ],
)
def test_a_formula_that_is_off_is_seen(monkeypatch: pytest.MonkeyPatch, method: type, module: Any, name: str) -> None:
    """By a ten-thousandth, for one site as for three."""
    right: Any = getattr(module, name)

    def wrong(*values: Any) -> Any:
        found = right(*values)
        if name == "_deciles":
            return type(found)({**found.columns, "score": found.columns["score"] * (1 + 1e-4)})
        return tuple(each * (1 + 1e-4) for each in found) if isinstance(found, tuple) else found * (1 + 1e-4)

    monkeypatch.setattr(module, name, wrong)
    with pytest.raises(Corrupt, match=OFF):
        largest_deviation.__wrapped__(method)


def test_a_fixed_point_that_is_too_coarse_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "bits_for", lambda *_: 8)
    with pytest.raises(Corrupt, match=OFF):
        largest_deviation.__wrapped__(Components)
