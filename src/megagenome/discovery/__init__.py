# SPDX-License-Identifier: Apache-2.0
"""Discovery: what a node tells the public. GA4GH Beacon v2 over the collection, and disclosure control."""

from megagenome.discovery.answer import Beacon
from megagenome.discovery.describe import service_info
from megagenome.discovery.model import Identity
from megagenome.discovery.routes import discovery_router
from megagenome.discovery.settings import DiscoverySettings

__all__ = ["Beacon", "DiscoverySettings", "Identity", "discovery_router", "service_info"]
