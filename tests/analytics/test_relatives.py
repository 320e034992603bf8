# SPDX-License-Identifier: Apache-2.0
"""Kinship: of families bred here, by the definition one pair at a time, and of real trios by plink2."""

import csv
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from megagenome.analytics import kinship
from megagenome.analytics.relatives import DUPLICATE, FIRST, Relatives, find_relatives, thinned
from megagenome.collection.collection import Collection
from megagenome.collection.load import load
from megagenome.collection.model import GenotypeCounts, Use
from megagenome.collection.permits import store_permit
from megagenome.kernel.coordinates import Region
from megagenome.kernel.ids import PermitId
from megagenome.standards.study_arrays import AlleleList
from tests.analytics.test_kinship import by_definition
from tests.collection import clocks
from tests.collection.files import as_people, statement
from tests.oracles import genotypes as oracle
from tests.oracles.dense_scan import MISSING, DenseScan
from tests.oracles.real_genomes import samples_of

PANEL = "data/genomes/1kg_high_coverage_3202_sparse_autosomes.GRCh38.vcf.gz"
Haplotypes = npt.NDArray[np.int8]


def family(alleles: int) -> DenseScan:
    """Mother 0, father 1, their children 2 and 3, child 3's child 4 with stranger 5, mother's twin 6, stranger 7."""
    random = np.random.default_rng(4)
    frequency = random.uniform(0.1, 0.9, alleles)

    def stranger() -> Haplotypes:
        return (random.random((2, alleles)) < frequency).astype(np.int8)

    def child(one: Haplotypes, other: Haplotypes) -> Haplotypes:
        from_each = random.integers(0, 2, (2, alleles))
        places = np.arange(alleles)
        return np.stack((one[from_each[0], places], other[from_each[1], places]))

    mother, father, fifth, seventh = (stranger() for _ in range(4))
    first, second = child(mother, father), child(mother, father)
    people = [mother, father, first, second, child(second, fifth), fifth, mother.copy(), seventh]
    calls = np.stack([each.sum(axis=0) for each in people], axis=1).astype(np.int8)
    calls[random.random(calls.shape) < 0.01] = MISSING
    return DenseScan(calls)


@pytest.mark.parametrize("at_once", [3, 1_024])
def test_a_family_is_found_by_degree(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(kinship, "_PEOPLE_AT_ONCE", at_once)
    scan = family(5_000)
    found = find_relatives(scan, np.arange(5_000))
    first = {(0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (3, 4), (4, 5), (2, 6), (3, 6)}
    second = {(0, 4), (1, 4), (2, 4), (4, 6)}
    assert (found.duplicates, found.first, found.second) == (1, len(first), len(second))
    assert [tuple(pair) for pair in found.pairs.tolist()] == sorted({(0, 6)} | first | second)
    for (i, j), value in zip(found.pairs.tolist(), found.kinship, strict=True):
        assert value == pytest.approx(by_definition(scan.calls, i, j), abs=1e-12)


def test_with_few_alleles_the_second_degree_is_not_told_and_with_fewer_nothing() -> None:
    scan = family(1_000)
    found = find_relatives(scan, np.arange(1_000))
    assert (found.duplicates, found.first, found.second) == (1, 9, 0)
    assert find_relatives(scan, np.arange(499))[:4] == (499, 0, 0, 0)


def test_without_those_left_out_no_pair_is_left() -> None:
    found = find_relatives(family(5_000), np.arange(5_000))
    assert found.to_leave_out().tolist() == [6]
    for least in (DUPLICATE, FIRST, 0.0):
        out = set(found.to_leave_out(least).tolist())
        assert all(
            {i, j} & out for (i, j), value in zip(found.pairs.tolist(), found.kinship, strict=True) if value >= least
        )
    assert Relatives(0, 0, 0, 0, np.zeros((0, 2), np.int64), np.zeros(0)).to_leave_out().tolist() == []


def test_alleles_are_thinned_to_common_ones_of_single_bases_on_autosomes() -> None:
    rows = [
        ("1", 5, b"A\tC", 50, 0, 0),  # chosen
        ("1", 5, b"A\tG", 50, 0, 0),  # at the same place
        ("1", 6, b"AT\tG", 50, 0, 0),
        ("1", 7, b"A\tG", 4, 0, 0),  # rare
        ("1", 8, b"A\tG", 4, 94, 0),  # its reference is
        ("1", 9, b"A\tG", 50, 0, 3),  # often missing
        ("2", 5, b"A\tG", 50, 0, 2),  # chosen
        ("X", 5, b"A\tG", 50, 0, 0),
    ]
    contigs = ("1", "2", "X")
    alleles = AlleleList(
        "GRCh38",
        contigs,
        np.array([contigs.index(row[0]) for row in rows], np.uint32),
        np.array([row[1] for row in rows]),
        tuple(row[2] for row in rows),
    )
    het, hom, missing = (np.array([row[k] for row in rows]) for k in (3, 4, 5))
    counts = GenotypeCounts(het, hom, 0 * het, missing, 2 * (100 - missing))
    assert thinned(alleles, counts).tolist() == [0, 6]
    assert thinned(alleles, counts, 1).tolist() == [0]


@pytest.mark.shared
@pytest.mark.plink2
@pytest.mark.bcftools
def test_real_trios_are_as_plink2_has_them(shared: Path, tmp_path: Path) -> None:
    vcf = shared / PANEL
    samples = samples_of(vcf)
    people = [oracle.Someone(sample, "unknown", "EE", "", True) for sample in samples]
    collection = Collection.create(tmp_path / "node", lambda _: None)
    collection.journal = clocks.NoJournal()
    load(collection, statement("CLOSED", open=None), as_people(people), [vcf], "GRCh38")
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit())
    reading = collection.open(clocks.ALICE, Use.RESEARCH, permit=PermitId("permit-1"))
    alleles = reading.alleles([Region("GRCh38", str(n), 0, 300_000_000) for n in range(1, 23)])
    found = find_relatives(reading.scan(alleles), np.arange(len(alleles)))
    names = [samples[number] for number in reading.values().numbers.tolist()]  # numbered in the order of the table
    mine = {
        frozenset((names[i], names[j])): value
        for (i, j), value in zip(found.pairs.tolist(), found.kinship.tolist(), strict=True)
    }
    theirs = by_plink2(vcf, tmp_path)
    assert mine.keys() == theirs.keys()
    assert found.first > 1_000
    for pair, value in theirs.items():
        assert mine[pair] == pytest.approx(value, abs=1e-6), pair
    known = {pair for pair in parents_and_children(shared) if pair <= set(samples)}
    assert len(known) >= 1_204  # 602 trios
    assert len(known & mine.keys()) > 0.99 * len(known)
    collection.close()


def by_plink2(vcf: Path, folder: Path) -> dict[frozenset[str], float]:
    """Pairs of the first degree and duplicates."""
    command = ["plink2", "--vcf", vcf, "--make-king-table", "--king-table-filter", str(FIRST), "--out", folder / "king"]
    subprocess.run(command, check=True, capture_output=True)
    with (folder / "king.kin0").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {frozenset((row["#IID1"], row["IID2"])): float(row["KINSHIP"]) for row in rows}


def parents_and_children(shared: Path) -> set[frozenset[str]]:
    with (shared / "data/genomes/1kg_20130606_pedigree.ped.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        frozenset((row["Individual ID"], row[parent]))
        for row in rows
        for parent in ("Paternal ID", "Maternal ID")
        if row[parent] != "0"
    }
