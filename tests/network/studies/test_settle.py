# SPDX-License-Identifier: Apache-2.0
"""Which rules a result is told by: the stricter of ours and the nodes', none where all is declared open."""

import numpy as np
import pytest

from megagenome.network.studies.model import StudyResult, Table
from megagenome.network.studies.settle import settle
from megagenome.standards.study_exchange import NO_TERMS, Terms


def result(people: int) -> StudyResult:
    columns = {
        "ac": np.array([5, 12, 40]),
        "an": np.array([200] * 3),
        "missing": np.array([0] * 3),
        "p": np.array([0.123456789] * 3),
    }
    return StudyResult({"associations": Table(columns)}, {"people": people})


@pytest.mark.parametrize(
    ("terms", "rows", "digits"),
    [
        (NO_TERMS, [5, 12, 40], 0.123456789),
        (Terms(1, 1, 1), [12, 40], 0.1235),
        (Terms(1, 20, 1), [40], 0.1235),
        (Terms(1, 1, 20), [40], 0.1235),
    ],
)
def test_the_strictest_rule_holds(terms: Terms, rows: list[int], digits: float) -> None:
    settled = settle(result(500), terms)
    table = settled.result.tables["associations"].columns
    assert (list(table["ac"]), table["p"][0], settled.waits_for) == (rows, digits, "")


@pytest.mark.parametrize(
    ("people", "terms", "waits"), [(99, Terms(1, 1, 1), True), (300, Terms(400, 1, 1), True), (99, NO_TERMS, False)]
)
def test_a_result_of_few_people_waits_for_somebody(people: int, terms: Terms, waits: bool) -> None:
    assert bool(settle(result(people), terms).waits_for) is waits
