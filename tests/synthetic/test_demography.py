# SPDX-License-Identifier: Apache-2.0
import msprime
import numpy as np
import pytest

from megagenome.synthetic.demography import DEMES, MUTATION_RATE, RECOMBINATION_RATE, demography
from megagenome.synthetic.people import COUNTRIES


def sizes(at: float, codes: list[str], factor: float = 1.0) -> dict[str, float]:
    """Population sizes `at` generations ago, as msprime works them out."""
    model = demography(codes, factor)
    row = model.debug().population_size_trajectory([at])[0]
    return {population.name: float(size) for population, size in zip(model.populations, row, strict=True)}


def test_the_trunk_has_the_published_sizes() -> None:
    # Fu et al. 2013, figure S5: 7,310 and 14,474 in Africa; 1,861, then 1,032 growing to 9,279 in Europe
    assert sizes(6000, ["GBR"])["AFR"] == 7310
    assert sizes(3000, ["GBR"])["AFR"] == 14474
    assert sizes(1500, ["GBR"])["EUR"] == 1861
    assert sizes(919.9, ["GBR"])["EUR"] == pytest.approx(1032, rel=0.001)
    assert sizes(204.7, ["GBR"])["EUR"] == pytest.approx(9279, rel=0.001)


def test_a_country_grows_at_the_published_rate() -> None:
    # 9,300 founders x 1.0195 per generation, continuously, over 5,115 years: half a million
    assert sizes(0, ["GBR"])["GBR"] == pytest.approx(9300 * np.exp(0.0195 * 204.6))
    ratio = sizes(100, ["GBR"])["GBR"] / sizes(101, ["GBR"])["GBR"]
    assert ratio == pytest.approx(np.exp(0.0195))


def test_all_sizes_shrink_with_the_share_of_copies() -> None:
    whole, part = sizes(10, ["WFI", "EFI"]), sizes(10, ["WFI", "EFI"], 0.25)
    assert part == pytest.approx({name: size / 4 for name, size in whole.items()})


def test_every_population_of_a_country_is_a_deme_and_comes_after_its_parent() -> None:
    for country in COUNTRIES.values():
        codes = [code for code, _ in country.populations]
        for place, code in enumerate(codes):
            assert DEMES[code].parent in ["EUR", *codes[:place]]
        assert sum(share for _, share in country.populations) == pytest.approx(1)


def test_populations_differ_as_much_as_northern_europeans_do() -> None:
    """FST of Salmela et al. 2008: 0.0072-0.0094 Eastern Finns to British and Germans, 0.0005 British to Germans."""
    codes = ["WFI", "EFI", "GBR", "DEU"]
    trees = msprime.sim_ancestry(
        dict.fromkeys(codes, 100),
        demography=demography(codes),
        sequence_length=5e6,
        recombination_rate=RECOMBINATION_RATE,
        random_seed=3,
    )
    trees = msprime.sim_mutations(trees, rate=MUTATION_RATE, random_seed=4)
    place = {population.metadata["name"]: population.id for population in trees.populations()}
    sets = [trees.samples(population=place[code]) for code in codes]
    east_to_british, east_to_west, british_to_german = trees.Fst(sets, indexes=[(1, 2), (0, 1), (2, 3)])
    assert 0.004 < east_to_british < 0.012
    assert 0.001 < east_to_west < 0.006
    assert british_to_german < 0.0025
