# SPDX-License-Identifier: Apache-2.0
import numpy as np

from megagenome.collection.model import Sex, Stratum
from megagenome.discovery.margins import margins_of
from megagenome.kernel.ids import Country

STRATA = tuple(
    Stratum(Country(country), population, sex)
    for country, population in (("ES", ""), ("FI", ""), ("FI", "FIN"), ("FI", "SAA"))
    for sex in sorted(Sex)
)


def belonging(label: str) -> list[Stratum]:
    margins = margins_of(STRATA)
    column = margins.sums[:, margins.labels.index(label)]
    return [stratum for stratum, belongs in zip(STRATA, column, strict=True) if belongs]


def test_cells_are_made_of_their_strata() -> None:
    assert belonging("FI") == [s for s in STRATA if s.country == "FI"]
    assert belonging("ES_M") == [Stratum(Country("ES"), "", Sex.MALE)]
    assert belonging("FI_F") == [s for s in STRATA if s.country == "FI" and s.sex is Sex.FEMALE]
    assert belonging("FI:SAA") == [s for s in STRATA if s.population == "SAA"]
    assert belonging("FI:unrecorded") == [s for s in STRATA if s.country == "FI" and not s.population]


def test_a_country_without_populations_has_no_cells_of_them() -> None:
    margins = margins_of(STRATA)
    assert [label for label in margins.labels if ":" in label] == ["FI:unrecorded", "FI:FIN", "FI:SAA"]
    assert margins.country_of.tolist() == [1, 1, 1]


def test_the_order_of_an_answer() -> None:
    margins = margins_of(STRATA)
    labels = [margins.labels[column] for column in margins.order]
    assert labels == ["Total", "M", "F", "ES", "ES_M", "ES_F", "FI", "FI_M", "FI_F"]
    assert margins.labels[margins.total] == "Total"


def test_parts_are_counted_by_country() -> None:
    margins = margins_of(STRATA)
    populations, strata = margins.parts_of[:3, :2], margins.parts_of[3:, 2:]
    assert populations.sum(axis=0).tolist() == [0, 3]
    assert strata.sum(axis=0).tolist() == [3, 9]
    assert margins.sums[:, margins.parts].shape[1] == len(margins.parts_of) == 3 + len(STRATA)


def test_ploidy_is_of_those_who_can() -> None:
    margins = margins_of(STRATA)
    on_x = np.array([[s.sex is not Sex.MALE, s.sex is not Sex.MALE, s.sex is Sex.MALE] for s in STRATA])
    ploidy = margins.ploidy(on_x)
    assert ploidy.separates
    assert ploidy.people.tolist() == [2.0 if s.sex is Sex.MALE else 1.0 for s in STRATA]
    assert ploidy.kinds.sum() == margins.sums[on_x.any(axis=1)].sum() + margins.sums[on_x[:, 0]].sum()
    assert not margins.ploidy(np.ones_like(on_x)).separates


def test_nobody_has_totals_only() -> None:
    margins = margins_of(())
    assert margins.labels == ("Total", "M", "F")
    assert margins.sums.shape == (0, 0)
