# SPDX-License-Identifier: Apache-2.0
"""What format a file is of, by its first bytes; what its name says is only compared."""

import zlib

from megagenome.standards import bam, bgzf, cram, vcf

BEGIN_BYTES = 1 << 16
SEALED = b"crypt4gh"
"""What a Crypt4GH file begins with, said again here: the module of that format brings cryptography into memory."""

_BY_NAME = {
    "vcf": "vcf",
    "bcf": "bcf",
    "bam": "bam",
    "cram": "cram",
    "tbi": "tbi",
    "csi": "csi",
    "bai": "bai",
    "crai": "crai",
    "tsv": "people-table",
    "txt": "people-table",
    "json": "json",
    "jsonl": "json",
}
_MAGICS = ((b"TBI\x01", "tbi"), (b"CSI\x01", "csi"), (b"BAI\x01", "bai"), (vcf.BCF_MAGIC, "bcf"), (bam.MAGIC, "bam"))
_BOM = b"\xef\xbb\xbf"


def format_of_name(name: str) -> str:
    """The format that a file's name promises; "" if none."""
    parts = name.lower().rsplit("/", 1)[-1].split(".")
    while len(parts) > 1 and parts[-1] in ("gz", "bgz", "bgzf"):
        parts.pop()
    return _BY_NAME.get(parts[-1], "") if len(parts) > 1 else ""


def format_of_content(begin: bytes) -> str:
    """The format of a file that begins like this; "" if none is known. `json` is still to be told apart."""
    if begin[:4] == cram.MAGIC:
        return "cram"
    is_compressed = begin[:2] == bgzf.GZIP_MAGIC
    begin = inflate_begin(begin) if is_compressed else begin
    for magic, known in _MAGICS:
        # BAI is never compressed, all others are; a mislabelled one is then of no known format
        if begin.startswith(magic) and is_compressed != (known == "bai"):
            return known
    text = begin.removeprefix(_BOM)
    if text.startswith(b"##fileformat=VCF"):
        return "vcf"
    if text.lstrip()[:1] in (b"{", b"[") and text.strip():
        return "json"
    first = text.split(b"\n", 1)[0].rstrip(b"\r").split(b"\t")
    if b"individual_id" in first:
        return "people-table"
    if is_compressed and len(first) == 6 and all(each.lstrip(b"-").isdigit() for each in first):
        return "crai"
    return ""


def inflate_begin(begin: bytes) -> bytes:
    """What a gzip file that begins like this holds first, at most 64 KiB of it."""
    try:
        return zlib.decompressobj(wbits=31).decompress(begin, BEGIN_BYTES)
    except zlib.error:
        return b""
