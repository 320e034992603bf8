# SPDX-License-Identifier: Apache-2.0
"""The OpenID provider of `megagenome demo`: one machine, made-up people, nothing kept.

It speaks the authorization code flow with PKCE to public clients, which is all that signing in here needs, and signs
by ES256. Passwords are random at each start; only their scrypt digests come here. It refuses any address but this
machine's, because it is no provider for people who exist: production uses LS-AAI, Keycloak or another.
"""

import base64
import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from megagenome.identity.demo_accounts import Account, digest_password, make_account, new_password
from megagenome.kernel import clock
from megagenome.kernel.addresses import is_loopback
from megagenome.kernel.errors import Invalid, RateLimited, Unauthenticated

CODE_LASTS_S = 60
TOKEN_LASTS_S = 300
MOST = 1000
"""Codes and tokens that are kept at once."""
ATTEMPTS = 10
ATTEMPTS_IN_S = 60
"""So many wrong passwords are answered within this time, of all accounts together: so no limit tells whether an account
exists."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class Client(msgspec.Struct, frozen=True):
    """A server at which people sign in by this provider."""

    id: str
    redirect_uri: str


class Asked(NamedTuple):
    """A valid authorization request."""

    client: Client
    state: str
    nonce: str
    challenge: str
    scope: str


class _Granted(NamedTuple):
    """What a code or an access token stands for, until `ends` (seconds of the monotonic clock)."""

    account: Account
    asked: Asked
    ends: float


class TurnedAway(Exception):
    """An error that OAuth 2.0 has a code for; `address` is where the browser takes it, empty for none."""

    def __init__(self, code: str, description: str, address: str = "") -> None:
        super().__init__(description)
        self.code, self.description, self.address = code, description, address


class DemoProvider:
    """The provider without its routes. Safe to use from many threads."""

    def __init__(self, issuer: str, accounts: tuple[Account, ...], clients: tuple[Client, ...]) -> None:
        """Raises `Invalid` for an issuer that is not on this machine."""
        parts = urlsplit(issuer)
        if parts.scheme != "http" or not is_loopback(parts.hostname or "") or parts.path:
            raise Invalid(f"{issuer}: the demo's provider serves this machine only; elsewhere use LS-AAI or Keycloak")
        self.issuer = issuer
        self._accounts = {account.username: account for account in accounts}
        self._clients = {client.id: client for client in clients}
        self._nobody = make_account("", "", "", (), new_password())
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        self._codes: dict[str, _Granted] = {}
        self._tokens: dict[str, _Granted] = {}
        self._wrong: deque[float] = deque(maxlen=ATTEMPTS)
        self._lock = threading.Lock()

    def discovery(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "scopes_supported": ["openid", "profile", "email"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    def jwks(self) -> dict[str, Any]:
        """The public key, as a set."""
        return {"keys": [self._key.as_dict(private=False)]}

    def asked(self, query: Mapping[str, str]) -> Asked:
        """Check an authorization request. Raises `TurnedAway`; with an address only where the client's is proven."""
        client = self._clients.get(query.get("client_id", ""))
        if client is None or query.get("redirect_uri") != client.redirect_uri:
            raise TurnedAway("invalid_request", "this client or its address is not known here")
        state = query.get("state", "")
        asked = Asked(client, state, query.get("nonce", ""), query.get("code_challenge", ""), query.get("scope", ""))
        wrong = ""
        if query.get("response_type") != "code":
            wrong = "unsupported_response_type"
        elif "openid" not in asked.scope.split():
            wrong = "invalid_scope"
        elif query.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(asked.challenge):
            wrong = "invalid_request"
        elif query.get("prompt") == "none":
            wrong = "login_required"
        if wrong:
            raise TurnedAway(wrong, "the request is not one that this provider serves", self._back(asked, error=wrong))
        return asked

    def sign_in(self, asked: Asked, username: str, password: str) -> str:
        """The address that takes the browser back with a code. Takes as long for accounts that are not there.

        Raises `Unauthenticated` for a wrong name or password, without saying which; `RateLimited` after ten of them.
        """
        now = time.monotonic()
        with self._lock:
            if len(self._wrong) == ATTEMPTS and now - self._wrong[0] < ATTEMPTS_IN_S:
                raise RateLimited("too many wrong passwords: wait a minute")
            self._wrong.append(now)
        account = self._accounts.get(username, self._nobody)
        right = hmac.compare_digest(digest_password(password, account.salt), account.password_scrypt)
        if not right or account is self._nobody:
            raise Unauthenticated("this name and password do not belong together")
        code = secrets.token_urlsafe(32)
        with self._lock:
            if now in self._wrong:
                self._wrong.remove(now)
            _keep(self._codes, code, _Granted(account, asked, now + CODE_LASTS_S))
        return self._back(asked, code=code)

    def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Exchange a code, once. Raises `TurnedAway`."""
        if form.get("grant_type") != "authorization_code":
            raise TurnedAway("unsupported_grant_type", "only authorization_code is served")
        with self._lock:
            granted = self._codes.pop(form.get("code", ""), None)
        if granted is None or granted.ends < time.monotonic():
            raise TurnedAway("invalid_grant", "the code is not known, was used or is too old")
        asked = granted.asked
        if (form.get("client_id"), form.get("redirect_uri")) != (asked.client.id, asked.client.redirect_uri):
            raise TurnedAway("invalid_grant", "the code was given to another client")
        verifier = form.get("code_verifier", "")
        if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(_s256(verifier), asked.challenge):
            raise TurnedAway("invalid_grant", "the code was asked for by somebody else")
        access = secrets.token_urlsafe(32)
        with self._lock:
            _keep(self._tokens, access, granted._replace(ends=time.monotonic() + TOKEN_LASTS_S))
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": TOKEN_LASTS_S,
            "scope": asked.scope,
            "id_token": self._id_token(granted, access),
        }

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """Who the token is for. Raises `Unauthenticated` for one that is not known or too old."""
        with self._lock:
            granted = self._tokens.get(access_token)
        if granted is None or granted.ends < time.monotonic():
            raise Unauthenticated("the access token is not known or too old")
        return _claims(granted)

    def _id_token(self, granted: _Granted, access_token: str) -> str:
        now = int(clock.now().timestamp())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {
            "iss": self.issuer,
            "sub": granted.account.username,
            "aud": granted.asked.client.id,
            "iat": now,
            "exp": now + TOKEN_LASTS_S,
            "auth_time": now,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        }
        if granted.asked.nonce:
            claims["nonce"] = granted.asked.nonce
        return jwt.encode({"alg": "ES256", "kid": self._key.kid or ""}, claims, self._key, algorithms=["ES256"])

    def _back(self, asked: Asked, **answer: str) -> str:
        if asked.state:
            answer["state"] = asked.state
        return f"{asked.client.redirect_uri}?{urlencode({**answer, 'iss': self.issuer})}"


def _keep(kept: dict[str, _Granted], secret: str, granted: _Granted) -> None:
    now = time.monotonic()
    for old in [name for name, each in kept.items() if each.ends < now]:
        del kept[old]
    while len(kept) >= MOST:
        del kept[next(iter(kept))]
    kept[secret] = granted


def _claims(granted: _Granted) -> dict[str, Any]:
    account, scopes = granted.account, granted.asked.scope.split()
    claims: dict[str, Any] = {
        "sub": account.username,
        "schac_home_organization": account.organisation,
        "eduperson_scoped_affiliation": list(account.affiliations),
    }
    if "profile" in scopes:
        claims |= {"name": account.name, "preferred_username": account.username}
    if "email" in scopes:
        claims |= {"email": f"{account.username}@{account.organisation}", "email_verified": True}
    return claims


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
