# SPDX-License-Identifier: Apache-2.0
"""What everybody's data say of height, against what the simulation was given."""

import numpy as np
import pytest

from megagenome.app.demo.plan import SimulatedDataset, simulate
from megagenome.app.demo.pooled import Pooled, pool
from megagenome.collection.model import Use
from megagenome.synthetic.europe import Europe
from megagenome.synthetic.planted import HEIGHT_ASSOCIATION
from megagenome.synthetic.recount import count_truth


@pytest.fixture(scope="module")
def europe() -> Europe:
    return simulate(("FI", "EE", "GB"), 1200, 1, lambda _: None)


@pytest.fixture(scope="module")
def datasets(europe: Europe) -> list[SimulatedDataset]:
    return [SimulatedDataset(country.datasets[0]) for country in europe.countries]


@pytest.fixture(scope="module")
def allele(europe: Europe) -> str:
    [found] = (each.allele for each in count_truth(europe).associations if each.centimetres)
    return found


@pytest.fixture(scope="module")
def pooled(datasets: list[SimulatedDataset], allele: str) -> Pooled:
    return pool(datasets, (), allele)


def test_the_people_are_those_who_consent(europe: Europe, datasets: list[SimulatedDataset], pooled: Pooled) -> None:
    members = np.concatenate([each.dataset.members for each in datasets])
    consents = [europe.simulation.people.consent[place] == "yes" for place in members]
    assert pooled.people == sum(consents)
    [copies] = [europe.simulation.height_allele.copies[members[consents]]]
    effect = pooled.effects[pooled.allele]
    missing = pooled.people - effect.called // 2
    assert missing < 0.01 * pooled.people
    for told, right in ((effect.het, (copies == 1).sum()), (effect.hom, (copies == 2).sum())):
        assert right - missing <= told <= right


def test_the_effect_is_that_which_was_given(pooled: Pooled) -> None:
    effect = pooled.effects[pooled.allele]
    assert abs(effect.beta - HEIGHT_ASSOCIATION.effect) < 4 * effect.se
    # 6.5 cm within a sex, and copies vary by 2 f (1 - f)
    share = (effect.het + 2 * effect.hom) / effect.called
    expected = 6.5 / np.sqrt(pooled.people * 2 * share * (1 - share))
    assert effect.se == pytest.approx(expected, rel=0.1)
    assert pooled.place == 1
    assert len(pooled.effects) > 50
    assert pooled.mean == pytest.approx(2 * share, rel=1e-9)


def test_who_withdrew_is_in_nothing(datasets: list[SimulatedDataset], allele: str, pooled: Pooled) -> None:
    persons = datasets[0].people(lambda _: None).persons
    one = next(each.individual_id for each in persons if Use.RESEARCH in (each.consent or ()))
    without = pool(datasets, (one,), allele)
    assert without.people == pooled.people - 1
    assert without.effects[allele].beta != pooled.effects[allele].beta
