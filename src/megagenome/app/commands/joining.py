# SPDX-License-Identifier: Apache-2.0
"""`megagenome hub invite | invitations | nodes | remove`: whom the network has, by invitation and by settings."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from megagenome.app.commands.results import Done, show_done
from megagenome.app.hub import open_hub
from megagenome.kernel.database import begin_writing
from megagenome.kernel.ids import parse_country
from megagenome.kernel.output import Json, show, table

Folder = Annotated[Path, Parameter(help="The hub's folder.")]


class Invited(msgspec.Struct, frozen=True):
    """A new invitation, which is shown this once."""

    invitation: str
    country: str
    days: int


class Member(msgspec.Struct, frozen=True):
    """A node of the network. `heard` is when it last sent a message, empty for never."""

    id: str
    country: str
    url: str
    by: str
    joined: str = ""
    heard: str = ""


def add_joining_commands(hub: App) -> None:
    """Add them to `megagenome hub`."""
    hub.command(invite)
    hub.command(invitations)
    hub.command(nodes)
    hub.command(remove)


def invite(folder: Folder, /, *, country: str, days: int = 7, json: Json = False) -> None:
    """Invite one country's node: print a line that its operator joins with, once. Hand it over privately.

    Parameters
    ----------
    country
        ISO 3166-1 alpha-2: only a node of this country can use it.
    days
        It expires after so many, 1 to 90.
    """
    from megagenome.app.describe import hub_url  # cryptography takes 0.1 s to import
    from megagenome.app.ledger import open_keys
    from megagenome.network import invitations as made

    opened = open_hub(folder)
    code = parse_country(country)
    with begin_writing(opened.engine) as connection:
        invitation = made.invite(connection, hub_url(opened.settings), open_keys(folder).kid, code, days)
    lines = f"{{}}\n\nOnce, within {days} days, for a node of {code}: megagenome node join DIR 'THE LINE ABOVE'"
    show(Invited(invitation.text(), code, days), json=json, render=lambda invited: lines.format(invited.invitation))


def invitations(folder: Folder, /, *, cancel: str = "", json: Json = False) -> None:
    """List invitations, without their secrets.

    Parameters
    ----------
    cancel
        Id of an invitation by which nobody shall join any more.
    """
    from megagenome.network import invitations as made  # cryptography takes 0.1 s to import

    opened = open_hub(folder)
    if cancel:
        with begin_writing(opened.engine) as connection:
            made.cancel(connection, cancel)
    with opened.engine.connect() as connection:
        found = made.list_invitations(connection)
    rows = [[each.id, each.country, each.state, each.expires[:16], each.node] for each in found]
    show(found, json=json, render=lambda _: table(["invitation", "country", "state", "expires (UTC)", "node"], rows))


def nodes(folder: Folder, /, *, json: Json = False) -> None:
    """List the nodes of the network: those that joined, and those that stand in hub.toml."""
    from megagenome.network.joined_nodes import joined_nodes, with_joined  # cryptography takes 0.1 s to import

    opened = open_hub(folder)
    with opened.engine.connect() as connection:
        joined = {each.node.id: each for each in joined_nodes(connection)}
    members = with_joined(opened.settings.nodes, [each.node for each in joined.values()])
    found = [
        Member(node.id, node.country, node.url, "invitation", joined[node.id].joined, joined[node.id].heard)
        if node.id in joined
        else Member(node.id, node.country, node.url, "hub.toml")
        for node in members
    ]
    rows = [[each.id, each.country, each.url, each.by, each.heard[:19] or "never"] for each in found]
    show(found, json=json, render=lambda _: table(["node", "country", "address", "by", "heard (UTC)"], rows))


def remove(folder: Folder, node: str, /, *, json: Json = False) -> None:
    """End a node's membership: a running hub asks it no more, and believes it no more. It can be invited again.

    Parameters
    ----------
    node
        Id of a node that joined by invitation.
    """
    from megagenome.network import joined_nodes  # cryptography takes 0.1 s to import

    opened = open_hub(folder)
    with begin_writing(opened.engine) as connection:
        joined_nodes.remove(connection, node)
    show_done(Done(str(folder), f"{node} is no part of the network any more"), json=json)
