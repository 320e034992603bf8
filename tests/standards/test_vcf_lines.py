# SPDX-License-Identifier: Apache-2.0
"""Lines of VCF: what is refused says why, and C reads exactly what Python reads."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from megagenome.kernel import native
from megagenome.standards import vcf_lines
from megagenome.standards.genotypes import ABSENT, MISSING
from megagenome.standards.vcf_lines import BadLine, LineReader, parse_line

FIXED = "22\t100\trs1;rs2\tA\tG,<DEL>\t29.5\tPASS\tAF=0.1;X=a b"
GOOD = f"{FIXED}\tGT:DP:PL\t0/1:3:1,2,3,4,5,6\t.\t1|.:7\t0"
KEYS = frozenset({"PL"})


def test_a_line() -> None:
    line = parse_line(GOOD, 4, KEYS)
    assert line[:4] == ("22", 99, "A", ("G", "<DEL>"))
    assert line.calls == [(0, 1), (MISSING, ABSENT), (1, MISSING), (0, ABSENT)]
    assert line.odd == ""


def test_a_line_without_genotypes_has_every_call_missing() -> None:
    assert parse_line(f"{FIXED}\tDP\t3\t4", 2).calls == [(MISSING, ABSENT)] * 2
    assert parse_line(FIXED, 0).calls == []


def test_what_is_odd_is_missing_and_said() -> None:
    line = parse_line(f"{FIXED}\tGT\t0/1/1\t0/1", 2)
    assert (line.calls, line.odd) == ([(MISSING, MISSING), (0, 1)], "a call of 3 alleles; at most 2 are understood")
    line = parse_line(FIXED.replace("G,<DEL>", ".") + "\tGT\t0/1\t0/0", 2)
    assert line.alts == ()
    assert line.calls == [(MISSING, MISSING), (0, 0)]
    assert "names an alternate, yet ALT is `.`" in line.odd


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("\t100\t", "\t\t", "POS '' is no position"),
        ("\t100\t", "\t1e2\t", "POS '1e2' is no position"),
        ("\t100\t", "\t-1\t", "POS '-1' is no position"),
        ("\t100\t", "\t2147483648\t", "POS '2147483648' is no position"),
        ("\tA\t", "\t.\t", "22:100: REF '.' is no run"),
        ("\tA\t", "\tR\t", "REF 'R' is no run"),
        ("\tA\t", "\tA,C\t", "REF 'A,C' is no run"),
        ("G,<DEL>", "G,,T", "ALT 'G,,T' has an empty allele"),
        ("G,<DEL>", "<DEL>x", "ALT '<DEL>x': neither"),
        ("G,<DEL>", "G/T", "ALT 'G/T': neither"),
        ("G,<DEL>", "[1:100[", "neither"),
        ("29.5", "good", "QUAL 'good' is no number"),
        ("rs1;rs2", "", "ID is empty"),
        ("PASS", "q 10", "FILTER is empty or holds"),
        ("22\t", "2 2\t", "CHROM '2 2' cannot be"),
        ("22\t", "2:2\t", "CHROM '2:2' cannot be"),
        ("22\t", "<22\t", "CHROM '<22' cannot be"),
        ("GT:DP", "DP:GT", "GT must be the first key"),
        ("GT:DP", "GT:", "has a bad key ''"),
        ("GT:DP", "GT:GT", "has a key twice"),
        ("0/1:3", "0/3:3", "the genotype (GT) of sample 1 names an allele that the record does not list"),
        ("0/1:3", "0/A:3", "the genotype (GT) of sample 1 is none"),
        ("0/1:3", "0//1:3", "the genotype (GT) of sample 1 is none"),
        ("1|.:7", "1|:7", "the genotype (GT) of sample 3 is none"),
        ("1|.:7", "1|.:7:0:x", "the cell of sample 3 has more values than FORMAT has keys"),
        ("1|.:7", "", "the cell of sample 3 is empty"),
        ("1,2,3,4,5,6", "1,2,3", "sample 1 has 3 likelihoods, which are not those of its genotype's ploidy (6)"),
        ("\t1|.:7\t0", "\t1|.:7", "12 columns separated by tabs, where the #CHROM line has 13"),
        ("\t1|.:7\t0", "\t1|.:7\t0\t0", "14 columns"),
    ],
)
def test_what_is_not_vcf_is_refused(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(BadLine) as error:
        parse_line(GOOD.replace(old, new, 1), 4, KEYS)
    assert says in str(error.value)


@pytest.mark.parametrize("alt", ["*", "<*>", "<DUP:TANDEM>", "A]2:1]", "[2:1[A", ".A", "A.", "G]<ctg>:7]", "acgtn"])
def test_alternates_of_every_form_are_taken(alt: str) -> None:
    assert parse_line(FIXED.replace("G,<DEL>", alt), 0).alts == (alt,)


def test_the_line_is_named() -> None:
    content = f"{GOOD}\n{GOOD}\n{GOOD.replace('100', 'x')}\n".encode()
    with pytest.raises(BadLine, match="line 12: POS 'x' is no") as error:
        LineReader(4, 9).lines(content, 0)
    assert error.value.line == 12


def test_many_alternates_are_wide() -> None:
    bases = ["".join("ACGT"[k // 4**p % 4] for p in range(5)) for k in range(200)]
    line = FIXED.replace("G,<DEL>", ",".join(bases)) + "\tGT\t0/200\n"
    lines, _ = LineReader(1, 0).lines((line + GOOD.replace("\t.\t1|.:7\t0", "") + "\n").encode(), 0)
    assert lines.calls.dtype.itemsize == 2
    assert lines.calls.tolist() == [[[0, 200]], [[0, 1]]]


CELLS = st.sampled_from(
    [
        "0/1",
        "0|0",
        "1",
        ".",
        "./.",
        "0/.",
        "2/1",
        "0/3",
        "1/1/1",
        "",
        "0/1:3:1,2,3",
        "0:3:1,2",
        "0/1:3:.",
        "0/1:",
        "|0/1",
        "9" * 12,
    ]
)
LINES = st.tuples(
    st.sampled_from(["22", "chrX", "<1>", "a b", "", "HLA|x", "é"]),
    st.sampled_from(["1", "0", "2147483647", "2147483648", "007", "x", ""]),
    st.sampled_from([".", "rs1", "é", ""]),
    st.sampled_from(["A", "acgt", "R", ".", ""]),
    st.sampled_from(["G", "G,T", ".", "<DEL>", "<NON_REF>", "*", "G,", "A[2:1[", "<>", ""]),
    st.sampled_from([".", "10", "1e-5", "2.E+7", ".5", "-1", "Inf", "1.2.3", "1e", "..", ""]),
    st.sampled_from(["PASS", ".", "q10;s50", "a b"]),
    st.sampled_from([".", "AC=1", "A B", "é"]),
    st.sampled_from(["GT", "GT:DP:PL", "DP", "GT:GT", "GT::DP", "GTX:DP", "GT:PLX"]),
    st.lists(CELLS, min_size=2, max_size=2),
).map(lambda parts: "\t".join([*parts[:9], *parts[9]]))


@pytest.mark.native
@example(["22\t1\t.\tA\tG\t1.2.3\tPASS\t.\tGT\t0/1\t0/1"], b"", 0)
@given(st.lists(LINES, min_size=1, max_size=6), st.binary(max_size=3), st.integers(0, 400))
def test_c_reads_what_python_reads(lines: list[str], noise: bytes, at: int) -> None:
    content = bytearray("".join(line + "\n" for line in lines).encode() + b"22\t9")
    content[at : at + len(noise)] = noise

    def read(reader: LineReader) -> object:
        try:
            found, end = reader.lines(bytes(content), 0)
        except BadLine as error:
            return str(error)
        return found.contigs, found.starts.tolist(), found.refs, found.alts, found.calls.tolist(), found.odd, end

    reader, slow = LineReader(2, 5, KEYS), LineReader(2, 5, KEYS)
    slow._native = None
    assert reader._native is not None
    assert read(reader) == read(slow)


@pytest.mark.native
def test_c_leaves_only_what_is_uncommon_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vcf_lines, "parse_line", None)
    found, _ = LineReader(4, 0, KEYS).lines(f"{GOOD.replace('a b', 'a')}\n".encode() * 3, 0)
    assert found.calls.tolist() == [[[0, 1], [-1, -2], [1, -1], [0, -2]]] * 3
    assert native.library() is not None
