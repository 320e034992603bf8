# SPDX-License-Identifier: Apache-2.0
"""What reception needs of its neighbours; `app` wires it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from megagenome.kernel.ids import DatasetId
from megagenome.kernel.sealed_files import ArchivedFile, Described, Expected, FileId


class Sign(Protocol):
    """Signs with the node's key (`kernel.keys.SigningKeys.sign`)."""

    def __call__(self, claims: Mapping[str, Any], typ: str, /) -> str:
        """The claims as a compact JSON Web Signature of this type."""


class Readable(Protocol):
    """An archived file that was opened for the node's own work."""

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Its plain bytes, each checked."""


class Readers(Protocol):
    """The node's recipient keys."""

    def readers(self) -> Sequence[X25519PrivateKey]:
        """All of them, the newest first."""


class Keeps(Protocol):
    """Where received files are kept sealed (`archive.Archive`, whose words these are)."""

    @property
    def keys(self) -> Readers:
        """The keys that files are sealed for which come here."""

    def require_room(self, size_bytes: int = 0) -> None:
        """Raise `NoRoom` where so many bytes more would fill the store too far."""

    def ingest(
        self,
        file: FileId,
        attempt: int,
        source: Callable[[], Iterator[bytes]],
        described: Described,
        expected: Expected,
    ) -> ArchivedFile:
        """Keep a file that was sent, or raise and keep nothing. Idempotent."""

    def verify(self, file: FileId) -> ArchivedFile:
        """Read all of it again from the disk."""

    def find(self, file: FileId) -> ArchivedFile | None:
        """A file, whatever its state."""

    def open_inside(self, file: FileId, purpose: str) -> Readable:
        """Open a file for the node's own work."""

    def make_ready(self, connection: sa.Connection, files: Iterable[FileId], by: str) -> None:
        """Let files and their indexes be given out, by the caller's commit."""

    def withdraw(self, connection: sa.Connection, files: Iterable[FileId], by: str) -> None:
        """Let files and their indexes not be given out, by the caller's commit."""

    def files_of(self, dataset: DatasetId | None = None) -> list[ArchivedFile]:
        """The files of a dataset, or of all."""

    def shred(self, file: FileId, by: str) -> str:
        """Destroy a file for good."""


class MaySend(Protocol):
    """Whether somebody was given the role of a data provider."""

    def __call__(self, subject: str, dataset: DatasetId, /) -> bool:
        """For this dataset; asked anew each time."""


class AllelesTold(NamedTuple):
    """How many alleles of a dataset have a frequency that would be told, and how many have none."""

    told: int
    held_back: int


class CountsTold(Protocol):
    """What the public would be told of a dataset that is loaded (`discovery`)."""

    def __call__(self, dataset: DatasetId, /) -> AllelesTold | None:
        """As if it were published now. None where nobody is told without a permit. Raises `NotFound`."""
