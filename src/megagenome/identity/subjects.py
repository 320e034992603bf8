# SPDX-License-Identifier: Apache-2.0
"""The one text that names a person in the whole house, and the words of a provider made fit to be kept and read."""

import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from megagenome.kernel.errors import Unauthenticated
from megagenome.standards.passport import VisaIdentity, is_issuer, is_subject

_LONGEST_NAME = 200
_NOT_READABLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories that steer a terminal or turn a line around, and what is no character at all."""


PROFILE_CLAIMS = (
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "email",
    "schac_home_organization",
    "eduperson_scoped_affiliation",
)
"""What is used of what a provider says of somebody, beside `sub`."""


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


def subject_of(sub: object, issuer: str) -> str:
    """`sub` at `issuer` as `VisaIdentity.subject` has it: the same text as when they come with a passport.

    Raises `Unauthenticated` for a `sub` that no provider may give: longer than 255, not printable ASCII, or with a
    blank; likewise for what can be no issuer.
    """
    if not isinstance(sub, str) or not is_subject(sub) or not is_issuer(issuer):
        raise Unauthenticated("the provider names you by what is no subject identifier: tell those who run it")
    return VisaIdentity(sub, issuer).subject


def profile_of(claims: Mapping[str, Any], issuer: str) -> Profile:
    """Who the claims speak of. Names are cleaned of what steers a screen; nothing in them is trusted to identify."""
    both = f"{readable(claims.get('given_name'))} {readable(claims.get('family_name'))}".strip()
    names = (readable(claims.get("name")), both, readable(claims.get("preferred_username")))
    email = readable(claims.get("email"), 320)
    said = claims.get("eduperson_scoped_affiliation")
    listed = [readable(each, 255) for each in (said if isinstance(said, list) else [said])]
    affiliations = tuple(each for each in listed if each.count("@") == 1 and " " not in each)[:20]
    home = readable(claims.get("schac_home_organization"), 255)
    return Profile(
        subject_of(claims["sub"], issuer),
        next(filter(None, names), email or readable(claims["sub"])),
        email,
        home or next((each.partition("@")[2] for each in affiliations), ""),
        affiliations,
    )


def readable(text: object, longest: int = _LONGEST_NAME) -> str:
    """`text` as one line of at most `longest` characters, without any that steer what shows it; "" for no text."""
    if not isinstance(text, str):
        return ""
    kept = "".join(" " if letter.isspace() else letter for letter in text[: 4 * longest])
    kept = "".join(letter for letter in kept if unicodedata.category(letter) not in _NOT_READABLE)
    return " ".join(kept.split())[:longest].strip()
