# SPDX-License-Identifier: Apache-2.0
"""A small node: 400 people of two countries in an open dataset, two closed ones, and one that overlaps one of these."""

import random
from functools import cache

from megagenome.collection.model import FilteringTerm, Sex
from megagenome.kernel.coordinates import Allele
from tests.discovery.fake import Call, FakeCollection, Person, dataset

COMMON = Allele("GRCh37", "22", 16050074, "A", "G")
RARE = Allele("GRCh37", "22", 16050114, "G", "T")
UNCOMMON = Allele("GRCh37", "22", 16050212, "C", "T")
DELETION = Allele("GRCh37", "22", 16050300, "ACGT", "A")
SYMBOLIC = Allele("GRCh37", "22", 16050400, "G", "<CN0>")
ON_X = Allele("GRCh37", "X", 5_000_000, "C", "A")
IN_PAR = Allele("GRCh37", "X", 100_000, "C", "A")
ABSENT = Allele("GRCh37", "22", 16050999, "A", "T")
NOBODY_HAS = "HP:0000118"
SOME_HAVE = "HP:0011097"  # fewer than 10 in each closed dataset
MANY_HAVE = "HP:0001250"

SHARES = {COMMON: 0.4, UNCOMMON: 0.06, DELETION: 0.3, SYMBOLIC: 0.2, ON_X: 0.35, IN_PAR: 0.35}


ONLY_HAVE = {45: {"ICD10:I83": True}, 145: {"ICD10:I42": True}}
"""A disease of one person in open data, and one of a person in data that are not."""


@cache
def world() -> FakeCollection:
    """OPEN (100 people), CLOSED (200), SMALL (60), and PART: 100 people of CLOSED."""
    chance = random.Random(7)
    people = [
        Person(
            country="FI" if n % 3 else "ES",
            sex=(Sex.FEMALE, Sex.MALE)[n // 3 % 2] if n % 50 or 100 <= n < 300 else Sex.UNKNOWN,
            population=("FIN", "SAA")[n // 6 % 2] if n % 3 else "",
            age=None if n % 10 == 0 else 20 + n % 60,
            facts={MANY_HAVE: n % 5 == 0} | ({SOME_HAVE: True} if n % 45 == 0 else {}) | ONLY_HAVE.get(n, {}),
            custom={"smoker": ("yes", "no")[n % 2]} if n % 4 else {},
        )
        for n in range(400)
    ]
    members = {"OPEN": set(range(100)), "CLOSED": set(range(100, 300)), "SMALL": set(range(300, 360))}
    members["PART"] = set(range(100, 200))
    calls: dict[tuple[str, Allele], dict[int, Call]] = {}
    for allele, share in SHARES.items():
        by_person = {n: _call(chance, allele, people[n], share) for n in range(400) if chance.random() > 0.03}
        for name, mine in members.items():
            if name != "PART" or allele != UNCOMMON:
                calls[name, allele] = {n: call for n, call in by_person.items() if n in mine}
    for name, mine in members.items():
        calls[name, RARE] = {n: (int(n % 40 == 0), 2) for n in mine}
    datasets = {name: (dataset(name, is_open=name == "OPEN"), mine) for name, mine in members.items()}
    terms = (
        FilteringTerm(SOME_HAVE, "Focal seizure", "phenotype"),
        FilteringTerm(MANY_HAVE, "Seizure", "phenotype"),
        FilteringTerm("ICD10:I83", "Varicose veins", "disease"),
        FilteringTerm("ICD10:I42", "Cardiomyopathy", "disease"),
        FilteringTerm("smoker", "smoker", "custom"),
    )
    return FakeCollection(people, datasets, calls, terms)


def _call(chance: random.Random, allele: Allele, person: Person, share: float) -> Call:
    copies = 1 if allele is ON_X and person.sex is Sex.MALE else 2
    return sum(chance.random() < share for _ in range(copies)), copies
