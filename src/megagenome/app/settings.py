# SPDX-License-Identifier: Apache-2.0
"""The settings files of a node and of a hub, composed of each role's own settings."""

import re
from typing import Annotated

import msgspec

from megagenome.access.settings import AccessSettings
from megagenome.analytics.settings import AnalyticsSettings
from megagenome.archive.settings import ArchiveSettings
from megagenome.catalogue.harvest.settings import FairDataPoint, HarvestSettings
from megagenome.collection.settings import CollectionSettings
from megagenome.delivery.settings import DeliverySettings
from megagenome.discovery.settings import DiscoverySettings
from megagenome.identity.settings import SignInSettings
from megagenome.kernel.blob_settings import BlobSettings
from megagenome.kernel.database_settings import DatabaseSettings
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import parse_country
from megagenome.network.settings import ExchangeSettings, HubIdentity, NetworkSettings, Node
from megagenome.network.studies.settings import StudySettings
from megagenome.reception.settings import ReceptionSettings

_NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class NodeIdentity(msgspec.Struct, frozen=True):
    """`[node]`: who this node is to the world.

    id            its Beacon id; the hub's list names it by this, so it never changes
    name          what people read
    country       ISO 3166-1 alpha-2
    organisation  who runs it; the name again when empty
    url           the address that others reach it under, where a proxy stands in front; empty: as it is asked
    """

    id: str
    name: str
    country: str
    organisation: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        """Refuse what would not survive the wire (msgspec adds the place in the file to the message)."""
        if not _NODE_ID.fullmatch(self.id):
            raise ValueError("id: use up to 100 of A-Z a-z 0-9 . _ - and begin with a letter or digit")
        try:
            parse_country(self.country)
        except Invalid as error:
            raise ValueError(str(error)) from None


class ServerSettings(msgspec.Struct, frozen=True):
    """`[server]`: where it listens; `notice` is a line at the head of every page, such as that all data are made up."""

    host: str = "127.0.0.1"
    port: int = 8601
    notice: Annotated[str, msgspec.Meta(max_length=300)] = ""


class ExampleQuestion(msgspec.Struct, frozen=True):
    """One `[[examples]]`: a question that the portal offers beside its search box.

    text      what a reader would type
    assembly  the assembly that it is meant for
    kind      what it is, in a few words, such as "a variant"
    """

    text: str
    assembly: str
    kind: str


class NodeSettings(msgspec.Struct, frozen=True):
    """`node.toml`."""

    node: NodeIdentity
    server: ServerSettings = ServerSettings()
    database: DatabaseSettings = DatabaseSettings()
    blobs: BlobSettings = BlobSettings()
    delivery: DeliverySettings = DeliverySettings()
    collection: CollectionSettings = CollectionSettings()
    discovery: DiscoverySettings = DiscoverySettings()
    signin: SignInSettings = SignInSettings()
    exchange: ExchangeSettings = ExchangeSettings()
    analytics: AnalyticsSettings = AnalyticsSettings()
    archive: ArchiveSettings = ArchiveSettings()
    reception: ReceptionSettings = ReceptionSettings()


class HubSettings(msgspec.Struct, frozen=True):
    """`hub.toml`."""

    hub: HubIdentity
    server: ServerSettings = ServerSettings(port=8600)
    database: DatabaseSettings = DatabaseSettings()
    network: NetworkSettings = NetworkSettings()
    signin: SignInSettings = SignInSettings()
    access: AccessSettings = AccessSettings()
    studies: StudySettings = StudySettings()
    harvest: HarvestSettings = HarvestSettings()
    nodes: tuple[Node, ...] = ()
    examples: tuple[ExampleQuestion, ...] = ()
    fair_data_points: tuple[FairDataPoint, ...] = ()
