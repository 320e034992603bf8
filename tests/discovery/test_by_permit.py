# SPDX-License-Identifier: Apache-2.0
"""By permit everything is exact and of the permit's people only; without it, or with another's, there is nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from megagenome.collection import Collection
from megagenome.collection.acts import Act, say
from megagenome.collection.model import Use
from megagenome.collection.permits import change_permit, store_permit
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.ids import PermitId
from megagenome.standards.permit import PermitState
from tests.discovery.permitted import (
    ALICE,
    EXPECTED,
    MALLORY,
    MEMBERS,
    ON_22,
    ON_X,
    PERMIT,
    Asker,
    asking,
    carriers,
    copied,
    exactly,
    granted,
    make_world,
    person,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("permitted") / "node"
    make_world(folder).close()
    return folder


@pytest.fixture
def collection(folder: Path, tmp_path: Path) -> Iterator[Collection]:
    collection = copied(folder, tmp_path / "node")
    yield collection
    collection.close()


@pytest.fixture
def asker(collection: Collection) -> Iterator[Asker]:
    with asking(collection) as asker:
        yield asker


def in_dataset(name: str) -> list[int]:
    return [n for n in EXPECTED if n in MEMBERS[name]]


def by_set(answer: Any) -> dict[str, Any]:
    return {each["id"]: each for each in answer["response"]["resultSets"]}


def everybody(asker: Asker) -> dict[str, Any]:
    """All records, each once, by pseudonym."""
    answer = asker.answered("individuals", pagination={"limit": 0})
    return {record["id"]: record for each in by_set(answer).values() for record in each["results"]}


def numbered(asker: Asker) -> dict[str, int]:
    """Which person a pseudonym is: years of birth are unique, and so are the others by their place in sets."""
    facts = {}
    for n in EXPECTED:
        one = person(n)
        key = (one.birth_year, one.sex.value, tuple(d for d in MEMBERS if n in MEMBERS[d]))
        assert key not in facts
        facts[key] = n
    return {
        name: facts[r["info"].get("birthYear"), r["sex"]["label"], tuple(r["info"]["datasets"])]
        for name, r in everybody(asker).items()
    }


@pytest.mark.parametrize("granularity", ["boolean", "count"])
def test_counts_of_people_are_exact(asker: Asker, granularity: str) -> None:
    answer = asker.answered("individuals", requestedGranularity=granularity)
    summary = {"exists": True, "numTotalResults": len(EXPECTED), "countPrecision": "exact"}
    assert answer["responseSummary"] == (summary if granularity == "count" else {"exists": True})
    assert "response" not in answer


@pytest.mark.parametrize(
    ("parameters", "filters", "holds"),
    [
        ({}, ["HP:0001250"], lambda n: n % 3 == 0),
        ({}, [{"id": "HP:0001250", "operator": "!"}], lambda n: n % 3 == 1),
        ({}, ["ICD10:I83"], lambda n: n % 4 == 0),
        ({}, [{"id": "smoker", "operator": "=", "value": "yes"}], lambda n: n % 2 == 0),
        ({"datasets": ["TWO"]}, [], lambda n: n in MEMBERS["TWO"]),
        (exactly(ON_22), [], lambda n: n % 5 in (0, 1, 4)),
        ({}, [{"id": "country", "operator": "=", "value": "FI"}], lambda _n: False),
    ],
)
def test_filters_narrow_the_permits_cohort_and_never_widen_it(
    asker: Asker, parameters: Any, filters: Any, holds: Any
) -> None:
    answer = asker.answered("individuals", parameters, filters=filters, includeResultsetResponses="ALL")
    right = [n for n in EXPECTED if holds(n)]
    assert answer["responseSummary"]["numTotalResults"] == len(right)
    asked = parameters.get("datasets", list(MEMBERS))
    assert {k: each["resultsCount"] for k, each in by_set(answer).items()} == {
        k: len([n for n in right if n in MEMBERS[k]]) for k in asked
    }


def test_records_are_what_the_tables_said(asker: Asker) -> None:
    found = everybody(asker)
    numbers = numbered(asker)
    assert sorted(numbers.values()) == EXPECTED
    for name, record in found.items():
        n = numbers[name]
        one = person(n)
        assert record["sex"]["label"] == one.sex
        assert "EE-0" not in str(record)
        assert f"S{n}" not in str(record).replace(name, "")  # a pseudonym may have it by chance
        info = record["info"]
        assert (info["country"], info.get("population", "")) == ("EE", one.population)
        assert info["columns"] == {"smoker": ("yes", "no")[n % 2]}
        seizure = {"featureType": {"id": "HP:0001250", "label": "Seizure"}}
        features = [[seizure], [seizure | {"excluded": True}], []][n % 3]
        assert record.get("phenotypicFeatures", []) == features
        veins = {"id": "ICD10:I83"}
        assert record.get("diseases", []) == ([{"diseaseCode": veins}] if n % 4 == 0 else [])
        assert info.get("excludedDiseases", []) == ([veins] if n % 4 == 1 else [])
        assert record["measures"] == [
            {
                "assayCode": {"id": "LOINC:35925-4"},
                "measurementValue": {"unit": {"id": "NCIT:C49671"}, "value": 25.5},
                "date": "2020-05-01",
            }
        ]
        assert info["otherMeasures"] == [{"assay": "LOINC:8302-2", "value": "170", "unit": "cm"}]


def test_pages_hold_everybody_once_and_state_totals(asker: Asker) -> None:
    seen: list[str] = []
    for skip in range(0, len(EXPECTED) + 4, 4):
        answer = asker.answered("individuals", pagination={"skip": skip, "limit": 4})
        assert answer["responseSummary"]["numTotalResults"] == len(EXPECTED)
        sets = by_set(answer)
        assert {k: each["resultsCount"] for k, each in sets.items()} == {k: len(in_dataset(k)) for k in MEMBERS}
        page = sorted({record["id"] for each in sets.values() for record in each["results"]})
        assert len(page) == len(EXPECTED[skip : skip + 4])
        seen += page
    assert seen == sorted(everybody(asker))
    assert len(by_set(asker.answered("individuals"))["ONE"]["results"]) <= 10


def test_one_person_by_name(asker: Asker) -> None:
    for name, record in everybody(asker).items():
        answer = asker.answered(f"individuals/{name}")
        assert answer["responseSummary"]["numTotalResults"] == 1
        assert [r for each in by_set(answer).values() for r in each["results"]] == [record] * len(
            record["info"]["datasets"]
        )
    missing = asker.post("individuals/PAAAAAAAAAAAAAAAA")
    assert missing.status_code == 404
    assert "in this permit" in missing.json()["error"]["errorMessage"]


def test_an_allele_has_all_its_cells_and_everybody_who_carries_it(asker: Asker) -> None:
    answer = asker.answered("g_variants", exactly(ON_22))
    numbers = numbered(asker)
    for name, each in by_set(answer).items():
        mine = in_dataset(name)
        [record] = each["results"]
        [total] = [f for f in record["frequencyInPopulations"][0]["frequencies"] if f["population"] == "Total"]
        copies = {0: (1, 2), 1: (2, 2), 2: (0, 2), 3: (0, 0), 4: (1, 1)}
        assert total["alleleCount"] == sum(copies[n % 5][0] for n in mine)
        assert total["alleleNumber"] == sum(copies[n % 5][1] for n in mine)
        assert total["alleleCountHomozygous"] == sum(n % 5 == 1 for n in mine)
        cases = {numbers[c["individualId"]]: c["zygosity"]["id"] for c in record["caseLevelData"]}
        assert cases == carriers(name)
    both = {n for k in MEMBERS for n in in_dataset(k)}
    combined = answer["response"]["info"]["combined"]["frequencies"]
    assert combined[0]["alleleCount"] == sum({0: 1, 1: 2, 4: 1}.get(n % 5, 0) for n in both)


def test_a_region_has_rare_alleles_too(asker: Asker) -> None:
    place = {"assemblyId": "GRCh37", "referenceName": "22", "start": [ON_22.start], "end": [ON_22.start + 100]}
    answer = asker.answered("g_variants", place)
    assert answer["responseSummary"] == {"exists": True, "numTotalResults": 2, "countPrecision": "exact"}
    rare = [r for each in by_set(answer).values() for r in each["results"] if "G-T" in r["variantInternalId"]]
    numbers = numbered(asker)
    assert [[numbers[c["individualId"]] for c in r["caseLevelData"]] for r in rare] == [[1], [21]]
    second = asker.answered("g_variants", place, pagination={"skip": 1, "limit": 1})
    assert [r for each in by_set(second).values() for r in each["results"]] == rare


def test_men_are_hemizygous_on_x(asker: Asker) -> None:
    answer = asker.answered("g_variants/GRCh37-X-5000001-C-A")
    assert answer == asker.answered("g_variants", exactly(ON_X))
    numbers = numbered(asker)
    [record] = by_set(answer)["ONE"]["results"]
    for case in record["caseLevelData"]:
        expected = ("GENO:0000135", "GENO:0000604")[numbers[case["individualId"]] % 2]
        assert case["zygosity"]["id"] == expected


def test_carriers_of_an_allele_by_its_id(asker: Asker) -> None:
    answer = asker.answered("g_variants/GRCh37-22-16050075-A-G/individuals", pagination={"limit": 0})
    numbers = numbered(asker)
    found = by_set(answer)
    assert found
    for name, each in found.items():
        assert sorted(numbers[record["id"]] for record in each["results"]) == sorted(carriers(name))


@pytest.mark.parametrize("name", ["nonsense", "GRCh37-22-x-A-G", "GRCh37-22-16050075-A"])
def test_what_is_no_id_of_a_variant_is_not_found(asker: Asker, name: str) -> None:
    assert asker.post(f"g_variants/{name}").status_code == 404


def test_an_address_and_its_parameters_may_not_contradict(asker: Asker) -> None:
    assert asker.post("g_variants/GRCh37-22-16050075-A-G", exactly(ON_X)).status_code == 400


def test_by_get_too(asker: Asker) -> None:
    for path in ("individuals", "g_variants/GRCh37-22-16050075-A-G"):
        assert asker.get(path, permit=PERMIT).json()["response"] == asker.answered(path)["response"]
    assert asker.get("individuals", permit=PERMIT, use="policy").status_code == 403
    assert asker.get("individuals", permit=PERMIT, use="pleasure").status_code == 400
    assert asker.get("individuals", use="research").status_code == 400


ASKED: list[tuple[str, Any]] = [
    ("individuals", None),
    ("individuals/P1", None),
    ("g_variants", exactly(ON_22)),
    ("g_variants/GRCh37-22-16050075-A-G", None),
    ("g_variants/GRCh37-22-16050075-A-G/individuals", None),
]


@pytest.mark.parametrize(("path", "parameters"), ASKED)
def test_to_strangers_all_permits_look_the_same(
    collection: Collection, asker: Asker, path: str, parameters: Any
) -> None:
    with collection.engine.begin() as connection:
        for k, state in enumerate(PermitState):
            store_permit(connection, granted(id=PermitId(f"of-{state}"), digest=f"sha256:{k}"))
            change_permit(connection, PermitId(f"of-{state}"), state, "a reason")
        others = frozenset({Use.POLICY})
        store_permit(connection, granted(id=PermitId("of-policy"), digest="sha256:9", uses=others))
    names = [PERMIT, "unknown", "", "x" * 200, "of-policy", *(f"of-{state}" for state in PermitState)]
    refused = [asker.post(path, parameters, caller=MALLORY, permit=name) for name in names if name]
    assert {answer.status_code for answer in refused} == {403}
    assert len({answer.text for answer in refused}) == 1
    nobody = [asker.post(path, parameters, caller=PUBLIC, permit=name) for name in names if name]
    assert {(answer.status_code, answer.text) for answer in nobody} == {(401, nobody[0].text)}
    assert {answer.headers["www-authenticate"] for answer in nobody} == {"Bearer"}


def test_its_own_people_are_told_why(collection: Collection, asker: Asker) -> None:
    assert asker.post("individuals").status_code == 200
    with collection.engine.begin() as connection:
        change_permit(connection, PERMIT, PermitState.REVOKED, "the study has ended")
    refused = asker.post("individuals")
    assert refused.status_code == 403
    assert "the study has ended" in refused.json()["error"]["errorMessage"]


def test_without_a_permit_there_are_no_records(asker: Asker) -> None:
    answer = asker.post("individuals", permit=None, caller=MALLORY).json()
    assert answer["meta"]["returnedGranularity"] == "count"
    assert "permit" in answer["info"]["records"]
    assert all(each["results"] == [] for each in answer["response"]["resultSets"])
    refused = asker.post("individuals/P1", permit=None)
    assert refused.status_code == 403
    assert "read by permit" in refused.json()["error"]["errorMessage"]


def test_each_answer_is_entered_before_it_is_given(collection: Collection, asker: Asker) -> None:
    journal: Any = collection.journal
    asker.answered("individuals", requestedGranularity="count")
    assert journal.entered == [(ALICE.subject, PERMIT, name, "research", 1) for name in MEMBERS]
    journal.entered.clear()
    asker.answered("g_variants", exactly(ON_22), requestedGranularity="boolean")
    assert set(journal.entered) == {(ALICE.subject, PERMIT, name, "research", 1) for name in MEMBERS}
    journal.entered.clear()
    asker.answered("individuals", pagination={"limit": 0})
    read = [(ALICE.subject, PERMIT, name, "research", len(in_dataset(name))) for name in MEMBERS]
    assert journal.entered[-2:] == read
    journal.entered.clear()
    asker.answered("g_variants", exactly(ON_22))
    assert journal.entered[-2:] == read
    journal.broken = True
    for path, parameters in ASKED:
        if path != "individuals/P1":
            assert asker.post(path, parameters).status_code == 503


def test_who_withdraws_is_gone_from_the_next_answer(collection: Collection, asker: Asker) -> None:
    numbers = numbered(asker)
    gone = EXPECTED[0]
    name = next(name for name, n in numbers.items() if n == gone)
    say(collection, person(gone).individual_id, Act.WITHDRAW, [Use.RESEARCH], by="test", longest_delay_days=30)
    answer = asker.answered("individuals", pagination={"limit": 0})
    assert answer["responseSummary"]["numTotalResults"] == len(EXPECTED) - 1
    assert name not in str(answer)
    assert asker.post(f"individuals/{name}").status_code == 404
    assert name not in str(asker.answered("g_variants", exactly(ON_22)))


def test_too_many_carriers_at_once_are_refused(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("megagenome.discovery.by_permit.MOST_CASES", 3)
    refused = asker.post("g_variants", exactly(ON_22))
    assert refused.status_code == 413
    assert "smaller limit" in refused.json()["error"]["errorMessage"]
    assert asker.post("g_variants", exactly(ON_22), requestedGranularity="count").status_code == 200
