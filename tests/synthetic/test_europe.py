# SPDX-License-Identifier: Apache-2.0
import io
import re

import numpy as np
import pytest

from megagenome.kernel.errors import Invalid
from megagenome.synthetic.europe import Europe, simulate
from megagenome.synthetic.people import COLUMNS, COUNTRIES


def test_each_country_has_a_cohort_and_a_smaller_open_dataset_that_share_two_people(europe: Europe) -> None:
    assert [country.code for country in europe.countries] == ["FI", "EE", "IT"]
    for country in europe.countries:
        cohort, reference = country.datasets
        for dataset in country.datasets:
            assert re.fullmatch(r"(GOE|GDI)-[A-Z]{2}-[A-Z]+-[0-9]+", dataset.id)
            assert dataset.id.split("-")[1] == country.code
            assert dataset.collection_year == COUNTRIES[country.code].collection_year
            codes = [row["country"] for row in dataset.people()]
            assert set(codes) == {country.code}
        assert (cohort.open, reference.open) == (False, True)
        assert len(cohort.members) == 96
        assert len(reference.members) == 26
        assert len(np.intersect1d(cohort.members, reference.members)) == 2


def test_the_people_table_has_the_agreed_columns_and_a_row_for_each_sample(europe: Europe) -> None:
    for country in europe.countries:
        for dataset in country.datasets:
            file = io.StringIO()
            dataset.write_people(file)
            header, *lines = file.getvalue().splitlines()
            expected = "individual_id sample_id sex country population birth_year diseases phenotypes consent smoking"
            assert header.split("\t") == expected.split()
            rows = [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines]
            assert rows == list(dataset.people())
            assert sorted(row["sample_id"] for row in rows) == sorted(dataset.genotypes().samples)
            assert [row["individual_id"] for row in rows] == sorted(row["individual_id"] for row in rows)
            assert {row["sex"] for row in rows} == {"female", "male"}
            assert {row["consent"] for row in rows} <= {"yes", "no", ""}


def test_a_person_of_two_datasets_has_one_row_and_one_sample(europe: Europe) -> None:
    for country in europe.countries:
        cohort, reference = ({row["individual_id"]: row for row in dataset.people()} for dataset in country.datasets)
        shared = cohort.keys() & reference.keys()
        assert len(shared) == 2
        assert all(cohort[person] == reference[person] for person in shared)


def test_measured_traits_stand_apart(europe: Europe) -> None:
    dataset = europe.countries[0].datasets[0]
    file = io.StringIO()
    dataset.write_traits(file)
    header, *lines = file.getvalue().splitlines()
    assert header == "individual_id\theight_cm"
    assert [line.split("\t")[0] for line in lines] == [row["individual_id"] for row in dataset.people()]
    assert all(120 < float(line.split("\t")[1]) < 230 for line in lines)


def test_another_seed_gives_other_people(europe: Europe) -> None:
    other = simulate(360, ("FI", "EE", "IT"), seed=4, megabases=0.15)
    rows, others = (list(each.countries[0].datasets[0].people()) for each in (europe, other))
    assert rows != others
    starts, other_starts = (each.simulation.sequences[0].starts.tolist() for each in (europe, other))
    assert starts != other_starts


def test_progress_rises_to_one() -> None:
    told: list[float] = []
    simulate(20, ("GB",), megabases=0.15, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"countries": ("FI", "XX")}, "FI,XX"),
        ({"countries": ()}, "give one or more of"),
        ({"countries": ("FI", "FI")}, "each once"),
        ({"individuals": 59}, "59 individuals"),
        ({"seed": -1}, "seed -1"),
        ({"megabases": 0.1}, "0.1 megabases"),
        ({"megabases": float("nan")}, "nan megabases"),
    ],
)
def test_what_cannot_be_simulated_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        simulate(**arguments)
