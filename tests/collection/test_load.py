# SPDX-License-Identifier: Apache-2.0
"""What is loaded is what is counted: random genotypes against plain counting, and input that must be refused."""

import gzip
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pysam
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from megagenome.collection.collection import Collection
from megagenome.collection.datasets import DatasetStatement, move_dataset
from megagenome.collection.load import load, rehearse
from megagenome.collection.model import Asked, DatasetState, Use
from megagenome.collection.tiles import site_text
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, MegagenomeError, NotFound
from megagenome.kernel.ids import DatasetId
from tests.collection.files import CONTIGS, LENGTHS, as_people, as_source, cells, files, statement
from tests.oracles import genotypes as oracle


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files(), st.integers(0, 3_000_000), st.integers(1, 3_000_000))
def test_counts_equal_plain_counting_and_a_region_has_what_overlaps_it(
    new_collection: Callable[[], Collection],
    file: tuple[list[oracle.Someone], list[oracle.Record]],
    start: int,
    length: int,
) -> None:
    people, records = file
    expected = oracle.count("GRCh38", people, records)
    collection = new_collection()
    load(collection, statement(), as_people(people), [as_source(people, records)], "GRCh38")
    reading = collection.open(PUBLIC, Use.AGGREGATES)

    found = {}
    for contig in CONTIGS:
        counts = reading.count_alleles(Region("GRCh38", contig, 0, LENGTHS[contig]))
        assert [a[2:] for a in counts.alleles] == sorted(a[2:] for a in counts.alleles)
        for row, allele in enumerate(counts.alleles):
            assert allele[1:] not in found
            found[allele[1:]] = cells(reading, counts, row)
    assert found == {key: {cell: n for cell, n in by.items() if any(n)} for key, by in expected.items()}

    for key in expected:
        allele = Allele("GRCh38", *key)
        one = reading.count_alleles(allele)
        assert len(one.alleles) == 1
        assert cells(reading, one, 0) == found[key]
        once = reading.count_alleles_once(allele)  # counted from the bitmaps, not from the stored counts
        assert all((a == b[0]).all() for a, b in zip(once, (one.het, one.hom, one.hemi, one.an), strict=True))

    within = reading.count_alleles(Region("GRCh38", "X", start, start + length)).alleles
    everything = [Allele("GRCh38", *key) for key in expected]
    assert within == sorted(a for a in everything if a.contig == "X" and a.start < start + length and a.end > start)


def test_a_person_in_several_datasets_counts_once_in_the_total(collection: Collection) -> None:
    people = [oracle.Someone(f"S{i}", "female", "EE", "A", True) for i in range(4)]
    record = oracle.Record("22", 99, "A", ("G",), ((0, 1), (1, 1), (0, 0), (0, 1)))
    load(collection, statement("ONE"), as_people(people[:3]), [as_source(people, [record])], "GRCh38")
    load(collection, statement("TWO"), as_people(people[1:]), [as_source(people, [record])], "GRCh38")
    reading = collection.open(PUBLIC, Use.AGGREGATES)
    allele = Allele("GRCh38", "22", 99, "A", "G")
    counts = reading.count_alleles(allele)
    assert (counts.ac.sum(axis=1).tolist(), counts.an.sum(axis=1).tolist()) == ([3, 3], [6, 6])
    het, hom, _, an = reading.count_alleles_once(allele)
    assert (het.sum(), hom.sum(), an.sum()) == (2, 1, 8)
    assert reading.shared.tolist() == [[False, True], [True, False]]
    assert reading.count_people().distinct == 4


def test_two_loads_of_one_dataset_add_up(collection: Collection) -> None:
    people = [oracle.Someone(f"S{i}", "male", "FI", "", True) for i in range(4)]
    first = oracle.Record("22", 99, "A", ("G",), ((0, 1), (1, 1)))
    second = oracle.Record("22", 99, "A", ("G",), ((0, 0), (0, 1)))
    other = oracle.Record("22", 199, "C", ("T",), ((0, 0), (0, 1)))
    load(collection, statement(), as_people(people[:2]), [as_source(people[:2], [first])], "GRCh38")
    load(collection, statement(), as_people(people[2:]), [as_source(people[2:], [second, other])], "GRCh38")
    counts = collection.open(PUBLIC, Use.AGGREGATES).count_alleles(Region("GRCh38", "22", 0, 1000))
    assert [allele.start for allele in counts.alleles] == [99, 199]
    assert (counts.ac.sum(axis=1).tolist(), counts.an.sum(axis=1).tolist()) == ([4, 1], [8, 4])


def test_the_original_record_is_remembered(collection: Collection) -> None:
    people = [oracle.Someone("S", "male", "FI", "", True)]
    records = [
        oracle.Record("22", 99, "GTT", ("G", "GT"), ((1, 2),)),
        oracle.Record("22", 199, "A", ("C",), ((0, 1),)),
    ]
    load(collection, statement(), as_people(people), [as_source(people, records)], "GRCh38")
    (tiles,) = collection.snapshot().tiles["GRCh38", "22"]
    found = {
        (a := Allele("GRCh38", "22", s, r, alt)): tiles.find(s, site_text(a)) for s, r, alt in _alleles(collection)
    }
    origins = {a[2:]: tiles.origin(*place) for a, place in found.items() if place}
    assert origins == {
        (99, "GTT", "G"): "100 GTT G,GT 1",
        (99, "GT", "G"): "100 GTT G,GT 2",  # a base shorter than in the file
        (199, "A", "C"): None,
    }


def _alleles(collection: Collection) -> list[tuple[int, str, str]]:
    counts = collection.open(PUBLIC, Use.AGGREGATES).count_alleles(Region("GRCh38", "22", 0, 1000))
    return [(a.start, a.ref, a.alt) for a in counts.alleles]


def test_only_published_datasets_are_read(collection: Collection) -> None:
    people = [oracle.Someone("S", "male", "FI", "", True)]
    record = oracle.Record("22", 99, "A", ("G",), ((0, 1),))
    load(collection, statement(publish=False), as_people(people), [as_source(people, [record])], "GRCh38")
    reading = collection.open(PUBLIC, Use.AGGREGATES)
    assert reading.datasets == ()
    assert reading.count_alleles(Region("GRCh38", "22", 0, 1000)).alleles == []
    assert reading.count_people().distinct == 0


def test_a_version_is_fresh_until_the_database_is_to_be_asked(collection: Collection) -> None:
    assert not collection.is_fresh(0)
    version = collection.version
    collection._checked = time.monotonic() + 60
    assert collection.is_fresh(version)
    assert not collection.is_fresh(version + 1)
    collection.refresh()
    assert not collection.is_fresh(version)


def test_a_load_does_not_publish_what_was_withdrawn(collection: Collection) -> None:
    people = as_people([oracle.Someone("S", "male", "FI", "", True)])
    load(collection, statement(), people)
    with collection.engine.begin() as connection:
        move_dataset(connection, statement().id, DatasetState.WITHDRAWN)
    collection.refresh()
    with pytest.raises(Conflict, match="is withdrawn"):
        load(collection, statement(), people)
    assert collection.open(PUBLIC, Use.AGGREGATES).datasets == ()
    load(collection, statement(publish=False), people)
    assert collection.open(PUBLIC, Use.AGGREGATES).datasets == ()


def test_a_load_knows_what_another_process_has_just_loaded(collection: Collection) -> None:
    people = [oracle.Someone("S", "male", "FI", "", True)]
    record = oracle.Record("22", 99, "A", ("G",), ((0, 1),))
    assert collection.snapshot().tiles == {}
    other = Collection.open_folder(collection.folder, collection.ontology_for)
    load(other, statement(), as_people(people), [as_source(people, [record])], "GRCh38")
    other.close()
    collection._checked = time.monotonic()  # as if it had looked just before the other one's commit
    with pytest.raises(Conflict, match="already has genotypes"):
        load(collection, statement(), as_people(people), [as_source(people, [record])], "GRCh38")


# Refusals: each leaves the collection as it was.

HEADER = """##fileformat=VCFv4.2
##contig=<ID=22,length=50818468>
##contig=<ID=21,length=46709983>
##contig=<ID=23>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2
"""
ROW = "22\t100\t.\tA\tG\t.\t.\t.\tGT\t0/1\t0/0\n"


def write_vcf(folder: Path, text: str, name: str = "file.vcf.gz") -> Path:
    path = folder / name
    with pysam.BGZFile(str(path), "wb") as file:
        file.write(text.encode())
    return path


def refuse(collection: Collection, *paths: Path, kind: type[MegagenomeError] = Invalid) -> str:
    """The message of a load that must fail and must change nothing."""
    before = everything(collection)
    people = as_people([oracle.Someone(s, "female", "EE", "", True) for s in ("S1", "S2")])
    with pytest.raises(kind) as caught:
        load(collection, statement(), people, paths, "GRCh38")
    assert everything(collection) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def everything(collection: Collection) -> object:
    """All that a load may change: every row of the database, every file."""
    with collection.engine.connect() as connection:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        rows = {t: connection.exec_driver_sql(f"SELECT * FROM {t}").all() for t in sorted(tables)}
    return rows, sorted(p for p in (collection.folder / "genotypes").rglob("*") if p.is_file())


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (ROW.replace("\t100\t", "\t200\t") + ROW, "not sorted: 22:100 comes after 200"),
        (ROW + ROW.replace("22\t", "21\t", 1) + ROW, "contig 22 comes a second time"),
        (ROW.replace("22\t", "22q\t", 1), "no contig '22q' is declared in the header"),
        (ROW.replace("22\t", "23\t", 1), "GRCh38 has no contig '23'"),
        (ROW.replace("100", "x100"), "line 7: POS 'x100' is no position"),
        (ROW.replace("0/1", "0/2"), "line 7, 22:100: the genotype (GT) of sample 1 names an allele that the record"),
        (ROW.replace("0/1", "0/1/1"), "line 7, 22:100: a call of 3 alleles"),
        (ROW.replace("\t100\t", "\t50818469\t"), "beyond the contig's 50,818,468 bases"),
        (ROW + "22\t100\t.\tA\n", "line 8: 4 columns separated by tabs, where the #CHROM line has 11"),
        (ROW.replace("\t0/0\n", "\n"), "line 7: 10 columns separated by tabs, where the #CHROM line has 11"),
    ],
)
def test_bad_records_are_refused(collection: Collection, tmp_path: Path, rows: str, says: str) -> None:
    assert says in refuse(collection, write_vcf(tmp_path, HEADER + rows), kind=MegagenomeError)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (HEADER.replace("S1\tS2", "S1\tS1"), "sample 'S1' stands twice"),
        (HEADER.replace("50818468", "51304566"), "50,818,468; is it of another assembly"),
        (HEADER.replace("ID=22,length=50818468", "length=51304566,ID=22"), "50,818,468; is it of another assembly"),
        (HEADER.replace("S1\tS2", "T1\tT2"), "none of its 2 samples is named"),
        (HEADER.replace("#CHROM", "CHROM"), "no #CHROM line"),
    ],
)
def test_bad_headers_are_refused(collection: Collection, tmp_path: Path, header: str, says: str) -> None:
    assert says in refuse(collection, write_vcf(tmp_path, header + ROW), kind=MegagenomeError)


@pytest.mark.parametrize("length", ["2147483647", "0", None])
def test_a_length_that_says_nothing_is_not_checked(collection: Collection, tmp_path: Path, length: str | None) -> None:
    header = HEADER.replace(",length=50818468", f",length={length}" if length else "")
    assert header != HEADER
    people = as_people([oracle.Someone("S1", "female", "EE", "", True)])
    report = load(collection, statement(), people, [write_vcf(tmp_path, header + ROW)], "GRCh38")
    assert (report.contigs["22"]["alleles"], report.samples, report.samples_left_out) == (1, 1, 1)


def test_a_header_may_declare_no_contigs(collection: Collection, tmp_path: Path) -> None:
    header = "".join(line for line in HEADER.splitlines(keepends=True) if not line.startswith("##contig"))
    people = as_people([oracle.Someone("S1", "female", "EE", "", True)])
    report = load(collection, statement(), people, [write_vcf(tmp_path, header + ROW)], "GRCh38")
    assert report.contigs["22"]["alleles"] == 1


def test_header_fields_come_in_any_order(collection: Collection, tmp_path: Path) -> None:
    header = HEADER.replace("ID=22,length=50818468", "length=50818468,ID=22")
    header = header.replace("<ID=GT,Number=1,Type=String,", "<Number=1,Type=String,ID=GT,")
    people = as_people([oracle.Someone("S1", "female", "EE", "", True)])
    load(collection, statement(), people, [write_vcf(tmp_path, header + ROW)], "GRCh38")
    counts = collection.open(PUBLIC, Use.AGGREGATES).count_alleles(Region("GRCh38", "22", 0, 1000))
    assert (counts.het.sum(), counts.an.sum()) == (1, 2)


@pytest.mark.parametrize("width", [np.int8, np.int16, np.int32])
def test_calls_may_be_wider_than_they_need_be(collection: Collection, width: type[np.signedinteger]) -> None:
    people = [oracle.Someone(f"S{i}", "female", "EE", "", True) for i in range(4)]
    calls = ((0, 1), (1, 2), (None, 1), (0, 0))
    records = [oracle.Record("22", 99 + i, "A", ("C", "G"), calls[i:] + calls[:i]) for i in range(4)]
    source = as_source(people, records, size=4)
    wider = [block._replace(calls=block.calls.astype(width)) for block in source.blocks]
    load(collection, statement(), as_people(people), [source._replace(blocks=wider)], "GRCh38")
    counts = collection.open(PUBLIC, Use.AGGREGATES).count_alleles(Region("GRCh38", "22", 0, 1000))
    kinds = (counts.het, counts.hom, counts.hemi, counts.an)
    assert [kind.sum(axis=1).tolist() for kind in kinds] == [[2, 1] * 4, [0] * 8, [1, 0] * 4, [7] * 8]


def test_contigs_may_come_in_any_order(collection: Collection, tmp_path: Path) -> None:
    people = as_people([oracle.Someone("S1", "female", "EE", "", True)])
    path = write_vcf(tmp_path, HEADER + ROW + ROW.replace("22\t", "21\t", 1))
    assert set(load(collection, statement(), people, [path], "GRCh38").contigs) == {"21", "22"}


def test_damaged_files_are_refused(collection: Collection, tmp_path: Path) -> None:
    whole = write_vcf(tmp_path, HEADER + "".join(ROW.replace("100", str(100 + i)) for i in range(20_000)))
    content = whole.read_bytes()
    cut = tmp_path / "cut.vcf.gz"
    cut.write_bytes(content[: len(content) // 2])
    assert "the end of the file is missing" in refuse(collection, cut, kind=Corrupt)
    flipped = tmp_path / "flipped.vcf.gz"
    flipped.write_bytes(content[:9000] + bytes(b ^ 0xFF for b in content[9000:9100]) + content[9100:])
    assert "damaged or malformed" in refuse(collection, flipped, kind=Corrupt)
    plain = tmp_path / "plain.vcf.gz"
    plain.write_bytes(gzip.compress((HEADER + ROW).encode()))
    assert "plain gzip; compress it with `bgzip`" in refuse(collection, plain)
    text = tmp_path / "text.vcf"
    text.write_text(HEADER + ROW)
    assert "not compressed" in refuse(collection, text)
    assert "No such file" in refuse(collection, tmp_path / "none.vcf.gz")


def test_the_same_file_twice_is_refused(collection: Collection, tmp_path: Path) -> None:
    path = write_vcf(tmp_path, HEADER + ROW)
    people = as_people([oracle.Someone(s, "female", "EE", "", True) for s in ("S1", "S2")])
    load(collection, statement(), people, [path], "GRCh38")
    assert "already has genotypes of contig 22" in refuse(collection, path, kind=Conflict)


def test_a_contig_in_two_files_is_refused(collection: Collection, tmp_path: Path) -> None:
    one = write_vcf(tmp_path, HEADER + ROW.replace("22\t", "21\t", 1) + ROW)
    other = write_vcf(tmp_path, HEADER + ROW, "other.vcf.gz")
    assert "other.vcf.gz: contig 22 comes a second time" in refuse(collection, one, other)


def test_a_floor_below_ten_needs_open_data(collection: Collection) -> None:
    with pytest.raises(Invalid, match="only data declared open"):
        load(collection, DatasetStatement(DatasetId("D"), floor=9), as_people([]))
    load(collection, DatasetStatement(DatasetId("D"), floor=20), as_people([]))
    with pytest.raises(Conflict, match="floor is recorded as 20"):
        load(collection, DatasetStatement(DatasetId("D"), floor=30), as_people([]))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files())
def test_a_rehearsal_says_who_would_be_counted_and_changes_nothing(
    new_collection: Callable[[], Collection], file: tuple[list[oracle.Someone], list[oracle.Record]]
) -> None:
    people, records = file
    collection = new_collection()
    before = collection.snapshot()
    told = rehearse(collection, statement(), as_people(people))
    collection.refresh()
    assert collection.snapshot() is before
    report = load(collection, statement(), as_people(people), [as_source(people, records)], "GRCh38")
    [dataset] = collection.snapshot().datasets
    assert (told.individuals, told.consenting) == (report.individuals, report.consenting)
    assert (sum(told.strata.values()), told.waiting) == (dataset.individuals, report.waiting)
    assert (told.floor, told.alleles_tier, told.people_tier) == (
        dataset.floor,
        dataset.alleles_tier,
        dataset.people_tier,
    )


def test_what_others_write_with_a_load_is_there_with_it_or_not_at_all(new_collection: Callable[[], Collection]) -> None:
    people = [oracle.Someone(f"S{n}", "female", "EE", "", consents=True) for n in range(3)]
    collection = new_collection()
    seen = []

    def refuse(connection: sa.Connection) -> None:
        seen.append(connection.scalar(sa.text("SELECT count(*) FROM dataset")))
        raise Conflict("somebody else did it")

    with pytest.raises(Conflict, match="somebody else"):
        load(collection, statement(), as_people(people), also=refuse)
    collection.refresh()
    assert seen == [1]
    assert collection.snapshot().datasets == ()


def test_a_draft_is_counted_as_if_it_were_published_for_who_may_look(new_collection: Callable[[], Collection]) -> None:
    people = [oracle.Someone(f"S{n}", "female", "EE", "", consents=True) for n in range(3)]
    collection = new_collection()
    load(collection, statement(publish=False), as_people(people))
    assert collection.open(PUBLIC, Use.AGGREGATES).datasets == ()
    supposed = collection.as_if_published(statement().id)
    reading = supposed.open(PUBLIC, Use.AGGREGATES, asked=Asked.ALLELES)
    assert [each.id for each in reading.datasets] == [statement().id]
    assert reading.places == ()
    assert collection.open(PUBLIC, Use.AGGREGATES, asked=Asked.ALLELES).datasets == ()
    with pytest.raises(NotFound):
        collection.as_if_published(DatasetId("OTHER"))
