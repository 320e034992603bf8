# SPDX-License-Identifier: Apache-2.0
"""Files that a node keeps sealed: what reception hands over, the archive keeps and delivery gives out, in the words
that the three share."""

import base64
import re
import secrets
from enum import StrEnum
from typing import NewType

import msgspec

from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import DatasetId

FileId = NewType("FileId", str)
"""`MGF-` and 16 of A-Z and 2-7, drawn at random; it says nothing of what is in the file."""

_FILE_ID = re.compile(r"MGF-[A-Z2-7]{16}")
_DIGITS = {"sha256": 64, "md5": 32}


def new_file_id() -> FileId:
    """An id that no file has: 80 random bits."""
    return FileId("MGF-" + base64.b32encode(secrets.token_bytes(10)).decode())


def parse_file_id(text: str) -> FileId:
    """The id of a file. Raises `Invalid`."""
    if not _FILE_ID.fullmatch(text):
        raise Invalid(f"{text[:100]!r} is no id of a file: they look like MGF-ABCDEFGHIJKLMNOP")
    return FileId(text)


class FileState(StrEnum):
    """How far a file came. Only `READY` ones are given out."""

    ARCHIVED = "archived"  # whole and durable here, with the checksums that its submitter stated
    VERIFIED = "verified"  # and read again from the disk since
    READY = "ready"
    SUSPECT = "suspect"  # what is stored is not what was stored: nothing is read of it until it verifies again
    WITHDRAWN = "withdrawn"  # verified, and by the operator's word not given out
    SHREDDED = "shredded"  # its key is gone, and with it what it held


class Expected(msgspec.Struct, frozen=True):
    """What its submitter says of a file, in lower-case hexadecimal: nothing is taken on trust.

    sha256, md5        of the plain bytes
    sealed_size_bytes  of the Crypt4GH file as it was sent
    """

    sha256: str
    sealed_size_bytes: int
    md5: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be compared."""
        for name, digits in _DIGITS.items():
            value = getattr(self, name)
            if value is not None and not re.fullmatch(rf"[0-9a-f]{{{digits}}}", value):
                raise Invalid(f"{name} {str(value)[:80]!r} is not {digits} lower-case hexadecimal digits")


class Described(msgspec.Struct, frozen=True):
    """What a file is.

    dataset   the dataset that it belongs to
    name      what its submitter calls it
    format    such as `BAM`, `CRAI`, `VCF`
    samples   whose genomes it tells of, an index of those in its file; where of nobody's, it is given to nobody
    index_of  the file that it is the index of
    """

    dataset: DatasetId
    name: str
    format: str
    samples: tuple[str, ...] = ()
    index_of: FileId | None = None


class ArchivedFile(msgspec.Struct, frozen=True):
    """A file that the archive keeps. Of a shredded one, name and samples are empty.

    size_bytes   of its plain bytes
    sha256       of its plain bytes
    md5          of its plain bytes, where its submitter stated one
    body_sha256  of the encrypted body as it is stored; known since it was first read again, so of every `READY` file
    created, verified  when it was archived, and last read again from the disk whole; ISO 8601, UTC
    """

    id: FileId
    dataset: DatasetId
    name: str
    format: str
    samples: tuple[str, ...]
    index_of: FileId | None
    size_bytes: int
    sha256: str
    md5: str | None
    body_sha256: str | None
    state: FileState
    created: str
    verified: str | None
