# SPDX-License-Identifier: Apache-2.0
"""The plain recount of files, on files whose counts can be seen."""

from pathlib import Path

import pytest

from megagenome.app.demo import recount_calls
from megagenome.app.demo.plan import plan_files
from megagenome.app.demo.recount import recount
from megagenome.app.demo.recount_calls import count_call, find_stretches, read_alleles
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Unavailable
from megagenome.synthetic.truth import Cell, CohortQuestion
from tests.journeys.small import write_files

pytestmark = pytest.mark.bcftools


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of the same six people, of whom the last says no."""
    vcf, people = write_files(tmp_path, "FI")
    (tmp_path / "zwei.vcf.gz").write_bytes(vcf.read_bytes())
    header, *rows = people.read_text().splitlines()
    consents = ["yes"] * 5 + ["no"]
    lines = [f"{header}\tconsent", *(f"{row}\t{consent}" for row, consent in zip(rows, consents, strict=True))]
    people.write_text("\n".join(lines) + "\n")
    return tmp_path


def test_counts_are_those_that_one_sees(folder: Path) -> None:
    truth, sharing = recount(plan_files(folder, "GRCh37"))
    first, second = truth.datasets
    assert (first.id, first.people, first.consenting) == ("GDI-FI-1", 6, {"female": 3, "male": 2, "unknown": 0})
    assert sharing.same == {frozenset((first.id, second.id))}
    assert sharing.partly == frozenset()
    by_text = {allele.text: allele for allele in truth.alleles}
    # S1 (female) is het, S2 (male) hom
    common = [cell for cell in by_text["22-16050075-A-G"].cells if cell.dataset == first.id]
    assert common == [
        Cell("FI", first.id, "female", 1, 6, 1, 0, 0),
        Cell("FI", first.id, "male", 2, 4, 0, 1, 0),
        Cell("FI", first.id, "unknown", 0, 0, 0, 0, 0),
    ]
    absent = next(allele for allele in truth.alleles if allele.note.startswith("absent"))
    assert absent.cells == ()
    counts = {truth.question: {c.dataset: c.members for c in truth.counts} for truth in truth.cohorts}
    assert counts[CohortQuestion(sex="female")] == {first.id: 3, second.id: 3, "": 3}
    assert counts[CohortQuestion(terms=("HP:0001250",))] == {first.id: 5, second.id: 5, "": 5}
    assert counts[CohortQuestion(carries="22-16050075-A-G")] == {first.id: 2, second.id: 2, "": 2}


def test_region_has_every_allele_of_the_stretch(folder: Path) -> None:
    truth, _ = recount(plan_files(folder, "GRCh37"))
    [region] = truth.regions
    assert region.text == "22:16050075-16050213"
    assert [allele.text for allele in region.alleles] == [
        "22-16050075-A-G",
        "22-16050115-G-A",
        "22-16050213-C-G",
        "22-16050213-C-T",
    ]


def test_missing_calls_are_in_no_number(folder: Path) -> None:
    [path, _] = sorted(folder.glob("*.vcf.gz"))
    alleles = read_alleles(path, ["S1", "S4", "S6"], find_stretches(path), "GRCh37")
    calls = alleles[Allele("GRCh37", "22", 16_050_212, "C", "G")]
    assert calls.number == 2
    assert {sample: count_call(call, calls.number, 2) for sample, call in calls.of.items()} == {
        "S1": (1, 2),
        "S4": (0, 0),
        "S6": (0, 2),
    }


@pytest.mark.parametrize(
    ("genotype", "expected", "counted"),
    [
        ("0/1", 2, (1, 2)),
        ("1|1", 2, (2, 2)),
        ("1", 2, (1, 1)),
        (".|1", 2, (1, 1)),
        ("2/1", 2, (1, 2)),
        ("1", 1, (1, 1)),
        ("1/1", 1, (1, 1)),
        ("0/1", 1, (0, 0)),
        ("./1", 1, (0, 0)),
        (".", 1, (0, 0)),
        ("1/1", 0, (0, 0)),
        ("10/1", 2, (1, 2)),
    ],
)
def test_one_call(genotype: str, expected: int, counted: tuple[int, int]) -> None:
    assert count_call(genotype, 1, expected) == counted


def test_without_bcftools_the_package_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="apt-get install bcftools"):
        recount(plan_files(folder, "GRCh37"))


def test_file_that_bcftools_cannot_read_is_named(folder: Path) -> None:
    path = folder / "zwei.vcf.gz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(Unavailable, match=r"bcftools query failed on .*zwei\.vcf\.gz: .*header"):
        find_stretches(path)


def test_long_files_are_not_read_to_their_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recount_calls, "MOST_RECORDS", 2)
    [stretch] = find_stretches(folder / "zwei.vcf.gz")
    assert (stretch.start, stretch.end) == (16_050_074, 16_050_115)
