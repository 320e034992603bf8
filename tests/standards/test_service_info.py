# SPDX-License-Identifier: Apache-2.0
import msgspec

from megagenome.standards.service_info import ServiceInfo, ServiceOrganization, ServiceType

INFO = ServiceInfo(
    "org.example.node",
    "Example",
    ServiceType("org.ga4gh", "beacon", "v2.2.0"),
    ServiceOrganization("Example", "https://example.org"),
    "0.1.0",
    environment="test",
)


def test_written_as_the_standard_names_it() -> None:
    assert msgspec.json.decode(msgspec.json.encode(INFO)) == {
        "id": "org.example.node",
        "name": "Example",
        "type": {"group": "org.ga4gh", "artifact": "beacon", "version": "v2.2.0"},
        "organization": {"name": "Example", "url": "https://example.org"},
        "version": "0.1.0",
        "environment": "test",
    }
