# SPDX-License-Identifier: Apache-2.0
"""How a browser reaches this server, and what follows from that for its cookies."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from megagenome.kernel.addresses import is_loopback

_HOST = re.compile(r"(?P<name>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?")


class OwnSite(NamedTuple):
    """This server as one origin. `tag` goes into the names of its cookies."""

    origin: str
    secure: bool
    tag: str = ""

    @property
    def session_cookie(self) -> str:
        """With https the name is bound to this host by its prefix. Plain http is for this machine alone, where all
        ports share their cookies: so the port is in the name, and a hub and its nodes leave each other's alone."""
        return "__Host-session" if self.secure else f"session_{self.tag}"

    @property
    def sign_in_cookie(self) -> str:
        """The name of the cookie of a sign-in that was begun."""
        return "__Host-signin" if self.secure else f"signin_{self.tag}"


def configured_site(url: str) -> OwnSite:
    """The site of a server whose public address is `url`."""
    parts = urlsplit(url)
    usual = 443 if parts.scheme == "https" else 80
    origin = f"{parts.scheme}://{parts.netloc.lower()}".removesuffix(f":{usual}")
    return OwnSite(origin, parts.scheme == "https", str(parts.port or usual))


def asked_site(host: str) -> OwnSite | None:
    """The site of a server without a public address, as it is asked: by its `Host`, on this machine only.

    None for any other host. There, plain http would show sessions to everybody on the way, and a name that somebody
    points at this machine would be taken for its own.
    """
    found = _HOST.fullmatch(host)
    if not found or not is_loopback(found["name"].strip("[]").lower()):
        return None
    return OwnSite(f"http://{host.lower()}".removesuffix(":80"), secure=False, tag=found["port"] or "80")
