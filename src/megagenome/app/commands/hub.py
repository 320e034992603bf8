# SPDX-License-Identifier: Apache-2.0
"""`megagenome hub`: commands of those who run a network's hub."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from megagenome import reference
from megagenome.app.check_network import check_hub_address, check_hub_folder
from megagenome.app.commands.erase import erase_commands
from megagenome.app.commands.harvest import harvest
from megagenome.app.commands.joining import add_joining_commands
from megagenome.app.commands.keys import keys_command
from megagenome.app.commands.ledger import ledger_command
from megagenome.app.commands.results import Done, Host, ListenPort, Port, is_address, show_done, show_findings
from megagenome.app.commands.role import Records, role_commands
from megagenome.app.hub import Hub, init_hub, joined_of, open_hub, upgrade_hub
from megagenome.kernel.output import Json
from megagenome.network.add_node import HUB_FILE, add_node

if TYPE_CHECKING:
    from megagenome.app.erasing import Erasure
    from megagenome.kernel.ledger import Ledger

hub = App(name="hub", help="Make, serve and check the hub of a network.")
hub.command(ledger_command("hub", lambda folder: _ledger(open_hub(folder))), name="ledger")
hub.command(keys_command("hub", HUB_FILE), name="keys")
add_joining_commands(hub)
hub.command(harvest)
hub.command(role_commands("hub", lambda folder: Records(open_hub(folder).engine)))

Folder = Annotated[Path, Parameter(help="The hub's folder.")]
NodeUrl = Annotated[str, Parameter(help="A node's address, or the root of any Beacon v2.")]


@hub.command(name="init")
def init(
    folder: Folder,
    /,
    *,
    name: str = "Genome network",
    id: str = "network.hub",  # noqa: A002 - the option is --id
    port: Port = 8600,
    assembly: str = "GRCh38",
    database: str = "",
    json: Json = False,
) -> None:
    """Make a hub without nodes in FOLDER.

    Parameters
    ----------
    name
        What people read.
    id
        The Beacon id of the network, which never changes.
    port
        Where it will listen; written to hub.toml.
    assembly
        What a question is about when it does not say.
    database
        An empty PostgreSQL database for its records, such as postgresql://user@host/name, without a password, which
        MEGAGENOME_DATABASE_PASSWORD says; default SQLite in FOLDER.
    """
    assembly = reference.assembly(assembly).name
    init_hub(folder, name=name, identity=id, port=port, assembly=assembly, database=database)
    more = f"megagenome hub invite {folder} --country EE"
    show_done(Done(str(folder), "made a hub without nodes", more), json=json)


@hub.command(name="add")
def add(folder: Folder, node_url: NodeUrl, /, *, name: str = "", country: str = "", json: Json = False) -> None:
    """Ask the node at NODE_URL who it is, and add it to the hub in FOLDER. A running hub asks it from its next start.

    For Beacons elsewhere, which get open questions only. Nodes of the network join by `hub invite`.

    Parameters
    ----------
    name
        What people read; default as the node calls itself.
    country
        ISO 3166-1 alpha-2; default as the node says.
    """
    joined = joined_of(open_hub(folder)) if (folder / HUB_FILE).exists() else ()
    node = add_node(folder, node_url, name=name, country=country, joined=joined)
    added = f"added {node.id} ({node.title}, {node.country}) at {node.url}"
    show_done(Done(str(folder), added, f"megagenome hub serve {folder}"), json=json)


@hub.command(name="serve")
def serve_(folder: Folder, /, *, host: Host = None, port: ListenPort = None) -> None:
    """Serve the hub until it is stopped. Address and port are those of hub.toml unless given here."""
    from megagenome.app.hub_app import hub_app  # the web parts take 0.7 s to import, and only serving needs them
    from megagenome.app.server import serve

    opened = open_hub(folder)
    listen = opened.settings.server
    serve(hub_app(opened), host=host or listen.host, port=listen.port if port is None else port, folder=folder)


@hub.command(name="check")
def check(hub: str, /, *, json: Json = False) -> int:
    """Check a hub and each of its nodes, by its folder or its address: what is wrong and what to do.

    Parameters
    ----------
    hub
        Its folder (its nodes are asked from here), or its address such as https://hub.example.org (it says how it
        sees them).
    """
    return show_findings(check_hub_address(hub) if is_address(hub) else check_hub_folder(Path(hub)), json=json)


@hub.command(name="upgrade")
def upgrade(folder: Folder, /, *, json: Json = False) -> None:
    """Bring a hub's database to this version; stop its server before."""
    upgrade_hub(folder)
    show_done(Done(str(folder), "is up to date"), json=json)


def _erase_person(folder: Path, subject: str, by: str, really: bool) -> "Erasure":
    from megagenome.app.erasing import erase_person_at_hub  # cryptography takes 0.1 s to import

    opened = open_hub(folder)
    return erase_person_at_hub(opened, _ledger(opened), subject, by, really=really)


def _erase_application(folder: Path, application: str, by: str, really: bool) -> "Erasure":
    from megagenome.app.erasing import erase_application_at_hub

    opened = open_hub(folder)
    return erase_application_at_hub(opened, _ledger(opened), application, by, really=really)


def _ledger(opened: Hub) -> "Ledger":
    from megagenome.app.ledger import open_ledger  # cryptography takes 0.1 s to import

    return open_ledger(opened.folder, opened.engine, opened.settings.hub.id)


hub.command(erase_commands("hub", _erase_person, _erase_application))
