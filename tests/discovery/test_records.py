# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.discovery.margins import margins_of
from megagenome.discovery.model import Told
from megagenome.discovery.records import cells, frequencies, variant
from megagenome.kernel.coordinates import Allele
from megagenome.standards.beacon import Frequency
from tests.discovery.world import world


@pytest.mark.parametrize(
    ("ref", "alt", "kind", "bases", "hgvs"),
    [
        ("A", "G", "SNP", "G", "NC_000022.10:g.101A>G"),
        ("AC", "A", "DEL", "A", ""),
        ("A", "AC", "INS", "AC", ""),
        ("AC", "GT", "MNP", "GT", ""),
        ("ACT", "GT", "INDEL", "GT", ""),
        ("A", "GT", "INDEL", "GT", ""),
        ("A", "<INS:ME:ALU>", "INS:ME:ALU", "", ""),
        ("A", "*", "DEL", "", ""),
        ("A", "A]chr2:5]", "BND", "", ""),
    ],
)
def test_an_allele_as_a_record(ref: str, alt: str, kind: str, bases: str, hgvs: str) -> None:
    allele = Allele("GRCh37", "22", 100, ref, alt)
    record = variant(allele)
    assert record.variation.variant_type == kind
    assert record.variation.alternate_bases == bases
    assert record.identifiers.genomic_hgvs_id == hgvs
    assert record.variation.location is not None
    assert record.variation.location.sequence_id == "HGVSid:22"
    assert record.variation.location.interval.end.value == 100 + len(ref)
    assert record.allele("GRCh37") == allele


def test_mitochondria_have_their_own_kind_of_expression() -> None:
    assert variant(Allele("GRCh38", "MT", 3242, "A", "G")).identifiers.genomic_hgvs_id == "NC_012920.1:m.3243A>G"


def test_only_told_cells_are_written() -> None:
    margins = margins_of(world().strata)
    told = Told.of_nothing(2, len(margins.labels))
    finland, saa = margins.labels.index("FI"), margins.labels.index("FI:SAA")
    told.counts[:] = 99
    told.counts[:, 1, finland], told.counts[:, 1, saa] = (10, 20, 0, 200), (30, 0, 0, 60)
    told.told[1, [finland, saa]] = True
    told.genotypes[1, finland] = True
    none, both = cells(margins, told)
    assert none == ((), ())
    assert both == ((Frequency("FI", 0.25, 50, 200, 20, 10, 0),), (Frequency("FI:SAA", 0.5, 30, 60),))
    assert [each.source for each in frequencies(both, "S", "R")] == [
        "S",
        "S, populations as the data holder states them",
    ]
    assert len(frequencies((both[0], ()), "S", "R")) == 1
