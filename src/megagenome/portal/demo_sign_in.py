# SPDX-License-Identifier: Apache-2.0
"""The one page of the demo's OpenID provider."""

from urllib.parse import urlsplit

from litestar import Response

from megagenome.portal.pages import HEADERS, html, render


def demo_sign_in_page(redirect_uri: str, problem: str) -> Response[str]:
    """The form for name and password, for a client with this address; `problem` is what was wrong, empty at first.

    The browser may go on to the client when the form is sent: a policy that names only this server would stop it there.
    """
    client = urlsplit(redirect_uri)
    origin = f"{client.scheme}://{client.netloc}"
    page = html(render("demo_sign_in.html", client=client.netloc, problem=problem), 401 if problem else 200)
    policy = HEADERS["content-security-policy"].replace("form-action 'self'", f"form-action 'self' {origin}")
    page.headers["content-security-policy"] = policy
    page.headers["cache-control"] = "no-store"
    return page
