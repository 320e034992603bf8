# SPDX-License-Identifier: Apache-2.0
"""People who are signed in at a server that is served: they hold a session of its database, and act by its JSON API.

How they sign in is another story (tests/identity, with real providers and browsers).
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from megagenome.identity.forgery import HEADER
from megagenome.identity.own_site import asked_site, configured_site
from megagenome.identity.roles import Scope, grant_role
from megagenome.identity.sessions import Sessions, csrf_token
from megagenome.identity.settings import SignInSettings
from megagenome.identity.subjects import Profile
from megagenome.kernel.callers import Role
from megagenome.kernel.database import open_database, sqlite_url
from tests.journeys.network import Served

ISSUER = "https://idp.example"


def subject(name: str) -> str:
    """As all servers know somebody."""
    return f"{name.lower()}@{ISSUER}"


def grant(folder: Path, name: str, role: Role, country: str = "", organisation: str = "") -> None:
    """A role at the server of this folder, by its operator."""
    engine = open_database(sqlite_url(next(folder.glob("*.sqlite"))))
    with engine.begin() as connection:
        grant_role(connection, subject(name), role, Scope(country, organisation), "test")
    engine.dispose()


class Person:
    """Somebody with a session at one server. It survives that server, as sessions do."""

    def __init__(self, served: Served, name: str, url: str = "", *, accepts_terms: bool = False) -> None:
        """`url` is the address that the server's settings say; empty: as it is asked."""
        self.name, self._url = name, url
        engine = open_database(sqlite_url(next(served.folder.glob("*.sqlite"))))
        sessions = Sessions(engine, SignInSettings())
        self._token = sessions.open(Profile(subject(name), name), "test")
        if accepts_terms:
            sessions.accept_terms(subject(name))
        engine.dispose()
        self.served = served

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """What the server answers them."""
        url = self.served.url
        site = configured_site(self._url) if self._url else asked_site(urlsplit(url).netloc)
        assert site
        headers = {
            "cookie": f"{site.session_cookie}={self._token}",
            "origin": site.origin,
            HEADER: csrf_token(self._token),
            **more.pop("headers", {}),
        }
        return httpx.request(method, url + path, headers=headers, trust_env=False, timeout=30, **more)

    def get(self, path: str) -> Any:
        """JSON."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, (self.name, path, answer.text)
        return answer.json()

    def post(self, path: str, content: object) -> Any:
        """JSON."""
        answer = self.call("POST", path, json=content)
        assert answer.status_code in (200, 201), (self.name, path, content, answer.text)
        return answer.json()
