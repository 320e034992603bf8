# SPDX-License-Identifier: Apache-2.0
"""The columns of a people table, one by one, and the lines that are refused."""

from collections.abc import Iterator

import pytest

from megagenome.collection.model import Sex, Use
from megagenome.collection.people import YES, Fact, FactKind, Person
from megagenome.collection.read_people_table import PeopleTable
from megagenome.collection.vocabulary import Vocabulary
from megagenome.kernel import clock
from megagenome.kernel.errors import Invalid
from tests.collection.nodes import excluded, observed, ontology_for

HEADER = "individual_id sample_id sex country population birth_year diseases phenotypes consent"


def lines(*rows: str) -> Iterator[str]:
    """Lines with tabs for spaces."""
    return (row.replace(" ", "\t") + "\n" for row in rows)


def read(*rows: str) -> list[Person]:
    return [person for _, person in PeopleTable(lines(*rows), "people.tsv", Vocabulary(ontology_for))]


def refused(*rows: str) -> str:
    """The one line that refuses these rows."""
    with pytest.raises(Invalid) as error:
        read(*rows)
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith("people.tsv line ")
    return message.removeprefix("people.tsv ")


def test_all_columns() -> None:
    (person,) = read(HEADER, "P1 S1 F EE north 1950 ICD10:I83;!ICD10:I42 HP:0000005;!HP:0000004;HP:0000070 yes")
    assert person == Person(
        individual_id="P1",
        sample_id="S1",
        sex=Sex.FEMALE,
        country="EE",
        population="north",
        birth_year=1950,
        facts=(
            *observed("HP:0000005"),
            *excluded("HP:0000004"),
            *observed("HP:0000007"),
            *observed("ICD10:I83", kind=FactKind.DISEASE),
            *excluded("ICD10:I42", kind=FactKind.DISEASE),
        ),
        consent=YES,
    )


def test_empty_cells_are_unrecorded() -> None:
    assert read(HEADER, "P1        ") == [Person(individual_id="P1")]


def test_columns_may_stand_in_any_order_and_be_absent() -> None:
    assert read("sex individual_id", "M P1") == [Person(individual_id="P1", sex=Sex.MALE)]


def test_line_ends_and_blank_lines_of_other_systems() -> None:
    table = PeopleTable(iter(["individual_id\tsex\r\n", "P1\tM\r\n", "\r\n", "P2\tF"]), "t", Vocabulary(ontology_for))
    assert [(number, person.individual_id) for number, person in table] == [(2, "P1"), (4, "P2")]


@pytest.mark.parametrize(("header", "names_samples"), [("individual_id", False), ("sample_id individual_id", True)])
def test_whether_samples_are_named(header: str, names_samples: bool) -> None:
    assert PeopleTable(lines(header), "t", Vocabulary(ontology_for)).names_samples is names_samples


def test_empty_pieces_and_spaces_around_terms_do_not_matter() -> None:
    (person,) = read("individual_id phenotypes", "P1 ;HP:0000005;;!HP:0000004;")
    assert person.facts == (*observed("HP:0000005"), *excluded("HP:0000004"))
    (spaced,) = PeopleTable(
        iter(["individual_id\tphenotypes\n", "P1\t HP:0000005 ; ! HP:0000004\n"]), "t", Vocabulary(ontology_for)
    )
    assert spaced[1].facts == person.facts


@pytest.mark.parametrize(
    ("cell", "consent"),
    [
        ("yes", {"aggregates", "research"}),
        ("Yes", {"aggregates", "research"}),
        ("no", set()),
        ("NO", set()),
        ("", None),
        ("research", {"research"}),
        ("Policy;aggregates;policy", {"aggregates", "policy"}),
        ("aggregates;research;policy;quality;healthcare", set(Use)),
    ],
)
def test_consent(cell: str, consent: set[str] | None) -> None:
    assert read("individual_id consent", f"P1 {cell}")[0].consent == consent


def test_further_columns_are_custom_facts() -> None:
    smoker, other = read("individual_id smoker Site_2", "P1 yes 7", "P2  ")
    assert smoker.facts == (Fact(FactKind.CUSTOM, "smoker", value="yes"), Fact(FactKind.CUSTOM, "Site_2", value="7"))
    assert other.facts == ()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("sample_id sex", "line 1: no column individual_id among 'sample_id, sex'"),
        ("individual_id,sex", "line 1: no column individual_id"),
        ("individual_id sex sex", "line 1: column 'sex' stands twice"),
        ("individual_id Sex", "line 1: column 'Sex': write 'sex'"),
        ("individual_id phenotype", "line 1: column 'phenotype': write 'phenotypes'"),
        ("individual_id birthYear", "line 1: column 'birthYear': write 'birth_year'"),
        ("individual_id Consent", "line 1: column 'Consent': write 'consent'"),
        ("individual_id age", "line 1: column 'age': choose another name"),
        ("individual_id Datasets", "line 1: column 'Datasets': choose another name"),
        ("individual_id carries", "line 1: column 'carries': choose another name"),
        ("individual_id 2nd", "line 1: column '2nd': name it with"),
        ("individual_id a=b", "line 1: column 'a=b': name it with"),
        ("individual_id ", "line 1: column '': name it with"),
    ],
)
def test_headers_that_are_refused(header: str, message: str) -> None:
    assert refused(header).startswith(message)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("P1 S1 F", "line 3 (P1): 3 cells, but the header has 9 columns"),
        (" S1 F EE north 1950   yes", "line 3: individual_id is empty"),
        ("P1 S1 woman EE north 1950   yes", "line 3 (P1): sex 'woman': use female, male or unknown"),
        ("P1 S1 F ee north 1950   yes", "line 3 (P1): country 'ee': use the two capital letters"),
        ("P1 S1 F EST north 1950   yes", "line 3 (P1): country 'EST'"),
        ("P1 S1 F EE north 1849   yes", "line 3 (P1): birth_year '1849': use a year from 1850 to "),
        ("P1 S1 F EE north 19.5   yes", "line 3 (P1): birth_year '19.5'"),
        ("P1 S1 F EE north ١٩٥٠   yes", "line 3 (P1): birth_year"),
        ("P1 S1 F EE north 1950   maybe", "line 3 (P1): consent 'maybe': use yes or no, or kinds of use joined by ';'"),
        ("P1 S1 F EE north 1950  HP:0009999 yes", "line 3 (P1): HP:0009999 is not in HP"),
        ("P1 S1 F EE north 1950  seizure yes", "line 3 (P1): 'seizure' is not a CURIE"),
        ("P1 S1 F EE north 1950  ! yes", "line 3 (P1): '' is not a CURIE"),
        ("P1 S1 F EE north 1950  HP:0000070;!HP:0000007 yes", "line 3 (P1): HP:0000007 is both observed and excluded"),
        ("P1 S1 F EE north 1950 !HP:0000005 HP:0000005 yes", "line 3 (P1): HP:0000005 is both observed and excluded"),
        (f"P1 S1 F EE {'n' * 101} 1950   yes", "line 3 (P1): population "),
        (f"{'P' * 201} S1 F EE north 1950   yes", f"line 3 ({'P' * 60}): individual_id "),
    ],
)
def test_lines_that_are_refused(row: str, message: str) -> None:
    assert refused(HEADER, "P0        ", row).startswith(message)


def test_years_of_birth_end_with_this_year() -> None:
    year = clock.now().year
    assert read("individual_id birth_year", f"P1 {year}")[0].birth_year == year
    assert f"to {year}" in refused("individual_id birth_year", f"P1 {year + 1}")
