# SPDX-License-Identifier: Apache-2.0
"""`[harvest]` of a hub: how it harvests; each `[[fair_data_points]]` a foreign FAIR Data Point that it harvests."""

from urllib.parse import urlsplit

import msgspec

from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import UNKNOWN_COUNTRY, parse_country

MIB = 1 << 20
_LONGEST_URL = 1_000


class HarvestSettings(msgspec.Struct, frozen=True):
    """How the hub harvests.

    interval_s      every catalogue is harvested this often
    watch_s         the nodes of the network are asked this often whether their list of datasets changed
    deadline_s      the harvest of one catalogue ends after so long, whatever it is at
    request_s       one answer is there whole after so long, or is a fault
    connections     requests at once to one catalogue
    largest_bytes   a longer description is a fault
    most_resources  descriptions that are read of one catalogue
    most_bytes      what is kept of one catalogue
    """

    interval_s: float = 3600.0
    watch_s: float = 60.0
    deadline_s: float = 600.0
    request_s: float = 20.0
    connections: int = 8
    largest_bytes: int = 4 * MIB
    most_resources: int = 50_000
    most_bytes: int = 256 * MIB

    def __post_init__(self) -> None:
        """Refuse values under which nothing is harvested, or all the time."""
        if not 1 <= self.interval_s <= 30 * 86400:
            raise ValueError("interval_s: use seconds from 1 to 2592000, which is 30 days")
        if not 0.2 <= self.watch_s <= 86400:
            raise ValueError("watch_s: use seconds from 0.2 to 86400")
        if not 0 < self.request_s <= self.deadline_s <= 86400:
            raise ValueError("request_s, deadline_s: seconds above 0, up to 86400, in this order")
        if not (1 <= self.connections <= 100 and min(self.largest_bytes, self.most_resources, self.most_bytes) > 0):
            raise ValueError("connections: from 1 to 100; largest_bytes, most_resources, most_bytes: at least 1")


class FairDataPoint(msgspec.Struct, frozen=True):
    """A foreign FAIR Data Point.

    url      its address; what it lists at other hosts is not asked for
    name     what people read; the host's where empty
    country  ISO 3166-1 alpha-2; ZZ where it is of none
    hosts    other hosts (`host` or `host:port`) that it may send the hub to
    """

    url: str
    name: str = ""
    country: str = UNKNOWN_COUNTRY
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could never be asked."""
        check_address(self.url)
        for host in self.hosts:
            if "/" in host or not urlsplit(f"//{host}").hostname:
                raise ValueError(
                    f"hosts: {host[:100]!r} is none; write them as data.example.org or data.example.org:8080"
                )
        if len(self.name) > 200:
            raise ValueError("name: use up to 200 letters")
        try:
            parse_country(self.country)
        except Invalid as error:
            raise ValueError(str(error)) from None


def check_address(url: str) -> None:
    """Raise ValueError unless `url` is an http(s) address without credentials."""
    shown = repr(url[:200])
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(f"url {shown}: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine or len(url) > _LONGEST_URL:
        raise ValueError(f"url {shown}: write http:// or https://, a host and, if needed, a port and a path")
    if parts.username is not None or "#" in url or not url.isprintable() or " " in url:
        raise ValueError(f"url of {parts.hostname}: leave out user names, passwords, blanks and `#`")
