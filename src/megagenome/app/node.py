# SPDX-License-Identifier: Apache-2.0
"""A node's folder: made once, opened by every command.

node.toml        settings
trust.toml       whose passports and visas count here
node.sqlite      records: datasets, people, sets, the manifest of packs; the ledger (or in PostgreSQL)
keys/            the key that it signs with, and those that files are encrypted for
genotypes/       packs, by assembly and contig
reference/       packed ontologies
blobs/           sealed files (or in an object store)
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from megagenome import reference
from megagenome.app.settings import NodeIdentity, NodeSettings
from megagenome.archive.settings import ArchiveSettings
from megagenome.collection import Collection
from megagenome.kernel.blob_store import BlobStore
from megagenome.kernel.durable_files import make_folder, write_durably
from megagenome.kernel.errors import Conflict, Invalid, Unavailable
from megagenome.kernel.ids import parse_country
from megagenome.kernel.open_store import open_store
from megagenome.kernel.settings import load_settings, read_settings, toml_table
from megagenome.reference import Reference

if TYPE_CHECKING:
    from megagenome.archive.keys import RecipientKeys
    from megagenome.identity.trust import TrustStore

SETTINGS = "node.toml"
DATABASE = "node.sqlite"
BLOBS = "blobs"
TRUST = "trust.toml"

_TRUST_EXAMPLE = """\
# Whose passports and visas count at this node; docs/identity.md describes each setting. Nobody is trusted who is not
# named here, but for the node itself and the hub that it joined. Take out the # and write what is true of yours.

# [[brokers]]
# issuer = "https://login.example.org/oidc/"
# jwks_url = "https://login.example.org/oidc/jwk"

# [[issuers]]
# issuer = "https://registry.example.org/"
# jku = "https://registry.example.org/jwks"
# types = ["AcceptedTermsAndPolicies", "ResearcherStatus"]
# [[issuers.sources]]
# source = "https://registry.example.org/"
# values = ["https://doi.org/10.1038/s41431-018-0219-y"]
"""


class Node(NamedTuple):
    """An open node."""

    folder: Path
    settings: NodeSettings
    collection: Collection
    reference: Reference


def init_node(folder: Path, *, country: str, name: str, identity: str, port: int, database: str = "") -> None:
    """Make an empty node. The settings are written last, so that a folder with settings is a whole node.

    Its records lie in the folder, or in the empty PostgreSQL `database` (`DatabaseSettings`, password by environment).
    Nobody but the caller's account can enter the folder: its files are genomes. Raises `Conflict` where there is a node
    already, `Invalid` for an id or a country that is none; nothing is made then.
    """
    parse_country(country)
    me = {"id": identity or "node." + country.lower(), "name": name or country + " national node", "country": country}
    try:
        NodeIdentity(**me)
    except ValueError as error:
        raise Invalid(str(error)) from None
    if (folder / SETTINGS).exists():
        raise Conflict(f"{folder} is a node already; load into it, or choose another folder")
    tables = [toml_table("[node]", me), toml_table("[server]", {"port": port})]
    tables += [toml_table("[database]", {"url": database})] if database else []
    text = "# Settings of a Megagenome node; docs/operating.md describes each.\n\n" + "\n".join(tables)
    settings = read_settings(NodeSettings, text, "the settings to be", os.environ)
    settings.database.require_new()
    make_folder(folder)
    folder.chmod(0o700)
    _make_keys(folder, ArchiveSettings())
    reference.build(folder / "reference")
    _make_records(folder, settings)
    with write_durably(folder / TRUST) as file:
        file.write(_TRUST_EXAMPLE.encode())
    with write_durably(folder / SETTINGS) as file:
        file.write(text.encode())


def open_node(folder: Path) -> Node:
    """Open a node that `init_node` made, with its settings from file and environment."""
    settings = load_settings(NodeSettings, folder / SETTINGS, os.environ)
    reference.build(folder / "reference")
    tables = reference.open(folder / "reference")
    collection = Collection.open_folder(folder, tables.ontology_for, settings.database.url_or(folder / DATABASE))
    return Node(folder, settings, collection, tables)


def blobs_of(node: Node) -> BlobStore:
    """Where the node's sealed files lie."""
    settings = node.settings.blobs
    return open_store(settings.url or str(node.folder / BLOBS), settings)


def recipient_keys(folder: Path, settings: ArchiveSettings) -> "RecipientKeys":
    """The node's recipient keys; one is made where there is none, but nowhere else than in the node's own folder: what
    is elsewhere may be locked at this moment. Raises `Unavailable` then."""
    from megagenome.app.ledger import KEYS  # cryptography takes 0.1 s to import
    from megagenome.archive.keys import KEY_FILE, RecipientKeys

    place = keys_folder(folder, settings)
    if settings.keys and not (place / KEY_FILE).is_file():
        raise Unavailable(
            f"{place / KEY_FILE} is not there: unlock where it lies, or move {KEYS}/{KEY_FILE} of the "
            "node there (setting archive.keys)"
        )
    return RecipientKeys.open(place)


def keys_folder(folder: Path, settings: ArchiveSettings) -> Path:
    """Where the recipient keys of a node's folder lie."""
    from megagenome.app.ledger import KEYS  # cryptography takes 0.1 s to import

    return folder / (settings.keys or KEYS)


def trust_of(folder: Path) -> "TrustStore":
    """Whom a node's operator trusts; nobody where the folder, of an older version, has no such file."""
    from megagenome.identity.trust import TrustStore, load_trust  # cryptography takes 0.1 s to import
    from megagenome.identity.trust_settings import TrustSettings

    path = folder / TRUST
    return load_trust(path) if path.exists() else TrustStore(TrustSettings(), {})


def upgrade_node(folder: Path) -> None:
    """Bring a node's database to the schema of this version. Idempotent; stop its server first."""
    settings = load_settings(NodeSettings, folder / SETTINGS, os.environ)
    _make_keys(folder, settings.archive)
    reference.build(folder / "reference")
    _make_records(folder, settings)


def _make_records(folder: Path, settings: NodeSettings) -> None:
    ontology_for = reference.open(folder / "reference").ontology_for
    Collection.create(folder, ontology_for, settings.database.url_or(folder / DATABASE)).close()


def _make_keys(folder: Path, settings: ArchiveSettings) -> None:
    from megagenome.app.ledger import open_keys  # cryptography takes 0.1 s to import, and most commands need none

    open_keys(folder)
    recipient_keys(folder, settings)
