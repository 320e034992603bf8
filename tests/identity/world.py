# SPDX-License-Identifier: Apache-2.0
"""A provider whose every answer a test can change, and a server at which people sign in by it."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from litestar import Litestar, Request, get, post
from litestar.testing import TestClient

from megagenome.app.web import WebApp, elsewhere
from megagenome.identity.caller_middleware import CallerMiddleware
from megagenome.identity.oidc import RelyingParty
from megagenome.identity.provider_calls import ProviderCalls
from megagenome.identity.routes import make_door, sign_in_router
from megagenome.identity.sessions import Sessions
from megagenome.identity.settings import SignInSettings
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller
from megagenome.portal.account_routes import account_router
from megagenome.portal.site import error_pages, show_error

ISSUER = "https://login.example.org/realms/genomes"
CLIENT = "hub.example"
HERE = "http://127.0.0.1:8600"
CALLBACK = f"{HERE}/login/callback"
SUBJECT = f"248289761001@{ISSUER}"

Claims = dict[str, Any]


class FakeProvider:
    """Keeps the rules unless a test changes one of its attributes; `asked` collects what reached it."""

    def __init__(self) -> None:
        self.key: ECKey | RSAKey = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
        self.published = [self.key]
        self.algorithm = "ES256"
        self.discovery: Claims = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "jwks_uri": f"{ISSUER}/keys",
            "authorization_response_iss_parameter_supported": True,
        }
        self.person: Claims = {"sub": "248289761001", "name": "Jane Doe", "email": "jane@example.org"}
        self.alter: Callable[[Claims], None] = lambda _: None
        self.sign: Callable[[Claims], str] = self._sign
        self.access_token = "SlAV32hkKG"
        self.broken: dict[str, httpx.Response | Exception] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[httpx.Request] = []

    def authorize(self, address: str) -> dict[str, str]:
        """What a person does at the provider: the parameters with which the browser comes back."""
        query = dict(parse_qsl(urlsplit(address).query))
        assert query["response_type"] == "code"
        code = f"code{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": ISSUER}

    def answer(self, request: httpx.Request) -> httpx.Response:
        """One call of an endpoint."""
        self.asked.append(request)
        endpoint = request.url.path.rsplit("/", 1)[1]
        if endpoint in self.broken:
            broken = self.broken[endpoint]
            if isinstance(broken, Exception):
                raise broken
            return broken
        answers: Mapping[str, Callable[[httpx.Request], Any]] = {
            "openid-configuration": lambda _: self.discovery,
            "keys": lambda _: KeySet(self.published).as_dict(private=False),
            "token": self._token,
            "userinfo": lambda _: self.person,
        }
        found = answers[endpoint](request)
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    def _token(self, request: httpx.Request) -> Any:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        query = self.codes.pop(form["code"], None)
        if query is None or s256(form["code_verifier"]) != query["code_challenge"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        now = int(clock.now().timestamp())
        claims = {"iss": ISSUER, "sub": self.person["sub"], "aud": CLIENT, "iat": now, "exp": now + 300}
        claims["nonce"] = query["nonce"]
        self.alter(claims)
        return {"access_token": self.access_token, "token_type": "Bearer", "id_token": self.sign(claims)}

    def _sign(self, claims: Claims) -> str:
        header = {"alg": self.algorithm, "kid": self.key.kid or ""}
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])

    def calls(self) -> ProviderCalls:
        """The way there, without a network."""
        return ProviderCalls("Example Login", httpx.MockTransport(self.answer))


def s256(text: str) -> str:
    """PKCE's challenge, by RFC 7636's own words."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode("ascii")).digest()).decode().rstrip("=")


def by_hand(header: Claims, claims: Claims, sign: Callable[[bytes], bytes]) -> str:
    """A token that no library would make."""
    parts = [json.dumps(part).encode() for part in (header, claims)]
    body = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    return (body + b"." + base64.urlsafe_b64encode(sign(body)).rstrip(b"=")).decode()


def unsigned(claims: Claims) -> str:
    """A token with the algorithm `none`."""
    return by_hand({"alg": "none"}, claims, lambda _: b"")


def signed_by_hmac(provider: FakeProvider) -> Callable[[Claims], str]:
    """Tokens signed with the public key as if it were a shared secret."""
    secret = provider.key.as_pem(private=False)
    header = {"alg": "HS256", "kid": provider.key.kid}
    return lambda claims: by_hand(header, claims, lambda body: hmac.digest(secret, body, "sha256"))


def make_settings(**changed: Any) -> SignInSettings:
    return SignInSettings(**{"issuer": ISSUER, "client_id": CLIENT, "provider": "Example Login", **changed})


@get("/whoami", sync_to_thread=False)
def whoami(request: Request[Any, Any, Any]) -> Caller:
    caller: Caller = request.scope["caller"]
    return caller


@post("/change", status_code=200)
async def change(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """A route that changes something: what it got shows that the check left the body to it."""
    content_type = request.content_type[0]
    if content_type == "application/json":
        return {"json": await request.json()}
    form = await request.form()
    return {name: value if isinstance(value, str) else (await value.read()).decode() for name, value in form.items()}


class Server:
    """A server with sign-in, and its parts."""

    def __init__(
        self,
        engine: sa.Engine,
        provider: FakeProvider,
        settings: SignInSettings,
        url: str = "",
        *,
        on_node: bool = False,
    ) -> None:
        self.sessions = Sessions(engine, settings)
        self.callers = CallerMiddleware(self.sessions, url, offered=True)
        door = make_door(settings, self.callers, RelyingParty(settings, provider.calls()))
        self.app = WebApp(
            [sign_in_router(door, error_pages), account_router(door, error_pages, on_node=on_node), whoami, change],
            exception_handlers=elsewhere(show_error),
            middleware=[self.callers],
            openapi_config=None,
        )
        self.provider = provider
        self._running: TestClient[Litestar] | None = None

    @contextmanager
    def browser(self, base_url: str = HERE) -> "Iterator[Browser]":
        """A browser of its own, with no cookies yet. Others may be open; the server starts with the first."""
        if self._running:
            yield Browser(self._running, self.provider, base_url)
            return
        with TestClient(self.app, base_url=base_url) as client:
            client.headers["user-agent"] = "Firefox on Linux"
            self._running = client
            yield Browser(client, self.provider, base_url)
        self._running = None


class Browser:
    """A browser on that server. It sends what browsers send with forms."""

    def __init__(self, client: TestClient[Litestar], provider: FakeProvider, origin: str) -> None:
        self._client, self.provider, self.origin = client, provider, origin
        self._cookies = httpx.Cookies()

    @property
    def client(self) -> TestClient[Litestar]:
        """For requests with the cookies of this browser."""
        self._client._cookies = self._cookies
        return self._client

    def start(self, next_path: str = "/whoami") -> str:
        """Begin to sign in; the address of the provider."""
        answer = self.client.get("/login/start", params={"next": next_path}, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def come_back(self, answer: Mapping[str, str]) -> httpx.Response:
        """The provider sends the browser back."""
        return self.client.get("/login/callback", params=dict(answer), follow_redirects=False)

    def sign_in(self, next_path: str = "/whoami") -> httpx.Response:
        """The whole way."""
        return self.come_back(self.provider.authorize(self.start(next_path)))

    def whoami(self) -> Any:
        return self.client.get("/whoami").json()

    def csrf(self) -> str:
        """The token in the forms of the account's page."""
        return re.findall(r'name="csrf" value="([0-9a-f]{64})"', self.client.get("/account").text)[0]

    def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> httpx.Response:
        """Send a form from a page of this server, unless `headers` say otherwise; an empty one is not sent."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"origin": self.origin, "sec-fetch-site": "same-origin", **named}
        sent = {name: value for name, value in sent.items() if value}
        return self.client.post(path, data=dict(fields or {}), headers=sent, follow_redirects=False)
