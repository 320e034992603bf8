# SPDX-License-Identifier: Apache-2.0
"""A hub's folder: made once, opened by every command. A hub holds no genome.

hub.toml     settings and the list of nodes
hub.sqlite   records: people who signed in, sessions, roles; the ledger
keys/        the key that it signs with
attachments/ documents of applications
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.app.settings import ExampleQuestion, HubSettings
from megagenome.kernel.database import open_database, require_revision, upgrade
from megagenome.kernel.durable_files import make_folder, write_durably
from megagenome.kernel.errors import Conflict, Invalid
from megagenome.kernel.settings import load_settings, read_settings, toml_table
from megagenome.network.add_node import HUB_FILE
from megagenome.network.settings import Node, check_nodes

DATABASE = "hub.sqlite"
ATTACHMENTS = "attachments"
"""The folder of attached documents, below the hub's own."""


class Hub(NamedTuple):
    """An open hub."""

    folder: Path
    settings: HubSettings
    engine: sa.Engine


def init_hub(
    folder: Path,
    *,
    name: str,
    identity: str,
    port: int,
    assembly: str,
    examples: Sequence[ExampleQuestion] = (),
    database: str = "",
) -> None:
    """Make a hub without nodes, durably. Raises `Conflict` where there is one already.

    Its records lie in the folder, or in the empty PostgreSQL `database` (`DatabaseSettings`, password by environment).

    Nobody but the caller's account can enter the folder: it says who is signed in.
    """
    path = folder / HUB_FILE
    if path.exists():
        raise Conflict(f"{folder} is a hub already; add nodes to it, or choose another folder")
    tables = [
        toml_table("[hub]", {"id": identity, "name": name}),
        toml_table("[server]", {"port": port}),
        *([toml_table("[database]", {"url": database})] if database else []),
        toml_table("[network]", {"assembly": assembly}),
        *(toml_table("[[examples]]", msgspec.structs.asdict(example)) for example in examples),
    ]
    text = "# Settings of a Megagenome hub; docs/operating.md describes each.\n\n" + "\n".join(tables)
    settings = read_settings(HubSettings, text, "the settings to be", os.environ)
    settings.database.require_new()
    make_folder(folder)
    folder.chmod(0o700)
    _make_keys(folder)
    _make_database(folder, settings)
    with write_durably(path) as file:
        file.write(text.encode())


def open_hub(folder: Path) -> Hub:
    """Open a hub that `init_hub` made, with its settings from file and environment.

    A hub of a version that kept no records gets its database now.
    """
    settings = load_settings(HubSettings, folder / HUB_FILE, os.environ)
    try:
        check_nodes(settings.nodes)
    except Invalid as error:
        raise Invalid(f"{folder / HUB_FILE}: {error}") from None
    if not settings.database.url and not (folder / DATABASE).exists():
        _make_database(folder, settings)
    engine = open_database(settings.database.url_or(folder / DATABASE))
    require_revision(engine)
    return Hub(folder, settings, engine)


def joined_of(hub: Hub) -> tuple[Node, ...]:
    """The nodes that belong to the network by invitation, now."""
    from megagenome.network.joined_nodes import joined_nodes  # cryptography takes 0.1 s to import

    with hub.engine.connect() as connection:
        return tuple(each.node for each in joined_nodes(connection))


def upgrade_hub(folder: Path) -> None:
    """Bring a hub's database to the schema of this version, and make the lists of applications anew, which may be made
    in another way than before. Idempotent; stop its server first. Raises `Corrupt` where an event was changed."""
    from megagenome.access.store import Store  # only this command and the server need it

    settings = load_settings(HubSettings, folder / HUB_FILE, os.environ)
    _make_keys(folder)
    _make_database(folder, settings)
    engine = open_database(settings.database.url_or(folder / DATABASE))
    Store(engine).rebuild()
    engine.dispose()


def _make_keys(folder: Path) -> None:
    from megagenome.app.ledger import open_keys  # cryptography takes 0.1 s to import, and most commands sign nothing

    open_keys(folder)


def _make_database(folder: Path, settings: HubSettings) -> None:
    engine = open_database(settings.database.url_or(folder / DATABASE))
    upgrade(engine)
    engine.dispose()
