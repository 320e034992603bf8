# SPDX-License-Identifier: Apache-2.0
"""VCF 4.3 and BCF 2.2 as they are written: one record for each allele, with genotypes alone (samtools/hts-specs).

A file comes in pieces that are not compressed yet (`standards.bgzf`), so that one of any size takes little memory.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Invalid

_MISSING_QUALITY = b"\x01\x00\x80\x7f"
_PASS, _GT = 0, 1  # places in BCF's dictionary of strings, as the header numbers them
_MISSING, _END = 0, -127  # a call that is none, and a second one that there is not
_LARGEST_SHORT = 15
_TEXTS = (b"./.", b"0/0", b"0/1", b"1/1", b".", b"0", b"1", b"./0", b"./1")
_BCF_CALLS = np.array([[0, 0], [2, 2], [2, 4], [4, 4], [0, _END], [2, _END], [4, _END], [0, 2], [0, 4]], np.int8)

Copies = npt.NDArray[np.int8]


class Contig(NamedTuple):
    """A contig as the file names it, and its length."""

    name: str
    length: int


def header_text(assembly: str, contigs: Sequence[Contig], samples: Sequence[str], lines: Sequence[str] = ()) -> str:
    """The header of a file; `lines` are further ones, each beginning with `##`. Raises `Invalid` for a name with a tab
    or a line's end in it, which no file can hold."""
    names = [*samples, *(contig.name for contig in contigs), assembly, *lines]
    if any(each in name for name in names for each in "\t\n\r"):
        raise Invalid("a name with a tab or a line's end cannot stand in a VCF")
    return "\n".join(
        [
            "##fileformat=VCFv4.3",
            '##FILTER=<ID=PASS,Description="All filters passed",IDX=0>',
            '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype",IDX=1>',
            *(
                f"##contig=<ID={contig.name},length={contig.length},assembly={assembly},IDX={number}>"
                for number, contig in enumerate(contigs)
            ),
            *lines,
            "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]) + "\n",
        ]
    )


def bcf_header(text: str) -> bytes:
    """What a BCF begins with."""
    content = text.encode() + b"\0"
    return b"BCF\2\2" + struct.pack("<I", len(content)) + content


def vcf_record(contig: str, allele: Allele, copies: Copies, called: Copies) -> bytes:
    """A line of text. `copies` of the allele and alleles that were `called`, int8 [samples] each; of one called there
    is one in the file, of -1 one of two, and of none called two that are missing."""
    head = f"{contig}\t{allele.start + 1}\t.\t{allele.ref}\t{allele.alt}\t.\t.\t.\tGT\t"
    kinds = _kinds(copies, called)
    return head.encode() + b"\t".join([_TEXTS[kind] for kind in kinds.tobytes()]) + b"\n"


def bcf_record(contig: int, allele: Allele, copies: Copies, called: Copies) -> bytes:
    """A record of BCF; `contig` is its place in the header. Else as `vcf_record`."""
    calls = _BCF_CALLS[_kinds(copies, called)]
    fixed = struct.pack("<iii", contig, allele.start, len(allele.ref)) + _MISSING_QUALITY
    shared = fixed + struct.pack("<II", 2 << 16, 1 << 24 | len(copies))
    shared += _text("") + _text(allele.ref) + _text(allele.alt) + b"\x00"
    each = bytes((0x11, _GT, 0x21)) + calls.tobytes()  # the key as one small integer; of each sample two
    return struct.pack("<II", len(shared), len(each)) + shared + each


def _kinds(copies: Copies, called: Copies) -> npt.NDArray[np.uint8]:
    """Of each sample the place of its call in the tables above."""
    kinds: npt.NDArray[np.uint8] = np.select(
        [called == 2, called == 1, called == -1], [1 + copies, 5 + copies, 7 + copies], 0
    ).astype("u1")
    return kinds


def _text(text: str) -> bytes:
    """A text as BCF's typed value."""
    content = text.encode()
    if len(content) < _LARGEST_SHORT:
        return bytes((len(content) << 4 | 7,)) + content
    if len(content) < 1 << 7:
        return bytes((0xF7, 0x11, len(content))) + content
    return b"\xf7\x13" + struct.pack("<i", len(content)) + content
