# SPDX-License-Identifier: Apache-2.0
"""Discovery: what a node tells the public. GA4GH Beacon v2 over the collection, and disclosure control.

`answer.Beacon` answers; `routes.discovery_router` serves it. Neither is imported here, because whoever reads settings
or loads data would then wait for the web.
"""

from megagenome.discovery.settings import DiscoverySettings

__all__ = ["DiscoverySettings"]
