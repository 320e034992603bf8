# SPDX-License-Identifier: Apache-2.0
import msgspec
import pytest

from megagenome.kernel.errors import Corrupt
from megagenome.standards.service_info import ServiceInfo, ServiceOrganization, ServiceType, decode_service_info

INFO = ServiceInfo(
    "org.example.node",
    "Example",
    ServiceType("org.ga4gh", "beacon", "v2.2.0"),
    ServiceOrganization("Example", "https://example.org"),
    "0.1.0",
    environment="test",
)


def test_round_trip() -> None:
    written = msgspec.json.encode(INFO)
    assert decode_service_info(written) == INFO
    assert set(msgspec.json.decode(written)) == {"id", "name", "type", "organization", "version", "environment"}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"id": "a", "name": "b"}'])
def test_what_is_none_is_corrupt(body: bytes) -> None:
    with pytest.raises(Corrupt, match="not a service-info"):
        decode_service_info(body)
