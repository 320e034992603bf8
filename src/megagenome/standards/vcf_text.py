# SPDX-License-Identifier: Apache-2.0
"""Variant Call Format 4.3 as text, from genotype blocks: the header and the record lines, with GT only.

Specification: VCFv4.3, https://samtools.github.io/hts-specs/VCFv4.3.pdf, sections 1.2 to 1.6. Compression and indexes
are not made here.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid
from megagenome.standards.genotypes import ABSENT, Block

MOST_ALTERNATES = 9


def _words() -> npt.NDArray[np.uint32]:
    """The text of a call in four bytes, by `(first + 2) * 16 + second + 2`; zero bytes are no text."""
    digits = b"\x00.0123456789"  # of ABSENT, MISSING, 0 .. 9
    words = np.zeros((16, 16, 4), np.uint8)
    for first, second in itertools.product(range(1, len(digits)), range(len(digits))):
        call = bytes([digits[first]]) if second == ABSENT + 2 else bytes([digits[first], ord("|"), digits[second]])
        words[first, second, : len(call) + 1] = list(call + b"\t")
    return words.reshape(256, 4).view(np.uint32).ravel()


_WORDS = _words()


def write_header(source: str, assembly: str, contig_lengths: Mapping[str, int], samples: Sequence[str]) -> bytes:
    """The header, its `#CHROM` line last. `source` says what made the file."""
    lines = ["##fileformat=VCFv4.3", f"##source={source}", f"##reference={assembly}"]
    lines += [f"##contig=<ID={name},length={length},assembly={assembly}>" for name, length in contig_lengths.items()]
    lines += [
        '##FILTER=<ID=PASS,Description="All filters passed">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]),
    ]
    return ("\n".join(lines) + "\n").encode()


def write_records(block: Block) -> bytes:
    """The record lines of a block, in its order, calls as phased: `0|1`, `.|.`, and `1` or `.` where haploid.

    Raises `Invalid` for a record with more than 9 alternates. Costs about 6 ns of CPU per call.
    """
    if max(map(len, block.alts), default=0) > MOST_ALTERNATES:
        raise Invalid(f"{block.contig}: a record has more than {MOST_ALTERNATES} alternates; split it before writing")
    first, second = block.calls[:, :, 0], block.calls[:, :, 1]
    codes = ((first + 2) * 16 + (second + 2)).astype(np.uint8)
    text = _WORDS[codes].view(np.uint8)
    haploid = (second == ABSENT).any(axis=1).tolist()
    lines = []
    for row, (start, ref, alts) in enumerate(zip(block.starts.tolist(), block.refs, block.alts, strict=True)):
        calls = text[row][text[row] != 0] if haploid[row] else text[row]
        fixed = f"{block.contig}\t{start + 1}\t.\t{ref}\t{','.join(alts) or '.'}\t.\tPASS\t.\tGT\t"
        lines += [fixed.encode(), calls.tobytes()[:-1], b"\n"]
    return b"".join(lines)
