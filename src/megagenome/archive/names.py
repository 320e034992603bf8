# SPDX-License-Identifier: Apache-2.0
"""The keys of a file's blobs.

archive/mgf-ab/mgf-ab...-1-5f3a09c2.c4b        the body
archive/mgf-ab/mgf-ab...-1-5f3a09c2.KEY.c4h    the sidecar, for the recipient key of this fingerprint
archive/mgf-ab/mgf-ab...-1-5f3a09c2.shred      that it is being, or was, shredded

The stem has the file's id, the attempt and eight random digits, so no two runs of anything ever write under one name.
"""

import re
import secrets
from typing import NamedTuple

from megagenome.kernel.sealed_files import FileId

ROOT = "archive/"
_BLOB = re.compile(r"archive/mgf-[a-z2-7]{2}/(mgf-[a-z2-7]{16}-\d+-[0-9a-f]{8})\.(c4b|shred|([0-9a-f]{32})\.c4h)")


class Blob(NamedTuple):
    """What a key names. kind: `c4b`, `c4h` or `shred`; recipient: of a sidecar, else "" """

    stem: str
    kind: str
    recipient: str


def new_stem(file: FileId, attempt: int) -> str:
    """A stem that was never used."""
    return f"{file.lower()}-{attempt}-{secrets.token_hex(4)}"


def file_of(stem: str) -> FileId:
    """Whose blobs they are."""
    return FileId(stem[:20].upper())


def body(stem: str) -> str:
    """The key of the body."""
    return f"{folder(stem)}{stem}.c4b"


def sidecar(stem: str, recipient: str) -> str:
    """The key of the sidecar for the recipient key of this fingerprint."""
    return f"{folder(stem)}{stem}.{recipient}.c4h"


def tombstone(stem: str) -> str:
    """The key of what says that the file is shredded."""
    return f"{folder(stem)}{stem}.shred"


def folder(stem: str) -> str:
    """What the keys of a file's blobs begin with, before the stem."""
    return f"{ROOT}{stem[:6]}/"


def read_key(key: str) -> Blob | None:
    """What a key names; None where it is none of ours."""
    found = _BLOB.fullmatch(key)
    if found is None:
        return None
    stem, rest, recipient = found.groups()
    return Blob(stem, "c4h" if recipient else rest, recipient or "")
