# SPDX-License-Identifier: Apache-2.0
"""`megagenome node ledger` and `megagenome hub ledger`: verify, export and sign what was done with genomes."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import Parameter

from megagenome.kernel.errors import Invalid
from megagenome.kernel.output import Json, printable, show

if TYPE_CHECKING:
    from megagenome.kernel.ledger import Ledger
    from megagenome.kernel.ledger_chain import Verdict

_Files = Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")]


class Signed(msgspec.Struct, frozen=True):
    """A signed head, as a program reads it."""

    head: str


def ledger_command(server: str, open_ledger: "Callable[[Path], Ledger]") -> Callable[..., int]:
    """The command for one kind of server, `node` or `hub`, whose folder `open_ledger` opens."""

    def ledger(
        place: Annotated[Path, Parameter(help=f"The {server}'s folder; or an exported file, to verify it.")],
        action: Literal["verify", "export", "head"],
        /,
        *,
        keys: Path | None = None,
        kept: _Files = (),
        json: Json = False,
    ) -> int:
        """Verify the ledger, export it as JSON Lines to standard output, or sign a head of it now.

        Parameters
        ----------
        action
            verify: find the first entry that is not as it was written. export: all of it, ending with a head signed
            now. head: a signature over all entries so far, to be kept elsewhere.
        keys
            To verify an exported file: the signer's public keys, a JSON Web Key Set.
        kept
            Files of heads that you kept, one a line: what they cover is verified to be unchanged since.
        """
        if place.is_file():
            return _verify_file(place, action, keys, kept, json=json)
        if keys is not None:
            raise Invalid("--keys is for an exported file; a folder has its own")
        opened = open_ledger(place)
        try:
            if action == "verify":
                return _show_verdict(opened.verify(_heads(kept)), json=json)
            if action == "head":
                show(Signed(opened.sign()), json=json, render=lambda signed: signed.head)
            else:
                _export(opened)
        finally:
            opened.engine.dispose()
        return 0

    return ledger


def _verify_file(place: Path, action: str, keys: Path | None, kept: tuple[Path, ...], *, json: bool) -> int:
    from megagenome.kernel.ledger_export import verify_export
    from megagenome.kernel.public_keys import read_public_keys  # cryptography takes 0.1 s to import

    if action != "verify":
        raise Invalid(f"{place} is a file: it can be verified only; give the folder of a node or hub")
    if keys is None:
        raise Invalid(f"{place} is verified with its signer's public keys: give them with --keys, as keys --json shows")
    with place.open("rb") as file:
        verdict = verify_export(file, read_public_keys(_read(keys)), _heads(kept))
    return _show_verdict(verdict, json=json)


def _export(ledger: "Ledger") -> None:
    from megagenome.kernel.ledger_export import export_lines

    for line in export_lines(ledger):
        sys.stdout.write(line.decode())


def _heads(kept: tuple[Path, ...]) -> list[str]:
    return [
        line.strip() for path in kept for line in _read(path).decode("ascii", "replace").splitlines() if line.strip()
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path}: cannot be read: {error.strerror}") from None


def _show_verdict(verdict: "Verdict", *, json: bool) -> int:
    show(verdict, json=json, render=lambda verdict: printable(f"{verdict.issuer}: {_text(verdict)}"))
    return 0 if verdict.fine else 1


def _text(verdict: "Verdict") -> str:
    if not verdict.fine:
        return f"WRONG from entry {verdict.wrong} on: {verdict.says}"
    found = f"all {verdict.entries:,} entries are as they were written" if verdict.entries else "no entries yet"
    if verdict.signed_at is None:
        return f"{found}; no head is signed yet"
    when = datetime.fromtimestamp(verdict.signed_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{found}; {verdict.heads:,} signed heads agree, and cover those up to {verdict.signed:,} (signed {when})"
