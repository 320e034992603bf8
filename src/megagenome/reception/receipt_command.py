# SPDX-License-Identifier: Apache-2.0
"""`megagenome receipt`: what a node signed for, for whoever has its receipt and perhaps the files."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Group, RenderableType

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.kernel.output import Json, printable, show, table
from megagenome.kernel.public_keys import MAX_KEY_SET_BYTES, PublicKeys, read_public_keys
from megagenome.reception.inbox_client import Inbox
from megagenome.standards.submission import LARGEST_RECEIPT_BYTES, Receipt, read_receipt


def receipt_(
    file: Annotated[Path, Parameter(help="The receipt, as `megagenome send` or the submission's page gave it.")],
    /,
    *,
    node: str = "",
    keys: Path | None = None,
    folder: Path | None = None,
    json: Json = False,
) -> None:
    """Whether a node signed a receipt, and for which files: `megagenome receipt FILE --node https://node.example.org`.

    Parameters
    ----------
    node
        The node that must have signed it; its keys are asked for.
    keys
        In its place, its keys as they were kept: the file that is at its address /.well-known/jwks.json.
    folder
        Hold the files in this folder against it, too.
    """
    if bool(node) == (keys is not None):
        raise Invalid("say whose receipt it must be: --node ADDRESS, or --keys FILE")
    receipt = read_receipt(_read(file, LARGEST_RECEIPT_BYTES).decode("ascii", "replace").strip(), _keys(node, keys))
    if folder is not None:
        for each in receipt.files:
            _require_same(folder / each.path, each.sha256)
    show(receipt, json=json, render=lambda found: _shown(found, compared=folder is not None))


def _keys(node: str, file: Path | None) -> PublicKeys:
    if file is not None:
        return read_public_keys(_read(file, MAX_KEY_SET_BYTES))
    with Inbox(node, "") as inbox:
        return inbox.keys()


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most_bytes + 1)
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from None


def _require_same(path: Path, sha256: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Corrupt(f"{path}: {error.strerror}, and the receipt is of it") from None
    if found != sha256:
        raise Corrupt(f"{path} is not the file that the receipt is of: its SHA-256 is {found[:16]}…")


def _shown(receipt: Receipt, *, compared: bool) -> RenderableType:
    when = datetime.fromtimestamp(receipt.iat, UTC).isoformat(timespec="seconds")
    rows = [[each.path, each.size_bytes, each.sha256, each.file] for each in receipt.files]
    says = f"signed by {receipt.iss} at {when}: submission {receipt.submission} for {receipt.dataset} came whole"
    parts: list[RenderableType] = [table(["file", "bytes", "SHA-256", "in the archive"], rows), printable(says)]
    if compared:
        parts.append("the files in the folder are these")
    return Group(*parts)
