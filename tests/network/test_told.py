# SPDX-License-Identifier: Apache-2.0
"""What a node told is believed whole or not at all."""

import json
from typing import Any

import pytest

from megagenome.kernel.errors import Corrupt
from megagenome.network.combine import Cell, People
from megagenome.network.settings import Node
from megagenome.network.told import ANYWHERE, Place, Told, place_of, read_allele, read_people, read_variants
from megagenome.standards.federation import NodeStatus
from tests.network.documents import answer, people, record, result_set, withheld

NODE = Node(id="FI", url="http://127.0.0.1:1")
CELLS = {"Total": (30, 200, 2, 26, 0), "FI": (30, 200, 2, 26, 0), "FI_F": (12, 100)}


def read(document: dict[str, Any]) -> Told:
    return read_variants(NODE, json.dumps(document).encode())


def one_cell(**changes: Any) -> dict[str, Any]:
    """A whole answer with one cell that is changed."""
    document = answer("FI", [result_set("A", [record(99, "A", "G", {"Total": (30, 200)})])])
    cell = document["response"]["resultSets"][0]["results"][0]["frequencyInPopulations"][0]["frequencies"][0]
    cell.update(changes)
    return document


def test_an_answer_is_read_with_its_datasets_and_cells() -> None:
    document = answer(
        "FI",
        [
            result_set("A", [record(99, "A", "G", CELLS)]),
            result_set("B", [], countPrecision="imprecise", countAdjustedTo=[9]),
        ],
        combined={"Total": (28, 190, 1, 26, 0)},
    )
    told = read(document)
    assert (told.exists, told.exact, told.count, told.status) == (True, True, 1, NodeStatus.ANSWERED)
    assert [(d.id, d.told, d.count, d.last) for d in told.datasets] == [("A", True, 1, 99), ("B", False, 0, None)]
    assert told.datasets[0].rows == {
        Place(99, 100, "A", "G"): (
            Cell("Total", 30, 200, People(2, 26, 0)),
            Cell("FI", 30, 200, People(2, 26, 0)),
            Cell("FI_F", 12, 100),
        )
    }
    assert told.combined == (Cell("Total", 28, 190, People(1, 26, 0)),)
    assert not told.more


def test_datasets_are_one_by_allele_however_they_write_it() -> None:
    told = read(
        answer(
            "FI",
            [
                result_set("A", [record(99, "A", "G", {"FI": (30, 200)}), record(120, "CTT", "CT", {"FI": (1, 200)})]),
                result_set("B", [record(99, "a", "g", {"FI": (10, 50)}), record(119, "GCT", "GC", {"FI": (2, 50)})]),
            ],
        )
    )
    assert told.alleles() == {
        Place(99, 100, "A", "G"): [(Cell("FI", 30, 200),), (Cell("FI", 10, 50),)],
        Place(120, 122, "CT", "C"): [(Cell("FI", 1, 200),), (Cell("FI", 2, 50),)],
    }


def test_withheld_and_none_are_told_apart() -> None:
    told = read(withheld("FI", floor=20))
    assert (told.status, told.floor, told.exists) == (NodeStatus.WITHHELD, 20, False)
    told = read(answer("FI", []))
    assert (told.status, told.count, told.exists) == (NodeStatus.ANSWERED, 0, False)


def test_a_node_with_more_than_it_gave_says_so() -> None:
    sets = [result_set("A", [record(99, "A", "G", CELLS)])]
    assert read(answer("FI", sets, numTotalResults=2)).more
    assert read(answer("FI", [result_set("A", [record(99, "A", "G", CELLS)], resultsCount=5)])).more
    assert not read(answer("FI", sets)).more


def test_a_record_that_does_not_say_its_allele_is_taken_for_the_one_asked() -> None:
    bare = record(99, "A", "G", CELLS)
    bare["variation"] = {"variantType": "SNP", "alternateBases": "G"}
    assert list(read(answer("FI", [result_set("A", [])])).alleles()) == []
    document = answer("FI", [result_set("A", [record(99, "A", "G", CELLS)])])
    document["response"]["resultSets"][0]["results"] = [bare]
    assert list(read(document).alleles()) == [ANYWHERE]
    asked = Place(99, 100, "A", "G")
    assert list(read_allele(asked, NODE, json.dumps(document).encode()).alleles()) == [ANYWHERE]
    document["response"]["resultSets"][0]["results"] = [bare, bare]
    assert read(document).datasets[0].unread == 2
    with pytest.raises(Corrupt, match="asked for one allele"):
        read_allele(asked, NODE, json.dumps(document).encode())


def test_frequencies_without_counts_are_left_out_of_sums() -> None:
    document = one_cell(alleleCount=None, alleleNumber=None)
    assert read(document).alleles() == {Place(99, 100, "A", "G"): [()]}


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "another beacon": (answer("ES", []), "calls itself 'ES', not 'FI'"),
    "a dataset twice": (answer("FI", [result_set("A", []), result_set("A", [])]), "dataset 'A' twice"),
    "an allele twice": (
        answer("FI", [result_set("A", [record(9, "A", "G", CELLS), record(9, "A", "G", CELLS)])]),
        "an allele twice",
    ),
    "negative count": (one_cell(alleleCount=-1), "alleleCount for 'Total' cannot be a count"),
    "negative number": (one_cell(alleleNumber=-1), "cannot be a count"),
    "more alternates than alleles": (one_cell(alleleCount=201), "more alternate alleles than alleles"),
    "frequency is not count by number": (one_cell(alleleFrequency=0.25), "not its count by its number"),
    "frequency above 1": (one_cell(alleleFrequency=1.5), "not between 0 and 1"),
    "frequency NaN as text": (one_cell(alleleFrequency="NaN"), "not between 0 and 1"),
    "frequency infinite as text": (one_cell(alleleFrequency="inf"), "not between 0 and 1"),
    "a fraction of an allele": (one_cell(alleleCount=30.5), "not a Beacon answer"),
    "count is an object": (one_cell(alleleCount={}), "not a Beacon answer"),
    "more carriers than copies": (one_cell(alleleCountHomozygous=20, alleleCountHeterozygous=20), "more carriers"),
    "negative carriers": (one_cell(alleleCountHomozygous=-1), "genotype count for 'Total' cannot be"),
    "absurd count": (one_cell(alleleCount=1 << 60, alleleNumber=1 << 61, alleleFrequency=0.5), "cannot be a count"),
    "no label": (one_cell(population=""), "without a proper label"),
    "endless label": (one_cell(population="x" * 101), "without a proper label"),
    "label with control characters": (one_cell(population="FI\x1b[31m"), "without a proper label"),
    "negative total": (answer("FI", [], numTotalResults=-1), "numTotalResults cannot be a count"),
    "negative result count": (answer("FI", [result_set("A", [], resultsCount=-1)]), "cannot be a count"),
    "exists and counts none": (answer("FI", [], exists=True), "counts none"),
    "before the first base": (answer("FI", [result_set("A", [record(-5, "A", "G", CELLS)])]), "first base"),
    "no summary": ({"meta": {"beaconId": "FI"}}, "not a Beacon answer"),
    "sets are no list": ({**answer("FI", []), "response": {"resultSets": {}}}, "not a Beacon answer"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_makes_the_whole_answer_corrupt(name: str) -> None:
    document, message = LIES[name]
    with pytest.raises(Corrupt, match=message):
        read(document)


def test_a_population_may_not_stand_twice() -> None:
    document = one_cell()
    divisions = document["response"]["resultSets"][0]["results"][0]["frequencyInPopulations"]
    divisions.append(divisions[0])
    with pytest.raises(Corrupt, match="'Total' twice"):
        read(document)


def test_a_rounded_frequency_is_no_lie() -> None:
    # the GDI portal's own contract test has 0.13095 for 7102 of 54233, and homozygous people that it counts by copies
    told = read(
        one_cell(
            alleleFrequency=0.13095,
            alleleCount=7102,
            alleleNumber=54233,
            alleleCountHomozygous=2400,
            alleleCountHeterozygous=4702,
        )
    )
    assert told.alleles() == {Place(99, 100, "A", "G"): [(Cell("Total", 7102, 54233),)]}  # hemizygous was not told


def test_people_are_counted_and_their_records_never_read() -> None:
    document = people("FI", 54, {"A": 54})
    document["response"]["resultSets"][0]["results"] = [{"id": "I1", "sex": {"id": "NCIT:C16576"}}] * 3
    told = read_people(NODE, json.dumps(document).encode())
    assert (told.count, told.exists) == (54, True)
    assert [(d.id, d.count, d.rows) for d in told.datasets] == [("A", 54, {})]


def test_an_allele_padded_with_the_same_bases_is_the_same_place() -> None:
    assert place_of(98, "TA", "TG") == place_of(99, "AC", "GC") == place_of(99, "a", "g") == Place(99, 100, "A", "G")
    assert place_of(98, "TCTT", "TC") == Place(99, 102, "CTT", "C")
    assert place_of(99, "A", "<DEL>") == Place(99, 100, "A", "<DEL>")
