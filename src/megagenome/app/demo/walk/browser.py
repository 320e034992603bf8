# SPDX-License-Identifier: Apache-2.0
"""A browser without a screen: it follows links and redirects, keeps cookies, sends forms as their pages made them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from megagenome.app.demo.walk.html_page import Content, Form, Values, parse_html
from megagenome.kernel.errors import Unavailable

TIMEOUT_S = 30.0
_SHOWN = 300


class Upload(NamedTuple):
    """A file for a field of a form."""

    field: str
    name: str
    content: bytes


class Page(NamedTuple):
    """Where the browser is, and what it shows."""

    url: str
    status: int
    content: Content


class Browser:
    """One person's, with their cookies. Every server of the demo is on one host, as their cookies' names allow."""

    def __init__(self) -> None:
        self._client = httpx.Client(trust_env=False, timeout=TIMEOUT_S, follow_redirects=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def open(self, url: str) -> Page:
        """The page at an address. Raises `Unavailable` with the page's words where the server refuses it."""
        return _page(self._client.get(url))

    def follow(self, page: Page, link: str) -> Page:
        """Click the link with this text."""
        if link not in page.content.links:
            raise Unavailable(f"{page.url} has no link “{link}”: {_words(page.content)}")
        return self.open(urljoin(page.url, page.content.links[link]))

    def submit(
        self, page: Page, action: str, values: Mapping[str, str | Sequence[str]], uploads: Sequence[Upload] = ()
    ) -> Page:
        """Fill in `values` in the page's form for `action`, and send it."""
        form = _form(page, action)
        url = urljoin(page.url, form.action or page.url)
        filled = form.values | {name: [each] if isinstance(each, str) else [*each] for name, each in values.items()}
        if form.method == "get":
            return self.open(f"{url.partition('?')[0]}?{urlencode(filled, doseq=True)}")
        files = [(upload.field, (upload.name, upload.content, "text/plain")) for upload in uploads]
        return _page(self._client.post(url, headers=_of_own_page(url), **_body(form, filled, files)))

    def get_json(self, url: str, query: Mapping[str, str] | None = None) -> httpx.Response:
        """What a program of this person would get, by their session."""
        return self._client.get(url, params=query or {}, headers={"accept": "application/json"})

    def client_of(self, page: Page) -> httpx.Client:
        """What a script of the page would send with: this person's session, and the token that the page has."""
        tokens = [form.values["csrf"][0] for form in page.content.forms if "csrf" in form.values]
        if not tokens:
            raise Unavailable(f"{page.url} has no form of a session: {_words(page.content)}")
        headers = _of_own_page(page.url)
        return httpx.Client(
            base_url=headers["origin"],
            headers={**headers, "x-csrf-token": tokens[0]},
            cookies=self._client.cookies,
            trust_env=False,
            timeout=TIMEOUT_S,
        )

    def sign_in(self, server: str, name: str, password: str) -> Page:
        """From the server's sign-in to the provider and back; the page of the account there."""
        form = self.open(f"{server}/login/start?next=/account")
        page = self.submit(form, "", {"username": name, "password": password})
        if not page.url.startswith(server):
            raise Unavailable(f"the provider keeps {name}: {_words(page.content)}")
        return page


def _form(page: Page, action: str) -> Form:
    for form in page.content.forms:
        if form.action.partition("#")[0] == action:
            return form
    raise Unavailable(f"{page.url} has no form for {action}: {_words(page.content)}")


def _of_own_page(url: str) -> dict[str, str]:
    """What a browser adds to say that a page of the same server sends this."""
    parts = urlsplit(url)
    return {"origin": f"{parts.scheme}://{parts.netloc}", "sec-fetch-site": "same-origin"}


def _body(form: Form, filled: Values, files: list[tuple[str, Any]]) -> dict[str, Any]:
    if not form.is_multipart:
        return {"data": filled}
    # without any file httpx would choose the other encoding, and browsers do not
    texts = [(name, (None, value.encode())) for name, values in filled.items() for value in values]
    return {"files": [*texts, *files]}


def _page(response: httpx.Response) -> Page:
    page = Page(str(response.url), response.status_code, parse_html(response.text))
    if response.status_code != 200:
        raise Unavailable(f"{page.url} answers {page.status}: {_words(page.content)}")
    return page


def _words(content: Content) -> str:
    return content.text[:_SHOWN]
