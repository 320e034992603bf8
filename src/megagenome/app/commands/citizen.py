# SPDX-License-Identifier: Apache-2.0
"""`megagenome node citizen`: say which individual somebody is who signs in. Only the node's operator can."""

from typing import Annotated

from cyclopts import App, Parameter

from megagenome.app.commands.operator import given_by
from megagenome.app.commands.results import Done, show_done
from megagenome.app.commands.role import Folder, Subject
from megagenome.app.node import open_node
from megagenome.collection.citizens import link_citizen, unlink_citizen
from megagenome.kernel.ids import IndividualId
from megagenome.kernel.output import Json

citizen = App(name="citizen", help="Say which individual somebody is who signs in at this node.")


@citizen.command(name="link")
def link(
    folder: Folder,
    subject: Subject,
    individual: Annotated[str, Parameter(help="The holder's id of the person.")],
    /,
    *,
    json: Json = False,
) -> None:
    """Let a person see what their genome was used for, and say what they consent to. See who they are first.

    They need the role citizen too: `megagenome node role grant DIR SUBJECT citizen`.
    """
    opened = open_node(folder)
    with opened.collection.engine.begin() as connection:
        link_citizen(connection, subject, IndividualId(individual), given_by())
    show_done(Done(str(folder), f"who signs in as {subject} is {individual}"), json=json)


@citizen.command(name="unlink")
def unlink(folder: Folder, subject: Subject, /, *, json: Json = False) -> None:
    """Take that back, from their next request on. What they said of their genome stays."""
    opened = open_node(folder)
    with opened.collection.engine.begin() as connection:
        unlink_citizen(connection, subject)
    show_done(Done(str(folder), f"{subject} is linked to nobody"), json=json)
