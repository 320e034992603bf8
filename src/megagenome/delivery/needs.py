# SPDX-License-Identifier: Apache-2.0
"""What delivery needs of its neighbours; `app` wires it."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from megagenome.collection.file_admission import FileAdmission
from megagenome.kernel.callers import Caller
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.ledger import Kind
from megagenome.kernel.sealed_files import ArchivedFile, FileId
from megagenome.standards.crypt4gh_segments import Stored


class Sealed(Protocol):
    """A file that may be read now (`archive.opened.SealedFile`)."""

    @property
    def file(self) -> ArchivedFile:
        """What it is."""

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Its plain bytes in pieces of at most 1 MiB; raises `NotEntitled` as soon as it may be read no more."""

    def header(self, recipient: X25519PublicKey, /) -> bytes:
        """The header with which a recipient reads `body`; always the same for the same recipient."""

    def headed(self, recipient: X25519PublicKey, beginning: bytes, /) -> bytes:
        """Header and first segments of a file with another beginning, which goes on with segments of `body`."""

    def body(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Its encrypted bytes as they are stored, in pieces of about 1 MiB."""

    def composed(
        self, recipient: X25519PublicKey, pieces: Iterable[bytes | Stored], /, *, has_stored: bool
    ) -> Iterator[bytes]:
        """A Crypt4GH file of bytes, and of segments of `body` as they are stored."""


class Files(Protocol):
    """The node's archive."""

    def find(self, file: FileId, /) -> ArchivedFile | None:
        """A file, whatever its state."""

    def index_of(self, file: FileId, /) -> ArchivedFile | None:
        """The ready index of a file; the newest where there are several."""

    def files_of(self, dataset: DatasetId | None = None, /) -> list[ArchivedFile]:
        """The files of a dataset, whatever their states."""

    def open(self, file: FileId, admission: FileAdmission, kind: Kind, /) -> Sealed:
        """Open a file for somebody, and enter it in the ledger before the first byte."""

    def open_inside(self, file: FileId, purpose: str, /, *, often: bool = False) -> Sealed:
        """Open a file for the node's own work; `often`: strangers can bring it about without end."""


class Sign(Protocol):
    """Signs with the node's key (`kernel.keys.SigningKeys.sign`)."""

    def __call__(self, claims: Mapping[str, Any], typ: str, /) -> str:
        """The claims as a compact JSON Web Signature of this type."""


ReadPassport = Callable[[str], Awaitable[Caller | None]]
"""Who presents a passport; None where it is none. Raises `Unauthenticated` where it is refused."""
