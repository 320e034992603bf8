# SPDX-License-Identifier: Apache-2.0
"""The keys for which files are sealed that come to this node, and that it keeps (X25519, Crypt4GH).

keys/recipient.json   mode 0600 in a folder 0700: {"keys": [private key in base64, ...]}, the newest first

The newest is the one that providers are given and that new files are sealed for. Older ones still open what was sealed
for them until they are forgotten. Whoever loses this file loses every genome that the archive holds.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from megagenome.kernel.durable_files import write_durably
from megagenome.kernel.errors import Corrupt, Unavailable
from megagenome.kernel.private_files import hold_privately, read_privately
from megagenome.standards.crypt4gh_keys import fingerprint, write_public_key

KEY_FILE = "recipient.json"


class _KeyFile(msgspec.Struct, frozen=True):
    keys: list[bytes]

    def __repr__(self) -> str:
        return "_KeyFile(...)"


class RecipientKeys:
    """The recipient keys of one node, as the file has them now: another process may add to it. Safe to use from many
    threads. Its private parts are in no repr, error or log."""

    __slots__ = ("_folder", "_keys", "_read_at", "_turn")

    def __init__(self, folder: Path) -> None:
        """For `open`, which makes what is missing."""
        self._folder = folder
        self._keys: dict[str, X25519PrivateKey] = {}
        self._read_at: tuple[int, int] | None = None
        self._turn = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The keys in `folder`; the first one is made, durably, where there is none.

        Raises `Conflict` when accounts other than the owner's may read them, `Corrupt` when it is no file of keys.
        """
        keys = cls(folder)
        with hold_privately(folder):
            if not keys._path.exists():
                _write(keys._path, [X25519PrivateKey.generate()])
        keys._current()
        return keys

    def replace(self) -> str:
        """Make a newer key, for which files are sealed from now on; its fingerprint. Durable on return."""
        with hold_privately(self._folder):
            newer = X25519PrivateKey.generate()
            _write(self._path, [newer, *self._current().values()])
        return fingerprint(newer.public_key())

    def forget(self, names: frozenset[str]) -> None:
        """Forget keys, by their fingerprints, for good: what only they open is lost. The newest is never forgotten."""
        with hold_privately(self._folder):
            newest, *older = self._current().items()
            _write(self._path, [newest[1], *(key for name, key in older if name not in names)])

    def readers(self) -> tuple[X25519PrivateKey, ...]:
        """All of them, the newest first."""
        return tuple(self._current().values())

    def names(self) -> tuple[str, ...]:
        """Their fingerprints, the newest first."""
        return tuple(self._current())

    def newest(self) -> tuple[str, X25519PublicKey]:
        """The fingerprint and the public part of the key for which files are sealed."""
        name, key = next(iter(self._current().items()))
        return name, key.public_key()

    def find(self, name: str) -> X25519PrivateKey:
        """The key with this fingerprint. Raises `Unavailable`."""
        key = self._current().get(name)
        if key is None:
            raise Unavailable(f"the recipient key {name} is not in {KEY_FILE}: restore it from the backup of the keys")
        return key

    def public_file(self) -> str:
        """The newest public key as a key file of Crypt4GH, for `RECIPIENT_PATH`."""
        return write_public_key(self.newest()[1])

    def __repr__(self) -> str:
        return f"RecipientKeys({', '.join(self._keys)})"

    def __reduce__(self) -> str:
        raise TypeError("recipient keys stay in their process")

    @property
    def _path(self) -> Path:
        return self._folder / KEY_FILE

    def _current(self) -> dict[str, X25519PrivateKey]:
        with self._turn:
            found = self._path.stat()
            if self._read_at != (at := (found.st_ino, found.st_mtime_ns)):
                self._keys = _read(self._path)
                self._read_at = at
            return self._keys


def _read(path: Path) -> dict[str, X25519PrivateKey]:
    content = read_privately(path)
    try:
        keys = [X25519PrivateKey.from_private_bytes(each) for each in msgspec.json.decode(content, type=_KeyFile).keys]
    except ValueError:  # whatever the library says of it may quote the file
        keys = []
    if not keys:
        raise Corrupt(f"{path}: not a file of recipient keys: restore it from the backup")
    return {fingerprint(key.public_key()): key for key in keys}


def _write(path: Path, keys: Sequence[X25519PrivateKey]) -> None:
    file = _KeyFile([key.private_bytes_raw() for key in keys])
    with write_durably(path, mode=0o600) as opened:
        opened.write(msgspec.json.encode(file) + b"\n")
