# SPDX-License-Identifier: Apache-2.0
"""Values of record lines against what is declared, one fault at a time; a line without a fault has none."""

import pytest

from megagenome.standards.vcf_meta import declarations
from megagenome.standards.vcf_values import ValueCheck

HEADER = """##fileformat=VCFv4.3
##INFO=<ID=ONE,Number=1,Type=Integer,Description="x">
##INFO=<ID=PER,Number=R,Type=Float,Description="x">
##INFO=<ID=FLAG,Number=0,Type=Flag,Description="x">
##INFO=<ID=TEXT,Number=1,Type=String,Description="x">
##FORMAT=<ID=DS,Number=1,Type=Float,Description="x">
##FORMAT=<ID=AL,Number=A,Type=Float,Description="x">
##FORMAT=<ID=CH,Number=2,Type=Character,Description="x">
"""
RIGHT = {"ID": "rs1;rs2", "REF": "A", "ALT": "C,G", "QUAL": "1e3", "FILTER": "q10;s50", "INFO": "ONE=1", "FORMAT": "GT"}


def told(**changed: str) -> list[str]:
    cells = {**RIGHT, **changed}
    samples = cells.pop("samples", "0/0 0/1").split()
    line = "\t".join(["22", "5", *cells.values(), *samples])
    return [fault.reason for fault in ValueCheck(declarations(HEADER)).faults(line, 9)]


@pytest.mark.parametrize(
    "right",
    [
        {},
        {"INFO": "."},
        {"INFO": "ONE=.;PER=1,2.5e-3,.;FLAG;UNDECLARED=a,b;AC=1,2;1000G;CIGAR=5M,3M1D"},
        {"INFO": "ONE=-2147483640;FLAG=1;AF=0.5,nan"},
        {"INFO": 'TEXT="a, b"'},
        {"ALT": ".", "INFO": "AC=5;AF=0.1"},
        {"ID": ".", "FILTER": "PASS", "QUAL": "."},
        {"FORMAT": "GT:DS:AL:CH", "samples": "0/0:0.5:1,2:a,b 0/1:.:.,3 0/1"},
        {"FORMAT": "GL:XX", "samples": "1,2:. .:a"},
    ],
)
def test_what_is_as_declared_is_right(right: dict[str, str]) -> None:
    assert told(**right) == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"ID": "rs1;"}, "ID has an empty name, or one twice"),
        ({"ID": "rs1;rs1"}, "ID has an empty name, or one twice"),
        ({"FILTER": ";PASS"}, "FILTER has an empty name"),
        ({"FILTER": "q10;."}, "FILTER has `.` beside others"),
        ({"FILTER": "q10;0"}, "the name 0"),
        ({"QUAL": "-5"}, "QUAL is negative"),
        ({"INFO": "ONE=1,2"}, "INFO ONE has 2 values, where Number=1 is 1"),
        ({"INFO": "ONE=x"}, "INFO ONE is not of the type Integer"),
        ({"INFO": "ONE=1.5"}, "INFO ONE is not of the type Integer"),
        ({"INFO": "ONE=2147483648"}, "INFO ONE is not of the type Integer"),
        ({"INFO": "ONE=-2147483648"}, "INFO ONE is not of the type Integer"),
        ({"INFO": "ONE"}, "INFO ONE has no value"),
        ({"INFO": "PER=1,2"}, "INFO PER has 2 values, where Number=R is 3"),
        ({"INFO": "FLAG=2"}, "INFO FLAG is a flag and has a value"),
        ({"INFO": "TEXT=a,b"}, "INFO TEXT has 2 values"),
        ({"INFO": "AC=1"}, "INFO AC has 1 values, where Number=A is 2"),
        ({"INFO": "DP=-1"}, "INFO DP is negative"),
        ({"INFO": "CIGAR=5M,x"}, "INFO CIGAR is no CIGAR"),
        ({"INFO": "A B=1"}, "INFO has 'A B', which is no key"),
        ({"INFO": "ONE=1;ONE=1"}, "INFO has 'ONE', which is no key or stands twice"),
        ({"FORMAT": "GT:1X", "samples": "0/0:. 0/0:."}, "has a key that is none"),
        ({"FORMAT": "GT:DS:DS", "samples": "0/0 0/0"}, "has a key that is none, or one twice"),
        ({"FORMAT": "GT:DS", "samples": "0/0:1 0/0:x"}, "FORMAT DS of sample 2 is not of the type Float"),
        ({"FORMAT": "GT:AL", "samples": "0/0:1 0/0:."}, "FORMAT AL of sample 1 has 1 values, where Number=A is 2"),
        ({"FORMAT": "GT:CH", "samples": "0/0:a,bc 0/0"}, "FORMAT CH of sample 1 is not of the type Character"),
    ],
)
def test_each_fault_is_told_without_its_value(changed: dict[str, str], says: str) -> None:
    [reason] = told(**changed)
    assert says in reason


def test_an_allele_that_stands_twice_is_told_however_it_is_written() -> None:
    check = ValueCheck(declarations(HEADER))
    lines = [
        "22\t100\t.\tTAT\tTGT",
        "22\t101\t.\tA\tC,G",
        "22\t101\t.\ta\tt",
        "22\t101\t.\tA\tT",
        "22\t101\t.\tA\t<DEL>",
    ]
    rest = "\t.\t.\t."
    found = [list(check.faults(line + rest, number)) for number, line in enumerate(lines, start=5)]
    assert [[fault.line for fault in each] for each in found] == [[], [6], [], [8], []]
    assert "stands on line 5 already" in found[1][0].reason
    assert "stands on line 7 already" in found[3][0].reason
