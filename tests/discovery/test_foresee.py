# SPDX-License-Identifier: Apache-2.0
"""What a Beacon will tell of a draft is what it tells once it is published, and who is few is not among it."""

from pathlib import Path

import pytest

from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.model import Tier
from megagenome.collection.read_people import read_people
from megagenome.discovery.foresee import Foreseen, foresee
from megagenome.kernel.ids import DatasetId
from tests.collection.conftest import no_ontology
from tests.reception.handing_in import DATASET, PEOPLE, write_people, write_vcf
from tests.reception.receptions import open_house


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("floor", [10, PEOPLE, PEOPLE + 1])
def test_terms_and_people_are_told_from_the_floor_on(tmp_path: Path, floor: int, tier: Tier) -> None:
    house = open_house(tmp_path / "node")
    table = write_people(tmp_path / "people.tsv")
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], lines[1].replace("HP:0001250", "HP:0000001"), *lines[2:]]) + "\n")
    people = read_people([table], no_ontology)
    statement = DatasetStatement(DatasetId(DATASET), people_tier=tier)
    load(house.collection, statement, people, [write_vcf(tmp_path / "cohort.vcf.gz")], "GRCh37")
    found = foresee(house.collection.as_if_published(DatasetId(DATASET)), DatasetId(DATASET), floor, lambda: None)
    house.collection.close()
    if tier is Tier.CONTROLLED:
        assert found._replace(alleles=None) == Foreseen(floor, False, None, None, None)
        return
    assert found.people_told is (floor <= PEOPLE)
    assert found.floor == floor
    assert found.terms is not None
    assert found.terms_held_back is not None
    # the seizures of all but one, the phenotype that one has alone, and the column of notes that all have
    told = int(floor < PEOPLE) + int(floor <= PEOPLE)
    assert (found.terms, found.terms_held_back) == (told, 3 - told)
