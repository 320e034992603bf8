# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
from pathlib import Path

import pysam
import pysam.bcftools
import pytest

from megagenome.collection.read_vcf import open_vcf
from megagenome.kernel.errors import Corrupt

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
        pairs = list(zip(one.blocks, other.blocks, strict=True))
    assert [len(block.refs) for block, _ in pairs] == [512, 88]
    for block, same in pairs:
        assert (block.contig, block.refs, block.alts) == (same.contig, same.refs, same.alts)
        assert (block.starts == same.starts).all()
        assert (block.calls == same.calls).all()


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
