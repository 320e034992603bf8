# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from megagenome.kernel.errors import Conflict
from megagenome.standards.genotypes import ABSENT, MISSING
from megagenome.synthetic.europe import Europe, simulate
from megagenome.synthetic.write import GenotypeFormat, write_europe, write_genotypes


def bcftools(*arguments: str | Path) -> str:
    """What bcftools prints; it must neither fail nor complain."""
    done = subprocess.run(["bcftools", *map(str, arguments)], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


QUERY = "%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n"


@pytest.mark.bcftools
def test_headers_are_valid_and_state_samples_and_lengths(europe: Europe, written: Path) -> None:
    for country in europe.countries:
        for dataset in country.datasets:
            vcf = written / country.code / dataset.id / "genotypes.vcf.gz"
            header = bcftools("view", "-h", vcf).splitlines()
            assert header[0] == "##fileformat=VCFv4.3"
            assert "##contig=<ID=chr22,length=50818468,assembly=GRCh38>" in header
            assert "##contig=<ID=chrX,length=156040895,assembly=GRCh38>" in header
            assert "##contig=<ID=chrM,length=16569,assembly=GRCh38>" in header
            assert tuple(header[-1].split("\t")[9:]) == dataset.genotypes().samples


@pytest.mark.bcftools
def test_bcftools_reads_back_every_call(europe: Europe, written: Path) -> None:
    for country in europe.countries:
        for dataset in country.datasets:
            lines = iter(
                bcftools("query", "-f", QUERY, written / country.code / dataset.id / "genotypes.vcf.gz").splitlines()
            )
            for block in dataset.genotypes().blocks:
                text = {MISSING: "."} | {code: str(code) for code in range(10)}
                for row, calls in enumerate(block.calls.tolist()):
                    contig, pos1, ref, alts, *written_calls = next(lines).split("\t")
                    assert (contig, int(pos1) - 1) == (block.contig, int(block.starts[row]))
                    assert (ref, tuple(alts.split(","))) == (block.refs[row], block.alts[row])
                    assert written_calls == ["|".join(text[x] for x in call if x != ABSENT) for call in calls]
            assert next(lines, None) is None


@pytest.mark.bcftools
def test_ploidy_follows_sex_and_place(europe: Europe, written: Path) -> None:
    dataset = europe.countries[2].datasets[0]
    vcf = written / "IT" / dataset.id / "genotypes.vcf.gz"
    sexes = {row["sample_id"]: row["sex"] for row in dataset.people()}
    male = np.array([sexes[sample] == "male" for sample in dataset.genotypes().samples])
    for region, ploidy_male, ploidy_female in (
        ("chr22", 2, 2),
        ("chrX:10001-2781479", 2, 2),
        ("chrX:2781480-155701382", 1, 2),
        ("chrM", 1, 1),
    ):
        lines = bcftools("query", "-r", region, "-f", "[%GT\t]\n", vcf).splitlines()
        assert len(lines) > 20
        for line in lines:
            ploidies = np.array([len(call.split("|")) for call in line.split()])
            assert set(ploidies[male].tolist()) == {ploidy_male}
            assert set(ploidies[~male].tolist()) == {ploidy_female}


@pytest.mark.bcftools
def test_bcf_has_the_same_records_and_an_index(europe: Europe, written: Path, tmp_path: Path) -> None:
    dataset = europe.countries[0].datasets[1]
    vcf = written / "FI" / dataset.id / "genotypes.vcf.gz"
    bcf = tmp_path / "genotypes.bcf"
    records = write_genotypes(dataset.genotypes(), bcf, "a test")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["genotypes.bcf", "genotypes.bcf.csi"]
    content = bcftools("query", "-f", QUERY, bcf)
    assert content == bcftools("query", "-f", QUERY, vcf)
    assert records == len(content.splitlines())
    part = bcftools("query", "-r", "chrM", "-f", QUERY, bcf)
    assert part == "".join(line for line in content.splitlines(keepends=True) if line.startswith("chrM\t"))
    assert part


def test_the_same_seed_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    again = simulate(360, ("FI", "EE", "IT"), seed=3, megabases=0.15)
    write_europe(again, tmp_path / "again", GenotypeFormat.VCF)
    assert digests(tmp_path / "again") == digests(written)


def test_each_dataset_has_its_files_and_says_what_they_are(europe: Europe, written: Path) -> None:
    names = {"genotypes.vcf.gz", "genotypes.vcf.gz.tbi", "people.tsv", "traits.tsv", "dataset.json"}
    for country in europe.countries:
        for dataset in country.datasets:
            folder = written / country.code / dataset.id
            assert {path.name for path in folder.iterdir()} == names
            described = json.loads((folder / "dataset.json").read_text())
            assert described["id"] == dataset.id
            assert described["open"] is dataset.open
            assert described["individuals"] == len(dataset.members)
            assert described["records"] == sum(len(block.starts) for block in dataset.genotypes().blocks)
            assert (folder / described["genotypes"]).exists()
    assert {path.name for path in written.iterdir()} == {"FI", "EE", "IT", "truth.json"}


def test_a_folder_with_something_in_it_is_refused_and_left_alone(europe: Europe, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for out in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(Conflict, match="not an empty folder"):
            write_europe(europe, out, GenotypeFormat.VCF)
    assert digests(tmp_path).keys() == {"mine.txt"}


def test_progress_counts_datasets(tmp_path: Path) -> None:
    told: list[float] = []
    write_europe(simulate(40, ("GB",), megabases=0.15), tmp_path, GenotypeFormat.VCF, told.append)
    assert told == sorted(told)
    assert 0 < told[0] < 1 < told[-1] <= 2
