# SPDX-License-Identifier: Apache-2.0
"""A node's folder: made once, opened by every command.

node.toml        settings
node.sqlite      records: datasets, people, sets, the manifest of packs
genotypes/       packs, by assembly and contig
reference/       packed ontologies
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

from megagenome import reference
from megagenome.app.settings import NodeIdentity, NodeSettings
from megagenome.collection import Collection
from megagenome.kernel.blobs import make_folder, write_durably
from megagenome.kernel.errors import Conflict, Invalid
from megagenome.kernel.ids import parse_country
from megagenome.kernel.settings import load_settings
from megagenome.reference import Reference

SETTINGS = "node.toml"


class Node(NamedTuple):
    """An open node."""

    folder: Path
    settings: NodeSettings
    collection: Collection
    reference: Reference


def init_node(folder: Path, *, country: str, name: str, identity: str, port: int) -> None:
    """Make an empty node. The settings are written last, so that a folder with settings is a whole node.

    Nobody but the caller's account can enter the folder: its files are genomes. Raises `Conflict` where there is a node
    already, `Invalid` for an identity that the settings would not take.
    """
    parse_country(country)
    try:
        me = NodeIdentity(identity or f"node.{country.lower()}", name or f"{country} national node", country)
    except ValueError as error:
        raise Invalid(str(error)) from None
    if (folder / SETTINGS).exists():
        raise Conflict(f"{folder} is a node already; load into it, or choose another folder")
    make_folder(folder)
    folder.chmod(0o700)
    reference.build(folder / "reference")
    Collection.create(folder, reference.open(folder / "reference").ontology_for).close()
    text = f"""# Settings of a Megagenome node; docs/operating.md describes each.

[node]
id = {_quoted(me.id)}
name = {_quoted(me.name)}
country = {_quoted(me.country)}

[server]
port = {port}
"""
    with write_durably(folder / SETTINGS) as file:
        file.write(text.encode())


def _quoted(text: str) -> str:
    # a JSON string is a TOML basic string, DEL apart
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def open_node(folder: Path) -> Node:
    """Open a node that `init_node` made, with its settings from file and environment."""
    settings = load_settings(NodeSettings, folder / SETTINGS, os.environ)
    reference.build(folder / "reference")
    tables = reference.open(folder / "reference")
    return Node(folder, settings, Collection.open_folder(folder, tables.ontology_for), tables)


def upgrade_node(folder: Path) -> None:
    """Bring a node's database to the schema of this version. Idempotent; stop its server first."""
    load_settings(NodeSettings, folder / SETTINGS, os.environ)
    reference.build(folder / "reference")
    Collection.create(folder, reference.open(folder / "reference").ontology_for).close()
