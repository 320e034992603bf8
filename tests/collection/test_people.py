# SPDX-License-Identifier: Apache-2.0
"""Two records of one person become one, or are refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection.model import Sex, Use
from megagenome.collection.people import YES, Fact, FactKind, Person, join, parse_sex, parse_text, unite
from megagenome.kernel.errors import Invalid
from tests.collection.nodes import excluded, observed, persons

HEIGHT = Fact(FactKind.MEASURE, "LOINC:8308-9", value="179", unit="cm", time="2021")
UNRECORDED = Person(individual_id="P")


def test_unite_keeps_each_fact_once() -> None:
    once = (*observed("HP:1"), *excluded("HP:2"), HEIGHT, HEIGHT._replace(time="2022", value="180"))
    assert unite((*once, *once)) == once


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ((*observed("HP:1"), *excluded("HP:1")), "HP:1 is both observed and excluded"),
        ((*observed("HP:1"), *excluded("HP:1", kind=FactKind.DISEASE)), "HP:1 is both observed and excluded"),
        ((HEIGHT, HEIGHT._replace(value="180")), "measure LOINC:8308-9 has two values at 2021"),
        (
            (Fact(FactKind.CUSTOM, "site", value="a"), Fact(FactKind.CUSTOM, "site", value="b")),
            "custom site has two values",
        ),
    ],
)
def test_unite_refuses_contradictions(facts: tuple[Fact, ...], message: str) -> None:
    with pytest.raises(Invalid, match=f"^{message}$"):
        unite(facts)


def test_a_term_may_be_both_a_phenotype_and_a_disease() -> None:
    both = (*observed("HP:1"), *observed("HP:1", kind=FactKind.DISEASE))
    assert unite(both) == both


@given(persons(most=1), st.data())
def test_join_restores_a_record_that_was_torn_apart(who: list[Person], draw: st.DataObject) -> None:
    (whole,) = who
    first, more = {}, {}
    for field in ("sample_id", "sex", "country", "population", "birth_year", "consent"):
        for part in draw.draw(st.sampled_from([(first,), (more,), (first, more)])):
            part[field] = getattr(whole, field)
    cut, overlap = draw.draw(st.integers(0, len(whole.facts))), draw.draw(st.integers(0, 2))
    first["facts"], more["facts"] = whole.facts[:cut], whole.facts[max(0, cut - overlap) :]
    torn = [Person(individual_id=whole.individual_id, **part) for part in (first, more)]
    assert join(*torn) == whole
    assert join(*reversed(torn)) == msgspec.structs.replace(whole, facts=join(*reversed(torn)).facts)
    assert set(join(*reversed(torn)).facts) == set(whole.facts)


@pytest.mark.parametrize(
    ("field", "first", "more", "message"),
    [
        ("sample_id", "S1", "S2", "sample_id is S2 here and S1 before"),
        ("sex", Sex.FEMALE, Sex.MALE, "sex is male here and female before"),
        ("country", "EE", "FI", "country is FI here and EE before"),
        ("population", "north", "south", "population is south here and north before"),
        ("birth_year", 1950, 1951, "birth_year is 1951 here and 1950 before"),
        ("consent", YES, frozenset(), "consent is no here and yes before"),
        ("consent", frozenset({Use.POLICY, Use.QUALITY}), YES, "consent is yes here and policy;quality before"),
        ("facts", observed("HP:1"), excluded("HP:1"), "HP:1 is both observed and excluded"),
    ],
)
def test_join_refuses_contradictions(field: str, first: object, more: object, message: str) -> None:
    records = [msgspec.structs.replace(UNRECORDED, **{field: value}) for value in (first, more)]
    with pytest.raises(Invalid, match=f"^{message}$"):
        join(*records)
    assert join(UNRECORDED, records[0]) == join(records[0], UNRECORDED) == join(records[0], records[0]) == records[0]


@pytest.mark.parametrize(
    ("sex", "spellings"),
    [
        (Sex.FEMALE, ["female", "Female", "FEMALE", "F", "f", "2", "NCIT:C16576"]),
        (Sex.MALE, ["male", "MALE", "M", "m", "1", "NCIT:C20197"]),
        (Sex.UNKNOWN, ["", "unknown", "U", "0", "other", "undetermined", "NCIT:C17998", "NCIT:C1799"]),
    ],
)
def test_sex_as_people_write_it(sex: Sex, spellings: list[str]) -> None:
    assert {parse_sex(spelling) for spelling in spellings} == {sex}


@pytest.mark.parametrize("spelling", ["w", "3", "fem", "NCIT:C1", "-"])
def test_other_spellings_of_sex_are_refused(spelling: str) -> None:
    with pytest.raises(Invalid, match="use female, male or unknown"):
        parse_sex(spelling)


@pytest.mark.parametrize("text", ["x" * 201, "a\tb", "a\x00", "a\u2028b"])
def test_texts_are_short_and_printable(text: str) -> None:
    with pytest.raises(Invalid, match="use up to 200 printable characters"):
        parse_text("individual_id", text)
