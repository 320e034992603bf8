# SPDX-License-Identifier: Apache-2.0
"""What a meta line may be, by the examples of VCFv4.3, and one fault at a time. The whole suite of hts-specs is in
tests/conformance."""

import pytest

from megagenome.standards.vcf_meta import Declared, declarations, meta_faults

GOOD = """##fileformat=VCFv4.3
##fileDate=20090805
##reference=file:///seq/references/1000GenomesPilot-NCBI36.fasta
##assembly=ftp://ftp.example.org/assembly.fa
##pedigreeDB=<http://203.0.113.7:8080/db>
##contig=<ID=20,length=62435964,assembly=B36,species="Homo sapiens",taxonomy=x>
##contig=<ID=HLA-A*01:01:01:01,length=3503>
##phasing=partial
##INFO=<ID=NS,Number=1,Type=Integer,Description="Number of Samples With Data",Source="x, y",Version="3">
##INFO=<ID=MY,Number=.,Type=String,Description="with \\"quotes\\", <brackets> and = signs">
##FILTER=<ID=q10,Description="Quality below 10">
##FORMAT=<ID=GL,Number=G,Type=Float,Description="likelihoods">
##ALT=<ID=DEL:ME:ALU,Description="Deletion of ALU element">
##ALT=<ID=CN2,Description="two copies">
##META=<ID=Assay,Type=String,Number=.,Values=[WholeGenome, Exome]>
##SAMPLE=<ID=Sample1,Assay=WholeGenome,Description="from a person">
##PEDIGREE=<ID=ChildID,Father=FatherID,Mother=MotherID>
##bcftools_viewCommand=view -Ob a.vcf; Date=Mon
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
"""
BAD = {
    "##words": "is no meta line",
    "##reference=": "is no meta line",
    "##assembly=": "is no meta line",
    "##assembly=somewhere": "assembly is no address",
    "##pedigreeDB=ftp://8080:8080/db": "pedigreeDB is no address",
    "##INFO=DP": "INFO is not written as",
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="no end>': "INFO is not written as",
    '##ALT=<ID=DEL,Description="a "word" in it">': "ALT is not written as",
    "##contig=<ID=1,2>": "contig is not written as",
    "##contig=<ID=1 2>": "contig is not written as",
    "##own=<a>": "own is not written as",
    "##contig=<length=5>": "contig does not begin with its ID",
    "##SAMPLE=<ID=,Assay=x>": "SAMPLE does not begin with its ID",
    "##PEDIGREE=<Father=x>": "PEDIGREE does not begin with its ID",
    "##PEDIGREE=<ID=x,Father=a:b>": "PEDIGREE names somebody",
    '##INFO=<ID=X,Type=Integer,Number=1,Description="x">': "in this order",
    "##INFO=<ID=X,Number=1,Type=Integer>": "in this order",
    '##ALT=<ID=DEL,Type=String,Number=1,Description="x">': "in another order",
    '##INFO=<ID=X,Number=B,Type=Integer,Description="x">': "Number that is none",
    '##INFO=<ID=X,Number=1,Type=Int,Description="x">': "Type that is none",
    '##FORMAT=<ID=X,Number=0,Type=Flag,Description="x">': "Type that is none",
    "##FILTER=<ID=q10,Description=x>": "Description without quotes",
    "##META=<ID=Assay,Type=String,Number=.,Values=x>": "without square brackets",
    '##ALT=<ID=THIS:ALU,Description="x">': "a kind of none of",
    '##INFO=<ID=AC,Number=1,Type=Integer,Description="x">': "INFO AC is reserved for Number=A,Type=Integer",
    '##FORMAT=<ID=GT,Number=1,Type=Float,Description="x">': "FORMAT GT is reserved for Number=1,Type=String",
}


def header(line: str, version: str = "4.3") -> str:
    return f"##fileformat=VCFv{version}\n{line}\n#CHROM\tPOS\n"


def test_what_the_specification_writes_is_right() -> None:
    assert list(meta_faults(GOOD)) == []


@pytest.mark.parametrize("line", BAD)
def test_each_fault_is_told_by_its_line(line: str) -> None:
    [fault] = meta_faults(header(line))
    assert fault.line == 2
    assert BAD[line] in fault.reason


def test_earlier_versions_reserve_nothing_and_name_no_pedigree() -> None:
    gl = '##FORMAT=<ID=GL,Number=.,Type=Float,Description="x">'
    for line, faults in ((gl, 1), ("##PEDIGREE=<Name_0=A,Name_1=B>", 1)):
        assert len(list(meta_faults(header(line)))) == faults
        assert list(meta_faults(header(line, "4.2"))) == []


def test_a_header_declares_over_what_is_reserved() -> None:
    text = header('##INFO=<ID=AC,Number=.,Type=String,Description="x">\n##INFO=<ID=MY,Number=2,Type=Float>')
    declared = declarations(text)
    assert declared.info["AC"] == Declared(".", "String")
    assert declared.info["AN"] == declared.formats["DP"] == Declared("1", "Integer")
    assert "MY" not in declared.info  # it is not written rightly
