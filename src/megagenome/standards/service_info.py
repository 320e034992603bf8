# SPDX-License-Identifier: Apache-2.0
"""GA4GH service-info 1.0: what a service is. https://www.ga4gh.org/product/service-info/"""

import msgspec


class ServiceType(msgspec.Struct, frozen=True):
    """The API that is served: `org.ga4gh`, `beacon`, `v2.2.0`."""

    group: str
    artifact: str
    version: str


class ServiceOrganization(msgspec.Struct, frozen=True):
    """Who runs it; `url` is absolute."""

    name: str
    url: str


class ServiceInfo(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Answer of `/service-info`. Times are RFC 3339; `version` is the software's."""

    id: str
    name: str
    type: ServiceType
    organization: ServiceOrganization
    version: str
    description: str = ""
    contact_url: str = ""
    documentation_url: str = ""
    created_at: str = ""
    updated_at: str = ""
    environment: str = ""
