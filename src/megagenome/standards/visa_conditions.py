# SPDX-License-Identifier: Apache-2.0
"""The `conditions` of a GA4GH visa: the grammar, from and to JSON.

GA4GH Passport 1.2.1, "conditions" (https://ga4gh.github.io/data-security/ga4gh-passport). Alternatives (or) of clauses
(and); a clause names a visa type and, for at least one claim of that visa, `const:`, `pattern:` or `split_pattern:`
and a text. Whether conditions are met is decided in `identity`.
"""

from enum import StrEnum
from typing import Any

import msgspec

from megagenome.kernel.errors import Corrupt

MAX_CLAUSES = 64
MAX_PATTERN_LENGTH = 1024
MATCHED_CLAIMS = frozenset({"value", "source", "by"})
"""The text claims of a visa object besides `type`. No condition may name a time, or conditions."""


class MatchKind(StrEnum):
    """How the text of a clause is compared with a claim."""

    CONST = "const"  # equal, case-sensitive
    PATTERN = "pattern"  # the whole claim; `?` is one character, `*` any number; nothing escapes them
    SPLIT_PATTERN = "split_pattern"  # as PATTERN, with any one part of the claim between semicolons


_KINDS = frozenset(str(kind) for kind in MatchKind)


class Match(msgspec.Struct, frozen=True):
    """What one claim of the visa must be."""

    claim: str
    kind: MatchKind
    text: str


class Clause(msgspec.Struct, frozen=True):
    """One visa that must be there: its type, and all that must match in it. Without matches no visa ever fits."""

    type: str
    matches: tuple[Match, ...] = ()


Conditions = tuple[tuple[Clause, ...], ...]
"""Alternatives, of which one must hold, of clauses, of which all must hold. Empty: no condition."""

NEVER = Clause("")
"""What a clause that is against the grammar, or that we do not understand, becomes: it fails to match."""


def read_conditions(content: object) -> Conditions:
    """The claim `conditions` as it came from JSON.

    A clause that is wrong or unknown becomes `NEVER`, as the standard wants. Raises `Corrupt` where it is no list of
    lists of objects at all, or holds more than `MAX_CLAUSES`.
    """
    try:
        alternatives = msgspec.convert(content, list[list[dict[str, Any]]])
    except msgspec.ValidationError:
        raise Corrupt("conditions: not a list of lists of clauses") from None
    if sum(map(len, alternatives)) > MAX_CLAUSES:
        raise Corrupt(f"conditions: more than {MAX_CLAUSES} clauses")
    return tuple(tuple(_read_clause(clause) for clause in clauses) for clauses in alternatives)


def conditions_to_builtins(conditions: Conditions) -> list[list[dict[str, str]]]:
    """What `read_conditions` reads."""
    return [
        [{"type": clause.type} | {m.claim: f"{m.kind}:{m.text}" for m in clause.matches} for clause in clauses]
        for clauses in conditions
    ]


def _read_clause(content: dict[str, Any]) -> Clause:
    type_ = content.get("type")
    matches = [_read_match(claim, text) for claim, text in content.items() if claim != "type"]
    understood = tuple(match for match in matches if match is not None)
    if not isinstance(type_, str) or not type_ or len(understood) < len(matches):
        return NEVER
    return Clause(type_, understood)


def _read_match(claim: str, text: object) -> Match | None:
    if claim not in MATCHED_CLAIMS or not isinstance(text, str) or len(text) > MAX_PATTERN_LENGTH:
        return None
    kind, colon, suffix = text.partition(":")
    return Match(claim, MatchKind(kind), suffix) if colon and kind in _KINDS else None
