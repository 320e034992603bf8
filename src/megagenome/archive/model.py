# SPDX-License-Identifier: Apache-2.0
"""What the archive's own parts hand to each other, and what its commands show."""

from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.archive.keys import RecipientKeys
from megagenome.archive.needs import Sign
from megagenome.archive.settings import ArchiveSettings
from megagenome.kernel.blob_store import BlobStore
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.sealed_files import ArchivedFile, FileId

RECEIPT_TYPE = "megagenome-shredded+jwt"
"""The `typ` of a receipt that says that a file was shredded."""


class Parts(NamedTuple):
    """What an archive is made of."""

    engine: sa.Engine
    store: BlobStore
    keys: RecipientKeys
    ledger: Ledger
    sign: Sign
    settings: ArchiveSettings


class Kept(NamedTuple):
    """A file with what only the archive needs to know of it.

    stem    of its blobs' keys
    prefix  of the nonces of its body
    """

    file: ArchivedFile
    stem: str
    prefix: bytes


class Recovery(msgspec.Struct, frozen=True):
    """What was set right, and what cannot be.

    swept     attempts that a worker left unfinished: nothing of them is left
    shredded  files whose shredding was finished
    adopted   files that the database did not know and that are whole in the store
    removed   bodies without any header: nobody could ever open them
    missing   files that the database knows and whose body is not in the store, or not of its size
    lost      sidecars that cannot be read with this node's keys, or whose body is gone
    """

    swept: int = 0
    shredded: tuple[FileId, ...] = ()
    adopted: tuple[FileId, ...] = ()
    removed: tuple[str, ...] = ()
    missing: tuple[FileId, ...] = ()
    lost: tuple[str, ...] = ()


class Rotation(msgspec.Struct, frozen=True):
    """What a rotation of the recipient keys did.

    newest     fingerprint of the key that all headers are for now
    rewrapped  headers that were written anew
    retiring   older keys, which still open what providers send
    """

    newest: str
    rewrapped: int
    retiring: tuple[str, ...]
