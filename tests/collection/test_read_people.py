# SPDX-License-Identifier: Apache-2.0
"""Files of people: what they are recognised by, how they join, and what is refused."""

import gzip
import json
from pathlib import Path

import pytest

from megagenome.collection.model import Sex
from megagenome.collection.people import YES, FactKind, People, Person
from megagenome.collection.read_people import read_people
from megagenome.kernel.errors import Invalid
from tests.collection.nodes import observed, ontology_for

TABLE = "individual_id\tsample_id\tsex\tconsent\nP1\tS1\tF\tyes\nP2\t\tM\tno\nP3\tS3\t\t\n"
INDIVIDUALS = [
    {"id": "P3", "sex": {"id": "NCIT:C16576"}, "diseases": [{"diseaseCode": {"id": "ICD10:I83", "label": "veins"}}]},
    {"id": "P4", "ethnicity": {"id": "NCIT:C42331"}},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, content: str | bytes) -> Path:
    """A file in the current folder."""
    path = Path(name)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(*paths: Path, consent_all: bool = False) -> People:
    return read_people(paths, ontology_for, consent_all=consent_all)


def refused(*paths: Path) -> str:
    with pytest.raises(Invalid) as error:
        read(*paths)
    assert "\n" not in str(error.value)
    return str(error.value)


def by_id(people: People) -> dict[str, Person]:
    return {person.individual_id: person for person in people.persons}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("people.tsv", TABLE.encode()),
        ("people.json", TABLE.encode()),  # the name does not matter
        ("people.txt", b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode()),
        ("people.tsv.gz", gzip.compress(TABLE.encode(), mtime=0)),
        ("people.bgz", gzip.compress(TABLE[:40].encode(), mtime=0) + gzip.compress(TABLE[40:].encode(), mtime=0)),
    ],
)
def test_tables_are_known_by_their_content(folder: Path, name: str, content: bytes) -> None:
    people = read(write(name, content))
    assert [(person.individual_id, person.sample_id, person.sex) for person in people.persons] == [
        ("P1", "S1", Sex.FEMALE),
        ("P2", None, Sex.MALE),
        ("P3", "S3", Sex.UNKNOWN),
    ]


@pytest.mark.parametrize("content", [json.dumps(INDIVIDUALS), "\n".join(map(json.dumps, INDIVIDUALS))])
@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode(), mtime=0)])
def test_individuals_are_known_by_their_content(folder: Path, content: str, pack: object) -> None:
    people = read(write("people.tsv", pack(content)))
    assert [person.individual_id for person in people.persons] == ["P3", "P4"]
    assert people.labels == {"ICD10:I83": "veins"}
    assert people.left_out == {"ethnicity": 1}


def test_without_a_column_the_sample_is_called_as_the_individual(folder: Path) -> None:
    table, individuals = write("t", "individual_id\nP1\nP3\n"), write("i", json.dumps(INDIVIDUALS))
    assert {person.individual_id: person.sample_id for person in read(table, individuals).persons} == {
        "P1": "P1", "P3": "P3", "P4": "P4",
    }  # fmt: skip


def test_files_join_by_individual_in_any_order(folder: Path) -> None:
    table, individuals = write("t.tsv", TABLE), write("i.json", json.dumps(INDIVIDUALS))
    people = read(table, individuals)
    assert [person.individual_id for person in people.persons] == ["P1", "P2", "P3", "P4"]
    joined = by_id(people)
    assert joined["P3"] == Person(
        individual_id="P3",
        sample_id="S3",
        sex=Sex.FEMALE,
        facts=observed("ICD10:I83", kind=FactKind.DISEASE),
    )
    assert joined["P4"].sample_id is None  # some file has the column sample_id, and none names a sample of P4
    assert by_id(read(individuals, table)) == joined


def test_consent_for_all_is_for_those_who_are_not_stated(folder: Path) -> None:
    files = write("t.tsv", TABLE), write("i.json", json.dumps(INDIVIDUALS))
    assert {p.individual_id: p.consent for p in read(*files).persons} == {
        "P1": YES, "P2": frozenset(), "P3": None, "P4": None,
    }  # fmt: skip
    assert {p.individual_id: p.consent for p in read(*files, consent_all=True).persons} == {
        "P1": YES, "P2": frozenset(), "P3": YES, "P4": YES,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            "id sex,P1 F",
            "id sex,P0 F,P1 M",
            "b.tsv line 3 (P1): sex is male here and female before (a.tsv); correct it",
        ),
        (
            "id phenotypes,P1 HP:0000070",
            "id phenotypes,P1 !HP:0000007",
            "b.tsv line 2 (P1): HP:0000007 is both observed and excluded (a.tsv); correct it",
        ),
        ("id consent,P1 yes", "id consent,P1 no", "b.tsv line 2 (P1): consent is no here and yes before (a.tsv)"),
        ("id site,P1 a", "id site,P1 b", "b.tsv line 2 (P1): custom site has two values (a.tsv)"),
        ("id sample_id,P1 S1", "id sample_id,P1 S2", "b.tsv line 2 (P1): sample_id is S2 here and S1 before (a.tsv)"),
        ("id sample_id,P1 S1", "id sample_id,P2 S1", "b.tsv line 2 (P2): sample S1 is P1's already; correct it"),
        ("id sample_id,P1 S1,P2 S1", "id,P3", "a.tsv line 3 (P2): sample S1 is P1's already; correct it"),
        ("id,P1,P2,P1", "id,P3", "a.tsv line 4 (P1): the individual stands twice in this file; correct it"),
        ("id,P1", "id,P1,P1", "b.tsv line 3 (P1): the individual stands twice in this file; correct it"),
    ],
)
def test_contradictions_are_refused_with_their_place(folder: Path, first: str, second: str, message: str) -> None:
    files = [
        write(name, content.replace("id", "individual_id", 1).replace(" ", "\t").replace(",", "\n"))
        for name, content in (("a.tsv", first), ("b.tsv", second))
    ]
    assert refused(*files).startswith(message)


def test_contradictions_of_json_tell_the_record(folder: Path) -> None:
    files = write("t.tsv", "individual_id\tsex\nP3\tM\n"), write("i.json", json.dumps([INDIVIDUALS[1], INDIVIDUALS[0]]))
    assert refused(*files).startswith("i.json record 2 (P3): sex is female here and male before (t.tsv)")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "people.tsv is empty"),
        (b" \n\n", "people.tsv is empty"),
        (gzip.compress(TABLE.encode(), mtime=0)[:-12], "people.tsv is a damaged or truncated gzip file"),
        (gzip.compress(TABLE.encode(), mtime=0)[:-4] + b"\0\0\0\0", "people.tsv is a damaged or truncated gzip file"),
        (b"individual_id\tsex\nM\xfcller\tF\n", "people.tsv is not UTF-8 text"),
        (b"PK\x03\x04\xff\xfe", "people.tsv is not UTF-8 text"),
        (b"individual_id,sex\nP1,F\n", "people.tsv line 1: no column individual_id among 'individual_id,sex'"),
        (b"individual_id\tphenotypes\nP1\tHP:0009999\n", "people.tsv line 2 (P1): HP:0009999 is not in HP"),
    ],
)
def test_files_that_are_refused(folder: Path, content: bytes, message: str) -> None:
    assert refused(write("people.tsv", content)).startswith(message)


def test_files_that_cannot_be_opened(folder: Path) -> None:
    assert refused(Path("nowhere.tsv")) == "nowhere.tsv cannot be read: No such file or directory"
    assert refused(folder).endswith("cannot be read: Is a directory")
