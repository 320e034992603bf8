# SPDX-License-Identifier: Apache-2.0
"""Whether the conditions of a visa are met by other visas of the same passport.

GA4GH Passport 1.2.1, "conditions": a clause is met by one visa in which all that it names matches; visas that carry
conditions themselves meet none. Which visas may be asked at all (verified, trusted, of the same person) is for the
caller to say.
"""

from collections.abc import Callable, Iterable

from megagenome.standards.passport import Visa
from megagenome.standards.visa_conditions import Clause, Conditions, Match, MatchKind


def met_until(conditions: Conditions, visas: Iterable[tuple[Visa, int]]) -> int | None:
    """Until when `conditions` are met, each of `visas` counting until its number; None when they are not met.

    Of several ways the one that lasts longest; each way ends with the first visa of it. An alternative without a clause
    is never met: nothing was asked, so nothing was shown.
    """
    asked = [(visa, until) for visa, until in visas if visa.conditions is None]
    ways = [_all(clauses, asked) for clauses in conditions]
    return max((until for until in ways if until is not None), default=None)


def _all(clauses: tuple[Clause, ...], asked: list[tuple[Visa, int]]) -> int | None:
    ends = [max((until for visa, until in asked if fits(clause, visa)), default=None) for clause in clauses]
    known = [end for end in ends if end is not None]
    return min(known) if known and len(known) == len(ends) else None


def fits(clause: Clause, visa: Visa) -> bool:
    """Whether all that the clause names matches this visa. A claim that the visa does not have matches nothing."""
    if visa.type != clause.type or not clause.matches:
        return False
    return all(_matches(match, getattr(visa, match.claim)) for match in clause.matches)


def _matches(match: Match, claim: str | None) -> bool:
    return claim is not None and _COMPARE[match.kind](match.text, claim)


def matches_pattern(pattern: str, text: str) -> bool:
    """Whether `?` (one character) and `*` (any number) in `pattern` can be filled so that it is `text`.

    Goes back only to the last `*`, which is enough; so at most the product of both lengths is compared, and no
    pattern can be built that takes longer.
    """
    at = place = 0
    star, resume = -1, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = star + 1, resume
        else:
            return False
    return set(pattern[at:]) <= {"*"}


def _matches_part(pattern: str, text: str) -> bool:
    return any(matches_pattern(pattern, part) for part in text.split(";"))


_COMPARE: dict[MatchKind, Callable[[str, str], bool]] = {
    MatchKind.CONST: str.__eq__,
    MatchKind.PATTERN: matches_pattern,
    MatchKind.SPLIT_PATTERN: _matches_part,
}
