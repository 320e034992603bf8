# SPDX-License-Identifier: Apache-2.0
"""Settings of identity."""

from urllib.parse import urlsplit

import msgspec

from megagenome.kernel.addresses import is_loopback
from megagenome.kernel.secret import Secret
from megagenome.standards.passport import REGISTERED_ACCESS, is_issuer


class SignInSettings(msgspec.Struct, frozen=True):
    """`[signin]`: the OpenID provider at which people sign in, and how long they stay.

    issuer         the provider's issuer, exactly as its discovery document has it; empty: nobody can sign in
    client_id      as which this server is registered there
    client_secret  its secret there; empty: a public client, which PKCE alone protects
    provider       what people call it, such as "Life Science Login"; the issuer's host when empty
    scopes         what is asked for, separated by blanks
    terms          address of the terms that registered access needs; people accept them on their account's page
    idle_s         a session that is not used for so long ends
    longest_s      a session ends after so long, however much it is used
    """

    issuer: str = ""
    client_id: str = ""
    client_secret: Secret = Secret()
    provider: str = ""
    scopes: str = "openid profile email"
    terms: str = REGISTERED_ACCESS
    idle_s: int = 3600
    longest_s: int = 43200

    def __post_init__(self) -> None:
        """Refuse what could not work or would not be safe (msgspec adds the place in the file to the message)."""
        if self.issuer:
            check_issuer(self.issuer)
            if not is_issuer(self.issuer):
                raise ValueError(f"issuer {self.issuer[:200]!r}: too long, or with characters that no address has")
            if not self.client_id:
                raise ValueError("client_id: write the id as which this server is registered at the issuer")
        if "openid" not in self.scopes.split():
            raise ValueError("scopes: `openid` must be among them")
        if urlsplit(self.terms).scheme not in ("http", "https"):
            raise ValueError("terms: write the http(s) address of the terms")
        if not 60 <= self.idle_s <= self.longest_s <= 30 * 86400:
            raise ValueError("idle_s, longest_s: at least 60, idle_s at most longest_s, longest_s at most 2592000")

    @property
    def provider_name(self) -> str:
        """What people call the provider."""
        return self.provider or urlsplit(self.issuer).hostname or ""


def check_issuer(issuer: str) -> None:
    """Raise ValueError unless `issuer` is https, or http on this machine, without credentials, query and fragment."""
    try:
        parts = urlsplit(issuer)
        host = parts.hostname or ""
        fine = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(f"issuer {issuer[:200]!r}: {error}") from None
    if not host or not fine or not issuer.isascii() or not issuer.isprintable() or set(issuer) & set(" \\?#@"):
        raise ValueError(f"issuer {issuer[:200]!r}: write an address such as https://login.example.org/realms/genomes")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError(f"issuer {issuer[:200]!r}: must be https, so that nobody on the way can sign in as another")
