# SPDX-License-Identifier: Apache-2.0
"""A node's people in plain Python: who consents to what, who may be read by a permit, and what is counted of them."""

from collections.abc import Collection as Some
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from megagenome.collection.cohort import EVERYONE, Cohort
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.model import Sex, Use
from megagenome.collection.needs import Actor
from megagenome.collection.people import People, Person
from megagenome.collection.permits import GrantedPermit
from megagenome.kernel.callers import Caller
from megagenome.kernel.ids import Country, DatasetId, IndividualId, PermitId, SampleId
from megagenome.synthetic.governance import made_up_record
from tests.collection.files import as_source
from tests.oracles import genotypes as oracle

POOL = 64
OPEN, CLOSED, OTHER = "OPEN", "CLOSED", "OTHER"
DATASETS = (OPEN, CLOSED, OTHER)
RECORDS = (("22", 100, "A", ("C",)), ("X", 5_000_000, "A", ("C",)))

ALICE = Caller("alice@example.org", "Alice")
MALLORY = Caller("mallory@example.org", "Mallory", registered=True)
NOW = datetime(2025, 6, 1, tzinfo=UTC)


class NoJournal:
    """Enters nothing; counts what it was told."""

    def __init__(self) -> None:
        self.read: list[tuple[str | None, str, str, Use, int]] = []
        self.sliced: list[tuple[str | None, str, str, str, int]] = []
        self.said: list[tuple[str, str, tuple[str, ...]]] = []
        self.moved: list[tuple[str, str, str, str, str]] = []

    def enter_read(self, caller: Caller, permit: PermitId, dataset: DatasetId, use: Use, records: int, /) -> None:
        self.read.append((caller.subject, permit, dataset, use, records))

    def enter_slice(self, caller: Caller, permit: PermitId, dataset: DatasetId, word: str, people: int, /) -> None:
        self.sliced.append((caller.subject, permit, dataset, word, people))

    def enter_state(self, _connection: object, by: Actor, dataset: DatasetId, before: str, after: str, /) -> None:
        self.moved.append((*by, dataset, before, after))

    def enter_consent(self, _connection: object, by: str, act: str, datasets: Iterable[DatasetId], /) -> None:
        self.said.append((by, act, tuple(datasets)))


def someone(number: int) -> oracle.Someone:
    """A person of the pool: four strata of a country, and few people of another."""
    sex = ("female", "male")[number % 2]
    country, population = ("FI", "") if number % 16 == 5 else ("EE", ("north", "south")[number // 2 % 2])
    return oracle.Someone(f"P{number}", sex, country, population, True)


def calls(number: int) -> list[tuple[int, ...]]:
    """Their calls at `RECORDS`."""
    on_x = (number % 3 == 0,) if number % 2 else (number % 3 == 0, number % 5 == 0)
    return [(int(number % 2 == 0), int(number % 7 < 3)), tuple(map(int, on_x))]


def source_of(numbers: Iterable[int]) -> object:
    """Genotypes of these people."""
    people = list(numbers)
    columns = [calls(number) for number in people]
    records = [oracle.Record(*record, tuple(column[k] for column in columns)) for k, record in enumerate(RECORDS)]
    return as_source([someone(number) for number in people], records)


def counted(numbers: Iterable[int]) -> dict[oracle.Key, dict[oracle.Cell, tuple[int, int, int, int]]]:
    """What these people's calls count to."""
    people = sorted(numbers)
    records = [oracle.Record(*record, tuple(calls(number)[k] for number in people)) for k, record in enumerate(RECORDS)]
    found = oracle.count("GRCh38", [someone(number) for number in people], records)
    return {key: {cell: n for cell, n in cells.items() if any(n)} for key, cells in found.items()}


def table(consents: Mapping[int, frozenset[Use] | None]) -> People:
    """A people table."""
    return People([as_person(number, consent) for number, consent in consents.items()], {}, {})


def as_person(number: int, consent: frozenset[Use] | None) -> Person:
    """A line of it; the year of birth tells who it is."""
    one = someone(number)
    return Person(
        IndividualId(f"I{number}"),
        SampleId(one.sample),
        Sex(one.sex),
        Country(one.country),
        one.population,
        1900 + number,
        consent=consent,
    )


def statement(dataset: str) -> DatasetStatement:
    """Published at once; the open one told exactly."""
    if dataset == OPEN:
        return DatasetStatement(DatasetId(dataset), open=True, publish=True)
    return DatasetStatement(DatasetId(dataset), publish=True, record=made_up_record(dataset))


def permit(
    identity: str = "permit-1",
    datasets: Some[str] = (CLOSED,),
    uses: Some[Use] = (Use.RESEARCH,),
    cohort: Cohort = EVERYONE,
    **other: object,
) -> GrantedPermit:
    """A permit of Alice's, for a year around now."""
    values = {
        "id": PermitId(identity),
        "digest": f"sha256:{identity}",
        "cohort": cohort,
        "datasets": tuple(map(DatasetId, datasets)),
        "uses": frozenset(uses),
        "people": frozenset({str(ALICE.subject)}),
        "not_before": datetime.now(UTC) - timedelta(days=1),
        "expires": datetime.now(UTC) + timedelta(days=365),
        "conditions": "keep it to yourself",
        "countersignature": "a.b.c",
    }
    return GrantedPermit(**(values | other))


@dataclass
class PlainNode:
    """What was said of people and by them."""

    said: dict[str, dict[int, frozenset[Use]]] = field(default_factory=dict)
    ended: dict[int, set[Use]] = field(default_factory=dict)

    def load(self, dataset: str, consents: Mapping[int, frozenset[Use] | None]) -> None:
        self.said.setdefault(dataset, {}).update({who: uses or frozenset() for who, uses in consents.items()})

    def members(self, dataset: str) -> set[int]:
        return set(self.said.get(dataset, {}))

    def consenting(self, use: Use) -> set[int]:
        return {
            who
            for who in range(POOL)
            if any(who in words for words in self.said.values())
            and all(use in words[who] for words in self.said.values() if who in words)
            and use not in self.ended.get(who, set())
        }
