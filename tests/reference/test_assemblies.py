# SPDX-License-Identifier: Apache-2.0
"""Facts in here are from NCBI's and UCSC's pages on the assemblies, typed in, and from headers of real VCF files."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from megagenome.kernel.errors import Invalid
from megagenome.reference.assemblies import ASSEMBLIES, EXPECTED_PLOIDY, PloidyClass, assembly

CHROMOSOMES = [*map(str, range(1, 23)), "X", "Y", "MT"]

# 1-based inclusive, as NCBI and Ensembl publish them
PAR = {
    "GRCh37": {"X": [(60001, 2699520), (154931044, 155260560)], "Y": [(10001, 2649520), (59034050, 59363566)]},
    "GRCh38": {"X": [(10001, 2781479), (155701383, 156030895)], "Y": [(10001, 2781479), (56887903, 57217415)]},
}


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("GRCh37", "GRCh37"),
        ("GRCh37.p13", "GRCh37"),
        ("grch37.P5", "GRCh37"),
        ("hg19", "GRCh37"),
        ("HG19", "GRCh37"),
        ("b37", "GRCh37"),
        ("hs37d5", "GRCh37"),
        ("GRCh38", "GRCh38"),
        ("GRCh38.p14", "GRCh38"),
        ("hg38", "GRCh38"),
        ("hs38DH", "GRCh38"),
        ("T2T-CHM13v2.0", "T2T-CHM13v2.0"),
        ("hs1", "T2T-CHM13v2.0"),
    ],
)
def test_an_assembly_goes_by_its_usual_names(name: str, canonical: str) -> None:
    assert assembly(name).name == canonical
    assert assembly(name) is assembly(canonical)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("GRCh39", "unknown assembly 'GRCh39'; did you mean GRCh38?"),
        ("hg18", "unknown assembly 'hg18'; did you mean"),
        ("", "unknown assembly ''; known are GRCh37, GRCh38, T2T-CHM13v2.0"),
        ("GRCh38.p", "did you mean GRCh38?"),
        ("x" * 10**6, "known are"),
    ],
)
def test_an_unknown_assembly_is_refused_and_the_nearest_named(name: str, message: str) -> None:
    with pytest.raises(Invalid, match=re.escape(message)) as caught:
        assembly(name)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", ASSEMBLIES)
def test_chromosomes_come_first_and_in_order(name: str) -> None:
    contigs = [contig.name for contig in assembly(name).contigs]
    assert contigs[:25] == CHROMOSOMES
    assert len(set(contigs)) == len(contigs)


@pytest.mark.parametrize(
    ("name", "contig", "length", "refseq", "genbank"),
    [
        ("GRCh37", "1", 249_250_621, "NC_000001.10", "CM000663.1"),
        ("GRCh37", "22", 51_304_566, "NC_000022.10", "CM000684.1"),
        ("GRCh37", "X", 155_270_560, "NC_000023.10", "CM000685.1"),
        ("GRCh37", "Y", 59_373_566, "NC_000024.9", "CM000686.1"),
        ("GRCh37", "MT", 16_569, "NC_012920.1", "J01415.2"),
        ("GRCh38", "1", 248_956_422, "NC_000001.11", "CM000663.2"),
        ("GRCh38", "22", 50_818_468, "NC_000022.11", "CM000684.2"),
        ("GRCh38", "X", 156_040_895, "NC_000023.11", "CM000685.2"),
        ("GRCh38", "Y", 57_227_415, "NC_000024.10", "CM000686.2"),
        ("T2T-CHM13v2.0", "22", 51_324_926, "NC_060946.1", "CP068256.2"),
        ("T2T-CHM13v2.0", "MT", 16_569, "", "CP068254.1"),
    ],
)
def test_contigs_are_ncbi_s(name: str, contig: str, length: int, refseq: str, genbank: str) -> None:
    assert assembly(name).contig(contig) == (contig, length, refseq, genbank)


@pytest.mark.parametrize(
    ("synonym", "contig"),
    [
        ("chr22", "22"),
        ("CHR22", "22"),
        ("NC_000022.10", "22"),
        ("nc_000022.10", "22"),
        ("CM000684.1", "22"),
        ("chrx", "X"),
        ("M", "MT"),
        ("chrM", "MT"),
        ("chrMT", "MT"),
        ("GL000191.1", "HSCHR1_RANDOM_CTG5"),
        ("chr1_gl000191_random", "HSCHR1_RANDOM_CTG5"),
    ],
)
def test_a_contig_goes_by_its_usual_names(synonym: str, contig: str) -> None:
    found = assembly("GRCh37").contig(synonym)
    assert found.name == contig
    assert assembly("GRCh37").find_contig(synonym) is found


@pytest.mark.parametrize("name", ["", "23", "chr", "na", "NC_000022", "NC_000022.12", "22 ", "hs37d5", "NC_001807.4"])
def test_other_names_are_no_contigs(name: str) -> None:
    assert assembly("GRCh38").find_contig(name) is None
    with pytest.raises(Invalid, match=f"GRCh38 has no contig '{name}'"):
        assembly("GRCh38").contig(name)


def test_a_contig_of_another_assembly_is_refused_and_its_assembly_named() -> None:
    with pytest.raises(Invalid, match=r"GRCh37 has no contig 'NC_000022\.11'; it is a contig of GRCh38$"):
        assembly("GRCh37").contig("NC_000022.11")


@pytest.mark.shared
@pytest.mark.parametrize("file", ["1kg_p3_chr22_16.05-16.64Mb.GRCh37", "giab_ashkenazim_trio_chr1_2.GRCh37"])
def test_lengths_are_those_of_real_vcf_headers(shared: Path, file: str) -> None:
    with gzip.open(shared / "data" / "genomes" / f"{file}.vcf.gz", "rt") as lines:
        header = [line for line in lines if line.startswith("##contig")]
    stated = {re.search("ID=([^,>]+)", line)[1]: int(re.search("length=([0-9]+)", line)[1]) for line in header}
    decoys = {"hs37d5", "NC_007605"}  # no part of the assembly
    known = {name: contig for name in stated if (contig := assembly("b37").find_contig(name))}
    assert set(stated) - set(known) == decoys & set(stated)
    assert len(known) == 84
    assert {name: contig.length for name, contig in known.items()} == {name: stated[name] for name in known}


@pytest.mark.parametrize("name", PAR)
def test_pseudoautosomal_regions_are_the_published_ones(name: str) -> None:
    ours = {contig: [(low + 1, high) for low, high in regions] for contig, regions in assembly(name).pars.items()}
    assert ours == PAR[name]


def plain_class(name: str, contig: str, start: int) -> PloidyClass:
    """From the published 1-based intervals, base by base."""
    if contig not in {"X", "Y", "MT"} or any(first <= start + 1 <= last for first, last in PAR[name].get(contig, [])):
        return PloidyClass.DIPLOID
    return {"X": PloidyClass.X_NONPAR, "Y": PloidyClass.Y_NONPAR, "MT": PloidyClass.MT}[contig]


STARTS = [
    0,
    *(
        place + step
        for contigs in PAR.values()
        for pairs in contigs.values()
        for place in sum(pairs, ())
        for step in range(-2, 2)
    ),
    100_000_000,
]


@pytest.mark.parametrize("name", PAR)
@pytest.mark.parametrize("contig", CHROMOSOMES)
def test_ploidy_class_is_that_of_the_published_intervals(name: str, contig: str) -> None:
    expected = [plain_class(name, contig, start) for start in STARTS]
    assert [assembly(name).ploidy_class(contig, start) for start in STARTS] == expected
    classes = assembly(name).ploidy_classes(contig, np.array(STARTS, dtype=np.int64))
    assert classes.dtype == np.int8
    assert classes.tolist() == expected


def test_scaffolds_count_as_diploid() -> None:
    assert assembly("GRCh38").ploidy_class("HSCHRY_RANDOM_CTG1", 5) is PloidyClass.DIPLOID


def test_expected_ploidy() -> None:
    table = [[EXPECTED_PLOIDY[kind][sex] for sex in ("female", "male", "unknown")] for kind in PloidyClass]
    assert table == [[2, 2, 2], [2, 1, 2], [0, 1, 1], [1, 1, 1]]
