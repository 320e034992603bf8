# SPDX-License-Identifier: Apache-2.0
"""`megagenome node peers`: the nodes that this one computed studies with, and the keys it knows them by."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from megagenome.analytics.check import accept_key, list_peers
from megagenome.app.node import open_node
from megagenome.kernel.errors import Invalid
from megagenome.kernel.output import Json, show, table


def peers(
    folder: Annotated[Path, Parameter(help="The node's folder.")],
    /,
    *,
    accept: str = "",
    key: str = "",
    json: Json = False,
) -> None:
    """List the nodes that this one computed studies with, and the key by which it knows each.

    Parameters
    ----------
    accept
        Id of a node that replaced its key. Ask its operator, by another way than the network, whether the key is
        theirs: whoever has it learns what this node sends in studies of three, with the help of the third.
    key
        Thumbprint of the key to accept, as that operator reads it from `megagenome node keys`.
    """
    engine = open_node(folder).collection.engine
    if bool(accept) != bool(key):
        raise Invalid("--accept NODE --key THUMBPRINT: both, or neither")
    if accept:
        accept_key(engine, accept, key)
    found = list_peers(engine)
    rows = [[each.node, each.key, each.since[:19]] for each in found]
    show(found, json=json, render=lambda _: table(["node", "key", "since (UTC)"], rows))
