# SPDX-License-Identifier: Apache-2.0
"""`megagenome node environment`: the keys for which data are sealed that leave by a permit. Only the node's operator
registers them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import sqlalchemy as sa
from cyclopts import App, Parameter
from rich.console import RenderableType

from megagenome.app.commands.operator import given_by
from megagenome.app.commands.results import Done, show_done
from megagenome.app.commands.role import Folder
from megagenome.app.node import open_node
from megagenome.collection.environments import end_environment, read_environments, register_environment
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import PermitId
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.kernel.output import Json, printable, show, table

environment = App(name="environment", help="Say where the data of a permit may go: the keys that they are sealed for.")

Permit = Annotated[str, Parameter(help="The permit's id, as the country's desk shows it.")]
KeyFile = Annotated[Path, Parameter(help="The environment's public key, a key file of Crypt4GH.")]

_LARGEST_KEY_BYTES = 10_000


class Registered(msgspec.Struct, frozen=True):
    """One environment of a permit; `fingerprint` names its key, `ended` None while data are sealed for it."""

    permit: str
    name: str
    fingerprint: str
    registered: str
    by: str
    ended: str | None


@environment.command(name="add")
def add(folder: Folder, permit: Permit, /, *, key: KeyFile, name: str, json: Json = False) -> None:
    """Let data of a permit be sealed for a key, from now on. Compare its fingerprint with the environment's operator.

    Parameters
    ----------
    name
        What people call the environment.
    """
    public, print_ = _read_key(key)
    _change(
        folder, permit, "environment:added", lambda c, by: register_environment(c, PermitId(permit), public, name, by)
    )
    show_done(Done(str(folder), f"data of permit {permit} are sealed for {name!r}, key {print_}"), json=json)


@environment.command(name="end")
def end(folder: Folder, permit: Permit, /, *, key: KeyFile, json: Json = False) -> None:
    """Seal nothing more for a key: tickets for it are worth nothing at once. It cannot be registered again."""
    public, print_ = _read_key(key)
    _change(folder, permit, "environment:ended", lambda c, _: end_environment(c, PermitId(permit), public))
    show_done(Done(str(folder), f"nothing of permit {permit} is sealed any more for key {print_}"), json=json)


@environment.command(name="list")
def list_(folder: Folder, permit: Permit, /, *, json: Json = False) -> None:
    """List a permit's environments, also those that ended."""
    opened = open_node(folder)
    with opened.collection.engine.connect() as connection:
        found = [
            Registered(each.permit, each.name, each.fingerprint, each.at, each.by, each.ended)
            for each in read_environments(connection, PermitId(permit))
        ]
    show(found, json=json, render=partial(_listed, permit))


def _read_key(path: Path) -> tuple[bytes, str]:
    """A public key, and its fingerprint."""
    from megagenome.standards.crypt4gh_keys import fingerprint, read_public_key  # cryptography takes 0.1 s to import

    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_KEY_BYTES).decode("ascii")
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Invalid(f"{path} is no key file: it is not text") from None
    key = read_public_key(text)
    return key.public_bytes_raw(), fingerprint(key)


def _change(folder: Path, permit: str, what: str, change: Callable[[sa.Connection, str], None]) -> None:
    """Change a permit's environments, and enter that in the ledger by the same commit."""
    from megagenome.app.ledger import open_keys  # cryptography takes 0.1 s to import

    opened, by = open_node(folder), given_by()
    ledger = Ledger(opened.collection.engine, open_keys(folder), opened.settings.node.id)
    with begin_writing(opened.collection.engine) as connection:
        change(connection, by)
        ledger.write(connection, Act(Kind.GRANT, by, permit=permit, detail=what))


def _listed(permit: str, found: list[Registered]) -> RenderableType:
    if not found:
        return printable(
            f"permit {permit} has no environment here: register one with `megagenome node environment add`"
        )
    columns = ["name", "fingerprint", "registered (UTC)", "by", "ended (UTC)"]
    return table(columns, [[each.name, each.fingerprint, each.registered, each.by, each.ended or ""] for each in found])
