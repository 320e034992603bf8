# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.collection.model import Dataset, Tier
from megagenome.discovery.scheme import Scheme, scheme_of
from tests.discovery.fake import FakeCollection, Person, dataset
from tests.discovery.world import COMMON, IN_PAR, ON_X, world


def scheme(members: dict[str, set[int]], open_ones: str = "", floors: dict[str, int] | None = None) -> Scheme:
    datasets = {
        name: (dataset(name, is_open=name in open_ones, floor=(floors or {}).get(name, 0)), mine)
        for name, mine in members.items()
    }
    collection = FakeCollection([Person()] * 50, datasets, {})
    return scheme_of(collection.open(None, None), 12)


def test_a_dataset_may_only_raise_the_nodes_floor() -> None:
    found = scheme({"A": {1}, "B": {2}, "C": {3}, "D": {4}}, "CD", {"A": 10, "B": 30, "D": 5})
    assert found.floors.tolist() == [12, 30, 0, 5]
    assert not found.exact
    assert scheme({"A": {1}}, "A").exact


def test_which_dataset_silences_which() -> None:
    """A is the largest and B a part of it; C has exactly B's people; D is open and shares with A; E is apart."""
    members = {"A": set(range(20)), "B": set(range(10)), "C": set(range(10)), "D": {19, 30}, "E": {40, 41}}
    found = scheme(members, "D")
    silenced = {
        name: {other for k, other in enumerate(members) if found.eclipses[row, k]} for row, name in enumerate(members)
    }
    assert silenced == {"A": {"D"}, "B": {"A"}, "C": {"A"}, "D": set(), "E": set()}
    assert found.by_size == (0, 1, 2, 3, 4)
    assert found.counted_for((1,)) == {"A", "B"}
    assert found.counted_for((3, 4)) == {"D", "E"}
    assert found.counted_for((0, 1, 2, 3, 4)) is None
    # all others that share people are silenced where both could speak, and that they share is not said
    assert found.told_twice((0, 1, 2, 3, 4)) == (("B", "C"),)
    assert found.told_twice((0, 1)) == ()
    assert scheme(members, "ABCDE").told_twice((0, 1, 3)) == (("A", "B"), ("A", "D"))


def test_equally_large_datasets_are_silenced_one_way_only() -> None:
    found = scheme({"A": {1, 2, 3}, "B": {3, 4, 5}})
    assert found.eclipses.tolist() == [[False, False], [True, False]]


def test_ploidy_is_made_once_for_each_class_of_place() -> None:
    reading = world().open(None, None)
    found = scheme_of(reading, 10)
    autosomal, in_par, on_x = (found.ploidy(reading, allele) for allele in (COMMON, IN_PAR, ON_X))
    assert autosomal is in_par
    assert on_x.separates
    assert not autosomal.separates


def test_a_scheme_fits_readings_of_the_same_datasets() -> None:
    reading = world().open(None, None)
    found = scheme_of(reading, 10)
    assert found.fits(world().open(None, None))
    reading.datasets = reading.datasets[1:]
    assert not found.fits(reading)


@pytest.mark.parametrize(
    ("larger", "smaller", "silent"),
    [
        (dataset("A"), dataset("B"), "B"),
        (dataset("A", alleles=Tier.REGISTERED), dataset("B"), "A"),
        (dataset("A"), dataset("B", alleles=Tier.REGISTERED), "B"),
        (dataset("A"), dataset("B", is_open=True), "A"),
        (dataset("A"), dataset("B", is_open=True, alleles=Tier.REGISTERED), "B"),
    ],
)
def test_of_two_that_share_people_the_one_that_fewer_callers_see_is_silent(
    larger: Dataset, smaller: Dataset, silent: str
) -> None:
    """Else who sees both could ask for one as the public, and subtract."""
    people = [Person() for _ in range(40)]
    collection = FakeCollection(people, {"A": (larger, set(range(40))), "B": (smaller, set(range(30)))}, {})
    found = scheme_of(collection.open(None, None), 10)
    assert {found.datasets[k].id for k in range(2) if found.eclipses[k].any()} == {silent}
