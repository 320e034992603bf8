# SPDX-License-Identifier: Apache-2.0
"""What a node and a hub say of themselves under their key (`standards.descriptor`), and where they are."""

from megagenome import __version__
from megagenome.app.settings import HubSettings, NodeSettings
from megagenome.kernel import clock
from megagenome.kernel.keys import SigningKeys
from megagenome.standards import beacon
from megagenome.standards.descriptor import DescribedService, sign_descriptor
from megagenome.standards.service_info import ServiceType

BEACON = ServiceType("org.ga4gh", "beacon", beacon.API_VERSION)
_BEACON_PATH = "/beacon/v2"


def node_url(settings: NodeSettings) -> str:
    """The address that others reach the node under."""
    return settings.node.url or f"http://{settings.server.host}:{settings.server.port}"


def hub_url(settings: HubSettings) -> str:
    """The address that others reach the hub under."""
    return settings.hub.url or f"http://{settings.server.host}:{settings.server.port}"


def describe_node(settings: NodeSettings, keys: SigningKeys) -> str:
    """The node's signed descriptor, of this moment."""
    me, url = settings.node, node_url(settings)
    return sign_descriptor(
        keys,
        id=me.id,
        kind="node",
        name=me.name,
        country=me.country,
        url=url,
        version=__version__,
        services=(DescribedService(BEACON, url + _BEACON_PATH),),
        iat=int(clock.now().timestamp()),
    )


def describe_hub(settings: HubSettings, keys: SigningKeys) -> str:
    """The hub's signed descriptor, of this moment."""
    me, url = settings.hub, hub_url(settings)
    return sign_descriptor(
        keys,
        id=me.id,
        kind="hub",
        name=me.name,
        country="",
        url=url,
        version=__version__,
        services=(DescribedService(BEACON, url + _BEACON_PATH),),
        iat=int(clock.now().timestamp()),
    )
