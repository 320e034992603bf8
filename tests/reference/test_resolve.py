# SPDX-License-Identifier: Apache-2.0
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.errors import Invalid, MegagenomeError, TooLarge
from megagenome.reference import genes
from megagenome.reference.assemblies import ASSEMBLIES, assembly
from megagenome.reference.resolve import MAX_TEXT, resolve
from megagenome.standards.federation import Resolved

A_TO_G = Resolved("allele", "22-16050075-A-G", "GRCh37", "22", 16050074, 16050075, ref="A", alt="G")
SPAN = Resolved("region", "22:16050000-16060000", "GRCh37", "22", 16049999, 16060000)
BRCA2 = Resolved(
    "gene", "BRCA2", "GRCh38", "13", 32315085, 32400268, gene="BRCA2", label="ENSG00000139618"
)  # ensembl.org, release 110: 13:32315086-32400268


@pytest.mark.parametrize(
    "text",
    [
        "22-16050075-A-G",
        "22-16050075-a-g",
        "chr22-16050075-A-G",
        "chr22:16050075:A:G",
        "22:16050075 A>G",
        "22:16050075A>G",
        "22:16,050,075 A > G",
        "  22-16050075 A/G\n",
        "22_16050075_A_G",
        "22 16050075 A G",
        "22\t16050075\tA\tG",
        "22:g.16050075A>G",
        "NC_000022.10:g.16050075A>G",
        "nc_000022.10:G.16050075a>g",
        "NC_000022.10-16050075-A-G",
        "CM000684.1:16050075:A:G",
    ],
)
def test_an_allele_in_every_spelling(text: str) -> None:
    assert resolve(text, "hg19") == A_TO_G


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("22-16050075-AT-AG", "22-16050076-T-G"),
        ("22-16050075-CAT-CT", "22-16050075-CA-C"),
        ("22-16050075-TCAT-TCT", "22-16050076-CA-C"),
        ("22-16050075-A-ACGT", "22-16050075-A-ACGT"),
        ("22-16050075-A-<DEL>", "22-16050075-A-<DEL>"),
        ("22-16050075-ACG-<INS:ME:ALU>", "22-16050075-ACG-<INS:ME:ALU>"),
        ("22-16050075-a-<del>", "22-16050075-A-<del>"),
        ("22-16050075-A-*", "22-16050075-A-*"),
        ("22-16050075-A-g]17:198982]", "22-16050075-A-G]17:198982]"),
        ("22-16050075-A-[chr17:198982[a", "22-16050075-A-[chr17:198982[A"),
        ("22-16050075-A-.A", "22-16050075-A-.A"),
        ("MT:m.3243A>G", "MT-3243-A-G"),
        ("chrM-3243-A-G", "MT-3243-A-G"),
        ("GL000191.1-5-A-G", "HSCHR1_RANDOM_CTG5-5-A-G"),
    ],
)
def test_alleles_come_out_parsimonious_and_by_the_assembly_s_names(text: str, canonical: str) -> None:
    assert resolve(text, "GRCh37").text == canonical


@pytest.mark.parametrize(
    "text",
    [
        "22:16050000-16060000",
        "22:16,050,000-16,060,000",
        "chr22:16050000..16060000",
        "22: 16050000 – 16060000",
        "22-16050000-16060000",
        "NC_000022.10:16050000-16060000",
    ],
)
def test_a_region_in_every_spelling(text: str) -> None:
    assert resolve(text, "GRCh37.p13") == SPAN


def test_a_start_alone_is_one_base() -> None:
    assert resolve("chr22:16050000", "GRCh37") == Resolved(
        "region", "22:16050000-16050000", "GRCh37", "22", 16049999, 16050000
    )


@pytest.mark.parametrize("text", ["chr22", "22", "NC_000022.10"])
def test_a_contig_alone_is_all_of_it(text: str) -> None:
    assert resolve(text, "GRCh37") == Resolved("region", "22:1-51304566", "GRCh37", "22", 0, 51304566)


@pytest.mark.parametrize("text", ["BRCA2", "brca2", " BRCA2 ", "ENSG00000139618", "ENSG00000139618.17"])
def test_a_gene_by_symbol_and_id(text: str) -> None:
    assert resolve(text, "hg38") == BRCA2


def test_a_gene_that_shares_its_symbol_is_called_by_its_id() -> None:
    assert resolve("ENSG00000292354", "GRCh38").text == "ENSG00000292354"  # SHOX on Y
    assert resolve("ENSG00000125863", "GRCh38").text == "ENSG00000125863"  # one of three MKKS
    assert resolve("SHOX", "GRCh38").contig == "X"


def test_every_symbol_names_its_gene() -> None:
    """No symbol is read as a contig, an allele, a region or an rsID, though a few look like one: H3-3A-DT, RS1."""
    symbols = set(genes._beginning_with(""))
    assert len(symbols) > 30_000
    for symbol in symbols:
        if len(genes.ids(symbol)) == 1:
            assert resolve(symbol, "GRCh38").gene == symbol


def test_the_documentation_s_examples_are_what_it_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference.md").read_text()
    rows = re.findall(r"^\| (allele|region|gene) \| (.+) \|$", page, re.MULTILINE)
    assert [kind for kind, _ in rows] == ["allele", "region", "gene"]
    for kind, texts in rows:
        assert {resolve(text, default="GRCh37").kind for text in re.findall("`([^`]+)`", texts)} == {kind}


@pytest.mark.parametrize(
    ("text", "given_assembly", "default", "found"),
    [
        ("NC_000022.10", None, None, "GRCh37"),
        ("NC_000022.11", None, None, "GRCh38"),
        ("NC_000022.11", None, "GRCh37", "GRCh38"),
        ("NC_000022.11", "hg38", "GRCh37", "GRCh38"),
        ("NC_060946.1", None, "GRCh37", "T2T-CHM13v2.0"),
        ("NC_012920.1", None, "hg19", "GRCh37"),  # one sequence of two assemblies
        ("NC_012920.1", "hg38", "hg19", "GRCh38"),
        ("22", None, "hg19", "GRCh37"),
        ("22", "GRCh38.p7", "hg19", "GRCh38"),
        ("22", "", "hg19", "GRCh37"),
        ("BRCA2", None, "hg19", "GRCh37"),
        ("BRCA2", "hg38", "hg19", "GRCh38"),
        ("chr1_KI270706v1_random", None, "hg19", "GRCh38"),
    ],
)
def test_which_assembly(text: str, given_assembly: str | None, default: str | None, found: str) -> None:
    assert resolve(text, given_assembly, default=default).assembly == found


@pytest.mark.parametrize(
    ("text", "on", "message"),
    [
        ("NC_000022.11:g.16050075A>G", "GRCh37", "GRCh37 has no contig 'NC_000022.11'; it is a contig of GRCh38"),
        ("NC_000022.9:g.16050075A>G", None, "no assembly has a contig 'NC_000022.9': write an allele as"),
        ("NC_000022.10:16050074:A:G", None, "reads as SPDI, which counts from 0"),
        ("22-16050075-A-G", None, "contig 22: say on which assembly, GRCh37 or GRCh38 or T2T-CHM13v2.0"),
        ("BRCA2", None, "BRCA2: say on which assembly, GRCh37 or GRCh38"),
        ("22-16050075-A-G", "hg18", "unknown assembly 'hg18'"),
        ("22-16050075-R-G", "hg19", "'R' in '22-16050075-R-G' is not made of the bases A, C, G, T and N"),
        ("22-16050075-A-GU", "hg19", "'GU' in"),
        ("22-16050075-A-A", "hg19", "reference and alternate of '22-16050075-A-A' are the same"),
        ("22-16050075-a-A", "hg19", "are the same"),
        ("X:m.100A>G", "hg19", "m. is for the contig MT only"),
        ("22-0-A-G", "hg19", "there is no position 0: positions in texts count from 1"),
        ("22:0-5", "hg19", "there is no position 0"),
        ("22:16060000-16050000", "hg19", "the region '22:16060000-16050000' ends before it starts"),
        ("22:51304567", "hg19", "position 51304567 is beyond the end of 22 on GRCh37, 51304566"),
        ("22-51304566-AC-A", "hg19", "position 51304567 is beyond the end of 22 on GRCh37, 51304566"),
        ("22:1000000000000", "hg19", "position 1000000000000 is beyond the end of 22"),
        ("22:1-1,000,000,000,000", "hg19", "position 1000000000000 is beyond the end of 22"),
        ("22-" + "9" * 5000 + "-A-G", "hg19", "is not understood"),
        ("22:-5", "hg19", "'22:-5' is not understood: write an allele as 22-16050075-A-G"),
        ("22:5-", "hg19", "is not understood"),
        ("22:1,60,000", "hg19", "is not understood"),
        ("22 16050000 16060000", "hg19", "is not understood"),  # as BED, which counts from 0
        ("", "hg19", "'' is not understood: write an allele as 22-16050075-A-G, a region as 22:16050000-"),
        ("23-5-A-G", "hg19", "GRCh37 has no contig '23': use 1-22, X, Y, MT or an accession"),
        ("rs334", "hg19", "rs334 is an rsID, and rsIDs are not looked up here: write an allele as"),
        ("rs334", None, "rs334 is an rsID"),
        ("NM_000059.4:c.68A>G", "hg19", "of HGVS only genomic substitutions are read, such as 22:g.16050075A>G"),
        ("BRAF:p.V600E", "hg19", "of HGVS only genomic substitutions"),
        ("NC_000022.10:g.16050075del", None, "of HGVS only genomic substitutions"),
        ("BRCA22", "hg19", "no gene is called 'BRCA22'; did you mean BRCA2 or BRCA1?"),
        ("MKKS", "hg19", "3 genes are called MKKS: ask for one by its id, ENSG00000125863,"),
        ("CRLF2", "hg19", "gene CRLF2 has no known place on GRCh37"),
        ("a gene", "hg19", "is not understood"),
        ("BRCA2\x00", "hg19", r"'BRCA2\x00' is not understood"),
    ],
)
def test_what_is_refused_and_why(text: str, on: str | None, message: str) -> None:
    with pytest.raises(Invalid, match=re.escape(message)) as caught:
        resolve(text, on)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_gene_whose_symbol_looks_like_an_rsid() -> None:
    assert resolve("RS1", "GRCh38").label == "ENSG00000102104"


def test_the_length_of_a_text_is_bounded() -> None:
    longest = "22-16050075-A-" + "C" * (MAX_TEXT - 14)
    assert resolve(longest, "hg19").alt == "C" * (MAX_TEXT - 14)
    with pytest.raises(TooLarge, match="a text of 10001 characters is too long to look up: at most 10000"):
        resolve(longest + "C", "hg19")


CONTIGS = [(each.name, contig) for each in map(assembly, ASSEMBLIES) for contig in each.contigs]
BASES = st.text("ACGTN", min_size=1, max_size=6)
SYMBOLIC = st.sampled_from(
    ["<DEL>", "<DUP:TANDEM>", "<INS:ME:ALU>", "<CN0>", "<*>", "*", "A]17:5]", "[<ctg1>:7[TC", "G.", ".G"]
)


@given(st.sampled_from(CONTIGS), st.integers(0), BASES, BASES | SYMBOLIC)
def test_an_allele_s_own_text_names_it(place: tuple, start: int, ref: str, alt: str) -> None:
    on, contig = place
    allele = Allele(on, contig.name, start % (contig.length - 5), ref, alt).parsimonious()
    if ref != alt:
        found = resolve(str(allele), on)
        assert Allele(found.assembly, found.contig, found.start, found.ref, found.alt) == allele
        assert found.end == allele.end
        assert resolve(found.text, found.assembly) == found


@given(st.sampled_from(CONTIGS), st.integers(0), st.integers(0))
def test_a_region_s_own_text_names_it(place: tuple, start: int, length: int) -> None:
    on, contig = place
    start %= contig.length
    region = Region(on, contig.name, start, start + 1 + length % (contig.length - start))
    found = resolve(str(region), on)
    assert Region(found.assembly, found.contig, found.start, found.end) == region
    assert resolve(found.text, found.assembly) == found


def test_every_contig_s_names_name_it() -> None:
    for on, contig in CONTIGS:
        whole = Resolved("region", f"{contig.name}:1-{contig.length}", on, contig.name, 0, contig.length)
        for name in filter(None, (contig.name, contig.refseq, contig.genbank)):
            assert resolve(name, on) == whole
            assert resolve(f"{name}-5-A-G", on).text == f"{contig.name}-5-A-G"
            assert resolve(f"{name}:5-9", on).text == f"{contig.name}:5-9"


PIECES = (
    "22 chr X NC_000022.10 - : _ , g. m. c. 1 0 51304566 A g N > / <DEL> ] [ * .. – BRCA rs \u017f \u212a \x00 \ud800"
)


def outcome(text: str, on: str | None) -> Resolved | str:
    try:
        return resolve(text, on)
    except MegagenomeError as error:
        return str(error)


@given(
    st.text(max_size=60) | st.lists(st.sampled_from([*PIECES.split(), "9" * 19, " ", "\n"]), max_size=12).map("".join),
    st.sampled_from([None, "hg19", "GRCh38", "T2T-CHM13v2.0"]) | st.text(max_size=8),
)
@example("ENSG" + "9" * 11, "hg19")
@example("٢٢-٣-A-G", "hg19")
@example("22-5-ſ-\u212a", "hg19")
def test_any_text_is_resolved_or_refused(text: str, on: str | None) -> None:
    found = outcome(text, on)
    if isinstance(found, str):
        assert found.encode().count(b"\n") == 0
    else:
        assert found.text.isascii()
        assert 0 <= found.start < found.end
        assert resolve(found.text, found.assembly) == found


REPEATED = "A 1 1- - 1-A- A1- A-1-A 1:1A- 1,000, 22:1|A < ] G]1 1.. . _ rs1 ٣ |"


@pytest.mark.parametrize("piece", REPEATED.split())
def test_no_text_takes_long_to_refuse(piece: str) -> None:
    """Were the expressions to backtrack in more than one place at once, this would run into the tests' time limit."""
    piece = piece.replace("|", " ")
    for start in ("", "22-5-A-", "22:"):
        text = start + piece * ((MAX_TEXT - 20) // len(piece))
        for end in ("", "!", "-A-G"):
            found = outcome(text + end, "hg19")
            assert found.kind == "allele" if isinstance(found, Resolved) else len(found) < 250
