# SPDX-License-Identifier: Apache-2.0
"""Sign-ins that were begun and not finished: kept on the server, bound to one browser, used once, for ten minutes."""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import NamedTuple

import sqlalchemy as sa

from megagenome.identity.people import timestamp
from megagenome.identity.tables import sign_in
from megagenome.kernel import clock
from megagenome.kernel.errors import Unauthenticated

LASTS_S = 600
MOST = 10_000
"""Sign-ins that may be under way at once; beyond it the oldest are forgotten, so that nobody can fill the disk."""

_NOT_THIS_BROWSER = (
    "this sign-in was not begun in this browser, was used already, or took longer than ten minutes: sign in again"
)


class BegunKeys(NamedTuple):
    """What one sign-in shows to the provider: each follows from the browser's secret, and the secret from none."""

    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        """The verifier's S256 challenge, RFC 7636."""
        return _base64url(hashlib.sha256(self.verifier.encode()).digest())


def keys_of(secret: str) -> BegunKeys:
    """State, nonce and verifier of the sign-in whose browser holds `secret`."""
    return BegunKeys(*(_derived(secret, purpose) for purpose in ("state", "nonce", "verifier")))


def begin(connection: sa.Connection, issuer: str, next_path: str) -> str:
    """Begin a sign-in at `issuer` that will lead to `next_path`; returns the secret for the browser's cookie."""
    secret = secrets.token_urlsafe(32)
    expires = (clock.now() + timedelta(seconds=LASTS_S)).isoformat(timespec="seconds")
    row = {"secret_sha256": digest(secret), "issuer": issuer, "next": next_path, "expires": expires}
    connection.execute(sa.insert(sign_in).values(row))
    connection.execute(sa.delete(sign_in).where(sign_in.c.expires < timestamp()))
    beyond = sa.select(sign_in.c.secret_sha256).order_by(sign_in.c.expires.desc()).offset(MOST)
    connection.execute(sa.delete(sign_in).where(sign_in.c.secret_sha256.in_(beyond)))
    return secret


def finish(connection: sa.Connection, secret: str, state: str, issuer: str) -> str:
    """End the sign-in that this browser began; returns where it leads. The second call for one sign-in fails.

    Raises `Unauthenticated` when `state` is not that of `secret`, or there is no such sign-in at `issuer` any more.
    """
    if not secret or not hmac.compare_digest(keys_of(secret).state.encode(), state.encode()):
        raise Unauthenticated(_NOT_THIS_BROWSER)
    mine = sa.delete(sign_in).where(sign_in.c.secret_sha256 == digest(secret)).returning(sign_in)
    row = connection.execute(mine).one_or_none()
    if row is None or row.expires < timestamp() or row.issuer != issuer:
        raise Unauthenticated(_NOT_THIS_BROWSER)
    return str(row.next)


def digest(secret: str) -> str:
    """The digest under which a secret of 256 random bits is kept: it finds the secret's row, and nobody the secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _derived(secret: str, purpose: str) -> str:
    return _base64url(hmac.digest(secret.encode(), purpose.encode(), "sha256"))


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
