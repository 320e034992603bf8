# SPDX-License-Identifier: Apache-2.0
"""The hub's settings: `[hub]` says who it is, `[network]` how it asks, each `[[nodes]]` whom it asks."""

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import UNKNOWN_COUNTRY, parse_country

MIB = 1 << 20


class Node(msgspec.Struct, frozen=True):
    """A node that the hub asks; one `[[nodes]]` table of `hub.toml`.

    id           the `beaconId` that it answers with; an answer under another id is refused as faulty
    name         what people read
    country      ISO 3166-1 alpha-2; `ZZ` where the node stated none
    url          where people and services find it, without a slash at the end
    beacon_path  where its Beacon v2 is below `url`
    """

    id: str
    url: str
    name: str = ""
    country: str = UNKNOWN_COUNTRY
    beacon_path: str = "/beacon/v2"

    def __post_init__(self) -> None:
        """Refuse what could never be asked (msgspec adds the place in the file to the message)."""
        if not self.id or len(self.id) > 200 or not self.id.isprintable():
            raise ValueError("id: write the node's beacon id, as its /beacon/v2/info states it")
        check_url(self.url)
        if self.beacon_path and not (self.beacon_path.startswith("/") and not self.beacon_path.endswith("/")):
            raise ValueError(f"beacon_path {self.beacon_path!r}: begin with a slash and end without one")
        try:
            parse_country(self.country)
        except Invalid as error:
            raise ValueError(str(error)) from None

    @property
    def beacon_url(self) -> str:
        """The root of its Beacon v2."""
        return self.url + self.beacon_path

    @property
    def title(self) -> str:
        """Its name, or its id where nobody gave it a name."""
        return self.name or self.id


class HubIdentity(msgspec.Struct, frozen=True):
    """`[hub]`: who this hub is to the world.

    id            the `beaconId` of the network's Beacon
    name          what people read
    organisation  who runs it; the name again when empty
    url           the address that others reach it under, where a proxy stands in front; empty: as it is asked
    """

    id: str
    name: str
    organisation: str = ""
    url: str = ""


class NetworkSettings(msgspec.Struct, frozen=True):
    """How the hub asks.

    deadline_s            a node that has not answered whole by then is `late`; the caller gets the others' answers
    connect_timeout_s     a node that takes longer to accept a connection is `unreachable`
    connections_per_node  connections that one node may hold; a node that hangs fills its own and nobody else's
    max_answer_bytes      a longer answer is `faulty` and is not read to its end
    assembly              the assembly that a question is about when neither it nor its text says one
    terms_ttl_s           how long filtering terms that nodes gave are used again
    members_poll_s        a node that joined or was removed is asked, or not, after this long
    """

    deadline_s: float = 5.0
    connect_timeout_s: float = 2.0
    connections_per_node: int = 32
    max_answer_bytes: int = 16 * MIB
    assembly: str = "GRCh38"
    terms_ttl_s: float = 60.0
    members_poll_s: float = 2.0

    def __post_init__(self) -> None:
        """Refuse values under which no node could ever answer."""
        if not 0 < self.deadline_s <= 600:
            raise ValueError("deadline_s: use seconds above 0 and up to 600")
        if not 0 < self.connect_timeout_s <= 600:
            raise ValueError("connect_timeout_s: use seconds above 0 and up to 600")
        if not 0.05 <= self.members_poll_s <= 60:
            raise ValueError("members_poll_s: use seconds from 0.05 to 60")
        if self.connections_per_node < 1 or self.max_answer_bytes < 1 or self.terms_ttl_s < 0:
            raise ValueError("connections_per_node, max_answer_bytes: at least 1; terms_ttl_s: at least 0")


class ExchangeSettings(msgspec.Struct, frozen=True):
    """`[exchange]` of a node: how it keeps in touch with the hub that it joined.

    interval_s          it asks the hub what is new this often
    longest_interval_s  while the hub does not answer, it asks ever less often, down to this
    longest_silence_s   after hearing nothing for so long it reads nothing by permit
    """

    interval_s: float = 2.0
    longest_interval_s: float = 30.0
    longest_silence_s: float = 300.0

    def __post_init__(self) -> None:
        """Refuse values under which permits would never work, or long after they were revoked."""
        if not 0.1 <= self.interval_s <= self.longest_interval_s <= 3600:
            raise ValueError("interval_s, longest_interval_s: from 0.1 to 3600, in this order")
        if not self.interval_s < self.longest_silence_s <= 3600:
            raise ValueError("longest_silence_s: longer than interval_s, at most 3600")


def check_url(url: str) -> None:
    """Raise ValueError unless `url` is an http(s) address that may stand in a node list: no credentials, no query."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(f"url {url[:200]!r}: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine or not url.isprintable():
        raise ValueError(f"url {url[:200]!r}: write http:// or https://, a host and, if needed, a port and a path")
    if parts.username is not None or parts.query or parts.fragment or "#" in url or "?" in url or " " in url:
        raise ValueError(f"url of {parts.hostname}: leave out user names, passwords, `?` and `#`")
    if url.endswith("/"):
        raise ValueError(f"url {url[:200]!r}: leave out the slash at the end")


def check_nodes(nodes: Sequence[Node]) -> None:
    """Raise `Invalid` when an id or an address stands twice: a node asked twice would be counted twice."""
    for what, values in (("id", [node.id for node in nodes]), ("url", [node.beacon_url.lower() for node in nodes])):
        twice = [value for value, times in Counter(values).items() if times > 1]
        if twice:
            raise Invalid(f"[[nodes]]: {what} {twice[0]!r} stands twice, and its people would count twice: remove one")
