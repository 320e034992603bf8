# SPDX-License-Identifier: Apache-2.0
import bisect
import collections
import csv
import gzip
import importlib.util
from pathlib import Path
from typing import NamedTuple

import pytest

from megagenome.kernel.errors import Invalid
from megagenome.reference import genes
from megagenome.reference.assemblies import assembly

TABLE = Path(genes.__file__).with_name("data") / "genes.tsv.gz"


def rows() -> list[dict[str, str]]:
    with gzip.open(TABLE, "rt", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize(
    ("name", "on", "expected"),
    [
        # ensembl.org, release 110, 1-based: 13:32315086-32400268
        ("BRCA2", "GRCh38", ("BRCA2", "ENSG00000139618", "GRCh38", "13", 32315085, 32400268)),
        ("brca2", "hg38", ("BRCA2", "ENSG00000139618", "GRCh38", "13", 32315085, 32400268)),
        ("ENSG00000139618", "GRCh38", ("BRCA2", "ENSG00000139618", "GRCh38", "13", 32315085, 32400268)),
        ("ensg00000139618.17", "GRCh38", ("BRCA2", "ENSG00000139618", "GRCh38", "13", 32315085, 32400268)),
        ("SRY", "hg19", ("SRY", "ENSG00000184895", "GRCh37", "Y", 2654895, 2655723)),
        # the revised Cambridge sequence, MITOMAP: ND1 is 3307-4262
        ("MT-ND1", "GRCh37", ("MT-ND1", "ENSG00000198888", "GRCh37", "MT", 3306, 4262)),
        ("MT-ND1", "GRCh38", ("MT-ND1", "ENSG00000198888", "GRCh38", "MT", 3306, 4262)),
        # in the pseudoautosomal region: the copy on X, unless the one on Y is asked for by its id
        ("SHOX", "GRCh38", ("SHOX", "ENSG00000185960", "GRCh38", "X", 624343, 659411)),
        ("ENSG00000292354", "GRCh38", ("SHOX", "ENSG00000292354", "GRCh38", "Y", 624343, 659411)),
    ],
)
def test_find(name: str, on: str, expected: tuple[object, ...]) -> None:
    assert genes.find(name, on) == expected


@pytest.mark.parametrize(
    ("name", "on", "message"),
    [
        ("BRCA22", "GRCh38", r"no gene is called 'BRCA22'; did you mean BRCA2 or BRCA1\?"),
        ("qqqqq", "GRCh38", "no gene is called 'qqqqq'; write a symbol as BRCA2 or an id as ENSG00000139618"),
        ("", "GRCh38", "no gene is called ''"),
        ("ENSG00000000000", "GRCh38", "no gene is called 'ENSG00000000000'"),
        ("ENSG99999999999", "GRCh38", "no gene is called"),
        ("MATR3", "GRCh38", "2 genes are called MATR3: ask for one by its id, ENSG00000015479, ENSG00000280987$"),
        ("Y_RNA", "GRCh38", "758 genes are called Y_RNA: ask for one by its id, .* and 753 more"),
        ("CRLF2", "GRCh37", "gene CRLF2 has no known place on GRCh37"),
        ("BRCA2", "T2T-CHM13v2.0", "gene BRCA2 has no known place on T2T-CHM13v2.0"),
        ("BRCA2", "hg18", "unknown assembly 'hg18'"),
    ],
)
def test_what_is_not_one_gene_with_a_place_is_refused(name: str, on: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        genes.find(name, on)


def test_every_gene_of_the_table_is_found_by_its_id_on_each_assembly_where_it_lies() -> None:
    for row in rows()[::7]:
        for on, start, end in (("GRCh38", "start_grch38", "end_grch38"), ("GRCh37", "start_grch37", "end_grch37")):
            if row[start]:
                found = genes.find(row["ensembl_id"], on)
                assert found == (row["symbol"], row["ensembl_id"], on, row["contig"], int(row[start]), int(row[end]))


def test_genes_lie_within_contigs_of_their_assembly() -> None:
    lengths = {on: {contig.name: contig.length for contig in assembly(on).contigs} for on in genes.ASSEMBLIES}
    for row in rows():
        assert 0 <= int(row["start_grch38"]) < int(row["end_grch38"]) <= lengths["GRCh38"][row["contig"]]
        if row["start_grch37"]:
            assert 0 <= int(row["start_grch37"]) < int(row["end_grch37"]) <= lengths["GRCh37"][row["contig"]]


def test_genes_taken_for_those_on_x_lie_in_the_pseudoautosomal_regions() -> None:
    by_symbol = collections.defaultdict(list)
    for row in rows():
        by_symbol[row["symbol"]].append(row)
    pairs = [pair for pair in by_symbol.values() if sorted(row["contig"] for row in pair) == ["X", "Y"]]
    assert len(pairs) > 20
    for row in (row for pair in pairs for row in pair):
        regions = assembly("GRCh38").pars[row["contig"]]
        assert any(low <= int(row["start_grch38"]) and int(row["end_grch38"]) <= high for low, high in regions)


def test_ids_are_all_that_a_name_may_mean() -> None:
    assert genes.ids("BRCA2") == ("ENSG00000139618",)
    assert genes.ids("MKKS") == ("ENSG00000125863", "ENSG00000285508", "ENSG00000285723")
    assert genes.ids("nothing") == ()


ALL_ROWS = rows()


class Chain(NamedTuple):
    contig: str
    new_start: int
    new_end: int
    old_contig: str
    old_size: int
    reverse: bool
    blocks: list[tuple[int, int, int]]

    def lift(self, place: int) -> tuple[str, int] | None:
        new, old, size = self.blocks[bisect.bisect_right(self.blocks, (place, 1 << 60, 0)) - 1]
        if not new <= place < new + size:
            return None
        lifted = old + place - new
        return self.old_contig, self.old_size - 1 - lifted if self.reverse else lifted


def read_chains(path: Path) -> dict[str, list[Chain]]:
    """Chains by contig, best first, as UCSC's page on the format describes it."""
    chains = []
    with gzip.open(path, "rt") as lines:
        for fields in map(str.split, lines):
            if fields[:1] == ["chain"]:
                new, old = int(fields[5]), int(fields[10])
                chain = Chain(fields[2], new, int(fields[6]), fields[7], int(fields[8]), fields[9] == "-", [])
                chains.append((-int(fields[1]), len(chains), chain))
            elif fields:
                size, *gaps = map(int, fields)
                chain.blocks.append((new, old, size))
                new, old = (place + size + gap for place, gap in zip((new, old), gaps or (0, 0), strict=True))
    by_contig = collections.defaultdict(list)
    for _, _, chain in sorted(chains):
        by_contig[chain.contig].append(chain)
    return by_contig


@pytest.mark.shared
def test_places_on_grch37_are_those_of_the_chain(shared: Path) -> None:
    chains = read_chains(shared / "data" / "reference" / "hg38ToHg19.over.chain.gz")

    def lift(contig: str, place: int) -> tuple[str, int] | None:
        through = (chain for chain in chains[contig] if chain.new_start <= place < chain.new_end)
        return next((lifted for chain in through if (lifted := chain.lift(place))), None)

    compared = 0
    for row in ALL_ROWS[::5]:
        contig, start, last = f"chr{row['contig']}", int(row["start_grch38"]), int(row["end_grch38"]) - 1
        if contig not in chains or contig == "chrMT":
            continue
        ends = lift(contig, start), lift(contig, last)
        expected = ("", "")
        if all(end and end[0] == contig for end in ends):
            low, high = sorted(place for _, place in ends)
            if abs((high - low) - (last - start)) <= 0.1 * (last - start + 1):
                expected = (str(low), str(high + 1))
        assert (row["start_grch37"], row["end_grch37"]) == expected, row["symbol"]
        compared += 1
    assert compared > 6000


@pytest.mark.shared
def test_clinvar_s_variants_lie_in_the_genes_that_clinvar_names(shared: Path) -> None:
    compared = 0
    with gzip.open(shared / "data" / "clinical_variants" / "clinvar_PLP_2star_20241215.GRCh38.vcf.gz", "rt") as lines:
        for line in (line for line in lines if not line.startswith("#")):
            contig, pos1, _, ref, *_, tags = line.rstrip("\n").split("\t")
            symbols = dict(tag.partition("=")[::2] for tag in tags.split(";")).get("GENEINFO", "")
            for symbol in symbols.split(","):
                if len(genes.ids(symbol)) == 1:
                    gene = genes.find(symbol, "GRCh38")
                    # an insertion before a gene's first base is written at the base before
                    assert gene.contig == contig
                    assert gene.start - 1 <= int(pos1) - 1 + len(ref)
                    assert int(pos1) - 1 <= gene.end
                    compared += 1
    assert compared > 70_000


@pytest.mark.shared
def test_the_script_makes_the_table(shared: Path, tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "scripts" / "make_genes.py"
    spec = importlib.util.spec_from_file_location("make_genes", script)
    make_genes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_genes)
    make_genes.main(shared / "data" / "reference" / "genes_ensembl110.tsv.gz", tmp_path / "genes.tsv.gz")
    assert gzip.decompress((tmp_path / "genes.tsv.gz").read_bytes()) == gzip.decompress(TABLE.read_bytes())
