# SPDX-License-Identifier: Apache-2.0
"""`megagenome crypt4gh`: keys of one's own, and files sealed for others, without a server."""

import getpass
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import msgspec
from cyclopts import App, Parameter

from megagenome.kernel.durable_files import write_durably
from megagenome.kernel.errors import Conflict, Invalid
from megagenome.kernel.output import Json, progress, show
from megagenome.kernel.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

PASSPHRASE = "MEGAGENOME_PASSPHRASE"  # noqa: S105 - the name of the variable

_AT_ONCE_BYTES = 1 << 20

crypt4gh = App(name="crypt4gh", help="Make Crypt4GH keys; seal files for others and open what was sealed for you.")

KeyFile = Annotated[Path, Parameter(help="A Crypt4GH key file.")]


class MadeKey(msgspec.Struct, frozen=True):
    """What `keygen` made: where the two halves are, and the public one's fingerprint."""

    private: str
    public: str
    fingerprint: str


class Written(msgspec.Struct, frozen=True):
    """What `seal` or `open` wrote."""

    file: str
    size_bytes: int


@crypt4gh.command
def keygen(
    name: Annotated[Path, Parameter(help="NAME.sec and NAME.pub are written.")],
    /,
    *,
    no_passphrase: Annotated[
        bool, Parameter(negative="", help="Leave the private key unlocked, for programs.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a pair of keys: give NAME.pub away, keep NAME.sec to yourself.

    The private key is locked by a passphrase, asked for on the terminal or taken from MEGAGENOME_PASSPHRASE.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from megagenome.standards.crypt4gh_keys import fingerprint, write_private_key, write_public_key

    private, public = name.with_name(name.name + ".sec"), name.with_name(name.name + ".pub")
    for each in (private, public):
        if each.exists():
            raise Conflict(f"{each} exists and is not overwritten; choose another name")
    passphrase = None if no_passphrase else _passphrase("Passphrase for the new key: ", twice=True)
    key = X25519PrivateKey.generate()
    with write_durably(private, mode=0o400) as file:
        file.write(write_private_key(key, passphrase).encode())
    with write_durably(public) as file:
        file.write(write_public_key(key.public_key()).encode())
    made = MadeKey(str(private), str(public), fingerprint(key.public_key()))
    show(made, json=json, render=lambda it: f"{it.public} is yours to give away ({it.fingerprint}); keep {it.private}")


@crypt4gh.command
def seal(
    file: Path,
    /,
    *,
    to: Annotated[list[Path], Parameter(help="Public keys of those who may open it; repeat it for several.")],
    out: Annotated[Path | None, Parameter(help="Where to; FILE.c4gh if not given.")] = None,
    json: Json = False,
) -> None:
    """Seal a file, so that only whoever has one of these keys can open it."""
    from megagenome.standards.crypt4gh_keys import read_public_key
    from megagenome.standards.crypt4gh_stream import seal as sealing

    recipients = [read_public_key(_text(each)) for each in to]
    target = out or file.with_name(file.name + ".c4gh")
    with _opened(file) as source:
        written = _write(target, sealing(_pieces(source, file), recipients))
    show(written, json=json, render=_rendered)


@crypt4gh.command(name="open")
def unseal(
    file: Path,
    /,
    *,
    key: KeyFile,
    out: Annotated[Path | None, Parameter(help="Where to; FILE without .c4gh if not given.")] = None,
    json: Json = False,
) -> None:
    """Open a file that was sealed for you; nothing is written of one that was damaged or cut within a segment."""
    from megagenome.standards.crypt4gh_stream import unseal as unsealing

    if out is None and file.suffix != ".c4gh":
        raise Invalid(f"{file}: its name does not end in .c4gh; say where to with --out")
    private = _private_key(key)
    with _opened(file) as source:
        written = _write(out or file.with_suffix(""), unsealing(_pieces(source, file), [private]))
    show(written, json=json, render=_rendered)


def _private_key(path: Path) -> "X25519PrivateKey":
    from megagenome.kernel.errors import NotEntitled
    from megagenome.standards.crypt4gh_keys import read_private_key

    text = _text(path)
    try:
        return read_private_key(text)
    except NotEntitled:  # it is locked
        return read_private_key(text, _passphrase(f"Passphrase of {path}: "))


def _passphrase(prompt: str, *, twice: bool = False) -> Secret:
    """From the environment or the terminal: a command line is seen by everybody on a machine."""
    if (stated := os.environ.get(PASSPHRASE)) is not None:
        return Secret(stated)
    if not sys.stdin.isatty():
        raise Invalid(f"a passphrase is needed and there is no terminal to ask on; set {PASSPHRASE}")
    given = getpass.getpass(prompt)
    if twice and getpass.getpass("Again: ") != given:
        raise Invalid("the two passphrases differ; nothing was made")
    if twice and not given:
        raise Invalid("an empty passphrase locks nothing; say --no-passphrase if that is what you want")
    return Secret(given)


def _write(target: Path, pieces: Iterator[bytes | memoryview]) -> Written:
    if target.exists():
        raise Conflict(f"{target} exists and is not overwritten; say where to with --out")
    size = 0
    with write_durably(target, mode=0o600) as file:
        for piece in pieces:
            file.write(piece)
            size += len(piece)
    return Written(str(target), size)


def _rendered(written: Written) -> str:
    return f"{written.file}: {written.size_bytes:,} bytes"


def _pieces(source: BinaryIO, file: Path) -> Iterator[bytes]:
    with progress(file.name, os.fstat(source.fileno()).st_size) as on_progress:
        while piece := source.read(_AT_ONCE_BYTES):
            yield piece
            on_progress(source.tell())


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Invalid(f"{path}: cannot be read: {error.strerror}") from None


def _text(path: Path) -> str:
    with _opened(path) as file:
        return file.read(_AT_ONCE_BYTES).decode(errors="replace")
