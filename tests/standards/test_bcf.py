# SPDX-License-Identifier: Apache-2.0
"""BCF records, against what htslib wrote them from."""

import gzip
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from megagenome.standards import bcf
from megagenome.standards.genotypes import ABSENT, MISSING

HEADER = """##fileformat=VCFv4.2
##contig=<ID=21,length=46709983>
##contig=<ID=22,length=50818468>
##INFO=<ID=NOTE,Number=1,Type=String,Description="Any text">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2\tS3
"""
SAMPLES = 3


def read(folder: Path, lines: list[str], header: str = HEADER) -> tuple[bcf.Dictionary, list[tuple[bcf.Record, bytes]]]:
    """The lines as htslib writes them in BCF, read back by our own reader."""
    text, binary = folder / "x.vcf", folder / "x.bcf"
    text.write_text(header + "".join(line + "\n" for line in lines))
    with pysam.VariantFile(str(text)) as source, pysam.VariantFile(str(binary), "wb", header=source.header) as sink:
        for record in source:
            sink.write(record)
    plain = gzip.decompress(binary.read_bytes())
    assert plain.startswith(bcf.MAGIC)
    at = len(bcf.MAGIC) + 4
    length = int.from_bytes(plain[at - 4 : at], "little")
    dictionary = bcf.parse_dictionary(
        plain[at : at + length].decode(), samples=len(header.splitlines()[-1].split("\t")) - 9
    )
    at += length
    found = []
    while at < len(plain):
        shared, individual = bcf.RECORD_LENGTHS.unpack_from(plain, at)
        at += bcf.RECORD_LENGTHS.size
        body = plain[at : at + shared + individual]
        found.append((bcf.parse_record(body, shared, dictionary), body))
        at += shared + individual
    return dictionary, found


def calls(record: bcf.Record, body: bytes) -> list[list[int]]:
    raw = np.frombuffer(body, f"<i{record.width}", SAMPLES * record.ploidy, record.at).copy()
    called: list[list[int]] = bcf.as_calls(raw).reshape(SAMPLES, record.ploidy).tolist()
    return called


def test_place_alleles_and_calls(tmp_path: Path) -> None:
    dictionary, found = read(
        tmp_path,
        [
            "21\t100\t.\tA\tG\t.\t.\t.\tGT\t0|1\t1/1\t./.",
            "22\t16050075\trs1;rs2\tAC\tA,<DEL>\t30\tPASS\tNOTE=long\tDP:GT\t7:0/2\t300:.|1\t.:1",
        ],
    )
    (one, first), (two, second) = found
    assert (dictionary.contigs[one.contig], one.start, one.alleles) == ("21", 99, ["A", "G"])
    assert calls(one, first) == [[0, 1], [1, 1], [MISSING, MISSING]]
    assert (dictionary.contigs[two.contig], two.start, two.alleles) == ("22", 16050074, ["AC", "A", "<DEL>"])
    assert calls(two, second) == [[0, 2], [MISSING, 1], [1, ABSENT]]


def test_texts_longer_than_a_descriptor_byte_counts(tmp_path: Path) -> None:
    ref, alts = "A" * 70_000, ["C" * 15, "G" * 300, "T" * 14]
    line = f"22\t100\t{'r' * 200}\t{ref}\t{','.join(alts)}\t.\t.\tNOTE={'n' * 5000}\tGT\t0/3\t2/1\t0/0"
    _, [(record, body)] = read(tmp_path, [line])
    assert record.alleles == [ref, *alts]
    assert calls(record, body) == [[0, 3], [2, 1], [0, 0]]


@pytest.mark.parametrize("alternates", [62, 63, 126, 127, 200])
def test_alleles_of_any_number(tmp_path: Path, alternates: int) -> None:
    alts = ",".join("C" + format(k, "b").replace("0", "A").replace("1", "G") for k in range(alternates))
    _, [(record, body)] = read(tmp_path, [f"22\t100\t.\tA\t{alts}\t.\t.\t.\tGT\t0/{alternates}\t./.\t1"])
    assert calls(record, body) == [[0, alternates], [MISSING, MISSING], [1, ABSENT]]


def test_records_and_headers_without_genotypes(tmp_path: Path) -> None:
    _, [(record, _)] = read(tmp_path, ["22\t100\t.\tA\tG\t.\t.\t.\tDP\t1\t2\t3"])
    assert record.ploidy == 0
    without = "".join(line for line in HEADER.splitlines(keepends=True) if "ID=GT" not in line)
    dictionary, [(record, _)] = read(tmp_path, ["22\t100\t.\tA\tG\t.\t.\t.\tDP\t1\t2\t3"], without)
    assert (dictionary.gt, record.ploidy) == (None, 0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.none() | st.integers(0, 2), min_size=1, max_size=3), min_size=3, max_size=3), st.booleans())
def test_calls_of_any_ploidy(tmp_path: Path, some: list[list[int | None]], phased: bool) -> None:
    texts = ["|/"[not phased].join("." if a is None else str(a) for a in call) for call in some]
    _, [(record, body)] = read(tmp_path, ["22\t100\t.\tA\tC,G\t.\t.\t.\tGT\t" + "\t".join(texts)])
    widest = max(map(len, some))
    expected = [[MISSING if a is None else a for a in call] + [ABSENT] * (widest - len(call)) for call in some]
    assert calls(record, body) == expected
