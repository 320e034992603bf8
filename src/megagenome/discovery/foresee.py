# SPDX-License-Identifier: Apache-2.0
"""What a Beacon would tell of one dataset, in numbers, for its steward. They are exact, so for nobody else."""

from collections.abc import Callable
from typing import NamedTuple

from megagenome.collection import Collection, Reading
from megagenome.collection.model import Asked, Use
from megagenome.discovery.count import REGISTERED, AllelesTold, count_told
from megagenome.discovery.disclosure import people_told
from megagenome.discovery.scheme import scheme_of
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.ids import DatasetId

_NEVER = 2**62
"""A floor that nothing reaches: of other datasets no term is looked for."""


class Foreseen(NamedTuple):
    """What is told of a dataset to those whom its tiers let ask without a permit.

    floor            the smallest count that is told
    people_told      whether the number of its people is; that number is `Dataset.individuals`
    alleles          None where nobody may ask
    terms            by how many terms its people can be filtered, and how many are left out because too few people
    terms_held_back  have them; None where nobody may ask
    """

    floor: int
    people_told: bool
    alleles: AllelesTold | None
    terms: int | None
    terms_held_back: int | None


def foresee(collection: Collection, dataset: DatasetId, floor: int, go_on: Callable[[], None]) -> Foreseen:
    """Of a published dataset. `floor` is the node's own; `go_on` raises where it need not be known any more.

    Cost: some microseconds for each allele, and a look at each term that is recorded of its people.
    """
    alleles = count_told(collection, dataset, floor, go_on)
    for caller in (PUBLIC, REGISTERED):
        reading = collection.open(caller, Use.AGGREGATES, asked=Asked.PEOPLE)
        chosen = [k for k, each in enumerate(reading.datasets) if each.id == dataset]
        if chosen:
            return _of_people(reading, chosen[0], floor, alleles)
    return Foreseen(floor, False, alleles, None, None)


def _of_people(reading: Reading, index: int, floor: int, alleles: AllelesTold | None) -> Foreseen:
    floors = scheme_of(reading, floor).floors
    counted = reading.count_people()
    told = people_told(counted.members, counted.totals, floors, everyone=True)
    least = [_NEVER] * len(floors)
    least[index] = 1
    recorded = len(reading.terms(least))
    least[index] = max(1, int(floors[index]))
    terms = len(reading.terms(least))
    return Foreseen(int(floors[index]), bool(told[index]), alleles, terms, recorded - terms)
