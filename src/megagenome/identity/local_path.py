# SPDX-License-Identifier: Apache-2.0
"""Where a browser may be sent after it signed in: to a page of this server and nowhere else."""

from urllib.parse import urlsplit

LONGEST = 2000


def local_path(text: str, otherwise: str = "/") -> str:
    """`text` if it is the path of a page here, with its query; else `otherwise`.

    Browsers read `\\` as `/`, drop tabs and line ends, and take `//host` and `scheme:` for other servers: what holds
    any of that is refused, not repaired.
    """
    if not text.startswith("/") or text.startswith("//") or len(text) > LONGEST:
        return otherwise
    if not text.isascii() or not text.isprintable() or "\\" in text or " " in text:
        return otherwise
    try:
        parts = urlsplit(text)
    except ValueError:
        return otherwise
    # signing in again, or out, is no place to come back to
    if parts.scheme or parts.netloc or parts.path.startswith(("/login", "/logout")):
        return otherwise
    return text
