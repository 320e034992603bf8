# SPDX-License-Identifier: Apache-2.0
"""The node as its catalogue names it."""

from megagenome import __version__
from megagenome.app.describe import node_url
from megagenome.app.settings import NodeSettings
from megagenome.catalogue.model import Place


def place_of(settings: NodeSettings) -> Place:
    """Where it is, what it is called, and who runs it."""
    me = settings.node
    return Place(node_url(settings), me.id, me.name, me.organisation or me.name, me.country, __version__)
