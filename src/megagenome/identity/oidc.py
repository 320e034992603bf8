# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect relying party: the authorization code flow with PKCE, to any provider.

OpenID Connect Core 1.0 and Discovery 1.0 (https://openid.net/specs/openid-connect-core-1_0.html), PKCE (RFC 7636,
S256 only), issuer in the response (RFC 9207), and RFC 9700's advice. ES256 and RS256 only, as GA4GH AAI asks.
"""

import base64
import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError

from megagenome.identity.begun import BegunKeys
from megagenome.identity.provider_calls import ProviderCalls
from megagenome.identity.settings import SignInSettings, check_issuer
from megagenome.identity.subjects import PROFILE_CLAIMS, Profile, profile_of, readable
from megagenome.kernel import clock
from megagenome.kernel.errors import Corrupt, TooLarge, Unauthenticated, Unavailable
from megagenome.kernel.jwt import Token, read_token
from megagenome.kernel.public_keys import PublicKeys, read_public_keys
from megagenome.kernel.signatures import LARGEST_TOKEN_BYTES, Fault, NotSigned, check_header, check_signature

SKEW_S = 60
"""How far the provider's clock may be from ours."""
FRESH_S = 3600.0
"""For so long the provider's description and keys are used without asking again."""
KEYS_AGAIN_S = 30.0
"""An unknown key id makes us ask for the keys again, at most this often."""

_TYPES = frozenset({"", "jwt"})
"""`typ` of an identity token, which need not say that it is one; other tokens of a provider must."""

_log = logging.getLogger(__name__)
"""Why a sign-in failed, for the operator; never a token, a code or a secret."""


class Discovered(msgspec.Struct, frozen=True):
    """The part of a provider's discovery document that we use."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] = ("S256",)
    authorization_response_iss_parameter_supported: bool = False


class TokenAnswer(msgspec.Struct, frozen=True):
    """What the token endpoint gives for a code."""

    id_token: str
    access_token: str
    token_type: str


class _Known(NamedTuple):
    """The provider as it was last asked."""

    discovered: Discovered
    keys: PublicKeys
    asked_at: float


class RelyingParty:
    """Signs people in at the provider of the settings. Safe to use from many threads; each call may wait for the
    provider, up to ten seconds."""

    def __init__(self, settings: SignInSettings, calls: ProviderCalls | None = None) -> None:
        """`calls` reaches the provider; by default over the network."""
        self.settings = settings
        self._calls = calls or ProviderCalls(settings.provider_name)
        self._known: _Known | None = None
        self._lock = threading.Lock()

    def address(self, keys: BegunKeys, redirect_uri: str) -> str:
        """Where the browser is sent to sign in. Raises `Unavailable` when the provider cannot be asked."""
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.settings.scopes,
            "state": keys.state,
            "nonce": keys.nonce,
            "code_challenge": keys.challenge,
            "code_challenge_method": "S256",
        }
        endpoint = self._provider().discovered.authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def profile(self, answer: Mapping[str, str], keys: BegunKeys, redirect_uri: str) -> Profile:
        """Who signed in, from the parameters with which the provider sent the browser back.

        The caller has checked `state` and ended the sign-in. Raises `Unauthenticated` when the provider or the person
        refused, or anything is not as it must be; `Unavailable` when the provider does not answer.
        """
        provider = self._provider()
        self._check_answer(answer, provider.discovered)
        token = self._exchange(answer["code"], keys, redirect_uri, provider.discovered)
        claims = self._verified(token, keys.nonce)
        claims |= self._userinfo(token, claims["sub"], provider.discovered)
        return profile_of(claims, self.settings.issuer)

    def _check_answer(self, answer: Mapping[str, str], discovered: Discovered) -> None:
        said = answer.get("iss")
        if said is None and discovered.authorization_response_iss_parameter_supported:
            raise _refused("the answer does not say which provider it comes from")
        if said is not None and said != discovered.issuer:
            raise _refused("the answer comes from another provider than the one that was asked")
        if answer.get("error") == "access_denied":
            raise Unauthenticated("the sign-in was cancelled, or the provider did not allow it")
        if "error" in answer:
            raise _refused(f"the provider answered {readable(answer['error'], 60)!r}")
        if not answer.get("code"):
            raise _refused("the answer has no code")

    def _exchange(self, code: str, keys: BegunKeys, redirect_uri: str, discovered: Discovered) -> TokenAnswer:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": keys.verifier,
        }
        headers = {}
        secret, me = self.settings.client_secret.reveal(), self.settings.client_id
        if not secret:
            form["client_id"] = me
        elif "client_secret_basic" in discovered.token_endpoint_auth_methods_supported:
            # RFC 6749, 2.3.1: both are form-encoded before they are joined
            joined = f"{quote(me, safe='')}:{quote(secret, safe='')}".encode()
            headers["authorization"] = f"Basic {base64.b64encode(joined).decode()}"
        else:
            form |= {"client_id": me, "client_secret": secret}
        reply = self._calls.post(discovered.token_endpoint, form, headers)
        try:
            token = msgspec.json.decode(reply, type=TokenAnswer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _refused("the provider gave no identity token") from None
        if token.token_type.lower() != "bearer":
            raise _refused("the provider gave an access token of a kind that we do not know")
        return token

    def _verified(self, token: TokenAnswer, nonce: str) -> dict[str, Any]:
        """The claims of the identity token, all of OpenID Connect Core 3.1.3.7 held against it."""
        try:
            read = read_token(token.id_token, LARGEST_TOKEN_BYTES)
            check_header(read, _TYPES)
            self._check_signature(read)
            claims = read.claims
            self._check_claims(claims)
        except (Corrupt, TooLarge) as error:
            raise _refused(f"the identity token is not valid: {error}") from None
        except (JoseError, ValueError, TypeError) as error:
            raise _refused(f"the identity token is not valid ({type(error).__name__})") from None
        said = claims.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise _refused("the identity token was made for another sign-in")
        if "at_hash" in claims and claims["at_hash"] != _half_hash(token.access_token):
            raise _refused("the identity token belongs to another access token")
        return claims

    def _check_claims(self, claims: dict[str, Any]) -> None:
        me = self.settings.client_id
        jwt.JWTClaimsRegistry(
            now=int(clock.now().timestamp()),
            leeway=SKEW_S,
            iss={"essential": True, "value": self.settings.issuer},
            sub={"essential": True},
            aud={"essential": True, "value": me},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(claims)
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != me:
            raise ValueError("made for another client")

    def _check_signature(self, token: Token) -> None:
        """That a key of the provider has signed it. Asks for the keys again when its id is new."""
        try:
            check_signature(token, self._provider().keys, nameless=True)
        except NotSigned as error:
            if error.fault is not Fault.UNKNOWN_KID:
                raise
            check_signature(token, self._provider(KEYS_AGAIN_S).keys, nameless=True)

    def _userinfo(self, token: TokenAnswer, sub: str, discovered: Discovered) -> dict[str, Any]:
        if not discovered.userinfo_endpoint:
            return {}
        reply = self._calls.get(discovered.userinfo_endpoint, {"authorization": f"Bearer {token.access_token}"})
        try:
            claims: dict[str, Any] = msgspec.json.decode(reply, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Unavailable(
                f"{self.settings.provider_name} answers about people in a form that is not JSON: "
                "its operator can switch signed or encrypted user information off for this server"
            ) from None
        if claims.get("sub") != sub:
            raise _refused("the provider spoke of two different people")
        return {name: value for name, value in claims.items() if name in PROFILE_CLAIMS}

    def _provider(self, fresh_s: float = FRESH_S) -> _Known:
        with self._lock:
            known = self._known
            if known is None or time.monotonic() - known.asked_at >= fresh_s:
                known = self._known = self._ask()
            return known

    def _ask(self) -> _Known:
        if not self.settings.issuer:
            raise Unavailable("nobody can sign in here: the operator has not set `signin.issuer`")
        document = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        discovered = _decoded(self._calls.get(document), Discovered, "its discovery document")
        self._check_discovered(discovered)
        try:
            keys = read_public_keys(self._calls.get(discovered.jwks_uri))
        except (Corrupt, TooLarge) as error:
            raise Unavailable(f"the keys of {self.settings.provider_name} cannot be used: {error}") from None
        return _Known(discovered, keys, time.monotonic())

    def _check_discovered(self, found: Discovered) -> None:
        name = self.settings.provider_name
        if found.issuer != self.settings.issuer:
            raise Unavailable(
                f"{name} calls itself {found.issuer[:200]!r}: `signin.issuer` must be exactly that, "
                "if it is the right one"
            )
        if "S256" not in found.code_challenge_methods_supported:
            raise Unavailable(f"{name} does not know PKCE with S256, without which nobody signs in here")
        for endpoint in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.userinfo_endpoint):
            try:
                # an endpoint may have a query, an issuer may not
                check_issuer((endpoint or self.settings.issuer).partition("?")[0])
            except ValueError:
                raise Unavailable(f"{name} names {endpoint[:200]!r} as an address of its own: not https") from None


def _half_hash(access_token: str) -> str:
    """`at_hash` of OpenID Connect Core 3.1.3.6; both our algorithms hash by SHA-256."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def _decoded(reply: bytes, kind: Any, what: str) -> Any:
    try:
        return msgspec.json.decode(reply, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unavailable(f"the sign-in service does not answer as one: {what} cannot be read") from None


def _refused(why: str) -> Unauthenticated:
    _log.warning("a sign-in was refused: %s", why)
    return Unauthenticated(f"the sign-in could not be confirmed: {why}; sign in again")
