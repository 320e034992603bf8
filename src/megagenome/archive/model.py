# SPDX-License-Identifier: Apache-2.0
"""What the archive's own parts hand to each other, and what its commands show."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.archive.keys import RecipientKeys
from megagenome.archive.settings import ArchiveSettings
from megagenome.kernel.blob_store import BlobStore
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.sealed_files import ArchivedFile, FileId

RECEIPT_TYPE = "megagenome-shredded+jwt"
"""The `typ` of a receipt that says that a file was shredded."""

TOMBSTONE_TYPE = "megagenome-tombstone+jwt"
"""The `typ` of what says beside the blobs that a file is to be shredded."""


Forget = Callable[[sa.Connection, FileId], None]


class Parts(NamedTuple):
    """What an archive is made of. `forget` makes whoever else noted something of a file forget it by the commit that
    shreds it. `folder` is the node's own, whose disk is not to be filled either."""

    engine: sa.Engine
    store: BlobStore
    keys: RecipientKeys
    ledger: Ledger
    signing: SigningKeys
    settings: ArchiveSettings
    forget: Forget
    folder: Path | None = None


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
    lost      sidecars of which no file can be made (another node's keys, no body, a second one of a file), and
              tombstones that this node did not sign: all are let alone
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
