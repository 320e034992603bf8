# SPDX-License-Identifier: Apache-2.0
"""Who consents, or what is recorded of them, changes after their genotypes were loaded: counts follow."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from megagenome.collection.collection import Collection
from megagenome.collection.load import load
from megagenome.collection.model import Use
from megagenome.collection.release import release
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.coordinates import Region
from megagenome.kernel.errors import Conflict
from tests.collection.files import CONTIGS, LENGTHS, as_people, as_source, cells, files, statement
from tests.oracles import genotypes as oracle


def counted(collection: Collection) -> dict[oracle.Key, dict[oracle.Cell, tuple[int, ...]]]:
    """What the public reads of all alleles, from the stored counts."""
    reading = collection.open(PUBLIC, Use.AGGREGATES)
    found = {}
    for contig in CONTIGS:
        counts = reading.count_alleles(Region("GRCh38", contig, 0, LENGTHS[contig]))
        for row, allele in enumerate(counts.alleles):
            found[allele[1:]] = cells(reading, counts, row)
    return found


def plain(people: Sequence[oracle.Someone], records: Sequence[oracle.Record]) -> dict[oracle.Key, object]:
    expected = oracle.count("GRCh38", people, records)
    return {key: {cell: n for cell, n in by.items() if any(n)} for key, by in expected.items()}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files(), st.data())
def test_a_later_no_is_counted_from_the_next_release_on_as_if_it_had_come_first(
    new_collection: Callable[[], Collection],
    file: tuple[list[oracle.Someone], list[oracle.Record]],
    draw: st.DataObject,
) -> None:
    people, records = file
    now = [each._replace(consents=each.consents and draw.draw(st.booleans())) for each in people]
    collection = new_collection()
    load(collection, statement("ONE"), as_people(people), [as_source(people, records)], "GRCh38")
    assert counted(collection) == plain(people, records)
    before = {path: path.read_bytes() for path in (collection.folder / "genotypes").rglob("*.genotypes")}

    report = load(collection, statement("TWO"), as_people(now))

    assert report.withdrawn == sum(was.consents and not now.consents for was, now in zip(people, now, strict=True))
    assert counted(collection) == plain(people, records)  # what is told changes with a release only

    release(collection)

    assert counted(collection) == plain(now, records)
    assert {path: path.read_bytes() for path in before} == before
    # of each contig the genotypes and one file of counts: those that no longer hold are swept with the next load
    load(collection, statement("THREE"), as_people([]))
    files = [path for path in (collection.folder / "genotypes").rglob("*") if path.is_file()]
    assert len(files) == 2 * len(before)


def test_a_population_that_is_recorded_later_takes_the_counts_with_it(collection: Collection) -> None:
    unrecorded = [oracle.Someone(f"S{i}", "male", "ZZ", "", True) for i in range(3)]
    recorded = [each._replace(country="FI", population="FIN") for each in unrecorded[:2]] + unrecorded[2:]
    records = [oracle.Record("X", 5_000_000, "A", ("C",), ((1,), (1, 1), (0, 1)))]
    load(collection, statement("ONE"), as_people(unrecorded), [as_source(unrecorded, records)], "GRCh38")
    load(collection, statement("TWO"), as_people(recorded))
    assert counted(collection) == plain(recorded, records)
    assert counted(collection)["X", 5_000_000, "A", "C"]["FI", "FIN", "male"] == (0, 0, 2, 2)


@pytest.mark.parametrize(
    ("contig", "start", "sex", "fits"),
    [
        ("X", 5_000_000, "male", False),  # two copies were expected, now one is
        ("X", 5_000_000, "female", True),
        ("X", 60_000, "male", True),  # in a pseudoautosomal region
        ("Y", 5_000_000, "female", False),
        ("Y", 5_000_000, "male", True),
        ("22", 5_000_000, "male", True),
    ],
)
def test_a_sex_under_which_calls_would_have_been_read_otherwise_is_refused(
    collection: Collection, contig: str, start: int, sex: str, fits: bool
) -> None:
    people = [oracle.Someone(f"S{i}", "unknown", "EE", "", True) for i in range(3)]
    records = [oracle.Record(contig, start, "A", ("C",), ((0, 1), (1, 1), (0, 1)))]
    load(collection, statement("ONE"), as_people(people), [as_source(people, records)], "GRCh38")
    sexed = [people[0], *(each._replace(sex=sex) for each in people[1:])]
    if fits:
        load(collection, statement("TWO"), as_people(sexed))
        assert counted(collection) == plain(sexed, records)
    else:
        with pytest.raises(Conflict, match=f"2 people get another sex .* contig {contig}"):
            load(collection, statement("TWO"), as_people(sexed))
        assert counted(collection) == plain(people, records)


def test_a_load_that_fails_while_counting_again_leaves_the_old_counts(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [oracle.Someone(f"S{i}", "female", "EE", "", True) for i in range(2)]
    records = [oracle.Record("22", 99, "A", ("C",), ((0, 1), (1, 1)))]
    load(collection, statement("ONE"), as_people(people), [as_source(people, records)], "GRCh38")

    def full_disk(*_arguments: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("megagenome.collection.load.write_counts", full_disk)
        with pytest.raises(OSError, match="no space"):
            load(collection, statement("TWO"), as_people([each._replace(population="north") for each in people]))
    assert counted(collection) == plain(people, records)
    assert len([path for path in (collection.folder / "genotypes").rglob("*") if path.is_file()]) == 2
