# SPDX-License-Identifier: Apache-2.0
"""What `megagenome send` remembers until it has the receipt, so that it goes on where it was killed.

A file in the provider's folder, for its owner alone: with its keys the sealed files can be opened, as the plain ones
beside it can by whoever reads the folder. A body is sealed with one key and prefix, so a part that is sealed again is
the same bytes; only for the same plain ones, which is why a file that changed since stops everything.
"""

import os
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from megagenome.kernel.durable_files import write_durably
from megagenome.kernel.errors import Conflict, Invalid
from megagenome.kernel.private_files import read_privately
from megagenome.standards.crypt4gh import write_header
from megagenome.standards.crypt4gh_keys import fingerprint
from megagenome.standards.crypt4gh_segments import BodyKey
from megagenome.standards.submission import Manifest


class SealedAs(msgspec.Struct, frozen=True):
    """How one file is sealed: key, prefix and header; and by what one sees that it is unchanged.

    Who copies a corrected file over another may keep size and times of content, and nobody sets the time of the last
    change of the entry itself.
    """

    key: bytes
    prefix: bytes
    header: bytes
    size_bytes: int
    modified_ns: int
    changed_ns: int

    def body(self) -> BodyKey:
        """What seals its body."""
        return BodyKey(self.key, self.prefix)

    def __repr__(self) -> str:
        return "SealedAs(...)"


class SendState(msgspec.Struct, frozen=True):
    """A submission that is being sent: to which node, sealed for which key, under which id."""

    node: str
    recipient: str
    manifest: Manifest
    files: tuple[SealedAs, ...]
    submission: str


def new_state(folder: Path, node: str, recipient: X25519PublicKey, manifest: Manifest, submission: str) -> SendState:
    """Draw the keys of all files."""
    return SendState(
        node,
        fingerprint(recipient),
        manifest,
        tuple(_sealed_as(folder / each.path, recipient) for each in manifest.files),
        submission,
    )


def read_state(path: Path) -> SendState | None:
    """What was written before; None where nothing was. Raises `Conflict` where others may read it, `Invalid`."""
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(read_privately(path, LARGEST_BYTES), type=SendState)
    except msgspec.DecodeError:
        raise Invalid(f"{path} is not what a sending remembers: delete it, and send from the beginning") from None


LARGEST_BYTES = 16 << 20


def write_state(path: Path, state: SendState) -> None:
    """Remember it, durably."""
    with write_durably(path, mode=0o600) as file:
        file.write(msgspec.json.encode(state))


def require_unchanged(folder: Path, state: SendState) -> None:
    """Raise `Conflict` where a file is not the one that was begun to be sealed."""
    for each, sealed in zip(state.manifest.files, state.files, strict=True):
        try:
            found = (folder / each.path).stat()
        except OSError:
            raise Conflict(f"{each.path} is gone, and was being sent: put it back, or cancel the submission") from None
        if _seen(found) != (sealed.size_bytes, sealed.modified_ns, sealed.changed_ns):
            raise Conflict(
                f"{each.path} changed since it was begun to be sent: `megagenome send --cancel`, then send it anew"
            )


def _sealed_as(path: Path, recipient: X25519PublicKey) -> SealedAs:
    key, prefix = BodyKey.new()
    header = write_header([key], [recipient])
    return SealedAs(key, prefix, header, *_seen(path.stat()))


def _seen(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
