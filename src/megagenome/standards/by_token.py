# SPDX-License-Identifier: Apache-2.0
"""What programs have in common that ask one of our servers by somebody's token: which addresses they ask, and what
answers mean. No outside standard."""

from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from megagenome.kernel.addresses import is_loopback
from megagenome.kernel.errors import Invalid, MegagenomeError, Unauthenticated, Unavailable
from megagenome.standards.problem import CONDITIONS, decode_detail

TOKEN_VARIABLE = "MEGAGENOME_TOKEN"  # noqa: S105 - the name of a variable

T = TypeVar("T")


def parse_server(url: str, kind: str, *, has_token: bool) -> str:
    """The address of a server of this kind (`node`, `hub`), without a slash at its end. Raises `Invalid` for what is
    none, and for one on the way to which others could take the token."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise Invalid(f"{url!r} is no address of a {kind}: write one such as https://{kind}.example.org")
    if has_token and parts.scheme == "http" and not is_loopback(parts.hostname):
        raise Invalid(f"{url} is not encrypted: everybody on the way could take the token; use https")
    return url.rstrip("/")


def unauthenticated(url: str, why: str) -> Unauthenticated:
    """What to do where the server at this address wants to know who asks."""
    return Unauthenticated(
        f"{why}: make a token on the page of your account at {url}/account and put it into {TOKEN_VARIABLE}"
    )


def condition_of(url: str, kind: str, status: int, body: bytes) -> MegagenomeError:
    """The condition that a server answered with, in its own words where it has some."""
    detail, answers = decode_detail(body), f"the {kind} at {url} answers {status}"
    if status == 401:  # its own advice, if any, is the same and without the address
        return unauthenticated(url, detail.partition(":")[0] or f"the {kind} does not know who you are")
    condition = CONDITIONS.get(status)
    if condition is None:
        return Unavailable(f"{answers}: {detail}" if detail else answers)
    return condition(detail or answers)


def read_answer(asked: object, kind: str, body: bytes, answer: type[T]) -> T:
    """What a server answered to what was asked at an address. Raises `Unavailable` where it cannot be understood."""
    try:
        return msgspec.json.decode(body, type=answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unavailable(f"{asked} is not the API of a {kind} of this version: check its address") from None
