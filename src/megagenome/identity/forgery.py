# SPDX-License-Identifier: Apache-2.0
"""Whether a request that changes something was meant by the person whose browser sent it.

Two checks that fail for different reasons: where the browser says that the request comes from (`Origin`,
`Sec-Fetch-Site`), and a token that only a page of the same session can know.
"""

import hmac

from megagenome.kernel.errors import NotEntitled

FIELD = "csrf"
"""The form field with the token."""
HEADER = "x-csrf-token"
"""The header with the token, for scripts."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Of RFC 9110: no route of ours changes anything for them."""


def check_origin(own_origin: str, origin: str, sec_fetch_site: str) -> None:
    """Raise `NotEntitled` unless the browser says that a page of `own_origin` sent the request.

    Every browser of today sends one of the headers with each POST. What sends neither is no browser: it has no business
    with a cookie.
    """
    if origin:
        fine = origin.lower() == own_origin and sec_fetch_site in ("", "same-origin")
    else:
        fine = sec_fetch_site == "same-origin"
    if not fine:
        raise NotEntitled("this was sent by a page of another site: nothing was done; use the pages of this server")


def check_token(expected: str, given: str) -> None:
    """Raise `NotEntitled` unless the request carries the token of its own session."""
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise NotEntitled("this page is older than your session: nothing was done; load the page again, then repeat it")
