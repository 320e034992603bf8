# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
from pathlib import Path

import numpy as np
import pysam
import pysam.bcftools
import pytest

from megagenome.collection import bcf_records
from megagenome.collection.read_vcf import open_vcf
from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards.genotypes import Block

PEOPLE = 1000


def _write(path: Path, records: int) -> Path:
    samples = "\t".join(f"S{n}" for n in range(PEOPLE))
    lines = [
        "##fileformat=VCFv4.3\n##contig=<ID=22>\n",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n',
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}\n",
        *(f"22\t{k + 1}\t.\tA\tG\t.\t.\t.\tGT" + "\t0|1" * PEOPLE + "\n" for k in range(records)),
    ]
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write("".join(lines).encode())
    return path


def test_a_slow_reader_does_not_stop_the_writer_for_ever(tmp_path: Path) -> None:
    """Where the pipe was full when htslib closed it, both waited for each other: at some lengths of file."""
    program = """
import sys, time
from pathlib import Path
from megagenome.collection.read_vcf import open_vcf
for path in sys.argv[1:]:
    with open_vcf(Path(path)) as source:
        for block in source.blocks:
            time.sleep(0.02)
"""
    paths = [_write(tmp_path / f"{records}.vcf.gz", records) for records in range(1580, 1700, 10)]
    subprocess.run([sys.executable, "-c", program, *map(str, paths)], check=True, timeout=60)


def test_bcf_is_read_as_vcf_is(tmp_path: Path) -> None:
    text = _write(tmp_path / "a.vcf.gz", 600)
    binary = tmp_path / "a.bcf"
    pysam.bcftools.view("-Ob", "-o", str(binary), str(text), catch_stdout=False)
    wanted = frozenset({"S3", "S7", "S999"})
    with open_vcf(text, wanted) as one, open_vcf(binary, wanted) as other:
        assert one.samples == other.samples == ("S3", "S7", "S999")
        text_blocks, binary_blocks = list(one.blocks), list(other.blocks)
    for field in Block._fields[1:4]:
        assert [x for b in text_blocks for x in getattr(b, field)] == [
            x for b in binary_blocks for x in getattr(b, field)
        ]
    assert {b.contig for b in (*text_blocks, *binary_blocks)} == {"22"}
    calls = [np.concatenate([b.calls for b in blocks]) for blocks in (text_blocks, binary_blocks)]
    assert calls[0].shape == (600, 3, 2)
    assert (calls[0] == calls[1]).all()


@pytest.mark.parametrize("keep", [4, 20, -1, -3])
def test_bcf_whose_records_break_off_is_refused(tmp_path: Path, keep: int) -> None:
    text, whole, cut = _write(tmp_path / "a.vcf.gz", 2), tmp_path / "a.bcf", tmp_path / "cut.bcf"
    pysam.bcftools.view("-Ob", "-o", str(whole), str(text), catch_stdout=False)
    with pysam.BGZFile(str(whole), "rb", None) as file:
        content = file.read(1 << 20)
    header = 9 + int.from_bytes(content[5:9], "little")
    with pysam.BGZFile(str(cut), "wb", None) as file:
        file.write(content[: header + keep] if keep > 0 else content[:keep])
    with open_vcf(cut) as source, pytest.raises(Corrupt, match="damaged or malformed"):
        list(source.blocks)


@pytest.mark.parametrize(
    "allele", [b"\x27A\t", b"\x27A\n", b"\x27A ", b"\x27A,", b"\x27A\0", b"\x27\x1b[", b"\x27\xff\xfe"]
)
@pytest.mark.parametrize("place", [b"\x27AC", b"\x27GT"])
def test_an_allele_that_no_vcf_could_spell_is_refused(tmp_path: Path, allele: bytes, place: bytes) -> None:
    text, whole, hostile = tmp_path / "a.vcf.gz", tmp_path / "a.bcf", tmp_path / "hostile.bcf"
    with pysam.BGZFile(str(_write(text, 2)), "rb", None) as file:
        lines = file.read(1 << 20).replace(b"\t2\t.\tA\tG", b"\t2\t.\tAC\tGT")
    with pysam.BGZFile(str(text), "wb", None) as file:
        file.write(lines)
    pysam.bcftools.view("-Ob", "-o", str(whole), str(text), catch_stdout=False)
    with pysam.BGZFile(str(whole), "rb", None) as file:
        content = file.read(1 << 20)
    with pysam.BGZFile(str(hostile), "wb", None) as file:
        file.write(content.replace(b"\x27AC\x27GT", b"\x27AC\x27GT".replace(place, allele)))
    with open_vcf(whole) as source:
        assert [block.refs for block in source.blocks] == [["A", "AC"]]
    with open_vcf(hostile) as source, pytest.raises(Invalid, match="22:2: an allele is empty, or holds a blank"):
        list(source.blocks)


def test_contigs_whose_numbers_have_gaps_are_refused(tmp_path: Path) -> None:
    text, whole, hostile = _write(tmp_path / "a.vcf.gz", 2), tmp_path / "a.bcf", tmp_path / "hostile.bcf"
    pysam.bcftools.view("-Ob", "-o", str(whole), str(text), catch_stdout=False)
    with pysam.BGZFile(str(whole), "rb", None) as file:
        content = file.read(1 << 20)
    assert b"##contig=<ID=22,IDX=0>" in content
    with pysam.BGZFile(str(hostile), "wb", None) as file:
        file.write(content.replace(b"##contig=<ID=22,IDX=0>", b"##contig=<ID=22,IDX=1>"))
    with open_vcf(hostile) as source, pytest.raises(Corrupt, match="before its first record"):
        list(source.blocks)


def test_a_record_that_is_wrong_is_named_by_the_one_before(tmp_path: Path) -> None:
    text, whole, wrong = _write(tmp_path / "a.vcf.gz", 5), tmp_path / "a.bcf", tmp_path / "wrong.bcf"
    pysam.bcftools.view("-Ob", "-o", str(whole), str(text), catch_stdout=False)
    with pysam.BGZFile(str(whole), "rb", None) as file:
        content = bytearray(file.read(1 << 20))
    at = 9 + int.from_bytes(content[5:9], "little")
    for _ in range(3):
        at += 8 + int.from_bytes(content[at : at + 4], "little") + int.from_bytes(content[at + 4 : at + 8], "little")
    content[at + 8] = 77  # the fourth record's contig
    with pysam.BGZFile(str(wrong), "wb", None) as file:
        file.write(bytes(content))
    with open_vcf(wrong) as source, pytest.raises(Corrupt, match="malformed after 22:3;"):
        list(source.blocks)


def test_records_longer_than_what_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, binary = _write(tmp_path / "a.vcf.gz", 40), tmp_path / "a.bcf"
    pysam.bcftools.view("-Ob", "-o", str(binary), str(text), catch_stdout=False)
    found = []
    for part_bytes in (1 << 20, 5_000, 700):  # a record has 2,000 bytes
        monkeypatch.setattr(bcf_records, "_PART_BYTES", part_bytes)
        with open_vcf(binary) as source:
            found.append([start for block in source.blocks for start in block.starts.tolist()])
    assert found == [list(range(40))] * 3
