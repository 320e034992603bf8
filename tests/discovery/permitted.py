# SPDX-License-Identifier: Apache-2.0
"""A real collection of 40 people in two datasets that share some, a permit for those of Estonia, and what is true."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from litestar import Litestar
from litestar.testing import TestClient

from megagenome.collection import Collection
from megagenome.collection.cohort import FromCountry
from megagenome.collection.load import load
from megagenome.collection.model import Sex, Use
from megagenome.collection.people import YES, Fact, FactKind, People, Person, Status
from megagenome.collection.permits import GrantedPermit, store_permit
from megagenome.discovery.routes import discovery_router
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Unavailable
from megagenome.kernel.ids import Country, DatasetId, IndividualId, PermitId, SampleId
from tests.collection.files import as_source, statement
from tests.discovery.fake import beacon_of
from tests.oracles import genotypes as oracle

ALICE = Caller("alice@https://login.example.org", "Alice")
MALLORY = Caller("mallory@https://login.example.org", "Mallory")
PERMIT = PermitId("permit-1")
NUMBERS = range(40)
MEMBERS = {"ONE": range(30), "TWO": range(20, 40)}
CALLS = [(0, 1), (1, 1), (0, 0), (None, None), (1, None)]
"""Person n has the call n % 5 at `ON_22`."""
ON_22 = Allele("GRCh37", "22", 16050074, "A", "G")
ON_X = Allele("GRCh37", "X", 5_000_000, "C", "A")


def person(n: int) -> Person:
    """Who says nothing, no, or yes to aggregates alone is in no reading by permit."""
    status = (Status.OBSERVED, Status.EXCLUDED)
    facts = [Fact(FactKind.CUSTOM, "smoker", value=("yes", "no")[n % 2])]
    if n % 3 < 2:
        facts.append(Fact(FactKind.PHENOTYPE, "HP:0001250", status[n % 3]))
    if n % 4 < 2:
        facts.append(Fact(FactKind.DISEASE, "ICD10:I83", status[n % 4]))
    facts.append(Fact(FactKind.MEASURE, "LOINC:35925-4", value="25.5", unit="NCIT:C49671", time="2020-05-01"))
    facts.append(Fact(FactKind.MEASURE, "LOINC:8302-2", value="170", unit="cm"))
    consent = {9: frozenset[Use](), 8: frozenset({Use.AGGREGATES}), 7: None}.get(n % 10, YES)
    return Person(
        IndividualId(f"EE-{n:03}"),
        SampleId(f"S{n}"),
        (Sex.FEMALE, Sex.MALE)[n % 2],
        Country("EE" if n % 6 else "FI"),
        ("", "A")[n % 2],
        1950 + n if n % 7 else None,
        tuple(facts),
        consent,
    )


EXPECTED = [n for n in NUMBERS if n % 6 and n % 10 < 7]
"""People of the permit's cohort who consent to research."""


def carriers(dataset: str) -> dict[int, str]:
    """Zygosity at `ON_22` of those of them in a dataset who have a copy."""
    zygosity = {0: "GENO:0000135", 1: "GENO:0000136", 4: "GENO:0000137"}
    return {n: zygosity[n % 5] for n in EXPECTED if n in MEMBERS[dataset] and n % 5 in zygosity}


class Entered(NamedTuple):
    """What a journal was told of a reading."""

    subject: str | None
    permit: str
    dataset: str
    use: str
    records: int


class Journal:
    """Keeps what is entered; `broken` enters nothing any more."""

    def __init__(self) -> None:
        self.entered: list[Entered] = []
        self.broken = False

    def enter_read(self, caller: Caller, permit: PermitId, dataset: DatasetId, use: Use, records: int, /) -> None:
        if self.broken:
            raise Unavailable("the ledger cannot be written")
        self.entered.append(Entered(caller.subject, permit, dataset, use, records))

    def enter_state(self, *_: object) -> None:
        """Not of interest here."""

    def enter_consent(self, *_: object) -> None:
        """Not of interest here."""


def make_world(folder: Path) -> Collection:
    """The collection, and the permit in it."""
    collection = Collection.create(folder, lambda _curie: None)
    collection.journal = Journal()
    for dataset, members in MEMBERS.items():
        people = [oracle.Someone(f"S{n}", "", "", "", consents=True) for n in members]
        records = [
            oracle.Record("22", ON_22.start, "A", ("G",), tuple(CALLS[n % 5] for n in members)),
            oracle.Record("22", ON_22.start + 40, "G", ("T",), tuple((0, int(n == members[1])) for n in members)),
            oracle.Record("X", ON_X.start, "C", ("A",), tuple(((0, 1), (1,))[n % 2] for n in members)),
        ]
        persons = People([person(n) for n in members], {}, {})
        load(collection, statement(dataset, open=False), persons, [as_source(people, records)], "GRCh37")
    with collection.engine.begin() as connection:
        store_permit(connection, granted())
    return collection


def granted(**changed: Any) -> GrantedPermit:
    now = datetime.now(UTC)
    facts: dict[str, Any] = {
        "id": PERMIT,
        "digest": "sha256:1",
        "cohort": FromCountry("EE"),
        "datasets": tuple(map(DatasetId, MEMBERS)),
        "uses": frozenset({Use.RESEARCH}),
        "people": frozenset({ALICE.subject}),
        "not_before": now - timedelta(days=1),
        "expires": now + timedelta(days=1),
        "conditions": "",
        "countersignature": "signed",
    }
    return GrantedPermit(**facts | changed)


@contextmanager
def asking(collection: Collection) -> Iterator["Asker"]:
    """Somebody who asks this collection's Beacon."""
    callers = [PUBLIC]

    def sign_in(app: Any) -> Any:
        async def with_caller(scope: Any, receive: Any, send: Any) -> None:
            scope["caller"] = callers[0]
            await app(scope, receive, send)

        return with_caller

    router = discovery_router(beacon_of(collection))
    with TestClient(Litestar([router], middleware=[sign_in], openapi_config=None)) as client:
        yield Asker(client, callers)


class Asker:
    """Asks as `caller`, by `permit`."""

    def __init__(self, client: TestClient[Litestar], callers: list[Caller]) -> None:
        self._client, self._callers = client, callers

    def post(
        self, path: str, parameters: Any = None, *, caller: Caller = ALICE, permit: str | None = PERMIT, **query: Any
    ) -> Any:
        """The answer, whatever its status is."""
        self._callers[0] = caller
        asked = {**(parameters or {}), **({"permit": {"id": permit}} if permit else {})}
        body = {"meta": {"apiVersion": "2"}, "query": {"requestParameters": asked, **query}}
        return self._client.post(f"/beacon/v2/{path}", json=body)

    def get(self, path: str, *, caller: Caller = ALICE, **parameters: Any) -> Any:
        """The same by GET."""
        self._callers[0] = caller
        return self._client.get(f"/beacon/v2/{path}", params=parameters)

    def answered(self, path: str, parameters: Any = None, **query: Any) -> Any:
        """The answer, which must be one."""
        answer = self.post(path, parameters, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()


def copied(folder: Path, target: Path) -> Collection:
    """The same collection again, to be changed."""
    shutil.copytree(folder, target)
    collection = Collection.open_folder(target, lambda _curie: None)
    collection.journal = Journal()
    return collection


def exactly(allele: Allele) -> dict[str, Any]:
    return {
        "assemblyId": "GRCh37",
        "referenceName": allele.contig,
        "start": [allele.start],
        "referenceBases": allele.ref,
        "alternateBases": allele.alt,
    }
