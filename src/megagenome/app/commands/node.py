# SPDX-License-Identifier: Apache-2.0
"""`megagenome node`: commands of those who run a country's node."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich.console import Group, RenderableType

from megagenome.app.commands.citizen import citizen
from megagenome.app.commands.erase import erase_commands
from megagenome.app.commands.keys import keys_command
from megagenome.app.commands.ledger import ledger_command
from megagenome.app.commands.operator import given_by
from megagenome.app.commands.results import Done, Host, ListenPort, Port, is_address, show_done, show_findings
from megagenome.app.commands.role import Records, role_commands
from megagenome.app.node import SETTINGS, Node, init_node, open_node, upgrade_node
from megagenome.collection.acts import Act, ConsentReport, say
from megagenome.collection.model import Use
from megagenome.collection.release import ReleaseReport, release
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Unavailable
from megagenome.kernel.ids import IndividualId
from megagenome.kernel.output import Json, progress, show, table

if TYPE_CHECKING:
    from megagenome.app.erasing import Erasure
    from megagenome.kernel.ledger import Ledger

node = App(name="node", help="Make, fill, serve and check a country's node.")
node.command(ledger_command("node", lambda folder: _ledger(open_node(folder))), name="ledger")
node.command(keys_command("node", SETTINGS), name="keys")
node.command(citizen)
# by name: what reads genome files takes 0.1 s to import, and most commands read none
node.command(
    "megagenome.app.commands.datasets:load_",
    name="load",
    help="Load people and their genotypes into a dataset, all or nothing.",
)
node.command(
    "megagenome.app.commands.datasets:dataset_",
    name="dataset",
    help="Move a dataset's state, or choose its tiers. A draft is approved, then published; what is withdrawn needs a "
    "new approval.",
)
node.command(
    "megagenome.app.commands.metadata:metadata_",
    name="metadata",
    help="Record a dataset's metadata and governance, or show what is recorded.",
)
node.command(
    "megagenome.app.commands.peers:peers",
    name="peers",
    help="List the nodes that this one computed studies with, and accept the key of one that replaced it.",
)
node.command(
    "megagenome.app.commands.environment:environment",
    name="environment",
    help="Say where the data of a permit may go: the keys that they are sealed for.",
)
node.command(
    "megagenome.app.commands.archive:archive",
    name="archive",
    help="List, verify, shred and rebuild the files that a node keeps sealed.",
)
node.command(
    "megagenome.app.commands.jobs:jobs",
    name="jobs",
    help="List what a node has still to do, and let it try again what failed.",
)
node.command(
    "megagenome.reception.commands:validate_",
    name="validate",
    help="Validate genome files and people tables as a node that receives them does.",
)


def _records(folder: Path) -> Records:
    opened = open_node(folder)
    return Records(opened.collection.engine, opened.settings.node.country)


node.command(role_commands("node", _records))

Folder = Annotated[Path, Parameter(help="The node's folder.")]
Flag = Parameter(negative="")


@node.command(name="init")
def init(
    folder: Folder,
    /,
    *,
    country: str,
    name: str = "",
    id: str = "",  # noqa: A002 - the option is --id
    port: Port = 8601,
    database: str = "",
    json: Json = False,
) -> None:
    """Make an empty node in FOLDER.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2, such as EE.
    name
        What people read; default "EE national node".
    id
        The Beacon id, which never changes; default "node.ee".
    port
        Where it will listen; written to node.toml.
    database
        An empty PostgreSQL database for its records, such as postgresql://user@host/name, without a password, which
        MEGAGENOME_DATABASE_PASSWORD says; default SQLite in FOLDER.
    """
    init_node(folder, country=country, name=name, identity=id, port=port, database=database)
    more = f"megagenome node load {folder} --dataset ID --assembly GRCh38 --vcf FILE --individuals FILE"
    show_done(Done(str(folder), "made an empty node", more), json=json)


@node.command(name="release")
def release_(folder: Folder, /, *, dry_run: Annotated[bool, Flag] = False, json: Json = False) -> None:
    """Bring the public numbers to what people consent to now, in changes that show nobody.

    Parameters
    ----------
    dry_run
        Say what would change, and change nothing.
    """
    opened = open_node(folder)
    delay = opened.settings.collection.release_longest_delay_days
    with progress("Releasing", None) as advance:
        report = release(
            opened.collection,
            longest_delay_days=delay,
            dry_run=dry_run,
            progress=lambda _place, done: advance(done),
        )
    show(report, json=json, render=_released)


@node.command(name="consent")
def consent_(
    folder: Folder,
    individual: str,
    act: Act,
    /,
    *,
    use: Annotated[tuple[Use, ...], Parameter(consume_multiple=True, negative="")] = (),
    json: Json = False,
) -> None:
    """Put down what a person says of the uses of their genome. What it ends, ends at once for readings by permit.

    Parameters
    ----------
    individual
        The holder's id of the person.
    act
        What they say; docs/consent.md has what each does.
    use
        Of withdraw and renew: the kinds of use that they name; default all.
    """
    from megagenome.app.journal import keep_journal  # it signs, and cryptography takes 0.1 s to import

    opened = open_node(folder)
    keep_journal(opened)
    delay = opened.settings.collection.release_longest_delay_days
    by = given_by("contact point")
    report = say(opened.collection, IndividualId(individual), act, use, by=by, longest_delay_days=delay)
    show(report, json=json, render=_said)


@node.command(name="serve")
def serve_(folder: Folder, /, *, host: Host = None, port: ListenPort = None) -> None:
    """Serve the node until it is stopped. Address and port are those of node.toml unless given here."""
    from megagenome.app.node_app import node_app  # the web parts take 0.7 s to import, and only serving needs them
    from megagenome.app.server import serve

    opened = open_node(folder)
    listen = opened.settings.server
    serve(node_app(opened), host=host or listen.host, port=listen.port if port is None else port, folder=folder)


@node.command(name="check")
def check(node: str, /, *, deep: Annotated[bool, Flag] = False, json: Json = False) -> int:
    """Check a node, by its folder or its address: each part, what is wrong with it and what to do.

    Parameters
    ----------
    node
        Its folder, or its address such as https://node.example.org.
    deep
        Of a folder: also read every byte of the genotypes and of sealed files again and compare checksums.
    """
    if not is_address(node):
        from megagenome.app.check_folder import check_folder  # no other command checks

        return show_findings(check_folder(Path(node), deep=deep), json=json)
    from megagenome.app.check_network import check_node_address  # its web client takes 0.1 s to import

    return show_findings(check_node_address(node), json=json)


@node.command(name="join")
def join(folder: Folder, invitation: str, /, *, json: Json = False) -> None:
    """Join a network by the invitation that its hub's operator sent; a running node takes part within seconds.

    Interrupted, the same again finishes it.

    Parameters
    ----------
    invitation
        The whole line, in quotes.
    """
    from megagenome.app.describe import describe_node  # cryptography takes 0.1 s to import
    from megagenome.app.ledger import open_keys
    from megagenome.network.join_hub import join_hub
    from megagenome.standards.joining import read_invitation

    read = read_invitation(invitation)
    opened = open_node(folder)
    try:
        hub = join_hub(opened.collection.engine, read, describe_node(opened.settings, open_keys(folder)))
    except Unavailable as error:
        do = "the hub must be served, at the address that its settings had when it invited you (hub.url)"
        raise Unavailable(f"{error}: {do}") from None
    show_done(Done(str(folder), f"joined the network of {hub.id} ({hub.name}) at {hub.url}"), json=json)


@node.command(name="leave")
def leave(folder: Folder, /, *, json: Json = False) -> None:
    """Leave the network: what its hub proposed or permitted works here no more."""
    from megagenome.network.joined_hub import leave as leave_hub  # cryptography takes 0.1 s to import

    opened = open_node(folder)
    with begin_writing(opened.collection.engine) as connection:
        hub = leave_hub(connection)
    more = f"tell the operator of {hub}, so that it asks this node no more (`megagenome hub remove`)"
    show_done(Done(str(folder), f"left the network of {hub}", more), json=json)


@node.command(name="upgrade")
def upgrade(folder: Folder, /, *, json: Json = False) -> None:
    """Bring a node's database to this version; stop its server before."""
    upgrade_node(folder)
    show_done(Done(str(folder), "is up to date"), json=json)


def _erase_person(folder: Path, subject: str, by: str, really: bool) -> "Erasure":
    from megagenome.app.erasing import erase_person_at_node  # cryptography takes 0.1 s to import

    opened = open_node(folder)
    try:
        return erase_person_at_node(opened, _ledger(opened), subject, by, really=really)
    finally:
        opened.collection.close()


def _ledger(opened: Node) -> "Ledger":
    from megagenome.app.ledger import open_ledger  # cryptography takes 0.1 s to import

    return open_ledger(opened.folder, opened.collection.engine, opened.settings.node.id)


def _released(report: ReleaseReport) -> RenderableType:
    verb = "released" if report.done else "would be released"
    columns = ["dataset", "people", "entered", "left", "waiting to enter", "waiting to leave"]
    rows = [[d.dataset, d.people, d.entered, d.left, d.waiting, d.leaving] for d in report.datasets]
    return Group(f"{verb}; counts of {report.recounted:,} contigs of loads made anew", table(columns, rows))


def _said(report: ConsentReport) -> RenderableType:
    lines = [
        f"{report.individual} consents to {', '.join(report.holds) or 'nothing'}",
        f"changed: {', '.join(report.changed) or 'nothing'}",
    ]
    if report.public_until:
        lines.append(
            f"still in the public numbers of {', '.join(report.public_until)} until a release takes them out, at the "
            f"latest the first one from {report.leaves_by} on"
        )
    return "\n".join(lines)


node.command(erase_commands("node", _erase_person))
