# SPDX-License-Identifier: Apache-2.0
"""The one text that names a person in the whole house, and the words of a provider made fit to be kept and read."""

import unicodedata
from typing import NamedTuple

from megagenome.kernel.errors import Unauthenticated

LONGEST_SUB = 255
"""Of a subject at its issuer, by OpenID Connect Core 1.0, section 2."""
_LONGEST_NAME = 200
_NOT_READABLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories that steer a terminal or turn a line around, and what is no character at all."""


class Profile(NamedTuple):
    """Who signed in, as the provider says.

    subject       of `subject_of`: the only field that identifies
    name          what people read
    organisation  their home organisation's domain; empty where the provider says none
    affiliations  such as `faculty@example.org`
    """

    subject: str
    name: str
    email: str = ""
    organisation: str = ""
    affiliations: tuple[str, ...] = ()


def subject_of(sub: str, issuer: str) -> str:
    """`sub` at `issuer` as one opaque text without blanks: stored, compared and shown, never parsed again.

    An issuer holds no `@`, so two people never have the same text. Raises `Unauthenticated` for a `sub` that no
    provider may give: longer than 255, not printable ASCII, or with a blank.
    """
    if not 0 < len(sub) <= LONGEST_SUB or not (sub.isascii() and sub.isprintable()) or " " in sub:
        raise Unauthenticated("the provider names you by what is no subject identifier: tell those who run it")
    return f"{sub}@{issuer}"


def readable(text: object, longest: int = _LONGEST_NAME) -> str:
    """`text` as one line of at most `longest` characters, without any that steer what shows it; "" for no text."""
    if not isinstance(text, str):
        return ""
    kept = "".join(" " if letter.isspace() else letter for letter in text[: 4 * longest])
    kept = "".join(letter for letter in kept if unicodedata.category(letter) not in _NOT_READABLE)
    return " ".join(kept.split())[:longest].strip()
