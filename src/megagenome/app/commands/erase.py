# SPDX-License-Identifier: Apache-2.0
"""`megagenome node erase` and `megagenome hub erase`: what is personal, on request of whom it is about."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter

from megagenome.app.commands.operator import given_by
from megagenome.app.commands.role import Folder, Subject
from megagenome.kernel.output import Json, printable, show

if TYPE_CHECKING:
    from megagenome.app.erasing import Erasure

Yes = Annotated[bool, Parameter(negative="", help="Erase it. Without this option it only says what would be erased.")]
Erase = Callable[[Path, str, str, bool], "Erasure"]
"""Erases what a word names from a folder, as this operator; or, with False, says what there is to erase."""


class Erased(msgspec.Struct, frozen=True):
    """What was erased, or, where it is not `done`, would be."""

    folder: str
    done: bool
    found: "Erasure"


def erase_commands(server: str, person: Erase, application: Erase | None = None) -> App:
    """The commands of one kind of server, `node` or `hub`; only a hub has applications."""
    erase = App(name="erase", help=f"Erase from this {server} what is personal. It cannot be taken back.")

    @erase.command(name="person")
    def person_(folder: Folder, subject: Subject, /, *, yes: Yes = False, json: Json = False) -> None:
        """Erase all that this server knows of a person: account, sessions, roles, what they wrote and attached, and
        whom the ledger's key for them stands for. Repeat it if it was interrupted; it finishes."""
        _show(folder, person(folder, subject, given_by(), yes), yes=yes, json=json)

    if application is not None:
        erase_it = application

        @erase.command(name="application")
        def application_(
            folder: Folder,
            id: Annotated[str, Parameter(help="The application's id, as its address has it.")],  # noqa: A002 - help names it ID
            /,
            *,
            yes: Yes = False,
            json: Json = False,
        ) -> None:
            """Erase all that anybody wrote or attached in an application that has ended. Its course stays."""
            _show(folder, erase_it(folder, id, given_by(), yes), yes=yes, json=json)

    return erase


def _show(folder: Path, found: "Erasure", *, yes: bool, json: bool) -> None:
    words = "; ".join(found.found())
    text = f"erased ({words})" if yes else f"nothing is erased yet; with --yes this is: {words}"
    show(Erased(str(folder), yes, found), json=json, render=lambda each: printable(f"{each.folder}: {text}"))
