# SPDX-License-Identifier: Apache-2.0
"""Quality counts against bcftools and against counting one call at a time; sex and duplicates on real people."""

import random
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from megagenome.collection.read_vcf import open_vcf
from megagenome.reception.quality import add_up, judge_quality, observed_sex
from megagenome.reception.validators.quality_counter import QualityCounter
from megagenome.reference import assembly
from megagenome.standards.genotypes import Block
from megagenome.standards.validation_report import QualityControl, SampleQuality
from tests.collection.files import as_source, files
from tests.oracles import genotypes as oracle

Files = tuple[list[oracle.Someone], list[oracle.Record]]


def counted(path: Path, name: str = "GRCh37") -> QualityControl:
    place = assembly(name)
    with open_vcf(path) as source:
        counter = QualityCounter(source.samples, place)
        for block in source.blocks:
            counter.add(block, place.contig(block.contig).name)
    return counter.counted()


@given(files())
def test_each_call_is_counted_once(some: Files) -> None:
    people, records = some
    place = assembly("GRCh38")
    counter = QualityCounter(tuple(person.sample for person in people), place)
    for block in as_source(people, records).blocks:
        counter.add(block, block.contig)
    quality = counter.counted()
    assert quality.records == len(records)
    for k, sample in enumerate(quality.samples):
        plain = Counter[str]()
        for record in records:
            call = record.calls[k]
            alleles = [allele for allele in call if allele is not None]
            plain["called" if alleles else "missing"] += 1
            plain["half"] += len(call) == 2 and len(alleles) == 1
            plain["het"] += len(alleles) == 2 and alleles[0] != alleles[1]
            plain["hom_alt"] += len(alleles) == 2 and alleles[0] == alleles[1] > 0
            plain["hemi"] += len(call) == 1 and bool(alleles) and alleles[0] > 0
            changed = {record.ref + alt for alt in record.alts}
            carries = any(alleles) and len(record.alts) == 1 and len(record.ref) == 1
            plain["transitions"] += carries and changed <= {"AG", "GA", "CT", "TC"}
            both = {a + b for a in "AG" for b in "CT"} | {b + a for a in "AG" for b in "CT"}
            plain["transversions"] += carries and changed <= both
            in_par = any(low <= record.start < high for low, high in place.pars.get(record.contig, ()))
            if record.contig == "X" and not in_par:
                plain["x_called"] += bool(alleles)
                plain["x_haploid"] += len(call) == 1 and bool(alleles)
                plain["x_het"] += len(alleles) == 2 and alleles[0] != alleles[1]
                plain["x_hom_alt"] += len(alleles) == 2 and alleles[0] == alleles[1] > 0
            if record.contig == "Y" and not in_par:
                plain["y_sites"] += 1
                plain["y_called"] += bool(alleles)
        names = [
            name for name in SampleQuality.__struct_fields__ if name not in ("sample", "stated_sex", "observed_sex")
        ]
        assert {name: getattr(sample, name) for name in names} == {name: plain[name] for name in names}


@pytest.mark.shared
@pytest.mark.bcftools
@pytest.mark.parametrize(
    "name", ["giab_ashkenazim_trio_chr1_2.GRCh37.vcf.gz", "1kg_p3_chrX_26samples.GRCh37.vcf.gz"], ids=["trio", "X"]
)
def test_counts_are_those_of_bcftools(shared: Path, tmp_path: Path, name: str) -> None:
    """Of variants of one base with one alternate, of which alone bcftools counts by sample."""
    path = tmp_path / "snps.vcf.gz"
    view = ["bcftools", "view", "--types", "snps", "--max-alleles", "2", "-Oz", "-o", str(path)]
    subprocess.run([*view, str(shared / "data/genomes" / name)], check=True)
    quality = counted(path)
    arguments = ["bcftools", "stats", "--samples", "-", str(path)]
    text = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    lines = [line.split("\t") for line in text.splitlines()]
    [tstv] = [line for line in lines if line[0] == "TSTV"]
    assert (quality.transitions, quality.transversions) == (int(tstv[2]), int(tstv[3]))
    theirs = {line[2]: [int(line[k]) for k in (4, 5, 6, 7, 12, 13)] for line in lines if line[0] == "PSC"}
    ours = {
        each.sample: [
            each.hom_alt,
            each.het,
            each.transitions,
            each.transversions,
            each.hemi,
            each.missing + each.half,
        ]
        for each in quality.samples
    }
    for told in (ours, theirs):
        for counts in told.values():
            counts[2:4] = [] if counts[4] else counts[2:4]  # of haploid calls bcftools leaves these out
    assert ours == theirs


@pytest.mark.shared
def test_sexes_are_those_of_the_panel(shared: Path) -> None:
    panel = [line.split("\t") for line in (shared / "data/genomes/1kg_panel.tsv").read_text().splitlines()]
    column = panel[0].index("sex")
    stated = {row[0]: row[column].lower() for row in panel[1:]}
    quality = add_up([counted(shared / "data/genomes/1kg_p3_chrX_26samples.GRCh37.vcf.gz")], stated)
    assert quality is not None
    told = [each for each in quality.samples if each.stated_sex != "unknown"]
    assert (len(quality.samples), len(told)) == (26, 25)
    assert [each.observed_sex for each in told] == [each.stated_sex for each in told]
    assert {each.observed_sex for each in quality.samples} == {"female", "male"}
    assert list(judge_quality(quality)) == []
    swapped = add_up([quality], {name: "male" if sex == "female" else "female" for name, sex in stated.items()})
    assert swapped is not None
    assert len([said for said in judge_quality(swapped) if "samples swapped?" in said.text]) == 25


@pytest.mark.shared
def test_one_person_twice_is_found_and_602_families_are_not(shared: Path) -> None:
    path = shared / "data/genomes/1kg_high_coverage_3202_sparse_autosomes.GRCh38.vcf.gz"
    chance = random.Random(3)
    with open_vcf(path) as source:
        samples, blocks = source.samples, list(source.blocks)
    assert counted(path, "GRCh38").duplicates == ()
    twice = [chance.randrange(len(samples)) for _ in range(3)]
    counter = QualityCounter((*samples, "twin", "noisy", "other"), None)
    noise = np.random.default_rng(3)
    for block in blocks:
        more = block.calls[:, twice].copy()
        more[noise.random(len(more)) < 0.01, 1] = 1  # one call in a hundred is another
        more[:, 2] = block.calls[:, (twice[2] + 1) % len(samples)]
        more[noise.random(len(more)) < 0.5, 2] = 0
        counter.add(block._replace(calls=np.concatenate((block.calls, more), axis=1)), block.contig)
    found = {(pair.first, pair.second) for pair in counter.counted().duplicates}
    assert found == {(samples[twice[0]], "twin"), (samples[twice[1]], "noisy")}


def block(start: int, calls: list[tuple[int, int]]) -> Block:
    return Block("22", np.array([start], np.int64), ["A"], [("G",)], np.array([calls], np.int8))


def test_neighbouring_variants_do_not_make_duplicates() -> None:
    """Two people with one haplotype in common agree at all its variants."""
    counter = QualityCounter(("a", "b", "c"), None)
    for k in range(1000):
        counter.add(block(100 + k, [(0, 1), (0, 1), (0, 0)]), "22")
    assert counter.counted().duplicates == ()


def test_memory_does_not_grow_with_the_file() -> None:
    counter = QualityCounter(("a", "b"), None)
    for k in range(10_000):
        counter.add(block(20_000 * k, [(k % 2, 1), (k % 2, 1)]), "22")
    assert len(counter._fingerprints._kept) <= 4096
    [pair] = counter.counted().duplicates
    assert pair.agreeing == pair.compared >= 2048


def test_files_add_up() -> None:
    one = QualityControl(5, 2, 1, (SampleQuality("a", 4, 1, het=1), SampleQuality("b", 5)))
    other = QualityControl(3, 1, 1, (SampleQuality("b", 2, 1, het=2), SampleQuality("c", 3)))
    assert add_up([], {}) is None
    both = add_up([one, other], {"a": "male"})
    assert both is not None
    assert (both.records, both.transitions, both.transversions) == (8, 3, 2)
    assert [(s.sample, s.called, s.missing, s.het, s.stated_sex) for s in both.samples] == [
        ("a", 4, 1, 1, "male"),
        ("b", 7, 1, 2, "unknown"),
        ("c", 3, 0, 0, "unknown"),
    ]


@pytest.mark.parametrize(
    ("sex", "counts"),
    [
        ("unknown", {}),
        ("unknown", {"x_called": 19, "x_haploid": 19}),
        ("male", {"x_called": 20, "x_haploid": 20}),
        ("male", {"x_called": 500, "x_het": 1, "x_hom_alt": 30}),
        ("female", {"x_called": 500, "x_het": 15, "x_hom_alt": 15}),
        ("unknown", {"x_called": 500, "x_het": 5, "x_hom_alt": 25}),
        ("male", {"y_sites": 20, "y_called": 20}),
        ("female", {"y_sites": 20, "y_called": 0}),
        ("unknown", {"y_sites": 20, "y_called": 20, "x_called": 500, "x_het": 15, "x_hom_alt": 15}),
    ],
)
def test_what_x_and_y_tell(sex: str, counts: dict[str, int]) -> None:
    assert observed_sex(SampleQuality("a", **counts), x_is_wide=True) == sex


@pytest.mark.parametrize(("last", "sex"), [(20_299_999, "unknown"), (30_299_999, "male")])
def test_a_short_stretch_of_x_says_nothing_of_a_sex(last: int, sex: str) -> None:
    """Of simulated people on 0.3 Mb of X every twentieth woman is homozygous throughout."""
    woman = SampleQuality("a", x_called=500, x_het=0, x_hom_alt=30)
    first, second = (QualityControl(1, 0, 0, (woman,), x_range=(start, start)) for start in (20_000_000, last))
    both = add_up([first, second], {"a": "female"})
    assert both is not None
    assert (both.samples[0].observed_sex, both.x_range) == (sex, (20_000_000, last))
