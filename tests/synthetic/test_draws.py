# SPDX-License-Identifier: Apache-2.0
from megagenome.synthetic.draws import generator, simulation_seed


def test_a_purpose_has_its_own_draws_whatever_was_drawn_before() -> None:
    generator(1, "other").random(100)
    first = generator(1, "missing", "22", 3).random(5).tolist()
    assert generator(1, "missing", "22", 3).random(5).tolist() == first
    others = [generator(2, "missing", "22", 3), generator(1, "missing", "X", 3), generator(1, "missing", "22", 4)]
    assert all(other.random(5).tolist() != first for other in others)


def test_draws_stay_what_they_are() -> None:
    # the same seed must give the same countries in every later version, or pinned answers would silently move
    assert simulation_seed(1, "ancestry", "22") == 3445020594
    assert generator(1, "people", "FI").integers(0, 1000, 3).tolist() == [436, 314, 278]
