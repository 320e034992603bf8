# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pysam
import pytest

from megagenome.kernel.errors import Invalid
from megagenome.standards.genotypes import ABSENT, MISSING, Block
from megagenome.standards.vcf_text import write_header, write_records


def block(calls: list[list[list[int]]], alts: list[tuple[str, ...]], contig: str = "chr22") -> Block:
    starts = np.arange(len(calls), dtype=np.int64) + 99
    return Block(contig, starts, ["A"] * len(calls), alts, np.array(calls, np.int8))


def test_records_are_written_as_the_specification_has_them() -> None:
    mixed = block(
        [
            [[0, 1], [2, MISSING], [MISSING, MISSING]],
            [[1, ABSENT], [0, 1], [MISSING, ABSENT]],
            [[0, 0], [0, 0], [0, 0]],
        ],
        [("C", "AT"), ("G",), ()],
    )
    assert write_records(mixed) == (
        b"chr22\t100\t.\tA\tC,AT\t.\tPASS\t.\tGT\t0|1\t2|.\t.|.\n"
        b"chr22\t101\t.\tA\tG\t.\tPASS\t.\tGT\t1\t0|1\t.\n"
        b"chr22\t102\t.\tA\t.\t.\tPASS\t.\tGT\t0|0\t0|0\t0|0\n"
    )


def test_nine_alternates_are_written_and_ten_are_refused() -> None:
    nine = tuple("A" * length for length in range(2, 11))
    assert write_records(block([[[9, 8]]], [nine])).endswith(b"\t9|8\n")
    with pytest.raises(Invalid, match="more than 9 alternates"):
        write_records(block([[[0, 0]]], [(*nine, "A" * 11)]))


def test_htslib_reads_back_what_was_written(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    calls = random.integers(-1, 3, (50, 7, 2)).astype(np.int8)
    calls[:, ::3, 1] = ABSENT
    written = Block("chrX", np.arange(50, dtype=np.int64) * 10, ["G"] * 50, [("A", "GTT")] * 50, calls)
    path = tmp_path / "a.vcf"
    samples = [f"S{number}" for number in range(7)]
    path.write_bytes(write_header("a test", "GRCh38", {"chrX": 156_040_895}, samples) + write_records(written))
    with pysam.VariantFile(str(path)) as file:
        assert list(file.header.samples) == samples
        assert file.header.contigs["chrX"].length == 156_040_895
        for row, record in enumerate(file):
            assert (record.start, record.ref, record.alts) == (row * 10, "G", ("A", "GTT"))
            for place, call in enumerate(record.samples.values()):
                expected = tuple(None if x == MISSING else int(x) for x in calls[row, place] if x != ABSENT)
                assert call["GT"] == expected
                assert call.phased
