# SPDX-License-Identifier: Apache-2.0
"""Frequencies over sites against plain counting over the pooled people."""

from typing import Any

import numpy as np
import pytest

from megagenome.analytics.alleles import AllelesSite
from megagenome.kernel.errors import Invalid
from megagenome.network.studies.frequencies import frequencies
from megagenome.network.studies.hardy_weinberg import exact_p
from megagenome.network.studies.model import StudyResult
from megagenome.standards.study import Frequencies, Variants
from megagenome.standards.study_arrays import Arrays
from tests.oracles.federation import run
from tests.oracles.study_people import People, draw


def _run(people: People, least_count: int = 1, site_count: int = 1) -> StudyResult:
    method = Frequencies(Variants("GRCh38", least_count=least_count))
    sites = {f"n{k}": AllelesSite(method.variants, people.site(k)[1], site_count) for k in range(len(people.sizes))}
    return run(frequencies(method, len(sites)), sites)


def _columns(result: StudyResult) -> dict[str, Any]:
    return {name: np.asarray(column) for name, column in result.tables["frequencies"].columns.items()}


def test_they_are_counts_of_the_pooled_people() -> None:
    people = draw(2, (40, 50, 60), 30, 0, missing=0.1)
    found = _columns(_run(people))
    for row, allele in enumerate((found["pos1"] - 6) // 100):
        calls = people.calls[allele].tolist()
        het, hom, called = calls.count(1), calls.count(2), sum(each >= 0 for each in calls)
        assert (found["het"][row], found["hom"][row], found["an"][row]) == (het, hom, 2 * called)
        assert found["ac"][row] == het + 2 * hom
        assert found["missing"][row] == 150 - called
        assert found["frequency"][row] == (het + 2 * hom) / (2 * called)
        assert found["low"][row] < found["frequency"][row] < found["high"][row]
        expected = exact_p(np.array([het]), np.array([hom]), np.array([called]))[0]
        assert found["hardy_weinberg_p"][row] == expected


def test_what_one_site_may_not_name_is_counted_where_another_names_it() -> None:
    people = draw(3, (30, 30, 30), 4, 0)
    people.calls[1] = 0
    people.calls[1, :12] = 1  # 12 copies at the first site,
    people.calls[1, 40:43] = 1  # 3 at the second, which does not name them
    people.calls[2] = 0
    people.calls[2, [0, 30, 60]] = 1  # nobody names this
    found = _columns(_run(people, site_count=10))
    assert 206 not in found["pos1"]
    row = found["pos1"].tolist().index(106)
    assert found["ac"][row] == 15


def test_a_study_of_nothing_is_refused() -> None:
    people = draw(3, (30, 30, 30), 3, 0)
    people.calls[:] = 0
    with pytest.raises(Invalid, match="no node has an allele"):
        _run(people)
    people.calls[:, 0] = 1
    with pytest.raises(Invalid, match="common enough"):
        _run(people, least_count=5)


def test_a_node_that_lists_no_alleles_is_named() -> None:
    class Wrong(AllelesSite):
        def answer(self, step: str, parameters: Arrays) -> Arrays:
            return {**super().answer(step, parameters), "text": np.frombuffer(b"A", np.uint8)}

    people = draw(1, (30, 30), 3, 0)
    kinds = (AllelesSite, Wrong)
    sites = {f"n{k}": kinds[k](Variants("GRCh38"), people.site(k)[1], 1) for k in range(2)}
    with pytest.raises(Invalid, match="n1 failed: it sends a list of alleles"):
        run(frequencies(Frequencies(Variants("GRCh38")), 2), sites)
