# SPDX-License-Identifier: Apache-2.0
import msgspec
import pytest

from megagenome.app.demo.expect import (
    Expectation,
    Sharing,
    cohort_facts,
    combined_facts,
    people_facts,
    region_facts,
    variant_facts,
)
from megagenome.app.demo.rule import Cell
from megagenome.synthetic.truth import (
    AlleleTruth,
    CohortCount,
    CohortQuestion,
    CohortTruth,
    DatasetTruth,
    Truth,
)
from megagenome.synthetic.truth import Cell as TrueCell

OPEN, CLOSED, OTHER = "FI-OPEN", "FI-CLOSED", "EE-CLOSED"


def dataset(id_: str, women: int = 100) -> DatasetTruth:
    return DatasetTruth(id_, id_[:2], "OPEN" in id_, 2024, women, {"female": women, "male": 0})


def cell(id_: str, ac: int, country: str = "") -> TrueCell:
    """Women only, each carrier with one copy; 100 people."""
    return TrueCell(country or id_[:2], id_, "female", ac, 200, ac, 0, 0)


def allele(*cells: TrueCell) -> AlleleTruth:
    return AlleleTruth("22-101-A-G", "22", 100, 101, "", cells)


def truth(*datasets: DatasetTruth, cohorts: tuple[CohortTruth, ...] = ()) -> Truth:
    return Truth(1, "GRCh38", 1, 1, 1.0, datasets, {}, (), (), (), (), cohorts)


def pair(one: str, other: str) -> frozenset[frozenset[str]]:
    return frozenset({frozenset((one, other))})


def test_open_tells_all_and_closed_what_passes() -> None:
    known = Expectation(truth(dataset(OPEN), dataset(CLOSED), dataset(OTHER)))
    [fi, ee] = known.allele(allele(cell(OPEN, 1), cell(CLOSED, 40), cell(OTHER, 9)))
    assert (fi.id, fi.told, set(fi.datasets)) == ("node.fi", True, {OPEN, CLOSED})
    assert fi.cells["FI"] == Cell(41, 400, None)  # of closed women only 40 carry it, and none twice
    assert fi.datasets[OPEN]["F"] == Cell(1, 200, (0, 1, 0))
    assert "F" not in fi.datasets[CLOSED]  # there are no men to hide behind
    assert (ee.told, ee.datasets, ee.cells) == (False, {}, {})
    facts = variant_facts([fi, ee])
    assert facts["found"] == "yes"
    assert (facts["Total"], facts["node.fi"], facts["node.ee"]) == ("41 of 400", "answered", "withheld")
    assert facts[f"{OPEN} FI_F"] == "1 of 200 (0 hom, 1 het, 0 hemi)"
    assert combined_facts([ee]) == {"found": "no"}


def test_dataset_without_a_record_is_in_no_number() -> None:
    [fi] = Expectation(truth(dataset(OPEN), dataset(CLOSED))).allele(allele(cell(OPEN, 7)))
    assert fi.cells["Total"].an == 200


def test_node_of_open_data_only_says_that_there_is_none() -> None:
    [fi] = Expectation(truth(dataset(OPEN))).allele(allele())
    assert (fi.told, fi.cells) == (True, {})


def test_open_data_count_in_whom_an_allele_was_not_found() -> None:
    known = Expectation(truth(dataset("FI-OPEN1"), dataset("FI-OPEN2"), dataset(OTHER)))
    [fi, ee] = known.allele(allele(cell("FI-OPEN1", 0), cell("FI-OPEN2", 7), cell(OTHER, 0)))
    assert set(fi.datasets) == {"FI-OPEN2"}
    assert fi.cells["Total"] == Cell(7, 400, (0, 7, 0))
    assert (ee.datasets, ee.cells) == ({}, {})
    [fi, _] = known.allele(allele(cell("FI-OPEN1", 0)))
    assert (fi.datasets, fi.cells["Total"]) == ({}, Cell(0, 200, (0, 0, 0)))
    assert variant_facts([fi])["found"] == "no"
    assert region_facts({"a": [fi]}) == {"alleles": "0", "complete": "yes"}


def test_closed_is_silent_beside_open_that_shares_some_people() -> None:
    sharing = Sharing(partly=pair(OPEN, CLOSED))
    [fi] = Expectation(truth(dataset(OPEN), dataset(CLOSED)), sharing).allele(allele(cell(OPEN, 1), cell(CLOSED, 40)))
    assert set(fi.datasets) == {OPEN}
    [fi] = Expectation(truth(dataset(OPEN), dataset(CLOSED)), sharing).allele(allele(cell(CLOSED, 40)))
    assert set(fi.datasets) == {CLOSED}


def test_of_two_closed_that_share_some_people_the_larger_speaks() -> None:
    known = Expectation(truth(dataset("FI-A", 90), dataset("FI-B", 95)), Sharing(partly=pair("FI-A", "FI-B")))
    [fi] = known.allele(allele(cell("FI-A", 40), cell("FI-B", 40)))
    assert set(fi.datasets) == {"FI-B"}


def test_people_of_two_datasets_are_added_once() -> None:
    counted_once = TrueCell("FI", "", "female", 50, 210, 50, 0, 0)
    known = Expectation(truth(dataset("FI-OPEN1"), dataset("FI-OPEN2")), Sharing(partly=pair("FI-OPEN1", "FI-OPEN2")))
    [fi] = known.allele(allele(cell("FI-OPEN1", 40), cell("FI-OPEN2", 40), counted_once))
    assert fi.cells["FI"] == Cell(50, 210, (0, 50, 0))
    known = Expectation(truth(dataset("FI-A"), dataset("FI-B")), Sharing(same=pair("FI-A", "FI-B")))
    [fi] = known.allele(allele(cell("FI-A", 40), cell("FI-B", 41)))
    assert set(fi.datasets) == {"FI-A", "FI-B"}
    assert fi.cells["FI"].ac == 40
    assert region_facts({"a": [fi]})["a FI"] == "40 of 200"


def test_region_lists_what_is_told_only() -> None:
    known = Expectation(truth(dataset(CLOSED)))
    told = {text: known.allele(allele(cell(CLOSED, ac))) for text, ac in (("a", 9), ("b", 10), ("c", 40))}
    assert region_facts(told) == {
        "alleles": "2",
        "complete": "yes",
        "b FI": "10 of 200",
        "b Total": "10 of 200",
        "c FI": "40 of 200",
        "c Total": "40 of 200",
    }


def cohort(question: CohortQuestion, **members: int) -> CohortTruth:
    ids = {"open": OPEN, "closed": CLOSED, "other": OTHER}
    counts = [CohortCount(ids[name][:2], ids[name], count) for name, count in members.items()]
    countries = {count.country for count in counts}
    sums = [CohortCount(c, "", sum(x.members for x in counts if x.country == c)) for c in sorted(countries)]
    return CohortTruth(question, (*counts, *sums))


@pytest.mark.parametrize(
    ("closed", "people", "status"), [(9, 3, "answered 3"), (10, 13, "answered 13"), (91, 3, "answered 3")]
)
def test_people_below_the_floor_are_in_no_sum(closed: int, people: int, status: str) -> None:
    known = Expectation(truth(dataset(OPEN), dataset(CLOSED)))
    nodes = known.cohort(cohort(CohortQuestion(sex="female"), open=3, closed=closed), registered=True)
    facts = cohort_facts(nodes)
    assert (facts["people"], facts["node.fi"]) == (str(people), status)
    assert people_facts(nodes) == {"found": "yes", "people": str(people)}


def test_nobody_told_is_withheld() -> None:
    known = Expectation(truth(dataset(CLOSED)))
    assert cohort_facts(known.cohort(cohort(CohortQuestion(), closed=9), registered=True)) == {
        "found": "no",
        "people": "0",
        "node.fi": "withheld",
    }


def test_questions_that_a_node_cannot_know_are_left_out() -> None:
    known = cohort(CohortQuestion(terms=("ICD10:E11",)), closed=5, other=1)
    rare = cohort(CohortQuestion(terms=("MONDO:1",)), closed=5, other=0)
    phenotype = cohort(CohortQuestion(terms=("HP:0001250",)), closed=0, other=0)
    smoker = cohort(CohortQuestion(smoking="current"), closed=5, other=0)
    asked = Expectation(truth(dataset(CLOSED), dataset(OTHER), cohorts=(known, rare, phenotype, smoker)))
    assert asked.cohorts(registered=True) == [known, phenotype]
    assert asked.cohorts() == [phenotype]


def test_the_public_is_told_of_nobody_in_data_that_are_not_open() -> None:
    known = Expectation(truth(dataset(OPEN), dataset(CLOSED)))
    asked = cohort(CohortQuestion(sex="female"), open=3, closed=50)
    assert cohort_facts(known.cohort(asked)) == {"found": "yes", "people": "3", "node.fi": "answered 3", OPEN: "3"}
    assert people_facts(known.cohort(asked, registered=True)) == {"found": "yes", "people": "53"}


def test_truth_survives_its_file() -> None:
    written = truth(dataset(OPEN), cohorts=(cohort(CohortQuestion(at_least=3), open=1),))
    assert msgspec.json.decode(msgspec.json.encode(written), type=Truth) == written
